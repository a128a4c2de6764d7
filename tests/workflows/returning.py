"""复学, invented for the tests: a procedure that knows nothing of withdrawals and would bring a pupil back."""

from __future__ import annotations

from wtforms import TextAreaField
from wtforms.validators import InputRequired

from portal.forms import AnswersForm
from portal.workflows.facts import Office
from portal.workflows.vocabulary import Page, Step, Workflow

POLICY = "returning-2026"
PACK = """
title = "虚构州（复学试行）"
inherits = "gs-linxia-2022"
valid_from = 2026-09-01

[articles.returning]
document = "虚构州学籍细则"
clause = "第九条"
text = "休学期满的，可以复学。"

[values.returning]
offered = { value = true, article = "returning" }

[values.clock]
returning = { value = { mode = "total", days = 10, soon = 3 }, article = "returning" }
"""


class ReturningForm(AnswersForm):
    explanation = TextAreaField("说明", [InputRequired("请写明情况")])


WORKFLOW = Workflow(
    id="returning",
    title="学生复学",
    purpose="休学期满的学生回校。",
    form=ReturningForm,
    pages=(Page("what", "复学", ("explanation",)),),
    evidence=(),
    rules=(),
    chain=(Step("county_consent", "县级核准", Office.COUNTY, "reviewer"),),
    may_change=frozenset({"enrolment_status"}),
    changes=lambda facts: {"enrolment_status": "01"},
    printouts=(),
    number_prefix="FX",
)
