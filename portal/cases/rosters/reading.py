"""The rows of a roster as facts: judged, held against the list of the admitted, the register and other rosters."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import and_, func, or_, select

from portal.cases import clock, endings
from portal.cases.intake import numbers, plans
from portal.cases.offices import supervisor
from portal.cases.rosters.cells import Judge
from portal.extensions import db
from portal.models import Account, Admitted, AdmittedList, Case, Level, Office, Pupil, RosterRow, Status
from portal.standards.columns import BY_KEY
from portal.standards.enrolment import TERMINAL
from portal.workflows import vocabulary
from portal.workflows.vocabulary import Ending, NumberRange, Quota, Roster, Strike

ROWS = RosterRow.__table__
CHUNK = 500  # values in one IN: SQLite takes 32,766, and a plan stays an index range
CLOSED = ("07", "08", "09", "10", "11", "99")  # 毕业 to 其他: the record may go on elsewhere


@dataclass(frozen=True)
class RosterFacts:
    rows: tuple[vocabulary.RosterRow, ...]
    quota: Quota
    numbers: NumberRange | None


def read(case: Case, roster: Roster) -> RosterFacts:
    """Everything that may be judged about the people on a roster, as the database stands now."""
    year = case.intake_year or clock.today().year
    admissions = _admissions(case.owner, year, case)
    range_ = numbers.shown(case)
    stored = db.session.execute(
        select(ROWS).where(ROWS.c.case_id == case.id).order_by(ROWS.c.position, ROWS.c.id)
    ).all()
    found = _Around.of(case, roster, stored, admissions)
    judge = Judge(roster, case.owner.name, clock.today())
    standing = 0
    rows = []
    for row in stored:
        number = row.number or ""
        if row.struck_at is None:
            if range_ and not number:
                number = range_.at(standing)
            standing += 1
        rows.append(found.row(row, judge, number))
    quota = plans.quota_of(case.owner, year, admissions.people, case.id, case.ended_at)
    quota = replace(quota, in_review=case.status == Status.IN_REVIEW)
    return RosterFacts(tuple(rows), quota, range_)


def quota_before_start(school: Office, year: int) -> Quota:
    """What is known of a school's places before it has a roster."""
    return plans.quota_of(school, year, _admissions(school, year).people)


@dataclass(frozen=True)
class _Admissions:
    """The list in force, and how many it holds for the school; None where there is no list."""

    list: AdmittedList | None
    people: int | None


def _admissions(school: Office, year: int, case: Case | None = None) -> _Admissions:
    state = supervisor(school, Level.STATE)
    found = plans.list_of(state.id, year, case.ended_at if case else None) if state else None
    if found is None:
        return _Admissions(None, None)
    query = select(func.count()).where(Admitted.list_id == found.id, Admitted.school_id == school.id)
    return _Admissions(found, db.session.execute(query.select_from(Admitted)).scalar_one())


