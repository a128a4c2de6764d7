"""A primary school's export in which first-graders have got G numbers in the place of their L ones: it waits for what the
school says of it."""

from __future__ import annotations

import csv
import io
import uuid
from dataclasses import dataclass
from datetime import date

from portal import audit, tasks
from portal.cases import stored_files
from portal.cases.loads import lifecycle
from portal.demo.acts import cast, who
from portal.demo.chapters import Chapter
from portal.demo.pupils import WORDS, identity
from portal.extensions import db
from portal.models import Pupil
from portal.standards import names
from portal.standards.columns import BY_KEY

SCHOOL = "hewan_primary"
COLUMNS = ("student_number", "name", "sex", "birth_date", "id_type", "id_number", "grade", "class_name")


@dataclass(frozen=True)
class Beginner:
    """A first-grader as the register has one, and under which name the export does."""

    name: str
    sex: str
    born: date
    exported: str = ""

    @property
    def identity(self) -> str:
        return identity(self.born, self.sex, self.born.day * 7 + 3)


BEGINNERS = (
    Beginner("马文博", "1", date(2020, 1, 9)),
    Beginner("丁小雪", "2", date(2020, 2, 14)),
    Beginner("韩志远", "1", date(2020, 3, 21)),
    Beginner("妥玉兰", "2", date(2020, 4, 5)),
    Beginner("罗天明", "1", date(2020, 5, 27)),
    Beginner("唐雅宁", "2", date(2020, 6, 18), exported="唐雅玲"),
)


def chapters() -> list[Chapter]:
    return [Chapter("load.renumbering", "换号", _play)]


def _play() -> None:
    offices, accounts = cast()
    school = offices[SCHOOL]
    registrar = who(accounts, "registrar", school)
    audit.set_origin(actor_id=registrar.id, office_id=registrar.office_id)
    for number, one in enumerate(BEGINNERS, start=1):
        db.session.add(_pupil(one, number, school.id))
    db.session.flush()
    data = _export()
    examined = lifecycle.examine(data)
    key = stored_files.expect(stored_files.LOAD, registrar.office_id, registrar)
    received = lifecycle.keep(tasks.store(), key, data, examined)  # in the chapter's transaction
    load = lifecycle.begin(registrar, "一年级转正.csv", received)
    lifecycle.start_check(load, registrar, load.mapping, complete=False)


def _pupil(one: Beginner, number: int, school_id: uuid.UUID) -> Pupil:
    return Pupil(
        student_number=f"L622999{one.born:%Y%m%d}{number:04d}",
        school_id=school_id,
        name=one.name,
        name_key=names.name_key(one.name),
        initials=names.initials(one.name),
        sex=one.sex,
        birth_date=one.born,
        nationality="中国",
        overseas="00",
        ethnicity="03",
        id_type="1",
        id_number=one.identity,
        stage="小学",
        grade=WORDS["小学"][0],
        class_name="1班",
    )


def _export() -> bytes:
    target = io.StringIO(newline="")
    lines = csv.writer(target)
    lines.writerow([BY_KEY[key].title for key in COLUMNS])
    kind, of_class = BY_KEY["id_type"].shown("1"), (WORDS["小学"][0], "1班")
    for one in BEGINNERS:
        number, sex = one.identity, BY_KEY["sex"].shown(one.sex)
        name, born = one.exported or one.name, f"{one.born:%Y%m%d}"
        lines.writerow([f"G{number}", name, sex, born, kind, number, *of_class])
    return target.getvalue().encode("utf-8-sig")
