"""Papers in and pictures out over HTTP: verdicts, ways out, what is refused, and what can never be half done."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.test import TestResponse

from portal import audit, tasks
from portal.cases import actions, evidence, stored_files
from portal.cases.access import Actor
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import AuditRecord, Case, EvidenceFile, StoredFile
from storage.filesystem import FolderStore
from storage.judge import judge
from tests import invariants, papers
from tests.builders import Cast, a_case, a_pupil, a_reason, act, sign_in
from tests.hostile.strangers import EPS, HTML, SVG
from tests.services import fresh_bucket_url
from tests.web.housekeeping import CheckingClient

pytestmark = pytest.mark.pages

NUMBER = "622999201305060023"
SLOT = "change_certificate"
SANDBOXED = "sandbox; default-src 'none'"


@pytest.fixture(scope="module")
def scan() -> Image.Image:
    return papers.police_certificate("林小雨", NUMBER, "林晓雨", "林小雨")


@pytest.fixture(scope="module")
def sharp(scan: Image.Image) -> bytes:
    return papers.as_jpeg(papers.narrow(scan, 1654))


@pytest.fixture(scope="module")
def blurred(scan: Image.Image) -> tuple[bytes, ...]:
    """The same paper out of focus, three shots of it."""
    return tuple(
        papers.as_jpeg(papers.blurred(papers.narrow(scan, 1654), 6), quality) for quality in (88, 89, 90)
    )


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    """A bucket of this test's own, so that everything in it has to be named by a row."""
    return fresh_bucket_url(request.getfixturevalue("s3_url"))


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast()


