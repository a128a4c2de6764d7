"""What a person has typed and not sent comes back to that person, in its place, and to nobody else."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal import keeping, tasks
from portal.accounts import sessions
from portal.accounts.passwords import hash_password
from portal.blueprints import unsent as unsent_desk
from portal.cases import unsent
from portal.cases.access import Actor
from portal.cases.actions import stamp
from portal.cases.remarks import open_remarks
from portal.cases.unsent import Place, Sheet
from portal.extensions import db, limiter
from portal.models import (
    Account,
    AuditRecord,
    Case,
    RegisterLoad,
    RosterRow,
    SignInSession,
    Status,
    UnsentText,
)
from tests.builders import PASSWORD, Cast, a_case, a_reason, act, an_actor, sign_in
from tests.conftest import EMBEDDED
from tests.exports import EVERY_COLUMN, EVERY_HEADING, a_row, as_csv
from tests.intakes import a_list, a_plan, a_roster, people
from tests.web.pages import form_in

pytestmark = pytest.mark.pages

NOTE = "户口簿第三页的红章压住了日期，请重新拍摄"
DECIDE = "form.decide"
embedded = pytest.mark.parametrize(
    "settings", [EMBEDDED], indirect=True
)  # where the database makes no difference
PUT_BACK = "上次没有提交的内容已放回"


@pytest.fixture
def cast(app: Flask) -> Cast:
    limiter.reset()
    return Cast()


@pytest.fixture
def desk(cast: Cast) -> str:
    """The address of a case that waits for the county."""
    case = a_case(cast, "county_review")
    _settle()
    return f"/cases/{case.id}/desk"


def _settle() -> None:
    """Commit, and let the tasks that follow an act come to their end."""
    db.session.commit()
    tasks.wait()


def look(client: FlaskClient, path: str) -> str:
    """A page, and nothing left open of the reading: the record of the view came after its beginning."""
    text = client.get(path).text
    db.session.rollback()
    return text


def person(app: Flask, who: Actor) -> FlaskClient:
    client = app.test_client()
    sign_in(client, who)
    return client


def typed_at_the_desk(client: FlaskClient, desk: str) -> dict[str, Any]:
    """A reviewer's note, two reasons, a mark and the open panel, as the page would send them while they are typed."""
    mark = f"{uuid.uuid4()}/1/0.3,0.4,0.3,0.1"
    return form_in(look(client, desk), DECIDE) | {
        "note": [NOTE],
        "reason-0-code": ["image_unclear"],
        "reason-0-about": ["evidence:change_certificate"],
        "reason-0-note": ["红章要看得清"],
        "reason-0-mark": [mark],
        "reason-1-note": ["还没有写完"],
        "opened": ["panel-return"],
    }


def fields_back(page: str, selector: str, typed: dict[str, Any]) -> None:
    """Everything that was typed stands in the form again."""
    form = form_in(page, selector)
    names = [name for name in typed if name not in keeping.NOT_KEPT and name != "opened"]
    assert {name: form.get(name) for name in names} == {name: typed[name] for name in names}


def rows() -> list[UnsentText]:
    db.session.rollback()
    found = list(db.session.scalars(select(UnsentText).execution_options(populate_existing=True)))
    db.session.rollback()
    return found


def end_session(who: Actor, **ended: Any) -> None:
    """The session as it stands when nobody has moved for an hour, or as `ended` says."""
    query = select(SignInSession).where(SignInSession.account_id == who.id, SignInSession.ended_at.is_(None))
    for one in db.session.scalars(query):
        one.last_seen_at = datetime.now(UTC) - timedelta(hours=1)
        one.created_at = datetime.now(UTC) - timedelta(hours=2)
        for name, value in ended.items():
            setattr(one, name, value)
    db.session.commit()


# --- the desk -------------------------------------------------------------------------------------------------------


