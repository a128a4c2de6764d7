"""Milliseconds to make one official form from facts: `python -m benchmarks.docx [--small]`.

Prints one line a shape of case; the file is made anew each time, nothing is kept between runs.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import replace
from datetime import date, datetime

from portal.cases import printing
from portal.policies import policy
from portal.workflows import workflow
from portal.workflows.vocabulary import EvidenceFact, Facts, Opinion, PupilFacts

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
    pupil=PupilFacts(
        "p", PUPIL, 0, "青禾县第一高级中学", {"county": "青禾县教育局", "state": "云岭州教育局"}
    ),
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


def one_form(facts: Facts) -> bytes:
    """Everything that a download does except the database."""
    printout = LAW.printouts[0]
    text = printing.qr_text(printout, facts, version=5, key="a key")
    moment = datetime(2026, 9, 3, 14, 5)
    return printing.render(
        printout, facts, version=5, anchor="1024-3f9a0c12be77", qr_text=text, printed_at=moment
    )


def main(arguments: list[str]) -> int:
    """Print the median and the 95th percentile of each shape in ms."""
    rounds = 20 if "--small" in arguments else 200
    for name, facts in (("minimal", MINIMAL), ("full", FULL)):
        one_form(facts)  # the libraries load once
        took = []
        for _ in range(rounds):
            started = time.perf_counter()
            data = one_form(facts)
            took.append((time.perf_counter() - started) * 1000)
        took.sort()
        p95 = took[int(rounds * 0.95) - 1]
        print(
            f"docx {name}: median {statistics.median(took):.1f} ms, p95 {p95:.1f} ms, {len(data)} bytes, n={rounds}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
