"""The demonstration's intake: a plan, a list of the admitted, and the rosters of high schools, each at another point."""

from __future__ import annotations

import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import xlsxwriter  # type: ignore[import-untyped]
from sqlalchemy import select

from portal import tasks
from portal.cases import starting
from portal.cases import stored_files as files
from portal.cases.access import Actor
from portal.cases.actions import Act, stamp
from portal.cases.intake import admissions, planning
from portal.cases.intake.admitted_rows import Schools
from portal.cases.intake.scope import Scope, scope_of
from portal.cases.intake.scope import schools as schools_in
from portal.cases.rosters import editing
from portal.demo.acts import PAPERS, act, cast, reread, upload, who
from portal.demo.chapters import Chapter
from portal.demo.people import OFFICES
from portal.demo.pupils import GIVEN, SURNAMES, identity
from portal.extensions import db
from portal.models import Account, Case, Office, RosterRow
from portal.standards import codes
from portal.workflows import WORKFLOWS

DOCUMENT = "云州教基发〔2026〕12号"
LIST_DOCUMENT = "云招考函〔2026〕7号"
GRADUATES = {"qinghe": 322, "baishi": 96}
PLACES = {
    "qinghe": 140,
    "baishi": 40,
    "state_high": 50,
    "qinghe_high": 40,
    "qinghe_second": 30,
    "qinghe_third": 30,
    "qinghe_fourth": 20,
    "qinghe_fifth": 20,
    "baishi_high": 40,
}
ADMITTED = {**PLACES, "qinghe_second": 32}  # two more than the plan: what stops a roster
HEADINGS = (
    "准考证号",
    "姓名",
    "性别",
    "民族",
    "出生日期",
    "身份证号",
    "中考成绩",
    "录取学校",
    "中考报名县市",
)
LETTERS = 3  # of people whose data differ from the list: their pictures are papers/letter-N.jpg
Row = dict[str, str]


@dataclass(frozen=True)
class Newcomer:
    """One fictional person of the year's examination."""

    exam_number: str
    name: str
    sex: str
    ethnicity: str
    born: date
    identity: str
    score: int

    @property
    def row(self) -> Row:
        """As a school writes the person on its roster."""
        return {
            "name": self.name,
            "exam_number": self.exam_number,
            "sex": codes.label(codes.SEX, self.sex),
            "ethnicity": codes.label(codes.ETHNICITY, self.ethnicity),
            "birth_date": self.born.isoformat(),
            "id_number": self.identity,
            "exam_score": str(self.score),
            "class_name": f"{int(self.exam_number[-2:]) % 4 + 1}班",
        }


def newcomers(year: int) -> dict[str, list[Newcomer]]:
    """school key -> the people admitted to it, the same ones every time."""
    dice = random.Random(12)  # noqa: S311 - repeatable fiction
    found: dict[str, list[Newcomer]] = {}
    number = 0
    for key in (one.key for one in OFFICES if one.key in ADMITTED and one.level == "school"):
        found[key] = []
        for _ in range(ADMITTED[key]):
            number += 1
            born = date(year - 15, 8, 20) - timedelta(days=dice.randrange(0, 350))
            sex = dice.choice("12")
            found[key].append(
                Newcomer(
                    f"62{year % 100}{number:08d}",
                    dice.choice(SURNAMES) + dice.choice(GIVEN),
                    sex,
                    dice.choice(("01", "03", "03", "26", "04")),
                    born,
                    identity(born, sex, 300 + number),
                    dice.randrange(480, 690),
                )
            )
    return found


def differing(people: Sequence[Newcomer]) -> list[tuple[Newcomer, Row]]:
    """The first LETTERS people of a school with their rows, each of which differs from the list in one thing."""
    changes: tuple[Mapping[str, str], ...] = (
        {"name": people[0].name[:1] + "晓" + people[0].name[-1:]},
        {"ethnicity": "保安族"},
        {"exam_score": str(people[2].score + 6)},
    )
    return [(person, person.row | dict(change)) for person, change in zip(people, changes, strict=False)]


def chapters() -> list[Chapter]:
    """Plan and list, then each school's roster brought to where it stands."""
    letters = tuple(PAPERS / f"letter-{number}.jpg" for number in range(1, LETTERS + 1))
    return [
        Chapter("intake.plan", "招生计划", _plan),
        Chapter("intake.list", "录取名单", _list),
        Chapter("roster.state_high", "州一中名单", _approved),
        Chapter("roster.qinghe_high", "青禾一中名单", _with_letters, letters),
        Chapter("roster.qinghe_second", "青禾二中名单", _too_many),
        Chapter("roster.qinghe_third", "青禾三中名单", _one_struck),
        Chapter("roster.qinghe_fourth", "青禾四中名单", _with_faults),
    ]


