"""校内换班, invented for the tests: a second procedure written in the words of the vocabulary and in nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from portal.forms import AnswersForm, LineField
from portal.workflows.evidence_rules import evidence_rules
from portal.workflows.facts import Facts, Office
from portal.workflows.vocabulary import Evidence, Page, Printout, Rule, Step, Workflow

ID = "class_change"
POLICY = "invented-2026"
PACK = """
title = "虚构县（校内换班试行）"
inherits = "cn-2025"
valid_from = 2026-09-01

[articles.class_rules]
document = "虚构县学籍细则"
clause = "第七条"
text = "学生在校内换班的，由学校提出，附家长申请书，报县级教育行政部门核准。"

[values.class_change]
offered = { value = true, article = "class_rules" }
most_classes = { value = 30, article = "class_rules" }

[values.clock]
class_change = { value = { mode = "per_stage", days = 5, soon = 1 }, article = "class_rules" }
"""


class ClassForm(AnswersForm):
    new_class = LineField("新班级", [InputRequired("请填写新班级"), Length(1, 20, "班级名称最多 20 个字")])
    reason = TextAreaField("换班理由", [InputRequired("请写明换班理由")])


def changes(facts: Facts) -> Mapping[str, str]:
    return {"class_name": facts.answer("new_class")} if facts.answer("new_class") else {}


EVIDENCE = (
    Evidence(
        "application", "家长申请书", "学生家长", "写明学生、原班级和新班级，家长签名。", f"{ID}.offered"
    ),
)

WORKFLOW = Workflow(
    id=ID,
    title="校内换班",
    purpose="学生在本校内从一个班换到另一个班。",
    form=ClassForm,
    pages=(Page("what", "换到哪个班", ("new_class", "reason")),),
    evidence=EVIDENCE,
    rules=(
        Rule(
            "same_class",
            "class_rules",
            lambda facts: facts.answer("new_class") == facts.pupil["class_name"],
            lambda facts: f"该生现在就在{facts.pupil['class_name']}",
            "请填写要换到的班级",
            field="new_class",
        ),
        Rule(
            "graduated",
            "class_rules",
            lambda facts: facts.pupil["enrolment_status"] == "07",
            "该生已毕业",
            "毕业生不能换班",
            at="start",
        ),
        *evidence_rules(EVIDENCE),
    ),
    chain=(Step("county_consent", "县级核准", Office.COUNTY, "reviewer"),),
    may_change=frozenset({"class_name"}),
    changes=changes,
    printouts=(
        Printout(
            "class-slip",
            "校内换班登记表",
            "class_change.docx",
            lambda facts: {"reason": str(facts.answer("reason"))},
        ),
    ),
    number_prefix="HB",
    compare={"new_class": "class_name"},
)
