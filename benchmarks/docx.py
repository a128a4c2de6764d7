"""Milliseconds to make one official form from facts: `python -m benchmarks.docx [--small]`.

Prints one line a shape of case, and one a file and part of the work for a 登记表 of 3,000 pupils; the file is made anew each
time, nothing is kept between runs.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sized
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from portal.cases import printing, versions
from portal.policies import policy
from portal.workflows import workflow
from portal.workflows.facts import EvidenceFact, Facts, Opinion, PupilFacts, SchoolFacts
from portal.workflows.vocabulary import Printout
from tests.cases.enrolment import REGISTER, roster_facts

LAW = workflow("key_information_change")
PUPIL = {
    "student_number": "L622999201005060001",
    "name": "马小一",
    "sex": "1",
    "ethnicity": "03",
    "id_type": "1",
    "id_number": "622999201005060017",
    "birth_date": "2010-05-06",
    "stage": "高中",
    "grade": "高一",
    "class_name": "1班",
}
NEW_NAME = {"fields": ["name"], "cause": "renamed", "explanation": "依法改名。", "new_name": "马晓明"}
MINIMAL = Facts(
    workflow=LAW.id,
    number="GJ2026000123",
    today=date(2026, 9, 3),
    policy=policy("gs-linxia-2022"),
    pupil=PupilFacts("p", PUPIL, 0),
    school=SchoolFacts("青禾县第一高级中学", supervisors={"county": "青禾县教育局", "state": "云岭州教育局"}),
    answers=NEW_NAME,
)
FULL = replace(
    MINIMAL,
    answers={
        **NEW_NAME,
        "fields": ["name", "id_number", "birth_date", "sex"],
        "explanation": "户口簿登记有误，派出所已更正。" * 20,
        "new_id_number": "622999201006070020",
        "new_birth_date": date(2010, 6, 7),
        "new_sex": "2",
    },
    evidence=tuple(EvidenceFact("household_book", f"{n}.jpg", f"{n:064x}", 1, "pass", "") for n in range(6)),
    opinions=(
        Opinion("county_review", "青禾县教育局", "李强", date(2026, 9, 2), "approved", "情况属实。" * 60),
        Opinion("state_approval", "云岭州教育局", "赵芳", date(2026, 9, 3), "approved", "情况属实。" * 60),
    ),
    applicant="王敏",
    submitted_on=date(2026, 9, 1),
)


REGISTER_ROWS = 3000


def one_form(printout: Printout, facts: Facts) -> bytes:
    """Everything that a download does except the database."""
    return printing.render(printout, facts, **circumstances(printout, facts))


def one_sheet(printout: Printout, facts: Facts) -> bytes:
    """The same as XLSX."""
    assert printout.sheet is not None
    return printing.render_sheet(printout, printout.sheet, facts, **circumstances(printout, facts))


def circumstances(printout: Printout, facts: Facts) -> dict[str, Any]:
    return {
        "version": 5,
        "anchor": "1024-3f9a0c12be77",
        "qr_text": printing.qr_text(printout, facts, version=5, key="a key"),
        "printed_at": datetime(2026, 9, 3, 14, 5),
    }


def measure(name: str, work: Callable[[], Sized], rounds: int) -> None:
    """Print the median and the 95th percentile in ms."""
    work()  # the libraries load once
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        made = work()
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    p95 = took[max(int(rounds * 0.95) - 1, 0)]
    size = f", {len(made)} bytes" if isinstance(made, bytes) else ""
    print(f"{name}: median {statistics.median(took):.1f} ms, p95 {p95:.1f} ms{size}, n={rounds}")


def main(arguments: list[str]) -> int:
    """Measure the form of one pupil, then the list of many and what the record of its printing costs."""
    rounds = 20 if "--small" in arguments else 200
    form = LAW.printouts[0]
    measure("docx minimal", lambda: one_form(form, MINIMAL), rounds)
    measure("docx full", lambda: one_form(form, FULL), rounds)
    facts, rounds = roster_facts(REGISTER_ROWS), rounds // 10
    name = f"register of {REGISTER_ROWS} pupils"
    measure(f"{name}, docx", lambda: one_form(REGISTER, facts), rounds)
    measure(f"{name}, xlsx", lambda: one_sheet(REGISTER, facts), rounds)
    measure(f"{name}, digits of the code", lambda: versions.digits_of(REGISTER, facts, 5, "a key"), rounds)
    measure(f"{name}, fingerprints", lambda: versions.fingerprints(REGISTER, facts, "a key"), rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