def _scene() -> tuple[Scope, dict[str, list[Newcomer]], dict[str, Office], dict[str, Account]]:
    """The year's scope, who was admitted, the offices and the accounts."""
    offices, accounts = cast()
    scope = scope_of(Actor.of(accounts["zhouji"]))
    if scope is None:
        raise ValueError("the demonstration's policy offers no rosters")
    return scope, newcomers(scope.year), offices, accounts


def _approved() -> None:
    scope, people, offices, accounts = _scene()
    case = _roster(accounts, offices["state_high"], [one.row for one in people["state_high"][:48]])
    _send(case, accounts)
    act(case, scope.actor, "approve", Act(note="与录取名单一致"))


def _too_many() -> None:
    _scope, people, offices, accounts = _scene()
    _roster(accounts, offices["qinghe_second"], [one.row for one in people["qinghe_second"]])


def _one_struck() -> None:
    _scope, people, offices, accounts = _scene()
    county = Actor.of(accounts["xianji"])
    case = _roster(accounts, offices["qinghe_third"], [one.row for one in people["qinghe_third"][:28]])
    _send(case, accounts)
    fourth = db.session.scalars(
        select(RosterRow.id).where(RosterRow.case_id == case.id, RosterRow.position == 4)
    ).one()
    act(case, county, "strike", Act(note="该生学籍在外州，请先办理转入", rows=(str(fourth),)))
    act(case, county, "approve", Act(note="其余学生同意注册"))


def _with_faults() -> None:
    _scope, people, offices, accounts = _scene()
    rows = [one.row for one in people["qinghe_fourth"][:18]]
    rows[2] |= {"birth_date": "二〇一一年三月"}
    rows[5] |= {"id_number": rows[5]["id_number"][:-1] + ("1" if rows[5]["id_number"][-1] != "1" else "2")}
    rows[7] |= {"name": rows[7]["name"] + "儿"}
    rows[11] = dict(rows[10])
    _roster(accounts, offices["qinghe_fourth"], rows)


def _plan() -> None:
    scope, _people, offices, _accounts = _scene()
    form = {f"places-{offices[key].id}": str(places) for key, places in PLACES.items()}
    form |= {f"graduates-{offices[key].id}": str(count) for key, count in GRADUATES.items()}
    _plan_made, faults = planning.save(scope, form, DOCUMENT, "", 0)
    if faults:
        raise ValueError(f"the demonstration's plan is refused: {faults}")


def _list() -> None:
    scope, people, offices, _accounts = _scene()
    data = _sheet(people, offices)
    examined = admissions.examine(scope.roster, Schools.of(schools_in(scope)), data)
    key = files.expect(files.INTAKE, scope.state.id, scope.actor)
    received = admissions.keep(tasks.store(), key, "录取名单.xlsx", data, examined)
    admissions.stage(scope, received)
    reread()
    waiting = admissions.staged(scope)
    admissions.confirm(scope, waiting.seen if waiting else "", received.judged, "", LIST_DOCUMENT)
    reread()


def _sheet(people: Mapping[str, Sequence[Newcomer]], offices: Mapping[str, Office]) -> bytes:
    """The examination authority's list as a workbook."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        page = book.add_worksheet("录取名单")
        lines: list[tuple[str, ...]] = [HEADINGS]
        for key, several in people.items():
            county = "白石县" if key == "baishi_high" else "青禾县"
            for one in several:
                row = one.row
                cells = ("exam_number", "name", "sex", "ethnicity", "birth_date", "id_number", "exam_score")
                lines.append((*(row[cell] for cell in cells), offices[key].name, county))
        for number, line in enumerate(lines):
            for place, text in enumerate(line):
                page.write_string(number, place, text)
    return target.getvalue()


def _roster(accounts: Mapping[str, Account], school: Office, rows: Sequence[Row]) -> Case:
    registrar = who(accounts, "registrar", school)
    case = starting.start_roster(registrar, next(law for law in WORKFLOWS if law.roster))
    editing.replace_rows(case, registrar, stamp(case), rows)
    act(case, registrar, "edit", Act(answers={"actual": str(len(rows))}))
    reread()
    return case


def _with_letters() -> None:
    """A roster of which three rows differ from the list, each with the letter of the county."""
    _scope, everybody, offices, accounts = _scene()
    school, people = offices["qinghe_high"], everybody["qinghe_high"]
    different = differing(people)
    rows = [row for _person, row in different] + [one.row for one in people[LETTERS:]]
    case = _roster(accounts, school, rows)
    registrar = who(accounts, "registrar", school)
    for number, (person, _row) in enumerate(different, start=1):
        slot = f"correction_letter-{person.exam_number}"
        upload(case, registrar, slot, PAPERS / f"letter-{number}.jpg")
    _send(case, accounts)


def _send(case: Case, accounts: Mapping[str, Account]) -> None:
    act(case, who(accounts, "registrar", case.owner), "submit")
    reread()
