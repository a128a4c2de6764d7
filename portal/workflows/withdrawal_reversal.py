"""撤销退学（除名）: a withdrawal or dismissal that was approved here by mistake is taken back by a case of its own.

No source rules how (docs/open-questions.md): that it is open at all is a value of the policy. Both cases stay in the
pupil's history; the status from before comes from the register's own record of the first one.
"""

from __future__ import annotations

from collections.abc import Mapping

from wtforms import RadioField, TextAreaField
from wtforms.validators import InputRequired

from portal.forms import AnswersForm, LineField, VisibleLength, choices
from portal.standards import enrolment
from portal.workflows import withdrawal
from portal.workflows.evidence_rules import evidence_rules
from portal.workflows.facts import Ending, Facts
from portal.workflows.vocabulary import Evidence, Page, Printout, Rule, Workflow

ID = "withdrawal_reversal"
RESTORED = "17"  # XJYDLB 恢复学籍


class ReversalForm(AnswersForm):
    decision = RadioField("撤销哪一件", [InputRequired("请选择要撤销的业务")])
    authority = LineField(
        "撤销依据的文号",
        [InputRequired("请填写批准文件或撤销依据的文号"), VisibleLength(4, 80, "请用 4 到 80 个字写明文号")],
        description="上级或本级机关批准撤销的文件，须同时上传。",
    )
    explanation = TextAreaField(
        "错在哪里",
        [InputRequired("请写明原来的批准错在哪里"), VisibleLength(10, 300, "请用 10 到 300 个字写明情况")],
        description="将印在审批表上。",
        render_kw={"rows": 4},
    )

    def prepare(self, facts: Facts) -> None:
        self.decision.choices = choices(
            (one.number, f"{one.number}（{one.title}，{one.day} 批准）")
            for one in facts.endings
            if one.workflow == withdrawal.ID
        )


def undone(facts: Facts) -> Ending | None:
    """The decided case that is named by its number."""
    return next((one for one in facts.endings if one.number == facts.answer("decision")), None)


def changes(facts: Facts) -> Mapping[str, str]:
    """What stood in the register before that case, and that the record was restored."""
    one = undone(facts)
    if one is None:
        return {}
    return {
        enrolment.STATUS: one.before.get(enrolment.STATUS) or "01",
        "change_type": RESTORED,
        "change_reason": one.before.get("change_reason", ""),
    }


EVIDENCE = (
    Evidence(
        "statement",
        "情况说明",
        "学校",
        "写明原来怎样误报、误批，加盖学校公章，全部上传。",
        f"{ID}.offered",
        paper="other",
        titles=("情况说明",),
    ),
    Evidence(
        "authority_document",
        "撤销依据或批准文件",
        "上级或本级教育行政部门",
        "批准撤销的文件、复查或复议决定等，全部页面。",
        f"{ID}.offered",
        paper="other",
        titles=("决定书", "批复", "通知", "意见"),
    ),
)

RULES = (
    Rule(
        "nothing_decided_here",
        f"{ID}.offered",
        lambda facts: facts.ended_by is None or facts.ended_by.workflow != withdrawal.ID,
        "本系统没有批准过该生的退学、除名，或已经撤销，没有可以撤销的决定",
        "学籍状态与事实不符的，请在全国学籍系统更正后重新导入",
        at="start",
    ),
    Rule(
        "open_case",
        "one_status_change",
        lambda facts: bool(withdrawal.open_cases(facts)),
        lambda facts: (
            "该生已有未办结的学籍状态变动："
            + "、".join(f"{case.number}（{case.status_text}）" for case in withdrawal.open_cases(facts))
        ),
        "请先办结或撤回原有业务",
        at="start",
    ),
    Rule(
        "not_the_standing_one",
        f"{ID}.offered",
        lambda facts: bool((one := undone(facts)) and not one.stands),
        lambda facts: f"{facts.answer('decision')} 已不是现在有效的决定，不能撤销",
        "请选择现在有效的那一件",
        field="decision",
    ),
    *evidence_rules(EVIDENCE),
)


def form_names(facts: Facts) -> Mapping[str, str]:
    """The «names» of the form that only this procedure knows."""
    one = undone(facts)
    return {
        "decision": f"{one.number}（{one.title}，{one.day} 批准）" if one else "",
        "authority": str(facts.answer("authority")),
        "explanation": str(facts.answer("explanation")),
    }


WORKFLOW = Workflow(
    id=ID,
    title="撤销退学（除名）",
    purpose="本系统错误批准的退学、除名，凭依据撤销，恢复原来的学籍状态。",
    form=ReversalForm,
    pages=(
        Page(
            "what",
            "撤销哪一件",
            ("decision", "authority", "explanation"),
            "由州级决定；原件和本件都留在该生的变更历史里。",
        ),
    ),
    evidence=EVIDENCE,
    rules=RULES,
    chain=withdrawal.CHAIN,
    may_change=withdrawal.WORKFLOW.may_change,
    changes=changes,
    printouts=(Printout("approval-form", "撤销退学（除名）审批表", "withdrawal_reversal.docx", form_names),),
    number_prefix="CX",
    reverses=withdrawal.ID,
)
