"""盖章表扫描 over HTTP: a dozen forms land in a dozen cases; what is another version, another office's or no form does not."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, update

from portal import tasks
from portal.cases import stored_files
from portal.cases.access import Actor
from portal.cases.evidence import files_of
from portal.cases.refusing import Refused
from portal.cases.remarks import Reason, reason_titles
from portal.cases.stamped import placing, receiving, sorting
from portal.extensions import db
from portal.models import Account, AuditRecord, Case, StampedBatch, StampedPage, StoredFile
from portal.models.types import utcnow
from portal.oversight import stamped_walk
from portal.oversight.findings import Findings
from portal.settings import Settings
from storage import reading
from tests.builders import Cast, a_case, a_file, a_pupil, a_reason, act
from tests.cases.forms import enter, pdf_of
from tests.scans import in_one_file, scanned, sheet
from tests.scans import stamped as with_seal
from tests.services import soffice_path
from tests.stamped import code_of, order_of, scan_of, words_of

pytestmark = [
    pytest.mark.pages,
    pytest.mark.skipif(
        not reading.available(), reason="the extra 'reading' is not installed: pip install '.[reading]'"
    ),
]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With reading switched on: a form lands by itself when its print is read."""
    return replace(settings, reading=True)


def bring(client: FlaskClient, pages: list[bytes], name: str = "盖章表.pdf", kind: str = "PDF") -> str:
    """Upload a batch and wait until it is sorted. The address of its page."""
    answer = client.post("/stamped", data={"file": (io.BytesIO(in_one_file(pages, kind)), name)})
    assert answer.status_code == 303, answer.text
    db.session.rollback()
    tasks.wait()
    return str(answer.headers["Location"])


def pages_of(address: str) -> list[StampedPage]:
    db.session.rollback()
    db.session.expire_all()
    batch = db.session.get_one(StampedBatch, uuid.UUID(address.rsplit("/", 1)[1]))
    assert batch.status == "sorted" and batch.done_pages == batch.page_count == len(batch.pages)
    return batch.pages


def one_page(client: FlaskClient, code: str, words: Sequence[str] = ()) -> StampedPage:
    (page,) = pages_of(bring(client, [scanned(sheet(code, words=words))]))
    return page


def form_of(case: Case) -> tuple[str, list[str]]:
    """Print the case's form: its code, and words that stand on it."""
    order, code = order_of(case)
    return code, words_of(order)


@pytest.mark.both_pairs
def test_a_dozen_forms_land_in_a_dozen_cases(app: Flask) -> None:
    """And the form of another version is refused with what differs, and the page without a code lies in the tray."""
    cast = Cast()
    cases = [a_case(cast, "county_review", pupil=a_pupil(cast.school)) for _ in range(12)]
    changed = a_case(cast, "ready", pupil=a_pupil(cast.school))
    db.session.commit()
    forms = [form_of(case) for case in cases]
    old = code_of(changed)
    act(changed, cast.registrar, "edit", answers={"new_name": "马晓红"})
    db.session.commit()
    pages = [
        scanned(sheet(code, words=words), skew=5.0 * (n % 3 - 1), quarters=2 * (n % 2))
        for n, (code, words) in enumerate(forms)
    ]
    client = enter(app, cast.registrar)
    address = bring(client, [*pages, scanned(sheet(old)), scanned(sheet())])
    found = pages_of(address)
    assert [page.case_id for page in found[:12]] == [case.id for case in cases]
    assert {page.outcome for page in found[:12]} == {"landed"}
    assert {(page.printout, page.version) for page in found[:12]} == {("approval-form", cases[0].version)}
    assert [page.outcome for page in found[12:]] == ["refused", "tray"]
    assert (
        f"第 {changed.version - 1} 版" in found[12].message
        and f"第 {changed.version} 版" in found[12].message
    )
    assert "姓名" in found[12].message and "现为“马晓红" not in found[12].message.partition("姓名")[0]
    assert found[13].message == placing.NO_CODE
    shown = client.get(address).text
    assert "已归入 12 页" in shown and "未归入 1 页" in shown and "待归入 1 页" in shown
    assert all(case.number in shown for case in cases)
    mine = client.get(f"/cases/{cases[7].id}").text
    assert "盖章扫描件" in mine and f"/stamped/pages/{found[7].id}/view" in mine and "以此件为准" in mine
    assert "盖章扫描件" not in client.get(f"/cases/{changed.id}").text


