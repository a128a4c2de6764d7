"""Each tampering with the command that finds it and the line that tells it, as docs/tampering.md has them; "…" stands for any
text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests import tamperings as acts

AUDIT, EVIDENCE = "flask audit verify", "flask evidence verify"
FOLDER, S3 = "folder", "S3"


@dataclass(frozen=True)
class Tampering:
    """`where`: "" on both pairs of services, else the only one on which it can be done so."""

    title: str
    command: str
    line: str
    act: Callable[[], None]
    where: str = ""


TAMPERINGS: tuple[Tampering, ...] = (
    Tampering(
        "a byte of an original flipped",
        EVIDENCE,
        "材料 … 的原件：存储中的内容与登记的指纹不符（…），被改动或调换",
        acts.flip_a_byte,
        FOLDER,
    ),
    Tampering(
        "an original deleted",
        EVIDENCE,
        "材料 … 的原件：存储中没有这个版本（…），被删除",
        acts.delete_a_file,
        FOLDER,
    ),
    Tampering(
        "two originals swapped",
        EVIDENCE,
        "材料 … 的原件：存储中的内容与登记的指纹不符（…），被改动或调换",
        acts.swap_two_files,
        FOLDER,
    ),
    Tampering(
        "an object overwritten by a new version",
        EVIDENCE,
        "存储中的 …（版本 …）不属于任何登记：多出，或替换了原来的内容",
        acts.overwrite_an_object,
        S3,
    ),
    Tampering(
        "a version deleted that no lock held yet",
        EVIDENCE,
        "材料 … 的原件：存储中没有这个版本（…），被删除",
        acts.delete_a_version,
        S3,
    ),
    Tampering(
        "a foreign file put into the store",
        EVIDENCE,
        "存储中的 …（版本 …）不属于任何登记：多出，或替换了原来的内容",
        acts.put_a_foreign_file,
    ),
    Tampering(
        "a view replaced together with its row",
        EVIDENCE,
        "材料 …：显示的图片与记录 … 收到时不符，图片连同登记被换",
        acts.replace_a_view_with_its_row,
    ),
    Tampering(
        "a paper hidden from its case",
        EVIDENCE,
        "材料 …：已从业务中移除，而审计链中没有移除的记录，被改动",
        acts.hide_a_paper,
    ),
    Tampering(
        "a removed paper brought back",
        EVIDENCE,
        "材料 …：记录 … 写明已移除，现在仍在业务中，被改动",
        acts.bring_a_paper_back,
    ),
    Tampering(
        "the verdict on a picture changed",
        EVIDENCE,
        "材料 …：图片检查的结果与收到时的记录不符，被改动",
        acts.better_a_verdict,
    ),
    Tampering(
        "a reason for a poor picture made up",
        EVIDENCE,
        "材料 …：图片存疑仍使用的原因与审计链不符，被改动",
        acts.give_a_reason,
    ),
    Tampering(
        "a received file's row deleted",
        EVIDENCE,
        "材料 …：记录 … 写明收到过，现在没有这份登记，被删除或改动",
        acts.delete_an_evidence_row,
    ),
    Tampering(
        "a decision's opinion edited",
        AUDIT,
        "业务 …：第 1 轮“…”的决定（结果、意见或所见材料）与记录 … 不符，被改动",
        acts.edit_a_decision,
    ),
    Tampering(
        "a decision given to another person",
        AUDIT,
        "业务 …：第 1 轮“…”的决定（结果、意见或所见材料）与记录 … 不符，被改动",
        acts.move_a_decision,
    ),
    Tampering(
        "what a decision had seen blanked",
        AUDIT,
        "业务 …：第 1 轮“…”的决定（结果、意见或所见材料）与记录 … 不符，被改动",
        acts.blank_what_was_seen,
    ),
    Tampering(
        "a decision deleted",
        AUDIT,
        "业务 …：第 1 轮“…”的决定没有了（记录 …），被删除",
        acts.delete_a_decision,
    ),
    Tampering(
        "an event of a case deleted",
        AUDIT,
        "业务 …：第 … 版的经过“提交”没有了（记录 …），被删除",
        acts.delete_an_event,
    ),
    Tampering(
        "an event of a case edited",
        AUDIT,
        "业务 …：第 … 版的经过“提交”与记录 … 不符，被改动",
        acts.edit_an_event,
    ),
    Tampering("a case deleted", AUDIT, "业务 …：记录 … 写明发起过，现在没有，被删除", acts.delete_a_case),
    Tampering(
        "a status forced to approved",
        AUDIT,
        "业务 …：状态是 approved，而记录 … 之后应是 in_review，被改动",
        acts.force_a_status,
    ),
    Tampering(
        "a case given another pupil",
        AUDIT,
        "业务 …：所关学生、学校、政策、环节或受理机关与记录 … 之后不符，被改动",
        acts.give_a_case_another_pupil,
    ),
    Tampering(
        "a case put under another policy",
        AUDIT,
        "业务 …：所关学生、学校、政策、环节或受理机关与记录 … 之后不符，被改动",
        acts.put_a_case_under_another_policy,
    ),
    Tampering(
        "a case handed to the last step",
        AUDIT,
        "业务 …：所关学生、学校、政策、环节或受理机关与记录 … 之后不符，被改动",
        acts.hand_a_case_to_the_last_step,
    ),
    Tampering(
        "what was read on a page edited",
        AUDIT,
        "材料 … 第 … 页：识读的内容与记录 … 不符，被改动",
        acts.edit_a_reading,
    ),
    Tampering(
        "what was read on a page made up",
        AUDIT,
        "材料 … 第 … 页：识读的内容在审计链中没有记录，不是由本系统写入的",
        acts.insert_a_reading,
    ),
    Tampering(
        "a reviewer's reading edited",
        AUDIT,
        "业务 …：审核人更正的识读与审计链不符，被改动、删除或添加",
        acts.edit_a_correction,
    ),
    Tampering(
        "a reviewer's reading made up",
        AUDIT,
        "业务 …：审核人更正的识读与审计链不符，被改动、删除或添加",
        acts.insert_a_correction,
    ),
    Tampering("a case's answers edited", AUDIT, "业务 …：填写的内容与记录 … 不符，被改动", acts.edit_answers),
    Tampering(
        "a person on a submitted roster edited",
        AUDIT,
        "业务 …：名单与记录 … 提交时不符，被改动",
        acts.edit_a_roster_row,
    ),
    Tampering("a pupil edited", AUDIT, "学生 …：内容不是由本系统写入的，被改动", acts.edit_a_pupil),
    Tampering(
        "a pupil put back to an earlier row",
        AUDIT,
        "学生 …：现为第 … 版，而登记变更已到第 … 版，被退回旧值",
        acts.put_a_pupil_back,
    ),
    Tampering("a pupil inserted", AUDIT, "学生 …：内容不是由本系统写入的，被改动", acts.insert_a_pupil),
    Tampering(
        "a register change edited",
        AUDIT,
        "业务 …：记录 … 所写的登记变更缺失或不符，被删除或改动",
        acts.edit_a_register_change,
    ),
    Tampering(
        "a register change deleted",
        AUDIT,
        "业务 …：记录 … 所写的登记变更缺失或不符，被删除或改动",
        acts.delete_a_register_change,
    ),
    Tampering(
        "an account's role changed", AUDIT, "账号 …：内容不是由本系统写入的，被改动", acts.change_a_role
    ),
    Tampering(
        "an account given another password",
        AUDIT,
        "账号 …：内容不是由本系统写入的，被改动",
        acts.give_another_password,
    ),
    Tampering(
        "a standard of the picture checks edited",
        AUDIT,
        "图片检查标准 …：与记录 … 保存时不符，被改动",
        acts.lower_a_threshold,
    ),
    Tampering(
        "a standard of the picture checks deleted",
        AUDIT,
        "图片检查标准 …：记录 … 写明保存过，现在没有，被删除",
        acts.delete_a_threshold,
    ),
    Tampering(
        "an audit record edited",
        AUDIT,
        "审计链：前 4 条完好，之后：记录 5 的内容或次序被改动",
        acts.edit_a_record,
    ),
    Tampering(
        "an audit record deleted",
        AUDIT,
        "审计链：前 4 条完好，之后：记录 5 缺失（其后是 6）",
        acts.delete_a_record,
    ),
    Tampering(
        "the tail cut, the head moved back",
        AUDIT,
        "审计链：前 … 条完好，之后：外部留存的锚点是第 … 条，现在只有 … 条：链尾被截去",
        acts.cut_the_tail,
    ),
    Tampering(
        "the chain recomputed without the key",
        AUDIT,
        "审计链：前 4 条完好，之后：记录 5 的内容或次序被改动",
        acts.recompute_the_chain,
    ),
    Tampering(
        "the newest keyed records rewritten as unkeyed",
        AUDIT,
        "审计链：前 … 条完好，之后：记录 … 没有用密钥封存，而自第 1 条起每条都应有：被改写",
        acts.rewrite_the_end_as_unkeyed,
    ),
    Tampering(
        "all keyed records rewritten as unkeyed",
        AUDIT,
        "学生：… 行有密钥封存，而审计链没有一条用密钥封存的记录：记录被改写成未封存的样子",
        acts.rewrite_as_unkeyed,
    ),
)