def test_a_note_reasons_boxes_and_the_open_panel_come_back(app: Flask, cast: Cast, desk: str) -> None:
    """Kept as they were typed, without touching the case or leaving a record; the browser then died."""
    client = person(app, cast.reviewer)
    typed = typed_at_the_desk(client, desk)
    case = db.session.scalars(select(Case)).one()
    before = (stamp(case), case.changed_at, case.claimed_by_id)
    records = db.session.scalars(select(AuditRecord.seq).order_by(AuditRecord.seq.desc())).first()
    db.session.rollback()
    kept = client.post("/unsent", data=typed)
    assert kept.status_code == 200 and kept.json == {"said": "已暂存"}
    db.session.expire_all()
    assert (stamp(case), case.changed_at, case.claimed_by_id) == before
    assert db.session.scalars(select(AuditRecord.seq).order_by(AuditRecord.seq.desc())).first() == records
    page = look(person(app, cast.reviewer), desk)
    fields_back(page, DECIDE, typed)
    assert PUT_BACK in page and "清除" in page
    assert BeautifulSoup(page, "html.parser").select_one("#panel-return[open]")


@embedded
def test_nobody_else_is_shown_it(app: Flask, cast: Cast, desk: str) -> None:
    """Neither the colleague who may decide the same case nor the school, the state or an auditor."""
    client = person(app, cast.reviewer)
    client.post("/unsent", data=typed_at_the_desk(client, desk))
    for other in (cast.reviewer2, cast.registrar, cast.approver, cast.auditor):
        page = look(person(app, other), desk)
        assert NOTE not in page and PUT_BACK not in page, other.role


def test_what_was_sent_is_kept_no_longer(app: Flask, cast: Cast, desk: str) -> None:
    client = person(app, cast.reviewer)
    client.post(
        "/unsent", data=typed_at_the_desk(client, desk) | {"reason-1-note": [""], "reason-0-mark": [""]}
    )
    again = form_in(look(client, desk), DECIDE)
    assert client.post(desk.replace("/desk", "/decide"), data=again | {"verb": "return"}).status_code == 303
    assert rows() == []


@embedded
def test_what_was_refused_is_kept_without_scripts(app: Flask, cast: Cast, desk: str) -> None:
    """A reason without its words is refused; the browser is closed on the page that says so."""
    client = person(app, cast.reviewer)
    typed = form_in(look(client, desk), DECIDE) | {"note": [NOTE], "reason-2-code": ["other"]}
    assert client.post(desk.replace("/desk", "/decide"), data=typed | {"verb": "return"}).status_code == 422
    page = look(person(app, cast.reviewer), desk)
    fields_back(page, DECIDE, typed)
    assert BeautifulSoup(page, "html.parser").select_one("#panel-return[open]")