def test_the_form_as_office_software_prints_it(app: Flask, tmp_path: Path) -> None:
    """The DOCX that the portal gives out, printed by LibreOffice, stamped, and scanned upside down at 150 dpi."""
    cast = Cast()
    case = a_case(cast, "county_review")
    db.session.commit()
    client = enter(app, cast.registrar)
    docx = client.get(f"/cases/{case.id}/printouts/approval-form.docx").data
    paper = pdf_of(docx, tmp_path, soffice_path())[0].render(scale=150 / 72).to_pil().convert("RGB")
    scan = scanned(with_seal(np.asarray(paper), (165, 45), 150), skew=3.0, quarters=2)
    (page, *more) = pages_of(bring(client, [scan]))
    assert not more and (page.outcome, page.case_id) == ("landed", case.id), page.message
    view = client.get(f"/stamped/pages/{page.id}/view")
    assert view.status_code == 200 and Image.open(io.BytesIO(view.data)).height > 1000


# --- which version counts -------------------------------------------------------------------------------------------


@pytest.mark.both_pairs
def test_an_approval_in_between_makes_no_other_version(app: Flask) -> None:
    """Printed as a draft, printed when submitted, and scanned when the county and the state have agreed."""
    cast = Cast()
    case = a_case(cast, "ready")
    db.session.commit()
    drafted = form_of(case)
    act(case, cast.registrar, "submit")
    db.session.commit()
    submitted = form_of(case)
    act(case, cast.reviewer, "approve", note="同意")
    db.session.commit()
    agreed = form_of(case)
    act(case, cast.approver, "approve")
    db.session.commit()
    client = enter(app, cast.registrar)
    assert len({code.rsplit("|")[-1] for code, _words in (drafted, submitted, agreed)}) == 3
    for code, words in (drafted, submitted, agreed, form_of(case)):
        page = one_page(client, code, words)
        assert (page.outcome, page.case_id) == ("landed", case.id), page.message


