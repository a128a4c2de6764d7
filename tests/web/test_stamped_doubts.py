"""A stamped form is a paper with a stamp: a code on another paper, without a seal or beside other print, waits for a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal import audit
from portal.cases import printed, printing, versions
from portal.cases.stamped import placing, wording
from portal.cases.stamped.wording import FOREIGN_NUMBER, FOREIGN_PERSON
from portal.extensions import db
from portal.models import AuditRecord, Case, StampedPage
from portal.settings import Settings
from storage import reading
from tests.builders import Cast, a_case, a_pupil, act, an_id_number
from tests.cases.enrolment import REGISTER, roster_facts
from tests.cases.forms import enter
from tests.conftest import KEY
from tests.intakes import a_list, a_plan, a_roster, people
from tests.scans import scanned, sheet
from tests.stamped import code_of, order_of, paper_of, scan_of, words_of
from tests.web.test_stamped import bring, pages_of

STRANGER = an_id_number(serial=770)

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


@pytest.mark.both_pairs
def test_a_code_on_another_paper_supersedes_nothing(app: Flask) -> None:
    """Blank and sealed, another's form, the own form unsealed or edited, two codes: the first scan goes on to count."""
    cast = Cast()
    case, other = (a_case(cast, "county_review", pupil=a_pupil(cast.school)) for _ in range(2))
    db.session.commit()
    order, code = order_of(case)
    edited = [line.replace("马晓明", "马晓亮") for line in words_of(order)]
    borrowed = paper_of(other, code=code)
    both = sheet(code, words=words_of(order))
    both[1500:1640, 100:240] = sheet(code_of(other))[80:220, 985:1125]
    client = enter(app, cast.registrar)
    pages = pages_of(
        bring(
            client,
            [
                scanned(one)
                for one in (
                    paper_of(case),
                    sheet(code, seal=False),
                    sheet(code),
                    borrowed,
                    sheet(code, words=words_of(order), seal=False),
                    _as_photocopy(sheet(code, words=words_of(order))),
                    sheet(code, words=edited),
                    both,
                )
            ],
        )
    )
    assert (pages[0].outcome, pages[0].doubts) == ("landed", {})
    assert {(page.outcome, page.case_id) for page in pages[1:7]} == {("tray", case.id)}
    assert (pages[7].outcome, pages[7].case_id) == ("tray", None)
    white, sealed_white, others, unsealed, copied, altered = (page.doubts for page in pages[1:7])
    assert white.keys() == {"seal", "text"} and "业务编号" in sealed_white["text"]
    assert sealed_white.keys() == {"text"}
    assert {FOREIGN_NUMBER, FOREIGN_PERSON, "姓名", "身份证件号"} <= set(others["text"])
    assert unsealed == copied == {"seal": "page"}
    assert altered == {"text": ["姓名（变更后内容）"]}
    shown = client.get(f"/cases/{case.id}").text
    assert f"/stamped/pages/{pages[0].id}/view" in shown and "以此件为准" in shown
    assert not any(str(page.id) in shown for page in pages[1:])


def _as_photocopy(paper: Any) -> Any:
    grey = paper.mean(axis=2, keepdims=True).astype(paper.dtype)
    return grey.repeat(3, axis=2)


def test_a_person_looks_and_says_so(app: Flask) -> None:
    """The reason and the picture stand beside one button; who pressed it is recorded, and only then it counts."""
    cast, stranger = Cast(), Cast()
    case = a_case(cast, "county_review")
    db.session.commit()
    client = enter(app, cast.registrar)
    first, second = pages_of(bring(client, [scan_of(case), scan_of(case, seal=False)]))
    here = f"/stamped/pages/{second.id}"
    shown = client.get(here).text
    assert (
        placing.NO_SEAL in shown
        and "就放进该件" in shown
        and f"{here}/view" in shown
        and case.number in shown
    )
    for who in (stranger.registrar, cast.reviewer):
        assert enter(app, who).post(f"{here}/accept").status_code == 404
    assert client.post(f"/stamped/pages/{first.id}/accept").status_code == 409
    assert client.post(f"{here}/accept").status_code == 303
    assert client.post(f"{here}/accept").status_code == 409
    page = client.get(f"/cases/{case.id}").text
    assert page.index(str(second.id)) < page.index(str(first.id))
    assert f"{cast.registrar.name} 归入" in page
    assert page.count(f"由人看过图片后归入：{placing.NO_SEAL}") == 1, (
        "what it was put in over stays to be seen"
    )
    record = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "stamped.accepted")).one()
    assert (record.object_id, record.body["doubts"]) == (str(second.id), "seal")


@pytest.mark.both_pairs
def test_what_changed_meanwhile_is_not_put_in(app: Flask) -> None:
    """Between the scan and the press: the case was edited, so the paper says something else."""
    cast = Cast()
    case = a_case(cast, "ready")
    db.session.commit()
    client = enter(app, cast.registrar)
    (page,) = pages_of(bring(client, [scan_of(case, seal=False)]))
    act(case, cast.registrar, "edit", answers={"new_name": "马晓红"})
    db.session.commit()
    refused = client.post(f"/stamped/pages/{page.id}/accept")
    assert refused.status_code == 422 and "请重新打印" in refused.text
    db.session.expire_all()
    assert db.session.get_one(StampedPage, page.id).outcome == "tray"


