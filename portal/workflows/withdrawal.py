"""普通高中退学、除名: a pupil of an ordinary high school leaves for good, at the own wish or by the school's decision.

Sources: 临州教学管发〔2022〕5号 三（二）3 and 一（一）; the conditions are those of 甘教厅〔2018〕12号 第三十三条, whose text could not
be had (docs/open-questions.md). Which grounds and reasons there are and which paper proves what are values of the policy;
the state bureau adds grounds of its own, each with its clause.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired

from portal.forms import AnswersForm, VisibleLength, choices
from portal.standards import enrolment
from portal.standards.columns import BY_KEY
from portal.workflows import _guardian
from portal.workflows._withdrawal_grounds import (
    DISMISSED,
    KINDS,
    LEAVES,
    ground,
    ground_rules,
    grounds,
    offered_grounds,
    offered_reasons,
    reason,
)
from portal.workflows.evidence_rules import evidence_rules
from portal.workflows.facts import Facts, Office, OtherCase
from portal.workflows.vocabulary import (
    Evidence,
    Names,
    Page,
    Printout,
    Rule,
    Step,
    Supplement,
    Terminal,
    Workflow,
)

ID = "withdrawal"


def somebody_asks(facts: Facts) -> bool:
    return bool(facts.answer("kind") == LEAVES)


def asked(facts: Facts) -> frozenset[str]:
    """The fields that apply: ground and reason of the kind that was chosen, of none before that; a dismissal is the school's
    own decision, so nobody asks for it."""
    kind = KINDS.get(facts.answer("kind"))
    who = _guardian.FIELDS if somebody_asks(facts) else ()
    return frozenset({"kind", "explanation", *((kind.ground, kind.reason) if kind else ()), *who})


def ground_field() -> RadioField:
    return RadioField(
        "符合的条件",
        [InputRequired("请选择符合的条件")],
        description="每项条件后面是所依据的文件和条款；本地条件由州级教育行政部门补充。",
    )


def reason_field() -> SelectField:
    return SelectField(
        "异动原因", [InputRequired("请选择异动原因")], description="按全国学籍系统的异动原因填写。"
    )


class WithdrawalForm(_guardian.GuardianForm):
    kind = RadioField(
        "办理哪一类", [InputRequired("请选择退学或除名")], choices=choices([(one, one) for one in KINDS])
    )
    ground = ground_field()
    reason = reason_field()
    dismissal_ground = ground_field()
    dismissal_reason = reason_field()
    explanation = TextAreaField(
        "情况说明",
        [InputRequired("请写明情况"), VisibleLength(10, 300, "请用 10 到 300 个字写明情况")],
        description="将印在审批表上：学生何时提出、学校做过哪些工作、监护人是否知晓。",
        render_kw={"rows": 4},
    )

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any], facts: Facts | None = None) -> AnswersForm:
        """Answers of a dismissal may stand in the fields of 退学: its case was begun while both kinds shared them."""
        if facts is not None and raw.get("kind") == DISMISSED:
            own = {one.code for one in grounds(facts) if one.kind == DISMISSED}
            own |= {row["code"] for row in facts.setting("reasons") if row["kind"] == DISMISSED}
            shared = {f"dismissal_{name}": raw.get(name) for name in ("ground", "reason")}
            raw = {**{name: code for name, code in shared.items() if code in own}, **raw}
        return super().from_raw(raw, facts)

    def prepare(self, facts: Facts) -> None:
        fields: Any = self
        for name, kind in KINDS.items():
            chosen, answered = fields[kind.ground].data or "", fields[kind.reason].data or ""
            fields[kind.ground].choices = choices(offered_grounds(facts, name, chosen))
            rows = offered_reasons(facts, name, chosen, answered)
            fields[kind.reason].choices = choices([("", "请选择"), *rows])
        self.prepare_guardian(facts)


def changes(facts: Facts) -> Mapping[str, str]:
    """The status that ends the record, and the kind and reason of the change as the national system codes them."""
    kind = KINDS.get(facts.answer("kind"))
    if kind is None:
        return {}
    new = {enrolment.STATUS: kind.status, "change_type": kind.change}
    code = facts.answer(kind.reason)
    return new | ({"change_reason": code} if code else {})


def open_cases(facts: Facts) -> tuple[OtherCase, ...]:
    """The other open cases that would change the status of this record."""
    return tuple(case for case in facts.other_cases if enrolment.STATUS in case.columns)


def wrong_stage(facts: Facts) -> str:
    stage = facts.pupil["stage"]
    if not stage:
        return "该生的学段没有登记，不能确认是普通高中学生"
    return f"该生是{stage}学生。退学、除名只适用于普通高中；义务教育阶段不得退学、不得开除学生"


def _paper(
    slot_id: str,
    title: str,
    issuer: str,
    help_text: str,
    paper: str,
    titles: tuple[str, ...],
    names: Names = "pupil",
) -> Evidence:
    return Evidence(
        id=slot_id,
        title=title,
        issuer=issuer,
        help=help_text,
        article=f"{ID}.papers",
        when=lambda facts: any(
            row["slot"] == slot_id and row["kind"] in ("*", facts.answer("kind"))
            for row in facts.setting("papers")
        ),
        paper=paper,
        titles=titles,
        names=names,
    )


EVIDENCE = (
    _paper(
        "application",
        "退学申请",
        "学生和监护人",
        "学生和监护人都签名并写明日期；有几页上传几页。",
        "application",
        ("退学申请书", "退学申请"),
    ),
    _paper(
        "school_report",
        "学校报告",
        "学校",
        "学校关于该生情况的书面报告，加盖学校公章，全部上传。",
        "other",
        ("报告", "情况报告", "情况说明"),
    ),
    _paper(
        "guardian_identity",
        "监护人身份证或户口簿",
        "监护人",
        "能看出监护人与学生的关系：户口簿本人页，或身份证正反两面。",
        "other",
        ("居民身份证", "常住人口登记卡", "居民户口簿"),
        "guardian",
    ),
    _paper(
        "school_decision",
        "学校处分决定",
        "学校",
        "写明事实、依据和处分种类，加盖学校公章。",
        "other",
        ("处分决定", "开除学籍决定", "决定"),
    ),
    _paper(
        "hearing_record",
        "陈述申辩或听证记录",
        "学校",
        "学生和监护人签名的陈述、申辩或听证记录；放弃申辩的，上传签名的书面声明。",
        "other",
        ("听证记录", "陈述申辩记录", "申辩记录"),
    ),
)

CHAIN = (
    Step("county_review", "县级审核", Office.COUNTY, "reviewer", when=lambda facts: facts.school.has_county),
    Step("state_approval", "州级审批", Office.STATE, "approver"),
)

RULES = (
    Rule(
        "wrong_stage",
        f"{ID}.stages",
        lambda facts: facts.pupil["stage"] not in facts.setting("stages"),
        wrong_stage,
        "学生不上学的，由学校书面报告乡镇政府（街道办）和县级教育局，共同劝返；因病等原因暂时不能上学的，申请休学。"
        "学段登记有误的，先在全国学籍系统更正后重新导入",
        at="start",
    ),
    Rule(
        "not_open",
        f"{ID}.open_to_status",
        lambda facts: (
            not facts.record_ended and facts.pupil[enrolment.STATUS] not in facts.setting("open_to_status")
        ),
        lambda facts: (
            f"该生当前学籍状态为“{BY_KEY[enrolment.STATUS].shown(facts.pupil[enrolment.STATUS])}”，不能办理退学、除名"
        ),
        "请核对学生状态；状态有误的，先在全国学籍系统更正后重新导入",
        at="start",
    ),
    Rule(
        "open_case",
        "one_status_change",
        lambda facts: bool(open_cases(facts)),
        lambda facts: (
            "该生已有未办结的学籍状态变动："
            + "、".join(f"{case.number}（{case.title}，{case.status_text}）" for case in open_cases(facts))
        ),
        "请先办结或撤回原有业务",
        at="start",
    ),
    *ground_rules(ID),
    *_guardian.guardian_rules(ID, somebody_asks),
    *evidence_rules(EVIDENCE),
)


def follows(facts: Facts) -> tuple[str, ...]:
    """What is read before the pupil's name is typed."""
    kind = facts.answer("kind") or f"{LEAVES}或{DISMISSED}"
    return (
        "凡退学、除名的学生，一律不得复学。",
        f"学籍状态改为“{kind}”，不再列入班级名单和人数，仍可查到学籍和办理经过。",
        "不能再办理改变其学籍状态的业务，今后导入的数据也不会恢复。",
        "材料按办结件封存，不能删改；确属错误批准的，只能凭依据另案撤销，由州级决定。",
    )