@embedded
def test_what_failed_in_the_end_is_kept(
    app: Flask, cast: Cast, desk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form was taken, and then the transaction could not be written."""

    client = person(app, cast.reviewer)
    typed = form_in(look(client, desk), DECIDE) | {"note": [NOTE]}
    real, sent = keeping.sent, []

    def sent_and_lost() -> None:
        real()
        sent.append(True)
        raise IntegrityError("", {}, Exception())

    monkeypatch.setattr(keeping, "sent", sent_and_lost)
    answer = client.post(desk.replace("/desk", "/decide"), data=typed | {"verb": "approve"})
    assert answer.status_code == 409 and sent
    fields_back(look(client, desk), DECIDE, typed)


@embedded
def test_one_more_row_for_reasons_keeps_the_others(app: Flask, cast: Cast, desk: str) -> None:
    client = person(app, cast.reviewer)
    typed = form_in(look(client, desk), DECIDE) | {"reason-2-note": ["第三条"]}
    client.post(f"{desk}/reasons", data=typed)
    fields_back(look(client, desk), DECIDE, typed)


@embedded
def test_clearing_empties_the_form(app: Flask, cast: Cast, desk: str) -> None:
    client = person(app, cast.reviewer)
    client.post("/unsent", data=typed_at_the_desk(client, desk))
    cleared = client.post("/unsent/clear", data=form_in(look(client, desk), ".kept-line"))
    assert cleared.status_code == 303 and cleared.headers["Location"].startswith(desk)
    page = look(client, desk)
    assert NOTE not in page and PUT_BACK not in page and rows() == []


@embedded
def test_emptying_the_fields_is_clearing_too(app: Flask, cast: Cast, desk: str) -> None:
    client = person(app, cast.reviewer)
    blank = form_in(look(client, desk), DECIDE)
    client.post("/unsent", data=blank | {"note": [NOTE]})
    assert len(rows()) == 1
    client.post("/unsent", data=blank)
    assert rows() == []


@embedded
def test_a_case_that_changed_meanwhile_says_so(app: Flask, cast: Cast, desk: str) -> None:
    client = person(app, cast.reviewer)
    client.post("/unsent", data=typed_at_the_desk(client, desk))
    assert "此后有变动" not in look(client, desk)
    case = db.session.scalars(select(Case)).one()
    act(case, cast.reviewer2, "return", reasons=(a_reason(),))
    act(case, cast.registrar, "submit", explanations=_explained(case))
    _settle()
    page = look(client, desk)
    assert NOTE in page and "此后有变动" in page


def _explained(case: Case) -> dict[str, str]:
    db.session.flush()
    return {str(one.id): "原件就是这样的，没有更清晰的" for one in open_remarks(case)}


@embedded
def test_who_may_no_longer_decide_can_copy_what_they_wrote(app: Flask, cast: Cast, desk: str) -> None:
    """A colleague decided first: the words are shown, not in a form, until they are cleared or swept away."""
    client = person(app, cast.reviewer)
    client.post("/unsent", data=typed_at_the_desk(client, desk))
    act(db.session.scalars(select(Case)).one(), cast.reviewer2, "approve")
    _settle()
    page = look(client, desk)
    assert NOTE in page and "可以复制" in page and "清除" in page
    assert not BeautifulSoup(page, "html.parser").select(DECIDE)
    assert unsent.sweep() == 1
    assert NOTE not in look(client, desk)


# --- sessions -------------------------------------------------------------------------------------------------------


def test_a_form_that_comes_after_half_an_hour_goes_back_to_its_place(
    app: Flask, cast: Cast, desk: str
) -> None:
    """Without scripts: the sign-in page says what became of it, and leads back to the desk with everything typed."""
    account = db.session.get_one(Account, cast.reviewer.id)
    account.password_hash = hash_password(PASSWORD)
    client = person(app, cast.reviewer)
    typed = typed_at_the_desk(client, desk)
    end_session(cast.reviewer)
    sent = client.post(desk.replace("/desk", "/decide"), data=typed | {"verb": "reject"})
    assert sent.status_code == 303
    door = look(client, sent.headers["Location"])
    assert "刚才的操作没有办理，填的内容已暂存" in door
    assert db.session.scalars(select(Case.status)).one() == Status.IN_REVIEW
    entered = client.post(
        "/sign-in", data=form_in(door, "form") | {"login": account.login, "password": PASSWORD}
    )
    assert entered.headers["Location"].startswith(desk)
    fields_back(look(client, entered.headers["Location"]), DECIDE, typed)


@embedded
def test_the_next_person_at_the_same_browser_sees_nothing_of_it(app: Flask, cast: Cast, desk: str) -> None:
    client = person(app, cast.reviewer)
    typed = typed_at_the_desk(client, desk)
    end_session(cast.reviewer)
    client.post("/unsent", data=typed)
    sign_in(client, cast.reviewer2)
    assert NOTE not in look(client, desk)
    refused = client.post(
        "/unsent", data=typed | {"note": ["别人接着写的"]}
    )  # the page that still stands open
    assert refused.status_code == 409 and "另一个账号" in refused.json["message"]
    assert [one.fields["note"] for one in rows()] == [[NOTE]]
    assert {one.account_id for one in rows()} == {cast.reviewer.id}


@embedded
def test_a_sign_in_elsewhere_takes_the_text_along(app: Flask, cast: Cast, desk: str) -> None:
    """The page at the first place goes on typing into an ended session: it is told so, and the text is at the second."""
    first = person(app, cast.reviewer)
    typed = typed_at_the_desk(first, desk)
    second = person(app, cast.reviewer)
    told = first.post("/unsent", data=typed, headers={"HX-Request": "true"})
    assert told.status_code == 401 and told.headers["X-Kept"] == "1"
    assert "kept=1" in told.headers["HX-Redirect"]
    fields_back(look(second, desk), DECIDE, typed)


@embedded
@pytest.mark.parametrize("why", ["signed_out", "ended_by_superior", "password_changed", "account_closed"])
def test_a_session_that_was_ended_on_purpose_keeps_nothing(
    app: Flask, cast: Cast, desk: str, why: str
) -> None:
    client = person(app, cast.reviewer)
    typed = typed_at_the_desk(client, desk)
    sessions.end_all(cast.reviewer.id, why)
    db.session.commit()
    assert client.post("/unsent", data=typed).status_code == 303
    assert rows() == []


@embedded
def test_a_cookie_from_yesterday_writes_nothing(app: Flask, cast: Cast, desk: str) -> None:
    client = person(app, cast.reviewer)
    typed = typed_at_the_desk(client, desk)
    long_ago = datetime.now(UTC) - timedelta(hours=20)
    end_session(cast.reviewer, last_seen_at=long_ago, created_at=long_ago)
    assert client.post("/unsent", data=typed).status_code == 303
    assert rows() == []


@embedded
def test_a_page_from_before_the_present_sign_in_loses_nothing(app: Flask, cast: Cast, desk: str) -> None:
    """Signed in again in another tab of the browser: the token of the old page is stale, its text is not."""
    app.config["WTF_CSRF_ENABLED"] = True
    client = person(app, cast.reviewer)
    typed = typed_at_the_desk(client, desk)
    with client.session_transaction() as cookie:
        cookie.clear()
    sign_in(client, cast.reviewer)
    client.get(desk)
    answer = client.post(desk.replace("/desk", "/decide"), data=typed | {"verb": "approve"})
    assert answer.status_code == 303 and answer.headers["Location"].startswith(desk)
    page = look(client, desk)
    assert "刚才的操作没有办理" in page
    fields_back(page, DECIDE, typed)
    with client.session_transaction() as cookie:
        cookie.clear()
    sign_in(client, cast.reviewer2)
    client.get(desk)
    assert client.post(desk.replace("/desk", "/decide"), data=typed | {"note": ["x"]}).status_code == 400
    assert [one.fields["note"] for one in rows()] == [[NOTE]]


@embedded
def test_typing_is_a_sign_of_life_and_the_news_that_a_page_asks_for_is_none(
    app: Flask, cast: Cast, desk: str
) -> None:
    """An open desk asks every 20 seconds whether the case has moved: nobody need sit before it."""
    with time_machine.travel(datetime(2026, 11, 30, 1, 0, tzinfo=UTC), tick=False) as clock:
        client = person(app, cast.reviewer)
        typed = typed_at_the_desk(client, desk)
        clock.shift(timedelta(minutes=20))
        assert client.post("/unsent", data=typed).status_code == 200
        for _ in range(2):
            clock.shift(timedelta(minutes=14))
            asked = client.get(f"{desk}/status?beat=1", headers={"HX-Request": "true"})
            assert asked.status_code == 200
        clock.shift(timedelta(minutes=3))
        asked = client.get(f"{desk}/status?beat=1", headers={"HX-Request": "true"})
        assert asked.status_code == 401 and "next" not in asked.headers["HX-Redirect"]
        on = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{desk}?box=todo"}
        asked = client.get(f"{desk}/status?beat=1", headers=on)
        assert parse_qs(urlsplit(asked.headers["HX-Redirect"]).query)["next"] == [f"{desk}?box=todo"]


@embedded
def test_everything_that_a_page_asks_by_itself_is_marked(app: Flask) -> None:
    """Each view that a template polls: none of them may keep a session alive."""
    polled = {endpoint for name in app.jinja_env.list_templates(["html"]) for endpoint in _polled(app, name)}
    assert "review.status" in polled and len(polled) >= 5
    for endpoint in polled:
        assert getattr(app.view_functions[endpoint], "is_unattended", False), endpoint
    assert getattr(app.view_functions["captures.watch"], "is_unattended", False)


def _polled(app: Flask, template: str) -> Iterator[str]:
    assert app.jinja_env.loader
    source = app.jinja_env.loader.get_source(app.jinja_env, template)[0]
    for tag in re.findall(r"<[^<>]*?hx-get=.*?hx-trigger=\"[^\"]*(?:every|delay)[^\"]*\"", source, re.S):
        yield from re.findall(r"hx-get=\"\{\{ url_for\('([a-z_.]+)'", tag)


# --- two windows ----------------------------------------------------------------------------------------------------


@pytest.mark.both_pairs
def test_of_two_windows_neither_swallows_the_other(app: Flask, cast: Cast, desk: str) -> None:
    client = person(app, cast.reviewer)
    first, second = (form_in(look(client, desk), DECIDE) for _ in range(2))
    client.post("/unsent", data=first | {"note": ["第一个窗口里写的"]})
    client.post("/unsent", data=second | {"note": ["第二个窗口里写的，晚一些"]})
    client.post("/unsent", data=second | {"note": ["第二个窗口里写的，又改了"]})
    page = look(client, desk)
    assert form_in(page, DECIDE)["note"] == ["第二个窗口里写的，又改了"]
    assert "另一个窗口里还写了一份" in page and "第一个窗口里写的" in page and "晚一些" not in page
    other = BeautifulSoup(page, "html.parser").select_one('button[name="other"]')
    assert other
    client.post("/unsent/use", data=form_in(page, ".kept-line") | {"other": [str(other["value"])]})
    page = look(client, desk)
    assert form_in(page, DECIDE)["note"] == ["第一个窗口里写的"] and "又改了" in page
    client.post("/unsent/clear", data=form_in(page, ".kept-line"))
    assert form_in(look(client, desk), DECIDE)["note"] == ["第二个窗口里写的，又改了"]


@pytest.mark.both_pairs
def test_windows_that_save_at_the_same_moment_both_stay(app: Flask, cast: Cast, desk: str) -> None:
    """Real connections, one a window: of the two that find nothing there, the second finds the first."""
    client = person(app, cast.reviewer)
    windows = [form_in(look(client, desk), DECIDE) for _ in range(3)]
    cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie
    db.session.remove()
    answers: list[int] = []

    def write(number: int) -> None:
        window = app.test_client()
        window.set_cookie(cookie.key, cookie.value)
        for time in range(3):
            typed = windows[number] | {"note": [f"窗口{number}，第{time}次"]}
            answers.append(window.post("/unsent", data=typed).status_code)

    threads = [Thread(target=write, args=(number,)) for number in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert answers == [200] * 9
    kept = rows()
    assert len(kept) == 1
    notes = [kept[0].fields["note"][0], *(other["fields"]["note"][0] for other in kept[0].others.values())]
    assert sorted(notes) == ["窗口0，第2次", "窗口1，第2次", "窗口2，第2次"]


# --- limits ---------------------------------------------------------------------------------------------------------


@embedded
def test_what_no_form_of_ours_holds_is_not_kept(app: Flask, cast: Cast, desk: str) -> None:
    client = person(app, cast.reviewer)
    form = form_in(look(client, desk), DECIDE)
    long = client.post("/unsent", data=form | {"note": ["长" * 50_000]})
    assert long.status_code == 413 and "太长" in long.json["message"]
    many = client.post("/unsent", data=form | {f"f{n}": ["x"] for n in range(1600)})
    assert many.status_code == 413
    client.post("/unsent", data=form | {"note": [NOTE], "x" * 200: ["一"]})
    assert set(rows()[0].fields) >= {"note"} and "x" * 200 not in rows()[0].fields


@embedded
@pytest.mark.parametrize("field", ["", "x", "WyJhIl0.aaaaaa.bbbb"])
def test_a_field_that_was_not_signed_here_is_nothing(app: Flask, cast: Cast, desk: str, field: str) -> None:
    client = person(app, cast.reviewer)
    for path in ("/unsent", "/unsent/clear", "/unsent/use"):
        assert client.post(path, data={"kept": field, "note": NOTE}).status_code == 400
    assert rows() == []


@embedded
def test_of_a_case_that_one_may_not_see_nothing_is_kept(app: Flask, cast: Cast, desk: str) -> None:
    """Even with a field that was signed while one could: here the person has moved to another county."""
    stranger = an_actor(cast.reviewer.role, Cast().county)
    case = db.session.scalars(select(Case)).one()
    field = keeping.sign(
        keeping.Form(stranger.id, Place(unsent.CASE, case.id, "decide"), Sheet("0", 0, ""), "/")
    )
    db.session.commit()
    answer = person(app, stranger).post("/unsent", data={"kept": field, "note": NOTE})
    assert answer.status_code == 409 and rows() == []


@embedded
def test_saving_too_often_is_told_to_wait(
    app: Flask, cast: Cast, desk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By session and not by address: the colleague behind the same address goes on."""
    monkeypatch.setattr(unsent_desk, "MOST_SAVES", "2 per minute")
    client, colleague = person(app, cast.reviewer), person(app, cast.reviewer2)
    form = form_in(look(client, desk), DECIDE)
    assert [client.post("/unsent", data=form).status_code for _ in range(3)] == [200, 200, 429]
    assert colleague.post("/unsent", data=form_in(look(colleague, desk), DECIDE)).status_code == 200


@embedded
def test_the_word_before_what_cannot_be_taken_back_is_typed_anew(app: Flask, cast: Cast, desk: str) -> None:
    client = person(app, cast.reviewer)
    form = form_in(look(client, desk), DECIDE)
    client.post("/unsent", data=form | {"note": [NOTE], "confirmation": ["马小东"]})
    assert "confirmation" not in rows()[0].fields


# --- what goes by itself --------------------------------------------------------------------------------------------


@pytest.mark.both_pairs
def test_old_texts_and_those_of_closed_accounts_are_swept_away(app: Flask, cast: Cast, desk: str) -> None:
    case = db.session.scalars(select(Case)).one()
    place = Place(unsent.CASE, case.id, "decide")
    now = datetime.now(UTC)
    with time_machine.travel(now - timedelta(days=31), tick=False):
        unsent.keep(cast.reviewer, place, Sheet("a", 0, ""), {"note": ["很久以前"]})
    unsent.keep(cast.reviewer2, place, Sheet("a", 0, ""), {"note": ["账号已停用"]})
    db.session.get_one(Account, cast.reviewer2.id).active = False
    third = an_actor(cast.reviewer.role, cast.county)
    unsent.keep(third, place, Sheet("a", 0, ""), {"note": ["还要用"]})
    unsent.keep(cast.registrar, place, Sheet("a", 0, ""), {"note": ["已提交，不由学校办"]})
    db.session.commit()
    assert unsent.sweep() == 3
    assert [one.fields["note"] for one in rows()] == [["还要用"]]
    assert "texts that were never sent deleted" in app.test_cli_runner().invoke(args=["sweep"]).output
    assert len(rows()) == 1


@pytest.mark.both_pairs
def test_one_person_cannot_fill_the_database(
    app: Flask, cast: Cast, desk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsent, "MOST_FORMS", 3)
    case = db.session.scalars(select(Case)).one()
    for number in range(5):
        place = Place(unsent.CASE, case.id, f"row:{number}")
        unsent.keep(cast.reviewer, place, Sheet("a", 0, ""), {"note": [str(number)]})
    db.session.commit()
    assert sorted(one.form for one in rows()) == ["row:2", "row:3", "row:4"]


# --- answers --------------------------------------------------------------------------------------------------------


@pytest.fixture
def questions(cast: Cast) -> str:
    """The address of a page of questions of a draft."""
    case = a_case(cast, "ready")
    _settle()
    return f"/cases/{case.id}/fill/what"


@embedded
def test_answers_of_an_ended_session_come_back(app: Flask, cast: Cast, questions: str) -> None:
    """Typed into an ended session, by autosave and by the button."""
    client = person(app, cast.registrar)
    typed = form_in(look(client, questions), "#fill")
    end_session(cast.registrar)
    auto = questions.replace("/fill/", "/autosave/")
    told = client.post(auto, data=typed | {"explanation": ["自动"]}, headers={"HX-Request": "true"})
    assert told.status_code == 401 and told.headers["X-Kept"] == "1"
    assert (
        client.post(questions, data=typed | {"explanation": ["户口簿登记有误，已在派出所更正"]}).status_code
        == 303
    )
    sign_in(client, cast.registrar)
    back = look(client, questions)
    assert form_in(back, "#fill")["explanation"] == ["户口簿登记有误，已在派出所更正"]
    assert "上次没有保存的内容已放回" in back
    assert client.post(questions, data=form_in(back, "#fill")).status_code == 303
    assert rows() == []


@embedded
def test_answers_that_met_a_newer_draft_stand_beside_it(app: Flask, cast: Cast, questions: str) -> None:
    """Two windows: what the second cannot save is shown beside what is saved, and either can be had."""
    client = person(app, cast.registrar)
    first, second = (form_in(look(client, questions), "#fill") for _ in range(2))
    auto = questions.replace("/fill/", "/autosave/")
    assert client.post(auto, data=first | {"explanation": ["先保存的说明"]}).status_code == 200
    refused = client.post(auto, data=second | {"explanation": ["后来填的说明"]})
    assert refused.status_code == 409 and "另行暂存" in refused.json["message"]
    shown = look(client, questions)
    assert form_in(shown, "#fill")["explanation"] == ["先保存的说明"]
    assert "您填的“" in shown and "后来填的说明" in shown and "用已保存的" in shown
    # Going on with the saved answers does not swallow the others.
    client.post(auto, data=form_in(shown, "#fill"))
    assert len(rows()) == 1
    mine = BeautifulSoup(look(client, questions), "html.parser").find("a", string="用我填的")
    assert mine
    chosen = look(client, str(mine["href"]))  # type: ignore[index]
    assert form_in(chosen, "#fill")["explanation"] == ["后来填的说明"]
    assert client.post(questions, data=form_in(chosen, "#fill")).status_code == 303
    assert db.session.scalars(select(Case.answers)).one()["explanation"] == "后来填的说明"
    assert rows() == []


@embedded
def test_the_saved_answers_can_be_chosen_too(app: Flask, cast: Cast, questions: str) -> None:
    client = person(app, cast.registrar)
    first, second = (form_in(look(client, questions), "#fill") for _ in range(2))
    client.post(questions, data=first | {"explanation": ["先保存的说明"]})
    refused = client.post(questions, data=second | {"explanation": ["后来填的说明"]})
    assert refused.status_code == 409 and "用已保存的" in refused.text
    assert form_in(refused.text, "#fill")["explanation"] == ["后来填的说明"]
    client.post("/unsent/clear", data=form_in(refused.text, ".choice-line"))
    shown = look(client, questions)
    assert form_in(shown, "#fill")["explanation"] == ["先保存的说明"] and "后来填的说明" not in shown


@embedded
def test_why_a_remark_stays_is_kept(app: Flask, cast: Cast) -> None:
    case = a_case(cast, "returned")
    _settle()
    client = person(app, cast.registrar)
    check = f"/cases/{case.id}/check"
    typed = form_in(look(client, check), "#submit-form")
    name = next(one for one in typed if one.startswith("explain-"))
    client.post("/unsent", data=typed | {name: ["派出所只给了这一张"], "words_to_come": ["新加的一项"]})
    assert form_in(look(client, check), "#submit-form")[name] == ["派出所只给了这一张"]
    assert rows()[0].fields["words_to_come"] == ["新加的一项"]  # whatever the form asks


# --- rosters and loads ----------------------------------------------------------------------------------------------


@pytest.fixture
def roster(cast: Cast) -> Case:
    """A school's draft of three people."""
    a_plan(cast.state, cast.approver, {cast.school: 8})
    ones = people(4)
    a_list(cast.state, cast.approver, {cast.school: ones})
    case = a_roster(cast.registrar, ones[:3], 3)
    _settle()
    return case


@embedded
def test_cells_of_a_row_and_of_a_new_one_come_back(app: Flask, cast: Cast, roster: Case) -> None:
    """The list says which rows were begun; what was saved is begun no longer."""
    client, here = person(app, cast.registrar), f"/cases/{roster.id}/roster"
    row = db.session.scalars(select(RosterRow).order_by(RosterRow.position)).first()
    assert row
    db.session.rollback()
    for address, changed in ((f"{here}/rows/{row.id}", "马改名"), (f"{here}/rows/new", "马新来")):
        typed = form_in(look(client, address), ".row-form") | {"cell-name": [changed]}
        assert client.post("/unsent", data=typed).status_code == 200
        again = look(person(app, cast.registrar), address)
        fields_back(again, ".row-form", typed)
        client = person(app, cast.registrar)
    page = look(client, here)
    assert "有没有保存的修改" in page and "第 1 行" in page and "新加的一名学生" in page
    saved = client.post(
        f"{here}/rows/{row.id}", data=form_in(look(client, f"{here}/rows/{row.id}"), ".row-form")
    )
    assert saved.status_code == 303
    assert [one.form for one in rows()] == ["row:new"]


@embedded
def test_the_reason_and_the_ticks_of_a_strike_come_back(app: Flask, cast: Cast, roster: Case) -> None:
    act(roster, cast.registrar, "submit")
    _settle()
    client, here = person(app, cast.reviewer), f"/cases/{roster.id}/roster"
    row = db.session.scalars(select(RosterRow).order_by(RosterRow.position)).first()
    assert row
    db.session.rollback()
    typed = form_in(look(client, here), "#pick") | {"row": [str(row.id)], "note": ["录取信息与招办名单不符"]}
    client.post("/unsent", data=typed)
    fields_back(look(person(app, cast.reviewer), here), "#pick", typed)


@embedded
def test_the_columns_of_a_load_come_back(app: Flask, cast: Cast) -> None:
    db.session.commit()
    client = person(app, cast.registrar)
    sheet = as_csv([a_row(1, cast.school.code)], EVERY_COLUMN, EVERY_HEADING)
    uploaded = client.post("/register/loads", data={"file": (io.BytesIO(sheet), "名单.csv")})
    here = uploaded.headers["Location"]
    typed = form_in(look(client, here), "#columns") | {"column-2": [""], "complete": ["1"]}
    assert client.post("/unsent", data=typed).status_code == 200
    page = look(person(app, cast.registrar), here)
    fields_back(page, "#columns", typed)
    assert "上次没有提交的列的对应已放回" in page
    client = person(app, cast.registrar)
    end_session(cast.registrar)
    changed = typed | {"column-3": [""]}
    assert client.post(here, data=changed).status_code == 303  # to the door
    assert db.session.scalars(select(RegisterLoad.status)).one() == "uploaded"
    sign_in(client, cast.registrar)
    fields_back(look(client, here), "#columns", changed)
    assert client.post(here, data=typed | {"column-2": [EVERY_COLUMN[2]]}).status_code == 303
    assert rows() == []


# --- what a bureau writes -------------------------------------------------------------------------------------------


@embedded
def test_a_plan_that_was_not_saved_comes_back(app: Flask, cast: Cast) -> None:
    """With the session over in the middle of it; once saved, the page shows what is saved."""
    a_plan(cast.state, cast.approver, {cast.school: 8})
    _settle()
    client, here = person(app, cast.approver), "/intake/plan/edit"
    name = f"places-{cast.school.id}"
    typed = form_in(look(client, here), "#plan") | {name: ["7"], "note": ["按州教育局调整通知减少一人"]}
    end_session(cast.approver)
    assert client.post(here, data=typed).status_code == 303
    sign_in(client, cast.approver)
    page = look(client, here)
    fields_back(page, "#plan", typed)
    assert client.post(here, data=form_in(page, "#plan")).status_code == 303
    assert rows() == [] and "已放回" not in look(client, here)


@embedded
def test_a_local_condition_that_was_not_saved_comes_back(app: Flask, cast: Cast) -> None:
    db.session.commit()
    client, here = person(app, cast.approver), "/policy/local?list=withdrawal.grounds"
    typed = form_in(look(client, here), "#add") | {"title": ["连续旷课满一学期"], "text": ["条文写了一半"]}
    client.post("/unsent", data=typed)
    fields_back(look(person(app, cast.approver), here), "#add", typed)
    assert "条文写了一半" not in look(person(app, cast.auditor), here)