class Desk(CheckingClient):
    """A signed-in browser. Before each request the test's own transaction ends, as it would hold SQLite's write lock."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        db.session.remove()
        return super().open(*args, **kwargs)


def desk_of(app: Flask, who: Actor) -> Desk:
    app.test_client_class = Desk
    client: Any = app.test_client()
    sign_in(client, who)
    db.session.remove()
    return client


@pytest.fixture
def school(app: Flask, cast: Cast) -> Desk:
    return desk_of(app, cast.registrar)


@pytest.fixture
def case(cast: Cast) -> Case:
    """A draft that has been filled in and waits for its papers."""
    draft = a_case(cast)
    act(draft, cast.registrar, "edit", answers=NAME)
    db.session.commit()
    return draft


NAME = {
    "fields": ["name"],
    "cause": "household_corrected",
    "explanation": "户口簿登记姓名有误，已更正",
    "new_name": "马晓明",
}


def send(
    client: Any, case_id: uuid.UUID, *files: tuple[bytes, str], slot: str = SLOT, **headers: str
) -> TestResponse:
    """Post files into a slot as the page's form does."""
    answer: TestResponse = client.post(
        f"/cases/{case_id}/evidence/{slot}",
        data={"files": [(io.BytesIO(data), name) for data, name in files]},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    return answer


def files_of(case_id: uuid.UUID, status: str = "committed") -> list[EvidenceFile]:
    db.session.remove()
    query = select(EvidenceFile).where(EvidenceFile.case_id == case_id, EvidenceFile.status == status)
    query = query.options(selectinload(EvidenceFile.pages)).order_by(EvidenceFile.uploaded_at)
    return list(db.session.scalars(query))


def on_their_way() -> int:
    db.session.remove()
    return db.session.query(StoredFile).filter_by(status="staged").count()


def again(case: Case) -> Case:
    """The case as it stands now."""
    db.session.remove()
    return db.session.get_one(Case, case.id)


def slot_text(client: Any, case_id: uuid.UUID, slot: str = SLOT) -> str:
    """What a person reads in a slot of the papers page."""
    page = BeautifulSoup(client.get(f"/cases/{case_id}/papers").text, "html.parser")
    section = page.find(id=f"slot-{slot}")
    assert section is not None
    return " ".join(section.get_text(" ").split())


# --- what is taken --------------------------------------------------------------------------------------------------


@pytest.mark.both_pairs
def test_every_kind_of_paper_is_received_and_kept_byte_for_byte(
    school: Desk, case: Case, scan: Image.Image
) -> None:
    small = papers.narrow(scan, 1240)
    page = papers.household_page("林小雨", NUMBER)
    sent = {
        "证明.jpg": (papers.as_jpeg(small, exif_orientation=6), "image/jpeg", 1),
        "证明.png": (papers.as_png(small), "image/png", 1),
        "证明.tif": (papers.as_tiff(small, page), "image/tiff", 2),
        "证明.pdf": (papers.as_pdf(scan, page), "application/pdf", 2),
    }
    answer = send(school, case.id, *((data, name) for name, (data, _, _) in sent.items()))
    assert answer.status_code == 303 and answer.location.endswith(f"/papers#slot-{SLOT}")
    kept = files_of(case.id)
    assert {file.name: (file.media_type, len(file.pages)) for file in kept} == {
        name: (kind, pages) for name, (_, kind, pages) in sent.items()
    }
    for file in kept:
        assert file.sha256 == hashlib.sha256(sent[file.name][0]).hexdigest()
        assert file.size == len(sent[file.name][0])
        assert file.verdict in ("pass", "mend")
        assert school.get(f"/evidence/{file.id}/original").data == sent[file.name][0]
    assert invariants.everything([file.sha256 for file in kept]) == []
    recorded = db.session.scalars(
        select(AuditRecord.action).where(AuditRecord.object_kind == "evidence")
    ).all()
    assert recorded.count("evidence.received") == 4 and recorded.count("evidence.downloaded") == 4


def test_the_five_planted_files_are_told_apart(school: Desk, case: Case, scan: Image.Image) -> None:
    planted = {
        "清楚.jpg": (scan, "pass", ""),
        "模糊.jpg": (papers.blurred(scan, 9), "refuse", "画面模糊，请平放、对焦后重拍"),
        "歪斜.jpg": (papers.rotated(scan, 8), "mend", "8"),
        "缺底.jpg": (
            papers.cut_bottom(scan, 1 - 274 / 297),
            "advise",
            "下边的文字没拍全，请把整张纸拍进画面",
        ),
        "过小.jpg": (papers.narrow(scan, 600), "advise", "字偏小，"),
    }
    for name, (image, _, _) in planted.items():
        assert send(school, case.id, (papers.as_jpeg(image), name)).status_code == 303
    found = {file.name: file.verdict for file in files_of(case.id)}
    assert found == {name: verdict for name, (_, verdict, _) in planted.items()}
    page = BeautifulSoup(school.get(f"/cases/{case.id}/papers").text, "html.parser")
    for file in files_of(case.id):
        row = page.find(id=f"file-{file.id}")
        assert row is not None
        said = row.get_text(" ")
        assert planted[file.name][2] in said
        assert (row.select_one(".level-refuse") is not None) == (file.verdict == "refuse")
        levels = [mark["class"][1] for mark in row.select(".file-message")]
        worst_first = ["level-refuse", "level-advise", "level-mend"]
        assert levels == sorted(levels, key=worst_first.index)
        assert not {"level-refuse", "level-mend"} <= set(levels), "taken anew: how it was mended is no news"
    assert "待处理" in slot_text(school, case.id), "a slot with a poor picture in it is not settled"


def test_the_answer_fits_whoever_asked(school: Desk, case: Case, sharp: bytes) -> None:
    """The script gets the slot as a fragment, or JSON for a file that was not taken; a plain form a page."""
    taken = send(school, case.id, (sharp, "a.jpg"), HX_Request="true", X_Requested_With="upload")
    assert taken.status_code == 200 and "<html" not in taken.text and f'id="slot-{SLOT}"' in taken.text
    assert 'hx-swap-oob="true"' in taken.text
    refused = send(school, case.id, (HTML, "b.jpg"), HX_Request="true", X_Requested_With="upload")
    assert refused.status_code == 422 and refused.is_json and "b.jpg" in refused.json["message"]
    page = send(school, case.id, (HTML, "b.jpg"))
    assert page.status_code == 422 and "<html" in page.text and "b.jpg" in page.text
    assert send(school, case.id).status_code == 422
    assert send(school, case.id, (sharp, "c.jpg"), slot="no_such_slot").status_code == 422


# --- ways out -------------------------------------------------------------------------------------------------------


def test_the_way_out_opens_after_two_refusals(school: Desk, case: Case, blurred: tuple[bytes, ...]) -> None:
    for number, shot in enumerate(blurred):
        send(school, case.id, (shot, f"{number}.jpg"))
        latest = files_of(case.id)[-1]
        assert latest.verdict == "refuse"
        page = BeautifulSoup(school.get(f"/cases/{case.id}/papers").text, "html.parser")
        forms = page.select(f'form[action="/evidence/{latest.id}/override"]')
        assert bool(forms) == (number == 2), f"attempt {number + 1}"
        if number < 2:
            answer = school.post(f"/evidence/{latest.id}/override", data={"reason": "原件已经收回去了"})
            assert answer.status_code == 422 and "请先按提示重新拍摄" in answer.text
            school.post(f"/evidence/{latest.id}/remove")
    for reason in ("", "短", "  \n "):
        answer = school.post(f"/evidence/{latest.id}/override", data={"reason": reason})
        assert answer.status_code == 422 and "至少 4 个字" in answer.text
    answer = school.post(f"/evidence/{latest.id}/override", data={"reason": "原件已由派出所收回，只有这一张"})
    assert answer.status_code == 303
    assert files_of(case.id)[-1].override_reason == "原件已由派出所收回，只有这一张"
    assert "已齐" in slot_text(school, case.id)


def test_an_advice_is_passed_with_a_typed_reason_that_the_reviewer_reads(
    app: Flask, cast: Cast, school: Desk, case: Case, scan: Image.Image, sharp: bytes
) -> None:
    cut = papers.as_jpeg(papers.cut_bottom(scan, 1 - 274 / 297))
    send(school, case.id, (cut, "缺底.jpg"))
    send(school, case.id, (sharp, "户口簿.jpg"), slot="household_book")
    refused = school.post(f"/cases/{case.id}/submit", data={"version": actions.stamp(again(case))})
    assert refused.status_code == 422 and "未通过图像检查" in refused.text
    (poor,) = [file for file in files_of(case.id) if file.slot == SLOT]
    school.post(f"/evidence/{poor.id}/override", data={"reason": "派出所只给了这一联"})
    done = school.post(f"/cases/{case.id}/submit", data={"version": actions.stamp(again(case))})
    assert done.status_code == 303
    assert db.session.get_one(Case, case.id).doubtful
    reviewer = desk_of(app, cast.reviewer)
    assert "派出所只给了这一联" in reviewer.get(f"/cases/{case.id}/desk").text


# --- the same paper again -------------------------------------------------------------------------------------------


@pytest.mark.both_pairs
def test_a_paper_that_was_returned_is_recognised(
    cast: Cast, school: Desk, case: Case, sharp: bytes, scan: Image.Image
) -> None:
    send(school, case.id, (sharp, "a.jpg"))
    twice = send(school, case.id, (sharp, "b.jpg"))
    assert twice.status_code == 422 and "已经在本栏中" in twice.text
    send(school, case.id, (papers.as_jpeg(scan), "户口簿.jpg"), slot="household_book")
    sent = again(case)
    act(sent, cast.registrar, "submit")
    act(sent, cast.reviewer, "return", reasons=(a_reason(),))
    db.session.commit()
    (old,) = [file for file in files_of(case.id) if file.slot == SLOT]
    school.post(f"/evidence/{old.id}/remove")
    assert send(school, case.id, (sharp, "换个名字.jpg")).status_code == 303
    newest = files_of(case.id)[-1]
    assert newest.verdict == "refuse"
    assert re.fullmatch(r"该图片已于 \d\d月\d\d日 被退回，请重新拍摄", newest.notice)
    assert newest.notice in slot_text(school, case.id)


@pytest.mark.both_pairs
def test_a_paper_of_another_case_is_noticed(app: Flask, sharp: bytes) -> None:
    cast, stranger = Cast(), Cast()
    first, second, foreign = a_case(cast), a_case(cast, pupil=a_pupil(cast.school)), a_case(stranger)
    for one, who in ((first, cast), (second, cast), (foreign, stranger)):
        act(one, who.registrar, "edit", answers=NAME)
    db.session.commit()
    school = desk_of(app, cast.registrar)
    send(school, first.id, (sharp, "a.jpg"))
    send(school, second.id, (sharp, "a.jpg"))
    (file,) = files_of(second.id)
    assert (file.verdict, file.notice) == ("advise", f"该图片已用于 {first.number}，请确认没有传错")
    send(desk_of(app, stranger.registrar), foreign.id, (sharp, "a.jpg"))
    (file,) = files_of(foreign.id)
    assert file.verdict == "advise" and "其他单位的业务" in file.notice and first.number not in file.notice


# --- what is refused ------------------------------------------------------------------------------------------------


def hostile() -> dict[str, bytes]:
    jpeg = papers.as_jpeg(papers.household_page("林小雨", NUMBER, width=900))
    return {
        "脚本.jpg": HTML,
        "矢量.png": SVG,
        "打印.pdf": EPS,
        "程序.jpg": b"MZ\x90\x00" * 200,
        "文档.jpg": b"PK\x03\x04word/document.xml",
        "截断.jpg": jpeg[: len(jpeg) // 2],
        "空.jpg": b"",
        "..\\..\\etc\\passwd\u202egpj.exe": b"\x00" * 3000,
    }


@pytest.mark.parametrize("name", sorted(hostile()))
def test_hostile_files_are_refused_in_a_sentence(school: Desk, case: Case, name: str) -> None:
    answer = send(school, case.id, (hostile()[name], name), X_Requested_With="upload")
    assert answer.status_code == 422
    assert len(re.findall("[\u4e00-\u9fff]", answer.json["message"].partition("：")[2])) >= 6
    assert "/" not in answer.json["message"].split("：")[0] and "\u202e" not in answer.json["message"]
    assert files_of(case.id) == []
    (row,) = files_of(case.id, "refused")
    assert row.refusal and row.sha256 == ""
    assert list(invariants.store().keys("evidence/")) == []


@pytest.mark.both_pairs
def test_a_body_beyond_the_limit_is_413(school: Desk, case: Case) -> None:
    answer = send(school, case.id, (b"\xff\xd8\xff" + bytes(28 * 1024 * 1024), "大.jpg"))
    assert answer.status_code == 413 and files_of(case.id) == []


# --- out again ------------------------------------------------------------------------------------------------------


@pytest.mark.both_pairs
def test_originals_leave_as_attachments_and_pictures_are_our_own(
    school: Desk, case: Case, scan: Image.Image
) -> None:
    photo = papers.as_jpeg(papers.narrow(scan, 1654), exif_orientation=3)
    assert b"Fictional Phones" in photo
    send(school, case.id, (photo, '证明 "1"\u202e.jpg'))
    (file,) = files_of(case.id)
    original = school.get(f"/evidence/{file.id}/original")
    assert original.data == photo
    assert original.headers["Content-Disposition"].startswith("attachment")
    assert original.headers["Content-Type"] == "application/octet-stream"
    assert original.headers["Content-Security-Policy"] == SANDBOXED
    assert original.headers["X-Content-Type-Options"] == "nosniff"
    assert original.headers["Cache-Control"] == "no-store"
    for kind in ("view", "thumb"):
        picture = school.get(f"/evidence/{file.id}/{kind}/1")
        assert picture.headers["Content-Type"] == "image/jpeg"
        assert picture.headers["Content-Disposition"] == "inline"
        assert picture.headers["Content-Security-Policy"] == SANDBOXED
        assert picture.headers["X-Content-Type-Options"] == "nosniff"
        shown = Image.open(io.BytesIO(picture.data))
        assert (
            dict(shown.getexif()) == {} and not {"exif", "xmp", "icc_profile", "comment"} & shown.info.keys()
        )
        assert b"Fictional" not in picture.data and b"GPS" not in picture.data
        assert max(shown.size) <= (2400 if kind == "view" else 320)
    assert school.get(f"/evidence/{file.id}/view/2").status_code == 404
    assert school.get(f"/evidence/{uuid.uuid4()}/view/1").status_code == 404
    viewed = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "evidence.viewed")).all()
    assert [record.body["page"] for record in viewed] == [1]


