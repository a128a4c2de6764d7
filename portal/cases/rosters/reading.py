"""The rows of a roster as facts: judged, held against the list of the admitted, the register and other rosters."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import and_, func, or_, select

from portal.cases import clock, endings, telling
from portal.cases.intake import numbers, plans
from portal.cases.offices import supervisor
from portal.cases.rosters.cells import Judge
from portal.cases.telling import Reader
from portal.extensions import db
from portal.models import Account, Admitted, AdmittedList, Case, Level, Office, Pupil, RosterRow, Status
from portal.standards.columns import BY_KEY
from portal.standards.enrolment import LEFT, TERMINAL
from portal.workflows.facts import Ending, NumberRange, Quota, Strike
from portal.workflows.facts import RosterRow as RowFacts
from portal.workflows.roster import Roster

ROWS = RosterRow.__table__
V = TypeVar("V")
FROM_LIST = ("exam_number", "name", "sex", "ethnicity", "birth_date", "id_number", "exam_score")
CHUNK = 500  # values in one IN: SQLite takes 32,766, and a plan stays an index range
CLOSED = LEFT - TERMINAL | {"99"}  # XSDQZT 毕业 to 死亡, 其他: not in a class, and the record may go on


@dataclass(frozen=True)
class RosterFacts:
    rows: tuple[RowFacts, ...]
    quota: Quota
    numbers: NumberRange | None


def read(case: Case, roster: Roster, reader: Reader) -> RosterFacts:
    """Everything that may be judged about the people on a roster, as the database stands now; what other records say of them
    is told as the reader may read it."""
    year = case.intake_year or clock.today().year
    admissions = _admissions(case.owner, year, case)
    range_ = numbers.shown(case)
    stored = db.session.execute(
        select(ROWS).where(ROWS.c.case_id == case.id).order_by(ROWS.c.position, ROWS.c.id)
    ).all()
    found = _Around.of(case, roster, stored, admissions, reader)
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

    school_id: uuid.UUID
    reader: Reader
    admitted: dict[str, Any] = field(default_factory=dict)  # by exam number
    elsewhere: dict[str, str] = field(default_factory=dict)  # by identity number or exam number: a sentence
    namesakes: dict[tuple[str, str], str] = field(default_factory=dict)  # by name and birth date: a sentence
    twice: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # the same: positions
    strikers: dict[uuid.UUID, tuple[str, str]] = field(default_factory=dict)  # account -> name, office

    @classmethod
    def of(
        cls, case: Case, roster: Roster, stored: Sequence[Any], admissions: _Admissions, reader: Reader
    ) -> _Around:
        around = cls(case.owner_office_id, reader)
        exam_numbers = [row.exam_number for row in stored if row.exam_number]
        ids = [row.id_number for row in stored if row.id_number]
        if admissions.list is not None:
            around._admissions(admissions.list.id, exam_numbers)
        around._register(case, roster, stored)
        around._other_rosters(case, exam_numbers, ids)
        around._same_person(stored)
        around._strikes(stored)
        return around

    def row(self, row: Any, judge: Judge, number: str) -> RowFacts:
        values, faults = judge.row(row.values)
        said = self.admitted.get(row.exam_number)
        ours = said if said is not None and said.school_id == self.school_id else None
        keys = [key for key in (row.exam_number, row.id_number) if key]
        others = {position for key in keys for position in self.twice.get(key, ())} - {row.position}
        return RowFacts(
            id=str(row.id),
            position=row.position,
            values=values,
            faults=faults,
            number=number,
            admitted=_as_values(ours) if ours else None,
            exam_county=ours.exam_county if ours else "",
            elsewhere=next((self.elsewhere[key] for key in keys if key in self.elsewhere), "")
            or ("" if row.id_number else self.namesakes.get((values["name"], values["birth_date"]), "")),
            twice=tuple(sorted(others)) if row.struck_at is None else (),
            strike=self._strike(row),
            secondary_number=row.secondary_number,
        )

    def _admissions(self, list_id: uuid.UUID, exam_numbers: Iterable[str]) -> None:
        table = Admitted.__table__
        for chunk in chunks(exam_numbers):
            query = select(table).where(table.c.list_id == list_id, table.c.exam_number.in_(chunk))
            self.admitted |= {one.exam_number: one for one in db.session.execute(query)}

    def _register(self, case: Case, roster: Roster, stored: Sequence[Any]) -> None:
        """Who has a living record of the same stage already, one that was ended for good, or several that might go on."""
        mine = select(RosterRow.pupil_id).where(RosterRow.case_id == case.id, RosterRow.pupil_id.is_not(None))
        columns = (Pupil.id, Pupil.id_number, Pupil.enrolment_status, Pupil.stage, Pupil.school_id)
        records = select(*columns, Office.name.label("school")).join(Office, Office.id == Pupil.school_id)
        for chunk in chunks(row.id_number for row in stored if row.id_number):
            query = records.where(Pupil.id_number.in_(chunk), Pupil.id.not_in(mine))
            several: dict[str, list[Any]] = defaultdict(list)
            for record in db.session.execute(query):
                several[record.id_number].append(record)
            self._tell(roster, several)
        for chunk in chunks(str(row.values.get("name", "")) for row in stored if not row.id_number):
            named = select(Pupil.id, Pupil.name, Pupil.birth_date, Pupil.enrolment_status)
            ended = db.session.execute(
                named.where(Pupil.name.in_(chunk), Pupil.enrolment_status.in_(TERMINAL))
            ).all()
            seen = self.reader.pupils_among([one.id for one in ended])
            by_case = endings.standing(seen)
            for pupil_id, name, born, status in ended:
                full = f"同名、同出生日期的{_told_ended(status, by_case.get(pupil_id))}"
                key = (name, born.isoformat() if born else "")
                self.namesakes[key] = telling.told(full, readable=pupil_id in seen)

    def _tell(self, roster: Roster, several: Mapping[str, Sequence[Any]]) -> None:
        """What the records with one identity number mean for a row that names it."""
        seen = self.reader.pupils_among([one.id for records in several.values() for one in records])
        ended = endings.standing(
            [
                one.id
                for records in several.values()
                for one in records
                if one.enrolment_status in TERMINAL and one.id in seen
            ]
        )
        for number, records in several.items():
            for one in records:
                readable = one.id in seen
                if one.enrolment_status in TERMINAL:
                    full = _told_ended(one.enrolment_status, ended.get(one.id))
                    self.elsewhere[number] = telling.told(full, readable=readable)
                elif one.stage == roster.stage and one.enrolment_status not in CLOSED:
                    where = "本校" if one.school_id == self.school_id else one.school
                    full = f"该生已在{where}注册高中学籍"
                    self.elsewhere.setdefault(number, telling.told(full, readable=readable))
            living = [one for one in records if one.enrolment_status not in CLOSED]
            if len(living) > 1:
                full = f"登记中有 {len(living)} 份在籍记录使用这个号码，须先查明保留哪一份"
                readable = all(one.id in seen for one in living)
                self.elsewhere.setdefault(number, telling.told(full, readable=readable))

    def _other_rosters(self, case: Case, exam_numbers: Iterable[str], ids: Iterable[str]) -> None:
        """Who stands on another roster of the year that is under way; an approved one's people are in the register."""
        for column, keys in ((RosterRow.exam_number, exam_numbers), (RosterRow.id_number, ids)):
            for chunk in chunks(keys):
                query = (
                    select(column, Case.number, Case.id, Case.owner_office_id, Office.name)
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
                others = db.session.execute(query).all()
                seen = self.reader.cases_among({one.id for one in others})
                for key, number, case_id, owner, school in others:
                    where = (
                        f"本校的另一份名单（{number}）"
                        if owner == self.school_id
                        else f"{school}（{number}）"
                    )
                    full = f"该生已列入{where}的新生名单"
                    self.elsewhere.setdefault(key, telling.told(full, readable=case_id in seen))

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


def _told_ended(status: str, ended: Ending | None) -> str:
    number = f"（{ended.number}）" if ended else ""
    return f"学生已{BY_KEY['enrolment_status'].shown(status)}{number}，一律不得复学"


def _as_values(said: Any) -> Mapping[str, str]:
    """An entry of the list of the admitted as {roster column: text}."""
    found = {key: getattr(said, key) for key in FROM_LIST}
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in found.items()}


def chunks(values: Iterable[V]) -> Iterator[list[V]]:
    """The different values, CHUNK at a time."""
    every = list(dict.fromkeys(values))
    for start in range(0, len(every), CHUNK):
        yield every[start : start + CHUNK]
