"""Who asks: the guardian's name, relation and day, as a part of the form of any procedure that a guardian may ask for.

Source: 安阳市北关区中小学学籍管理办法（暂行）第九条 (学生父母或其他监护人提出, 向学校提出申请). Whether it must be told is a value of the policy,
`<procedure>.guardian`; whom a request may come from stands under `guardian`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from wtforms import Field, SelectField
from wtforms.validators import Length, ValidationError

from portal.forms import AnswersForm, ChineseDateField, LineField, choices
from portal.standards import codes, names
from portal.standards.school_year import age_on
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Condition, Rule, always

FIELDS = ("guardian_name", "guardian_relation", "guardian_day")
IN_PERSON = "01"  # JTGX 本人


class GuardianForm(AnswersForm):
    """The fields of whoever asks: all of them or none, and none only where the policy leaves it open."""

    guardian_needed = False

    guardian_name = LineField(
        "申请人姓名",
        [Length(max=50, message="姓名最多 50 个字")],
        description="提出申请的父母或其他监护人，将印在审批表上，由申请人签名。",
        render_kw={"autocomplete": "off"},
    )
    guardian_relation = SelectField("申请人与学生的关系", default="")
    guardian_day = ChineseDateField("申请日期", description="申请人向学校提出申请的日期。")

    def prepare_guardian(self, facts: Facts, cause: str = "") -> None:
        """Offer the policy's relations and tell whether the three are needed: of a case that has left the school nobody
        asks for what was not asked when it was sent."""
        rows = [(code, codes.label(codes.RELATION, code)) for code in relations(facts)]
        self.guardian_relation.choices = choices([("", "请选择"), *rows])
        wanted = facts.setting("guardian")
        self.guardian_needed = bool(
            facts.with_school and wanted["needed"] and cause not in wanted["unless_cause"]
        )
        for name in FIELDS:
            self[name].flags.required = self.guardian_needed

    def validate_guardian_name(self, field: LineField) -> None:
        self._not_alone(field, "请填写申请人姓名")
        if field.data and (fault := names.name_fault(field.data)):
            raise ValidationError(f"{fault.reason.replace('姓名', '申请人姓名', 1)}。{fault.remedy}")

    def validate_guardian_relation(self, field: SelectField) -> None:
        self._not_alone(field, "请选择申请人与学生的关系")

    def validate_guardian_day(self, field: ChineseDateField) -> None:
        self._not_alone(field, "请填写申请日期")

    def _not_alone(self, field: Field, message: str) -> None:
        """Stop an empty field beside others that are filled in, or where all three are needed."""
        empty = not field.data and not field.process_errors
        if empty and (self.guardian_needed or any(self[name].data for name in FIELDS)):
            raise ValidationError(message)


def relations(facts: Facts) -> list[str]:
    """Codes of JTGX whom a request may come from."""
    return list(facts.policy.value("guardian.relations"))


def day_fault(facts: Facts) -> str:
    """What is wrong with the day of the request, "" where nothing is."""
    day = facts.answer("guardian_day")
    if not isinstance(day, date):
        return ""
    if day > facts.today:
        return f"申请日期 {day} 还没有到"
    if not facts.with_school and facts.submitted_on and day > facts.submitted_on:
        return f"申请日期 {day} 晚于学校提交的日期 {facts.submitted_on}"
    born = facts.pupil.birth_date
    return f"申请日期 {day} 早于学生的出生日期" if born and day < born else ""


def too_young(facts: Facts) -> bool:
    """Whether the pupil asks in person before the age at which that can be."""
    born, day = facts.pupil.birth_date, facts.answer("guardian_day")
    if facts.answer("guardian_relation") != IN_PERSON or born is None:
        return False
    on = day if isinstance(day, date) else facts.today
    return age_on(born, on) < int(facts.policy.value("guardian.own_request_from"))


def guardian_rules(workflow_id: str, applies: Condition = always) -> tuple[Rule, ...]:
    """What the register and the calendar say against a request, for the procedure of this id, where somebody asks at all."""
    return (
        Rule(
            "guardian_day_wrong",
            f"{workflow_id}.guardian",
            lambda facts: applies(facts) and bool(day_fault(facts)),
            day_fault,
            "请照申请书上的日期填写",
            field="guardian_day",
        ),
        Rule(
            "guardian_is_a_child",
            "guardian.own_request_from",
            lambda facts: applies(facts) and too_young(facts),
            lambda facts: f"学生未满 {facts.policy.value('guardian.own_request_from')} 周岁，不能由本人申请",
            "请填写提出申请的父母或其他监护人",
            field="guardian_relation",
        ),
    )


def asked_by(facts: Facts, applies: Condition = always) -> str:
    """The name of the guardian who asks; "" where nobody does, and where the pupil asks in person."""
    in_person = facts.answer("guardian_relation") == IN_PERSON
    return names.tidy(str(facts.answer("guardian_name"))) if applies(facts) and not in_person else ""


def guardian_names(facts: Facts, applies: Condition = always) -> Mapping[str, str]:
    """The «names» of whoever asks on a printed form; empty ones are filled in by hand."""
    if not applies(facts):
        return dict.fromkeys(FIELDS, "")
    day = facts.answer("guardian_day")
    return {
        "guardian_name": names.tidy(str(facts.answer("guardian_name"))),
        "guardian_relation": codes.label(codes.RELATION, str(facts.answer("guardian_relation"))),
        "guardian_day": day.isoformat() if isinstance(day, date) else "",
    }