def test_a_replaced_paper_makes_another_version_and_is_named(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    db.session.commit()
    code = code_of(case)
    act(case, cast.reviewer, "return", reasons=(a_reason(),))
    (old,) = files_of(case, "change_certificate")
    old.removed_at, old.removed_round = utcnow(), case.round
    a_file(case, "change_certificate", cast.registrar)
    act(case, cast.registrar, "submit")
    db.session.commit()
    page = one_page(enter(app, cast.registrar), code)
    assert page.outcome == "refused" and page.case_id is None
    assert "证明材料" in page.message and old.sha256[:12] in page.message  # the old value is found and proved
    assert "新姓名" not in page.message and cast.pupil.id_number not in page.message


def test_an_answer_that_a_return_named_is_told_old_and_new(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    db.session.commit()
    code = code_of(case)
    reason = Reason(next(iter(reason_titles(case))), "field", "new_name", "")
    act(case, cast.reviewer, "return", reasons=(reason,))
    act(case, cast.registrar, "edit", answers={"new_name": "马晓红"})
    act(case, cast.registrar, "submit")
    db.session.commit()
    page = one_page(enter(app, cast.registrar), code)
    assert page.outcome == "refused"
    told = re.search("变更事项“姓名”：打印时为“([^”]*)”，现为“([^”]*)”", page.message)
    assert told and told[1].endswith("→ 马晓明") and told[2].endswith("→ 马晓红")


def test_made_up_digits_and_numbers_land_nowhere(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    db.session.commit()
    code = code_of(case)
    forged = code[:-12] + "0123456789ab"
    other = a_case(cast, "county_review", pupil=a_pupil(cast.school))
    db.session.commit()
    borrowed = code.replace(case.number, other.number)
    client = enter(app, cast.registrar)
    for text in (forged, borrowed):
        page = one_page(client, text)
        assert (page.outcome, page.case_id, page.message) == ("refused", None, placing.UNKNOWN_PRINT)
    assert one_page(client, "https://example.invalid/").message == placing.FOREIGN_CODE


def test_another_offices_case_is_not_told_from_one_that_is_not_there(app: Flask) -> None:
    cast, stranger = Cast(), Cast()
    theirs = a_case(stranger, "county_review")
    draft = a_case(cast, "ready")
    db.session.commit()
    codes = [code_of(theirs), code_of(theirs).replace(theirs.number, "GJ2026999999")]
    found = [one_page(enter(app, cast.registrar), code) for code in codes]
    found.append(one_page(enter(app, cast.reviewer), code_of(draft)))
    assert {(page.outcome, page.message, page.case_id) for page in found} == {
        ("refused", placing.NOT_YOURS, None)
    }
    assert "盖章扫描件" not in enter(app, stranger.registrar).get(f"/cases/{theirs.id}").text


@pytest.mark.both_pairs
def test_the_newest_counts_and_the_older_is_kept(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    db.session.commit()
    (code, words), client = form_of(case), enter(app, cast.reviewer)
    first, second = one_page(client, code, words), one_page(client, code, words)
    assert (first.outcome, second.outcome) == ("landed", "landed")
    assert "已有盖章扫描件" in second.message and not first.message
    shown = client.get(f"/cases/{case.id}/desk").text
    assert shown.index(str(second.id)) < shown.index(str(first.id))
    assert shown.index("以此件为准") < shown.index("旧件")


def test_a_case_that_changes_afterwards_says_so(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "ready")
    db.session.commit()
    client = enter(app, cast.registrar)
    assert one_page(client, *form_of(case)).outcome == "landed"
    act(case, cast.registrar, "edit", answers={"new_name": "马晓红"})
    db.session.commit()
    assert "表上内容已改动" in client.get(f"/cases/{case.id}").text


# --- the tray -------------------------------------------------------------------------------------------------------


def test_the_tray_by_hand(app: Flask) -> None:
    """Placed by number, taken back, put aside, taken back: each step once, each recorded."""
    cast, stranger = Cast(), Cast()
    case, theirs = a_case(cast, "county_review"), a_case(stranger, "county_review")
    db.session.commit()
    client = enter(app, cast.registrar)
    page = one_page(client, "")
    here = f"/stamped/pages/{page.id}"
    assert 'name="number"' in client.get(here).text
    for number in ("", "GJ2026999999", theirs.number):
        refused = client.post(f"{here}/place", data={"number": number, "printout": "approval-form"})
        assert (
            refused.status_code == 422 and "没有找到" in refused.text and f'value="{number}"' in refused.text
        )
    assert client.post(f"{here}/place", data={"number": case.number, "printout": "x"}).status_code == 422
    filled = {"number": f" {case.number.lower()} ", "printout": "approval-form"}
    assert client.post(f"{here}/place", data=filled).status_code == 303
    assert client.post(f"{here}/place", data=filled).status_code == 409
    assert f"{cast.registrar.name} 归入" in client.get(f"/cases/{case.id}").text
    assert enter(app, cast.auditor).get(f"{here}/view").status_code == 200
    assert client.post(f"{here}/take-back").status_code == 303
    assert "盖章扫描件" not in client.get(f"/cases/{case.id}").text
    assert enter(app, cast.auditor).get(f"{here}/view").status_code == 404
    assert client.post(f"{here}/discard").status_code == 422
    assert client.post(f"{here}/discard", data={"sure": "1"}).status_code == 303
    assert client.post(f"{here}/place", data=filled).status_code == 409
    assert client.post(f"{here}/take-back").status_code == 303
    assert client.post(f"{here}/take-back").status_code == 409
    acts = db.session.scalars(
        select(AuditRecord.action)
        .where(AuditRecord.object_id == str(page.id), AuditRecord.action != "stamped.viewed")
        .order_by(AuditRecord.seq)
    ).all()
    assert acts == [
        "stamped.tray",
        "stamped.placed",
        "stamped.taken_back",
        "stamped.discarded",
        "stamped.taken_back",
    ]


@pytest.mark.both_pairs
def test_where_a_page_lies_is_held_against_the_chain(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    other = a_case(cast, "county_review", pupil=a_pupil(cast.school))
    db.session.commit()
    client = enter(app, cast.registrar)
    code, words = form_of(case)
    page = one_page(client, code, words)
    assert page.outcome == "landed"

    def told() -> list[str]:
        db.session.commit()
        findings = Findings()
        stamped_walk.walk_stamped(db.session(), findings)
        db.session.rollback()
        return findings.told

    for step in ("take-back", "discard", "take-back", "place"):
        assert not told()
        form = {"sure": "1", "number": case.number, "printout": "approval-form"}
        assert client.post(f"/stamped/pages/{page.id}/{step}", data=form).status_code == 303
    assert not told()
    for forged in ({"case_id": other.id}, {"outcome": "discarded"}, {"outcome": "landed"}):
        db.session.execute(update(StampedPage).where(StampedPage.id == page.id).values(**forged))
        (fault,) = told()
        assert "所在的业务或办理结果与记录" in fault
        own = {"case_id": case.id, "outcome": "placed"}
        db.session.execute(update(StampedPage).where(StampedPage.id == page.id).values(**own))
    assert not told()


def test_who_brings_stamped_forms_and_who_sees_the_batch(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    db.session.commit()
    address = bring(enter(app, cast.reviewer), [scan_of(case), scanned(sheet())])
    landed, waiting = pages_of(address)
    people = cast.everybody()
    for who, status in {
        "reviewer": 200,
        "reviewer2": 200,
        "registrar": 404,
        "approver": 404,
        "head": 404,
    }.items():
        client = enter(app, people[who])
        assert client.get(address).status_code == status, who
        assert client.get(f"{address}/original").status_code == status, who
        assert client.get(f"/stamped/pages/{waiting.id}/view").status_code == status, who
        assert client.get(f"/stamped/pages/{landed.id}/thumb").status_code == 200, who
    for who in ("head", "auditor", "administrator"):
        assert enter(app, people[who]).get("/stamped").status_code == 404


@pytest.mark.both_pairs
def test_the_original_comes_back_byte_for_byte(app: Flask) -> None:
    cast = Cast()
    db.session.commit()
    client = enter(app, cast.registrar)
    data = in_one_file([scanned(sheet()), scanned(sheet())], "TIFF")
    address = client.post("/stamped", data={"file": (io.BytesIO(data), "扫描.tif")}).headers["Location"]
    db.session.rollback()
    tasks.wait()
    answer = client.get(f"{address}/original")
    assert answer.data == data and answer.headers["Content-Disposition"].startswith("attachment")
    assert len(pages_of(address)) == 2


# --- what goes wrong ------------------------------------------------------------------------------------------------


def test_what_is_no_batch_is_said_in_words(app: Flask) -> None:
    cast = Cast()
    db.session.commit()
    client = enter(app, cast.registrar)
    for data, said in (
        (b"", "空的"),
        (b"PK\x03\x04 a workbook", "Word"),
        (b"nothing known", "不能作为证明材料"),
    ):
        answer = client.post("/stamped", data={"file": (io.BytesIO(data), "a.pdf")})
        assert answer.status_code == 422 and said in answer.text
    assert client.post("/stamped", data={}).status_code == 422
    broken = client.post("/stamped", data={"file": (io.BytesIO(b"%PDF-1.7\n" + b"\0" * 999), "a.pdf")})
    db.session.rollback()
    tasks.wait()
    assert "没有收下这个文件" in client.get(broken.headers["Location"]).text
    assert client.get(broken.headers["Location"] + "/original").status_code == 404


def test_a_batch_may_be_larger_than_other_requests_but_not_without_limit(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = Cast()
    case = a_case(cast, "ready")
    db.session.commit()
    client = enter(app, cast.registrar)
    padded = in_one_file([scanned(sheet())]) + b"\n%" + b" " * (28 * 2**20)
    answer = client.post("/stamped", data={"file": (io.BytesIO(padded), "a.pdf")})
    assert answer.status_code == 303
    db.session.rollback()
    tasks.wait()
    assert len(pages_of(answer.headers["Location"])) == 1
    slot = f"/cases/{case.id}/evidence/change_certificate"
    assert client.post(slot, data={"files": (io.BytesIO(padded), "a.pdf")}).status_code == 413
    stranger = app.test_client()
    assert stranger.post("/stamped", data={"file": (io.BytesIO(padded), "a.pdf")}).status_code in (303, 413)
    monkeypatch.setattr(receiving, "MAX_BYTES", 20 * 2**20)
    answer = client.post("/stamped", data={"file": (io.BytesIO(padded), "a.pdf")})
    assert answer.status_code == 422 and "MB" in answer.text
    view = app.view_functions["stamped.upload"]
    monkeypatch.setattr(view, "takes_file", ("", 20 * 2**20))
    answer = client.post("/stamped", data={"file": (io.BytesIO(padded), "a.pdf")})
    assert answer.status_code == 413 and "上限" in answer.text


@pytest.mark.both_pairs
def test_a_sorting_that_died_goes_on_where_it_stopped(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that were filed stay as they are; asking twice files nothing twice."""
    cast = Cast()
    db.session.commit()
    who = Actor.of(db.session.get_one(Account, cast.registrar.id))
    coming = receiving.stage(who, "批.pdf")
    db.session.commit()
    data = in_one_file([scanned(sheet()) for _ in range(3)])
    sealed = receiving.keep(tasks.store(), coming.key, io.BytesIO(data), "application/pdf")
    put, calls = sorting._put_pictures, []

    def dying(*args: Any) -> Any:
        calls.append(args[1])
        if len(calls) == 2:
            raise MemoryError
        return put(*args)

    monkeypatch.setattr(sorting, "_put_pictures", dying)
    batch_id = receiving.settle(coming, sealed, "application/pdf").id
    db.session.commit()
    with pytest.raises(MemoryError):
        tasks.wait()
    db.session.expire_all()
    first = [page.id for page in db.session.get_one(StampedBatch, batch_id).pages]
    db.session.commit()
    assert len(first) == 1 and (receiving.SORT_TASK, {"batch_id": str(batch_id)}) in list(sorting.unsorted())
    db.session.rollback()
    for _ in range(2):
        tasks.run(app, receiving.SORT_TASK, {"batch_id": str(batch_id)})
    db.session.expire_all()
    found = db.session.get_one(StampedBatch, batch_id)
    assert found.status == "sorted" and [page.page for page in found.pages] == [1, 2, 3]
    assert found.pages[0].id == first[0] and calls == [1, 2, 2, 3]


@pytest.mark.both_pairs
def test_the_sweep_clears_what_never_arrived(app: Flask) -> None:
    """A file in the store without its second write goes, with its row claimed first; a received one stays."""
    cast = Cast()
    db.session.commit()
    kept = bring(enter(app, cast.registrar), [scanned(sheet())])
    coming = receiving.stage(cast.registrar, "批.pdf")
    row = db.session.scalars(select(StoredFile).where(StoredFile.key == coming.key)).one()
    row.expires_at = utcnow() - stored_files.STAGED_FOR
    db.session.commit()
    sealed = receiving.keep(tasks.store(), coming.key, io.BytesIO(b"%PDF-"), "application/pdf")
    assert stored_files.reap(tasks.store()) == 1
    assert not tasks.store().exists(sealed)
    late = receiving.keep(tasks.store(), coming.key + "-late", io.BytesIO(b"%PDF-"), "application/pdf")
    assert stored_files.reap(tasks.store()) == 0 and not tasks.store().exists(late)
    db.session.expire_all()
    with pytest.raises(Refused):
        receiving.settle(coming, sealed, "application/pdf")
    db.session.rollback()
    assert enter(app, cast.registrar).get(f"{kept}/original").status_code == 200
