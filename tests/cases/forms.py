"""Facts for printed forms, written by hand, and what office software makes of the result."""

from __future__ import annotations

import io
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2
from docx import Document
from flask import Flask
from flask.testing import FlaskClient

from portal.cases.access import Actor
from portal.extensions import db, set_read_only
from portal.policies import policy
from portal.workflows.facts import EvidenceFact, Facts, Opinion, PupilFacts, SchoolFacts
from tests.builders import sign_in

PUPIL = {
    "student_number": "L622999201005060001",
    "school_code": "3462000001",
    "name": "马小一",
    "sex": "1",
    "ethnicity": "03",
    "id_type": "1",
    "id_number": "62299920100506001X",
    "birth_date": "2010-05-06",
    "stage": "高中",
    "grade": "高一",
    "class_name": "1班",
    "enrolment_status": "01",
}
ABOVE = {"county": "青禾县教育局", "state": "云岭州教育局"}
ALL_FOUR = {
    "fields": ["name", "id_number", "birth_date", "sex"],
    "cause": "household_corrected",
    "explanation": "户口簿登记姓名有误，派出所已更正。",
    "new_name": "马晓明",
    "new_id_number": "622999201006070020",
    "new_birth_date": date(2010, 6, 7),
    "new_sex": "2",
}
ONE = {"fields": ["name"], "cause": "renamed", "explanation": "依法改名。", "new_name": "马晓明"}


def facts(answers: dict[str, Any] | None = None, **changes: Any) -> Facts:
    """A case of a grade-10 boy in a state that approves high-school changes."""
    pupil = {**PUPIL, **changes.pop("pupil", {})}
    above = changes.pop("above", ABOVE)
    base: dict[str, Any] = {
        "workflow": "key_information_change",
        "number": "GJ2026000123",
        "today": date(2026, 9, 3),
        "policy": policy("gs-linxia-2022"),
        "pupil": PupilFacts("p", pupil, 0),
        "school": SchoolFacts("青禾县第一高级中学", supervisors=above),
        "answers": ONE if answers is None else answers,
        "evidence": files(2),
        "applicant": "王敏",
        "submitted_on": date(2026, 9, 1),
    }
    return Facts(**{**base, **changes})


def files(count: int, slot: str = "") -> tuple[EvidenceFact, ...]:
    slots = ("change_certificate", "household_book", "cancellation_certificate")
    return tuple(
        EvidenceFact(
            slot or slots[number % 3], f"照片{number}.jpg", f"{number:02x}" * 32, 1 + number % 2, "pass", ""
        )
        for number in range(1, count + 1)
    )


def said(step: str, verb: str = "approved", note: str = "", day: int = 2) -> Opinion:
    office = {"county_review": "青禾县教育局", "state_approval": "云岭州教育局"}[step]
    return Opinion(
        step,
        office,
        {"county_review": "李强", "state_approval": "赵芳"}[step],
        date(2026, 9, day),
        verb,
        note,
    )


def texts(docx: bytes) -> list[str]:
    """The text of every cell and every footer paragraph, merged cells once."""
    document = Document(io.BytesIO(docx))
    found = []
    for table in document.tables:
        for row in table.rows:
            cells = {id(cell._tc): cell.text for cell in row.cells}
            found += list(cells.values())
    return found + [paragraph.text for paragraph in document.sections[0].footer.paragraphs]


def pdf_of(form: bytes, folder: Path, soffice: str, kind: str = "docx") -> pypdfium2.PdfDocument:
    """The form, a DOCX or an XLSX, as LibreOffice prints it."""
    source = folder / f"form.{kind}"
    source.write_bytes(form)
    profile = f"-env:UserInstallation={(folder / 'office').as_uri()}"
    command = [soffice, profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return pypdfium2.PdfDocument(folder / "form.pdf")


class Browser(FlaskClient):
    """A client whose requests share nothing with the test but the database: with the test's own application context they would
    share its session, and the person who was signed in before."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        db.session.commit()
        with self.application.app_context():
            answer = super().open(*args, **kwargs)
        set_read_only(False)
        return answer


def enter(app: Flask, who: Actor) -> FlaskClient:
    """A browser in which this person is signed in."""
    client = Browser(app, app.response_class)
    sign_in(client, who)
    return client