def test_number_version_and_kind_are_under_the_digits(app: Flask) -> None:
    cast = Cast()
    case, other = (a_case(cast, "county_review", pupil=a_pupil(cast.school)) for _ in range(2))
    db.session.commit()
    order, code = order_of(case)
    code_of(other)
    number, kind, version, digits = code.split("|")
    forged = (
        f"{number}|{kind}|{int(version) + 1}|{digits}",
        f"{other.number}|{kind}|{version}|{digits}",
        f"{number}|{kind}|{version}|{digits[::-1]}",
    )
    pages = pages_of(
        bring(enter(app, cast.registrar), [scanned(sheet(one, words=words_of(order))) for one in forged])
    )
    assert {(page.outcome, page.message) for page in pages} == {("refused", placing.UNKNOWN_PRINT)}
    texts = {
        printing.qr_text(replace(order.printout, id=one), order.facts, version=given, key=KEY).rpartition(
            "|"
        )[2]
        for one, given in ((kind, 1), (kind, 2), ("notice", 1))
    }
    assert len(texts) == 3


def test_a_form_printed_before_still_lands(app: Flask) -> None:
    """Its digits cover the contents alone: they count by the record of that printing, which holds kind and version."""
    cast = Cast()
    case = a_case(cast, "county_review")
    db.session.commit()
    (order,) = printed.orders(case)
    contents = [printing.values(order.printout, order.facts), printing.rows(order.printout, order.facts)]
    digits = printing.keyed_digits(contents, KEY)
    code = f"{case.number}|approval-form|{case.version}|{digits}"
    assert not _examined(case, code, order).known  # without a record nothing was printed
    _record(case, order, digits)
    assert _examined(case, code, order).same
    later = f"{case.number}|approval-form|{case.version + 1}|{digits}"
    assert not _examined(case, later, order).known
    pages = pages_of(
        bring(
            enter(app, cast.registrar),
            [scanned(sheet(one, words=words_of(order))) for one in (code, later)],
        )
    )
    assert [page.outcome for page in pages] == ["landed", "refused"]


def _record(case: Case, order: Any, digits: str) -> None:
    """A printing as it was recorded before its record said how the digits were made."""

    parts = versions.fingerprints(order.printout, order.facts, KEY)
    body = {"printout": "approval-form", "version": order.version, "digits": digits, "parts": parts}
    audit.append("case.printed", "case", case.id, **body)
    db.session.commit()


def _examined(case: Case, code: str, order: Any) -> versions.Finding:
    read = versions.Code.read(code)
    assert read is not None
    return versions.examine(case, order.printout, read, printed.facts_on_paper(case), KEY)


# --- a list of several pages ----------------------------------------------------------------------------------------


def test_the_pages_of_a_list_go_with_the_one_that_bears_the_seal(app: Flask) -> None:
    """Whatever their order; a page among them that is none of the list waits all the same, as does one without a sealed page."""
    cast = Cast()
    a_plan(cast.state, cast.approver, {cast.school: 40})
    a_list(cast.state, cast.approver, {cast.school: people(6)})
    case = a_roster(cast.registrar, people(6))
    act(case, cast.registrar, "submit")
    db.session.commit()
    order, code = order_of(case, "register-form")
    lines = words_of(order)[2:]
    second, gap = lines[3:], [lines[0], lines[2]]
    client = enter(app, cast.registrar)
    papers = [
        sheet(code, words=second, seal=False),
        sheet(code, seal=False),
        sheet(code, words=gap, seal=False),
        sheet(code, words=lines[:3]),
    ]
    pages = pages_of(bring(client, [scanned(one) for one in papers]))
    assert [page.outcome for page in pages] == ["landed", "tray", "tray", "landed"], [
        p.message for p in pages
    ]
    assert [page.doubts.get("text") for page in pages[1:3]] == [["名单"], ["名单第 2 人的姓名"]]
    (alone,) = pages_of(bring(client, [scanned(papers[0])]))
    assert (alone.outcome, alone.doubts) == ("tray", {"seal": "copy"})


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (lambda lines: lines, ()),
        (lambda lines: [line.replace("马三春", "马三秋") for line in lines], ("名单第 2 人的姓名",)),
        (lambda lines: [*lines, STRANGER], (FOREIGN_PERSON,)),
        (
            lambda lines: [*lines, STRANGER[:17] + ("0" if STRANGER[17] != "0" else "1")],
            (),
        ),  # read wrongly: no number at all
        (lambda lines: [*lines, "编号：XS2026000002"], (FOREIGN_NUMBER,)),
        (lambda lines: lines[:1], ()),
        (lambda _lines: ["说明"], ("名单",)),
    ],
)
def test_a_page_of_a_list_is_a_run_of_it(change: Any, missing: tuple[str, ...]) -> None:
    facts = roster_facts(4)
    assert REGISTER.rows is not None
    lines = [f"{row['number']} {row['name']} {row['id_number']}" for row in REGISTER.rows(facts)["pupils"]]
    assert wording.missing(wording.wanted(REGISTER, facts), change(lines)) == missing
