"""A file that is larger than may be is answered where it was meant for: its size, the limit, what to do; nothing is lost."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from portal import oversize
from portal.extensions import db
from portal.models import AuditRecord, Case, EvidenceFile, StampedBatch
from tests.builders import Cast, a_case, act
from tests.hostile import honest
from tests.web.test_evidence import NAME, SLOT, Desk, desk_of, files_of, send

pytestmark = pytest.mark.pages

STATIC = Path(oversize.__file__).parent / "static"
LARGE = 30 * 2**20


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


@pytest.fixture
def case(cast: Cast) -> Case:
    draft = a_case(cast)
    act(draft, cast.registrar, "edit", answers=NAME)
    db.session.commit()
    return draft


@pytest.fixture
def school(app: Flask, cast: Cast) -> Desk:
    return desk_of(app, cast.registrar)


def post(client: Any, where: str, size: int = LARGE, **headers: str) -> Any:
    """A request that says it is so large. Of its body only the beginning is sent."""
    start = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n\xff\xd8\xff'
    return client.post(
        where,
        input_stream=io.BytesIO(start + bytes(5000)),
        content_type="multipart/form-data; boundary=x",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        environ_overrides={"CONTENT_LENGTH": str(size)},
    )


def rows() -> tuple[int, ...]:
    db.session.remove()
    kinds = (EvidenceFile, StampedBatch, AuditRecord)
    return tuple(db.session.query(kind).count() for kind in kinds)


def said(text: str, most: str = "25 MB") -> None:
    assert "30 MB" in text and most in text and "没有收下" in text and "请" in text.partition("都还在")[2]


@pytest.mark.parametrize("guarded", [False, True], ids=["plain", "with the form's token asked for"])
def test_the_slot_says_it_without_scripts(app: Flask, school: Desk, case: Case, guarded: bool) -> None:
    assert send(school, case.id, (honest.jpeg(), "好.jpg")).status_code == 303
    before = rows()
    app.config["WTF_CSRF_ENABLED"] = guarded
    try:
        answer = post(school, f"/cases/{case.id}/evidence/{SLOT}")
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert answer.status_code == 413
    slot = BeautifulSoup(answer.text, "html.parser").select_one(f"#slot-{SLOT}")
    assert slot is not None
    said(slot.select_one("[role=alert]").text)  # type: ignore[union-attr]
    assert "好.jpg" in slot.text, "what was there before still is"
    assert rows() == before and len(files_of(case.id)) == 1


def test_the_scripts_are_told_the_same(school: Desk, case: Case) -> None:
    where = f"/cases/{case.id}/evidence/{SLOT}"
    answer = post(school, where, X_Requested_With="upload", HX_Request="true")
    assert answer.status_code == 413
    said(answer.json["message"])
    camera = post(school, f"/cases/{case.id}/capture/{SLOT}", X_Requested_With="capture")
    assert camera.status_code == 413
    said(camera.json["message"])
    page = post(school, f"/cases/{case.id}/capture/{SLOT}")
    assert page.status_code == 413 and "data-capture" in page.text
    said(page.text)


def test_a_batch_and_a_table_say_it_at_their_field(app: Flask, school: Desk, cast: Cast) -> None:
    answer = post(school, "/stamped", 130 * 2**20)
    assert answer.status_code == 413
    told = BeautifulSoup(answer.text, "html.parser").select_one("#file-error")
    assert (
        told is not None and "130 MB" in told.text and "100 MB" in told.text and "分成几个文件" in told.text
    )
    loads = post(school, "/register/loads", 130 * 2**20)
    assert loads.status_code == 413
    told = BeautifulSoup(loads.text, "html.parser").select_one("#file-error")
    assert told is not None and "130 MB" in told.text and "100 MB" in told.text and "按学校" in told.text


def test_nobody_learns_more_by_sending_much(app: Flask, school: Desk, case: Case, cast: Cast) -> None:
    where = f"/cases/{case.id}/evidence/{SLOT}"
    stranger = post(app.test_client(), where)
    assert stranger.status_code == 303 and "/sign-in" in stranger.headers["Location"]
    reviewer = desk_of(app, cast.reviewer)
    assert post(reviewer, where).status_code == 404
    assert post(school, where, Sec_Fetch_Site="cross-site").status_code == 403
    other = post(school, "/register")
    assert other.status_code == 413
    said(other.text)


def test_just_too_large_is_not_said_to_be_the_limit(school: Desk, case: Case) -> None:
    data = honest.jpeg().ljust(25 * 2**20 + 1, b"\x00")
    answer = send(school, case.id, (data, "大.jpg"), X_Requested_With="upload")
    assert answer.status_code == 422
    assert "25.1 MB" in answer.json["message"] and "25 MB 的上限" in answer.json["message"]
    assert oversize.in_words(25 * 2**20) == "25 MB" and oversize.in_words(25 * 2**20 + 1) == "25.1 MB"


def test_every_file_field_names_its_limit() -> None:
    """The script measures a file before it is sent; what it needs stands on the field."""
    fields = {
        (path.name, field)
        for path in (STATIC.parent / "templates").rglob("*.html")
        for field in re.findall(r"<input[^>]*type=\"file\".*?>", path.read_text("utf-8"))
    }
    assert len(fields) >= 8
    without = {
        name for name, field in fields if "data-most-bytes" not in field or "data-too-large" not in field
    }
    assert without == set()


@pytest.mark.skipif(
    shutil.which("node") is None, reason="no node here: the script is tried in a browser elsewhere"
)
def test_the_script_measures_before_it_sends() -> None:
    harness = """
    const listeners = {};
    globalThis.window = globalThis;
    globalThis.document = { addEventListener: (name, act) => { listeners[name] = act; } };
    require(process.argv[1]);
    const field = { dataset: { mostBytes: String(25 * 1048576), tooLarge: "请分开上传" } };
    console.log(window.fileTooLarge(field, { size: 25 * 1048576 }) === "");
    console.log(window.fileTooLarge(field, { size: 25 * 1048576 + 1 }));
    console.log(window.fileTooLarge({ dataset: {} }, { size: 1e12 }) === "" && window.fileTooLarge(null, { size: 1e12 }) === "");
    """
    done = subprocess.run(
        ["node", "-e", harness, str(STATIC / "filesize.js")], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:3] == ["true", "文件 25.1 MB，超过 25 MB 的上限；请分开上传", "true"]