# --- after submission, and in between -------------------------------------------------------------------------------


def ready(cast: Cast) -> Case:
    made = a_case(cast, "ready")
    db.session.commit()
    return made


def test_a_submitted_case_takes_nothing_and_gives_nothing_up(cast: Cast, school: Desk, sharp: bytes) -> None:
    case = ready(cast)
    before = [file.id for file in files_of(case.id)]
    act(again(case), cast.registrar, "submit")
    db.session.commit()
    tasks.wait()
    assert send(school, case.id, (sharp, "迟.jpg")).status_code in (404, 409)
    assert school.post(f"/evidence/{before[0]}/remove").status_code in (404, 409)
    assert school.post(f"/evidence/{before[0]}/override", data={"reason": "想再说明一下"}).status_code in (
        404,
        409,
    )
    assert [file.id for file in files_of(case.id)] == before
    assert all(file.removed_at is None and not file.override_reason for file in files_of(case.id))
    assert on_their_way() == 0


@pytest.mark.both_pairs
def test_uploads_that_cross_a_submission_end_whole(cast: Cast, sharp: bytes, scan: Image.Image) -> None:
    """Two uploads were under way when the case was submitted: neither gets in, and nothing of them stays."""
    case = ready(cast)
    seen = sorted(file.sha256 for file in files_of(case.id))
    open_case = again(case)
    staged = [evidence.stage(open_case, cast.registrar, SLOT, f"{n}.jpg") for n in range(2)]
    db.session.commit()
    store, crossing = invariants.store(), []
    for coming, data in zip(staged, (sharp, papers.as_png(papers.narrow(scan, 1240))), strict=True):
        judged = judge(data)
        crossing.append((coming, evidence.keep(store, coming.key, data, judged), judged))
    act(again(case), cast.registrar, "submit")
    db.session.commit()
    for coming, kept, judged in crossing:
        with pytest.raises(Refused, match="业务已提交"):
            evidence.settle(coming, kept, judged)
        db.session.rollback()
    tasks.wait()
    act(again(case), cast.reviewer, "approve")
    db.session.commit()
    tasks.wait()
    assert sorted(file.sha256 for file in files_of(case.id)) == seen
    assert invariants.everything() == []
    for file in db.session.scalars(select(StoredFile).where(StoredFile.status == "staged")):
        file.expires_at = file.begun_at - stored_files.STAGED_FOR
    db.session.commit()
    assert stored_files.reap(store) == 2 and on_their_way() == 0
    assert invariants.everything() == []