@dataclass
class _Around:
    """What the database knows about the people of a roster beyond the roster itself."""

    admitted: dict[str, Any] = field(default_factory=dict)  # by exam number
    schools: dict[uuid.UUID, str] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)  # by identity number or exam number: a sentence
    twice: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # the same: positions
    strikers: dict[uuid.UUID, tuple[str, str]] = field(default_factory=dict)  # account -> name, office

    @classmethod
    def of(cls, case: Case, roster: Roster, stored: Sequence[Any], admissions: _Admissions) -> _Around:
        around = cls()
        exam_numbers = [row.exam_number for row in stored if row.exam_number]
        ids = [row.id_number for row in stored if row.id_number]
        if admissions.list is not None:
            around._admissions(admissions.list.id, exam_numbers)
        around._register(case, roster, ids)
        around._other_rosters(case, exam_numbers, ids)
        around._same_person(stored)
        around._strikes(stored)
        return around

    def row(self, row: Any, judge: Judge, number: str) -> vocabulary.RosterRow:
        values, faults = judge.row(row.values)
        said = self.admitted.get(row.exam_number)
        keys = [key for key in (row.exam_number, row.id_number) if key]
        others = {position for key in keys for position in self.twice.get(key, ())} - {row.position}
        return vocabulary.RosterRow(
            id=str(row.id),
            position=row.position,
            values=values,
            faults=faults,
            number=number,
            admitted=_as_values(said) if said else None,
            admitted_to=self.schools.get(said.school_id, "") if said else "",
            exam_county=said.exam_county if said else "",
            elsewhere=next((self.elsewhere[key] for key in keys if key in self.elsewhere), ""),
            twice=tuple(sorted(others)) if row.struck_at is None else (),
            strike=self._strike(row),
            secondary_number=row.secondary_number,
        )

    def _admissions(self, list_id: uuid.UUID, exam_numbers: Iterable[str]) -> None:
        table = Admitted.__table__
        for chunk in chunks(exam_numbers):
            query = select(table).where(table.c.list_id == list_id, table.c.exam_number.in_(chunk))
            self.admitted |= {one.exam_number: one for one in db.session.execute(query)}
        ids = {one.school_id for one in self.admitted.values()}
        named = select(Office.id, Office.name).where(Office.id.in_(ids))
        self.schools = dict(db.session.execute(named).all())

    def _register(self, case: Case, roster: Roster, ids: Iterable[str]) -> None:
        """Who has a living record of the same stage in the register already, or one that was ended for good."""
        mine = select(RosterRow.pupil_id).where(RosterRow.case_id == case.id, RosterRow.pupil_id.is_not(None))
        for chunk in chunks(ids):
            query = (
                select(Pupil.id, Pupil.id_number, Pupil.enrolment_status, Pupil.grade, Office.name, Office.id)
                .join(Office, Office.id == Pupil.school_id)
                .where(
                    Pupil.id_number.in_(chunk),
                    Pupil.stage == roster.stage,
                    Pupil.enrolment_status.not_in(CLOSED),
                    Pupil.id.not_in(mine),
                )
            )
            found = db.session.execute(query).all()
            ended = endings.standing([row.id for row in found if row.enrolment_status in TERMINAL])
            for pupil_id, number, status, grade, school, school_id in found:
                where = "本校" if school_id == case.owner_office_id else school
                self.elsewhere[number] = (
                    _told_ended(where, status, ended.get(pupil_id))
                    if status in TERMINAL
                    else f"该生已在{where}{grade}注册学籍"
                )

    def _other_rosters(self, case: Case, exam_numbers: Iterable[str], ids: Iterable[str]) -> None:
        """Who stands on another roster of the year that is under way; an approved one's people are in the register."""
        for column, keys in ((RosterRow.exam_number, exam_numbers), (RosterRow.id_number, ids)):
            for chunk in chunks(keys):
                query = (
                    select(column, Case.number, Case.owner_office_id, Office.name)
                    .join(Case, Case.id == RosterRow.case_id)
                    .join(Office, Office.id == Case.owner_office_id)
                    .where(
                        column.in_(chunk),
                        Case.id != case.id,
                        Case.intake_year == case.intake_year,
                        RosterRow.struck_at.is_(None),
                        or_(
                            Case.status == Status.IN_REVIEW,
                            and_(Case.status == Status.APPROVED, RosterRow.pupil_id.is_not(None)),
                        ),
                    )
                )
                for key, number, owner, school in db.session.execute(query):
                    where = f"本校的另一份名单（{number}）" if owner == case.owner_office_id else school
                    self.elsewhere.setdefault(key, f"该生已列入{where}的新生名单")

    def _same_person(self, stored: Sequence[Any]) -> None:
        standing = [row for row in stored if row.struck_at is None]
        keys = Counter(key for row in standing for key in {row.exam_number, row.id_number} if key)
        for row in standing:
            for key in {row.exam_number, row.id_number}:
                if key and keys[key] > 1:
                    self.twice[key].append(row.position)

    def _strikes(self, stored: Sequence[Any]) -> None:
        ids = {row.struck_by_id for row in stored if row.struck_by_id}
        query = select(Account.id, Account.name, Office.name).join(Office, Office.id == Account.office_id)
        self.strikers = {
            account: (name, office)
            for account, name, office in db.session.execute(query.where(Account.id.in_(ids)))
        }

    def _strike(self, row: Any) -> Strike | None:
        if row.struck_at is None:
            return None
        name, office = self.strikers.get(row.struck_by_id, ("", ""))
        return Strike(row.struck_step, office, name, clock.local(row.struck_at).date(), row.struck_reason)


def _told_ended(where: str, status: str, ended: Ending | None) -> str:
    number = f"（{ended.number}）" if ended else ""
    return f"该生已在{where}{BY_KEY['enrolment_status'].shown(status)}{number}，一律不得复学"


def _as_values(said: Any) -> Mapping[str, str]:
    """An entry of the list of the admitted as {roster column: text}."""
    keys = ("exam_number", "name", "sex", "ethnicity", "birth_date", "id_number", "exam_score")
    found = {key: getattr(said, key) for key in keys}
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in found.items()}


def chunks(values: Iterable[str]) -> Iterator[list[str]]:
    every = list(dict.fromkeys(values))
    for start in range(0, len(every), CHUNK):
        yield every[start : start + CHUNK]