def form_names(facts: Facts) -> Mapping[str, str]:
    """The «names» of the forms that only this procedure knows."""
    chosen = ground(facts)
    return {
        "kind": str(facts.answer("kind")),
        "ground": chosen.title if chosen else "",
        "ground_clause": chosen.article.cited if chosen else "",
        "reason": reason(facts).get("title", ""),
        "explanation": str(facts.answer("explanation")),
        **_guardian.guardian_names(facts, somebody_asks),
    }


def notice_names(facts: Facts) -> Mapping[str, str]:
    """What stands in the notice beside that: to whom, decided when, and the clause that bars a return."""
    decided = [one for one in facts.opinions if one.verb == "approved" and one.step == "state_approval"]
    state = facts.school.supervisors.get("state", "州级教育行政部门")
    decision = "尚未批准（本告知书现在不得送达）"
    if decided:
        day = decided[-1].day
        decision = f"已经{state}于{day.year}年{day.month}月{day.day}日批准"
    no_return = facts.policy.article("ended_record")
    return {
        **form_names(facts),
        "guardian": facts.pupil["guardian1_name"] or "（监护人姓名）",
        "decision": decision,
        "no_return_clause": no_return.cited,
        "no_return_text": no_return.text,
    }


WORKFLOW = Workflow(
    id=ID,
    title="普通高中退学、除名",
    purpose="普通高中学生申请退学，或受除名（开除学籍）处分。批准后不得复学。",
    form=WithdrawalForm,
    pages=(
        Page(
            "what",
            "退学或除名",
            (
                *("kind", "ground", "reason", "dismissal_ground", "dismissal_reason", "explanation"),
                *_guardian.FIELDS,
            ),
            "批准后一律不得复学。只是暂时不能上学的，请办理休学。",
            steers=("kind", "ground", "dismissal_ground"),
        ),
    ),
    evidence=EVIDENCE,
    rules=RULES,
    chain=CHAIN,
    may_change=frozenset({enrolment.STATUS, "change_type", "change_reason"}),
    changes=changes,
    printouts=(
        Printout(
            "approval-form",
            "普通高中学生退学审批表",
            "withdrawal.docx",
            form_names,
            later=frozenset(_guardian.FIELDS),
        ),
        Printout(
            "notice",
            "退学告知书",
            "withdrawal_notice.docx",
            notice_names,
            later=frozenset(_guardian.FIELDS),
        ),
    ),
    number_prefix="TX",
    relevant=asked,
    terminal=Terminal(
        article="ended_record",
        follows=follows,
        asks="学生姓名",
        word=lambda facts: facts.pupil["name"],
    ),
    supplements=(Supplement("grounds", "退学、除名的条件", tuple(KINDS)),),
    asked_by=lambda facts: _guardian.asked_by(facts, somebody_asks),
)