@pytest.mark.both_pairs
def test_uploads_and_a_submission_at_the_same_moment(
    app: Flask, cast: Cast, sharp: bytes, scan: Image.Image
) -> None:
    """Over HTTP in threads: whatever order they fall into, the case went with exactly the papers that stand in it."""
    case = ready(cast)
    case_id, stamp = case.id, actions.stamp(again(case))
    db.session.remove()
    clients = [app.test_client() for _ in range(3)]
    token = sign_in(clients[0], cast.registrar).token
    for client in clients[1:]:
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = token, True
    db.session.remove()
    shots = (sharp, papers.as_jpeg(papers.narrow(scan, 1240)))
    statuses: dict[str, int] = {}

    def upload(n: int) -> None:
        with app.app_context():
            answer = clients[n].post(
                f"/cases/{case_id}/evidence/{SLOT}", data={"files": [(io.BytesIO(shots[n]), f"{n}.jpg")]}
            )
            statuses[f"upload {n}"] = answer.status_code

    def submit() -> None:
        with app.app_context():
            answer = clients[2].post(f"/cases/{case_id}/submit", data={"version": stamp})
            statuses["submit"] = answer.status_code

    threads = [threading.Thread(target=upload, args=(n,)) for n in range(2)] + [
        threading.Thread(target=submit)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tasks.wait()
    assert statuses["submit"] == 303
    assert {statuses["upload 0"], statuses["upload 1"]} <= {303, 404, 409}
    act(db.session.get_one(Case, case_id), cast.reviewer, "approve")
    db.session.commit()
    tasks.wait()
    assert invariants.everything() == []
    received = [n for n in range(2) if statuses[f"upload {n}"] == 303]
    assert len(files_of(case_id)) == 2 + len(received), "an upload was acknowledged and is not there"


@pytest.mark.both_pairs
def test_the_store_is_down(app: Flask, school: Desk, case: Case, sharp: bytes, tmp_path: Path) -> None:
    """503 in Chinese, the case as it was, and the same upload goes through once the store is back."""
    working = invariants.store()
    nowhere = tmp_path / "not-a-folder"
    nowhere.write_text("a file stands where the store's folder should be")
    app.extensions["store"] = FolderStore(nowhere)
    answer = send(school, case.id, (sharp, "a.jpg"))
    assert answer.status_code == 503 and "证据存储暂时连接不上" in answer.text
    assert files_of(case.id) == [] and on_their_way() == 0
    assert school.get(f"/cases/{case.id}/papers").status_code == 200, "pages without pictures still open"
    app.extensions["store"] = working
    assert invariants.everything() == []
    assert send(school, case.id, (sharp, "a.jpg")).status_code == 303
    (file,) = files_of(case.id)
    app.extensions["store"] = FolderStore(nowhere)
    assert school.get(f"/evidence/{file.id}/original").status_code in (500, 503)
    app.extensions["store"] = working
    assert school.get(f"/evidence/{file.id}/original").data == sharp
    assert audit.verify().fault == ""


def test_a_page_that_may_be_missing_is_said_and_stops_nothing(
    school: Desk, case: Case, scan: Image.Image
) -> None:
    """户口簿: 首页 and 本人页. One picture may hold both, so that a person decides."""
    book = f"/cases/{case.id}/evidence/household_book"
    first = papers.as_jpeg(papers.household_page("林小雨", "622999201305060023"))
    school.post(book, data={"files": [(io.BytesIO(first), "本人页.jpg")]})
    page = school.get(f"/cases/{case.id}/papers").text
    assert "应有首页、本人页共 2 页，现在只有 1 页" in page
    assert "应有首页、本人页" not in school.get(f"/cases/{case.id}/check").text.split("不能提交")[-1]
    school.post(book, data={"files": [(io.BytesIO(papers.as_jpeg(scan)), "首页.jpg")]})
    assert "现在只有" not in school.get(f"/cases/{case.id}/papers").text


def test_a_slot_that_a_return_names_is_not_whole_before_it_changes(school: Desk, cast: Cast) -> None:
    case = a_case(cast, "returned")
    db.session.commit()
    named = next(one.key for one in case.remarks if one.target == "evidence")
    badge = BeautifulSoup(school.get(f"/cases/{case.id}/papers").text, "html.parser").find(id=f"slot-{named}")
    assert badge is not None and "已齐" not in badge.get_text()
