"""A fictional year's intake for tests: plan, list of the admitted, rosters of high schools."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from portal import tasks
from portal.cases import actions, clock, starting
from portal.cases import stored_files as files
from portal.cases.access import Actor
from portal.cases.intake import admissions
from portal.cases.intake.admitted_rows import Schools
from portal.cases.intake.scope import Scope
from portal.cases.rosters import editing
from portal.extensions import db
from portal.models import Admitted, AdmittedList, Case, IntakePlan, Office, PlanFigure
from portal.models.types import new_id
from portal.standards.school_year import year_of_entry
from portal.workflows import workflow
from tests.builders import an_id_number
from tests.exports import as_xlsx

ENROLMENT = "high_school_enrolment"
DOCUMENT = "云州教基发〔2026〕12号"


def this_year() -> int:
    """The year of entry of the test's own day: the real one beside an S3 server, or the one travelled to."""
    return year_of_entry(clock.today())


def series() -> str:
    """How this year's 学号 begin."""
    return f"{this_year() % 100}13"


def a_plan(
    state: Office, approver: Actor, places: Mapping[Office, int], year: int | None = None
) -> IntakePlan:
    """A version of the plan after those there are; a county's places are those of its schools."""
    number = len(list(db.session.scalars(db.select(IntakePlan).where(IntakePlan.office_id == state.id)))) + 1
    plan = IntakePlan(
        id=new_id(),
        office_id=state.id,
        year=year or this_year(),
        number=number,
        document=DOCUMENT,
        account_id=approver.id,
    )
    db.session.add(plan)
    db.session.flush()
    counties: dict[Any, int] = {}
    for school, count in places.items():
        db.session.add(PlanFigure(plan_id=plan.id, office_id=school.id, places=count))
        if school.parent_id and school.parent_id != state.id:
            counties[school.parent_id] = counties.get(school.parent_id, 0) + count
    for county, count in counties.items():
        db.session.add(PlanFigure(plan_id=plan.id, office_id=county, places=count, graduates=count * 2))
    db.session.flush()
    return plan


def a_person(number: int, **values: str) -> dict[str, str]:
    """The texts of one roster row, as a school writes them: a girl or boy born in 2011."""
    sex = "1" if number % 2 else "2"
    # Months, days and serials of identity numbers come round together after 41,916 people.
    born = date(2011 - number // 41_916, 1 + number % 12, 1 + number % 28)
    return {
        "name": f"马{'一二三四五六七八九十'[number % 10]}{'春夏秋冬梅兰竹菊'[number // 10 % 8]}",
        "exam_number": f"2262{number:08d}",
        "sex": {"1": "男", "2": "女"}[sex],
        "ethnicity": ("回族", "东乡族", "汉族", "保安族", "撒拉族")[number % 5],
        "birth_date": born.isoformat(),
        "id_number": an_id_number(born, sex, number),
        "exam_score": str(500 + number % 200),
        "class_name": f"{1 + number % 12}班",
        **values,
    }


def people(count: int, first: int = 1) -> list[dict[str, str]]:
    return [a_person(number) for number in range(first, first + count)]


def a_list(
    state: Office,
    approver: Actor,
    admitted: Mapping[Office, Sequence[Mapping[str, str]]],
    year: int | None = None,
) -> AdmittedList:
    """A list of the admitted: each school's people as {column: text}; `exam_county` may be among the texts."""
    number = (
        len(list(db.session.scalars(db.select(AdmittedList).where(AdmittedList.office_id == state.id)))) + 1
    )
    made = AdmittedList(
        id=new_id(),
        office_id=state.id,
        year=year or this_year(),
        number=number,
        filename="录取名单.xlsx",
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        people=sum(map(len, admitted.values())),
        account_id=approver.id,
    )
    db.session.add(made)
    db.session.flush()
    codes = {"男": "1", "女": "2", "回族": "03", "东乡族": "26", "汉族": "01", "保安族": "47", "撒拉族": "35"}
    rows = []
    for school, ones in admitted.items():
        for one in ones:
            rows.append(
                {
                    "id": new_id(),
                    "list_id": made.id,
                    "school_id": school.id,
                    "exam_county": one.get("exam_county", "青禾县"),
                    "birth_date": date.fromisoformat(one["birth_date"]),
                    "sex": codes[one["sex"]],
                    "ethnicity": codes[one["ethnicity"]],
                    **{key: one[key] for key in ("exam_number", "name", "id_number", "exam_score")},
                }
            )
    db.session.execute(db.insert(Admitted), rows)
    db.session.flush()
    return made


def receive_list(scope: Scope, schools: Schools, name: str, data: bytes) -> admissions.Received:
    """A file as the page for uploading takes it, up to the transaction that stages it."""
    examined = admissions.examine(scope.roster, schools, data)
    key = files.expect(files.INTAKE, scope.state.id, scope.actor)
    return admissions.keep(tasks.store(), key, name, data, examined)


def a_roster(registrar: Actor, rows: Sequence[Mapping[str, str]], actual: int | None = None) -> Case:
    """A draft with these rows and the figure of who came."""
    case = starting.start_roster(registrar, workflow(ENROLMENT))
    editing.replace_rows(case, registrar, actions.stamp(case), rows)
    answers = {"actual": str(len(rows) if actual is None else actual)}
    actions.perform(case, registrar, "edit", actions.stamp(case), actions.Act(answers=answers))
    return case


KEYS = ("name", "exam_number", "sex", "ethnicity", "birth_date", "id_number", "exam_score", "class_name")
HEADINGS = ("姓名", "准考证号", "性别", "民族", "出生日期", "身份证号", "中考成绩", "班级")


def as_sheet(rows: Sequence[Mapping[str, str]]) -> bytes:
    """A 登记表 as a school fills it in: a title above the headings, every cell a text."""
    return as_xlsx(rows, KEYS, HEADINGS, [["2026届云岭州普通高中学生学籍注册登记表"]])
