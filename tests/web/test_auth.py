"""The door: sign-in, its limits, the end of a session, the own password, the first administrator."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal.accounts import attempts, known_browsers, management, one_time_codes, passwords, sessions
from portal.accounts.local_paths import local_path
from portal.accounts.near_words import near_words
from portal.accounts.titles import SESSION_ENDS, SESSION_NOTICES, browser
from portal.extensions import db, limiter
from portal.models import (
    Account,
    AuditRecord,
    Holiday,
    KnownBrowser,
    Level,
    Office,
    OneTimeCode,
    Role,
    SignInAttempt,
    SignInSession,
)
from portal.web import HEADERS
from tests import quick
from tests.builders import PASSWORD, a_school, a_state, an_account, sign_in

pytestmark = pytest.mark.pages

NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
INSIDE = "/my/sessions"


@pytest.fixture
def account(app: Flask) -> Account:
    """A registrar with a real password, and a neighbour with another one."""
    limiter.reset()
    school = a_school()
    an_account(Role.REGISTRAR, school, password_hash=passwords.hash_password("Other-Stone-77"))
    made = an_account(Role.REGISTRAR, school, login="ma.li", password_hash=passwords.hash_password(PASSWORD))
    db.session.commit()
    return made


def enter(client: FlaskClient, login: str, password: str, **more: str):
    return client.post("/sign-in", data={"login": login, "password": password, **more})


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditRecord.action).order_by(AuditRecord.seq)))


@pytest.mark.both_pairs
def test_signing_in_and_out(client: FlaskClient, account: Account) -> None:
    assert client.get(INSIDE).status_code == 303
    answer = enter(client, "ma.li", PASSWORD)
    assert answer.status_code == 303
    assert client.get(INSIDE).status_code == 200
    left = client.post("/sign-out")
    assert left.headers["Clear-Site-Data"] == '"cache", "storage"'  # the browser stays known
    assert client.get(INSIDE).status_code == 303
    assert actions() == ["signed_in", "signed_out"]
    signed_in = db.session.scalars(select(AuditRecord).order_by(AuditRecord.seq)).first()
    assert signed_in and (signed_in.actor_id, signed_in.office_id) == (account.id, account.office_id)


def test_the_sign_in_page_says_how_a_session_ended(app: Flask, account: Account) -> None:
    """Signed in elsewhere, or time up: two different things to a person, the first with what to do about it."""
    office, home = app.test_client(), app.test_client()
    elsewhere, late = "您的账号已在另一处登录，本处已退出", "登录已超时"
    assert elsewhere not in office.get("/sign-in").text
    enter(office, "ma.li", PASSWORD)
    enter(home, "ma.li", PASSWORD)
    sent = office.get(INSIDE)
    assert sent.status_code == 303
    page = office.get(sent.headers["Location"]).text
    assert elsewhere in page and "如果不是您本人" in page and "修改密码" in page and late not in page
    assert elsewhere not in enter(office, "ma.li", "Wrong-Guess-99").text
    assert enter(office, "ma.li", PASSWORD).status_code == 303  # now the other place is told
    assert elsewhere in home.get("/sign-in").text
    office.post("/sign-out")
    assert elsewhere not in office.get("/sign-in").text and late not in office.get("/sign-in").text


def test_a_session_whose_time_was_up_is_told_as_expired_whatever_came_after(
    app: Flask, account: Account
) -> None:
    office, home = app.test_client(), app.test_client()
    enter(office, "ma.li", PASSWORD)
    silent = db.session.scalars(select(SignInSession)).one()
    silent.last_seen_at = datetime.now(UTC) - timedelta(hours=2)
    db.session.commit()
    for _ in range(2):
        page = office.get(office.get(INSIDE).headers["Location"]).text
        assert "登录已超时" in page and "另一处" not in page
        enter(home, "ma.li", PASSWORD)


@pytest.mark.parametrize("why", sorted(set(SESSION_ENDS) - {"signed_out"}))
def test_every_other_end_has_its_words(client: FlaskClient, account: Account, why: str) -> None:
    """Of a closed account only the attempt to sign in speaks."""
    enter(client, "ma.li", PASSWORD)
    sessions.end_all(account.id, why)
    db.session.commit()
    page = client.get("/sign-in").text
    title = SESSION_NOTICES.get(why, ("", ""))[0]
    assert bool(title) == (why not in ("account_closed", "office_closed"))
    assert (title in page) if title else not any(one in page for one, _ in SESSION_NOTICES.values())


def test_a_cookie_replayed_after_sign_out_is_dead(client: FlaskClient, account: Account) -> None:
    enter(client, "ma.li", PASSWORD)
    stolen = client.get_cookie("xueji")
    assert stolen is not None
    client.post("/sign-out")
    client.set_cookie("xueji", stolen.value)
    assert client.get(INSIDE).status_code == 303
    assert client.post("/sign-out").status_code == 303
    assert actions().count("signed_out") == 1


@pytest.mark.both_pairs
def test_the_token_is_new_at_each_sign_in_and_only_its_hash_is_kept(
    client: FlaskClient, account: Account
) -> None:
    tokens = []
    for _ in range(2):
        enter(client, "ma.li", PASSWORD)
        with client.session_transaction() as cookie:
            tokens.append(cookie["_user_id"])
        client.post("/sign-out")
    assert tokens[0] != tokens[1]
    kept = set(db.session.scalars(select(SignInSession.token_hash)))
    assert kept == {sessions.hashed(token) for token in tokens}
    assert not kept & set(tokens)


@pytest.mark.both_pairs
def test_one_person_has_one_session(app: Flask, account: Account) -> None:
    first, second = app.test_client(), app.test_client()
    enter(first, "ma.li", PASSWORD)
    enter(second, "ma.li", PASSWORD)
    assert first.get(INSIDE).status_code == 303
    assert second.get(INSIDE).status_code == 200
    assert "在别处登录，自动退出" in second.get(INSIDE).text


def test_a_session_dies_after_half_an_hour_idle(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        enter(client, "ma.li", PASSWORD)
        clock.shift(timedelta(minutes=29))
        assert client.get(INSIDE).status_code == 200
        clock.shift(timedelta(minutes=29))
        assert client.get(INSIDE).status_code == 200
        clock.shift(timedelta(minutes=30))
        assert client.get(INSIDE).status_code == 303


def test_a_session_dies_after_twelve_hours_of_work(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        enter(client, "ma.li", PASSWORD)
        for _ in range(12 * 3 - 1):
            clock.shift(timedelta(minutes=20))
            assert client.get(INSIDE).status_code == 200
        clock.shift(timedelta(minutes=20))
        assert client.get(INSIDE).status_code == 303


@pytest.mark.both_pairs
def test_a_session_from_the_future_ends_for_good(app: Flask, account: Account) -> None:
    """The clock was set back, or somebody wrote the row: its idle time and its hours bound nothing any more."""
    for column in ("last_seen_at", "created_at"):
        client = app.test_client()
        enter(client, "ma.li", PASSWORD)
        row = db.session.scalars(select(SignInSession).where(SignInSession.ended_at.is_(None))).one()
        row_id = row.id
        for ahead, status in ((timedelta(seconds=20), 200), (timedelta(minutes=10), 303)):
            setattr(row, column, datetime.now(UTC) + ahead)  # machines differ by some seconds
            db.session.commit()
            assert client.get(INSIDE).status_code == status
        assert "服务器时间有变动" in client.get("/sign-in").text
        db.session.rollback()
        row = db.session.get_one(SignInSession, row_id, populate_existing=True)
        assert row.ended_why == "clock"
        setattr(row, column, datetime.now(UTC))
        db.session.commit()
        assert client.get(INSIDE).status_code == 303  # it does not come back with the time


@pytest.mark.both_pairs
@pytest.mark.parametrize("what", ["account", "office"])
def test_closing_an_account_or_its_office_ends_the_session_at_once(
    client: FlaskClient, account: Account, what: str
) -> None:
    enter(client, "ma.li", PASSWORD)
    target = db.session.get(Account, account.id)
    assert target is not None
    if what == "account":
        target.active = False
    else:
        target.office.active = False
    db.session.commit()
    assert client.get(INSIDE).status_code == 303
    refused = enter(client, "ma.li", PASSWORD)
    assert refused.status_code == 422 and "已停用" in refused.text
    assert "已停用" not in enter(client, "ma.li", "Wrong-Guess-99").text


def test_wrong_and_unknown_get_the_same_answer(client: FlaskClient, account: Account) -> None:
    wrong = enter(client, "ma.li", "Wrong-Guess-99")
    unknown = enter(client, "nobody.here", "Wrong-Guess-99")
    assert wrong.status_code == unknown.status_code == 422
    same = re.compile(r'value="[^"]*"')
    assert same.sub("", wrong.text) == same.sub("", unknown.text)
    assert "登录名或密码不正确" in wrong.text
    assert "Wrong-Guess-99" not in wrong.text


def test_an_unknown_login_costs_as_much_as_a_known_one(monkeypatch) -> None:
    hashed: list[str] = []
    real = quick.REAL_HASHER.verify
    monkeypatch.setattr(passwords, "_hasher", quick.REAL_HASHER)
    monkeypatch.setattr(passwords, "_nobody", quick.REAL_NOBODY)
    known = passwords.hash_password(PASSWORD)

    class Watch:
        def verify(self, password_hash: str, password: str) -> bool:
            hashed.append(password_hash)
            return real(password_hash, password)

    monkeypatch.setattr(passwords, "_hasher", Watch())
    assert passwords.verify(known, PASSWORD) is True
    assert passwords.verify(None, PASSWORD) is False
    assert passwords.verify(None, "nobody signs in with this") is False
    parameters = {one.split("$")[1:4][0] + one.split("$")[3] for one in hashed}
    assert len(hashed) == 3 and len(parameters) == 1 and "m=65536,t=3,p=4" in parameters.pop()


@pytest.mark.both_pairs
@pytest.mark.parametrize("login", ["ma.li", "nobody.here"])
def test_five_failures_make_one_wait_and_the_wait_grows(
    client: FlaskClient, account: Account, login: str
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(5):
            assert enter(client, login, "Wrong-Guess-99").status_code == 422
        waiting = enter(client, login, PASSWORD)
        assert waiting.status_code == 429 and waiting.headers["Retry-After"] == "30"
        clock.shift(timedelta(seconds=29))
        assert enter(client, login, PASSWORD).status_code == 429
        clock.shift(timedelta(seconds=1))
        assert enter(client, login, "Wrong-Guess-99").status_code == 422
        assert enter(client, login, PASSWORD).headers["Retry-After"] == "60"
        clock.shift(timedelta(seconds=60))
        assert enter(client, login, PASSWORD).status_code == (303 if login == "ma.li" else 422)
    why = [
        row.body["why"] for row in db.session.scalars(select(AuditRecord)) if row.action == "sign_in_refused"
    ]
    assert why.count("waiting") == 3


def test_another_address_need_not_wait(app: Flask, account: Account) -> None:
    guesser, owner = app.test_client(), app.test_client()
    for _ in range(5):
        enter(guesser, "ma.li", "Wrong-Guess-99")
    assert enter(guesser, "ma.li", PASSWORD).status_code == 429
    there = {"login": "ma.li", "password": PASSWORD}
    answer = owner.post("/sign-in", data=there, environ_base={"REMOTE_ADDR": "10.9.8.7"})
    assert answer.status_code == 303


HALF_HOUR = timedelta(minutes=30)


def fail(app: Flask, login: str, times: int, apart: timedelta, clock: Any) -> str:
    """Failures of strangers from many addresses; returns the key of the login."""
    key = attempts.login_key(app.extensions["settings"].secret_key, login)
    for number in range(times):
        db.session.add(SignInAttempt(login_hash=key, address=f"10.0.0.{number}", at=datetime.now(UTC)))
        clock.shift(apart)
    db.session.commit()
    return key


@pytest.mark.both_pairs
@pytest.mark.parametrize("login", ["ma.li", "nobody.here"])
def test_twenty_failures_in_a_day_lock_and_the_lock_ends_by_itself(
    client: FlaskClient, app: Flask, account: Account, login: str
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        fail(app, login, 20, timedelta(minutes=60), clock)
        clock.shift(timedelta(minutes=-59))
        locked = enter(client, login, PASSWORD)
        assert locked.status_code == 429 and "约 29 分钟内" in locked.text and "上级单位" in locked.text
        assert locked.headers["Retry-After"] == str(29 * 60)
        clock.shift(timedelta(minutes=28))
        assert enter(client, login, PASSWORD).status_code == 429  # tries while it holds do not make it longer
        clock.shift(timedelta(minutes=1))
        assert enter(client, login, PASSWORD).status_code == (303 if login == "ma.li" else 422)


def test_the_lock_grows_with_the_failures_and_never_passes_its_limit(app: Flask, account: Account) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        spans = []
        for times in (20, 5, 5, 100):
            key = fail(app, "ma.li", times, timedelta(), clock)
            spans.append(attempts.locked([key], HALF_HOUR)[key] - datetime.now(UTC))
        assert spans == [HALF_HOUR, HALF_HOUR * 2, HALF_HOUR * 4, timedelta(hours=4)]
        clock.shift(timedelta(hours=-2))  # a clock that is set back makes no lock longer
        assert attempts.locked([key], HALF_HOUR)[key] - datetime.now(UTC) == timedelta(hours=4)


def test_strangers_cannot_lock_out_a_browser_that_the_person_has_used(app: Flask, account: Account) -> None:
    """The lock that anyone could pull: twenty wrong passwords from anywhere."""
    owner, stranger = app.test_client(), app.test_client()
    with time_machine.travel(NOON, tick=False) as clock:
        enter(owner, "ma.li", PASSWORD)
        owner.post("/sign-out")
        fail(app, "ma.li", 19, timedelta(), clock)
        enter(stranger, "ma.li", "Wrong-Guess-99")
        assert enter(stranger, "ma.li", PASSWORD).status_code == 429
        assert enter(owner, "ma.li", PASSWORD).status_code == 303
        assert enter(app.test_client(), "ma.li", PASSWORD).status_code == 429
        # At the owner's own address strangers do not make the owner wait either.
        for number in range(60):
            row = SignInAttempt(login_hash=f"{number:064}", address="127.0.0.1", at=datetime.now(UTC))
            db.session.add(row)
        db.session.commit()
        assert enter(owner, "ma.li", PASSWORD).status_code == 303


@pytest.mark.both_pairs
def test_a_known_browser_has_guesses_of_its_own_and_no_more(app: Flask, account: Account) -> None:
    thief = app.test_client()
    with time_machine.travel(NOON, tick=False) as clock:
        enter(thief, "ma.li", PASSWORD)
        thief.post("/sign-out")
        for _ in range(5):
            assert enter(thief, "ma.li", "Wrong-Guess-99").status_code == 422
        assert enter(thief, "ma.li", PASSWORD).headers["Retry-After"] == "30"
        browser_id = db.session.scalars(select(KnownBrowser.id)).one()
        key = attempts.login_key(app.extensions["settings"].secret_key, "ma.li")
        for number in range(15):
            at = datetime.now(UTC) - timedelta(minutes=20 + number)
            db.session.add(SignInAttempt(login_hash=key, address="x", at=at, browser_id=browser_id))
        fail(app, "ma.li", 20, timedelta(), clock)
        clock.shift(timedelta(minutes=16))
        assert "没有登录过的浏览器" in enter(thief, "ma.li", PASSWORD).text


def test_the_token_of_a_browser_is_guarded_hashed_new_each_time_and_revocable(
    app: Flask, account: Account
) -> None:
    client = app.test_client()
    cookies = []
    for _ in range(2):
        answer = enter(client, "ma.li", PASSWORD)
        sent = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("xueji-browser="))
        assert "HttpOnly" in sent and "SameSite=Strict" in sent and "Path=/" in sent and "Max-Age=155" in sent
        cookies.append(sent.split(";")[0].partition("=")[2])
        enter(client, "nobody.here", "Wrong-Guess-99")
    row = db.session.scalars(select(KnownBrowser)).one()  # one browser, however often
    assert row.token_hash == sessions.hashed(cookies[1]) and cookies[0] != cookies[1]
    browser_id, account_id = str(row.id), account.id
    db.session.rollback()
    assert known_browsers.find(cookies[0], "ma.li") is None  # the old token is worth nothing
    assert known_browsers.find(cookies[1], "nobody.here") is None
    assert "这个浏览器" in client.get(INSIDE).text
    stranger = app.test_client()
    sign_in(stranger, an_account(Role.REGISTRAR, account.office))
    assert stranger.post("/my/browsers/forget", data={"browser": browser_id}).status_code == 404
    enter(client, "ma.li", PASSWORD)
    assert client.post("/my/browsers/forget", data={"browser": browser_id}).status_code == 303
    assert known_browsers.of_account(account_id) == []


@pytest.mark.both_pairs
def test_two_people_at_one_computer_are_both_known_there_and_a_reset_forgets(
    app: Flask, account: Account
) -> None:
    client = app.test_client()
    other = an_account(
        Role.REGISTRAR, account.office, login="he.ping", password_hash=passwords.hash_password(PASSWORD)
    )
    db.session.commit()
    for login in ("ma.li", "he.ping", "ma.li"):
        assert enter(client, login, PASSWORD).status_code == 303
    assert [len(known_browsers.of_account(one.id)) for one in (account, other)] == [1, 1]
    management.reset_password(other, "x")
    assert [len(known_browsers.of_account(one.id)) for one in (account, other)] == [1, 0]


@pytest.mark.both_pairs
def test_a_try_is_noted_before_its_password_is_weighed(
    app: Flask, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tries at the same moment cannot slip past each other, in whatever process they are."""
    noted: list[int] = []

    def weigh(_hash: str | None, _password: str) -> bool:
        with db.engine.connect() as other:
            noted.append(other.execute(select(func.count()).select_from(SignInAttempt)).scalar_one())
        return True

    monkeypatch.setattr(passwords, "verify", weigh)
    assert enter(app.test_client(), "ma.li", PASSWORD).status_code == 303
    assert noted == [1]
    assert db.session.scalar(select(func.count()).select_from(SignInAttempt)) == 0


@pytest.mark.both_pairs
def test_failures_of_one_address_are_counted_in_the_database(app: Flask, account: Account) -> None:
    with time_machine.travel(NOON, tick=False):
        for number in range(60):
            db.session.add(
                SignInAttempt(login_hash=f"{number:064}", address="127.0.0.1", at=datetime.now(UTC))
            )
        db.session.commit()
        assert enter(app.test_client(), "ma.li", PASSWORD).status_code == 429
        there = {"login": "ma.li", "password": PASSWORD}
        elsewhere = app.test_client().post("/sign-in", data=there, environ_base={"REMOTE_ADDR": "10.9.8.7"})
        assert elsewhere.status_code == 303


def test_the_command_unlocks_whoever_has_no_superior(app: Flask, account: Account) -> None:
    run = app.test_cli_runner().invoke
    with time_machine.travel(NOON, tick=False) as clock:
        key = fail(app, "ma.li", 20, timedelta(), clock)
        assert attempts.locked([key], HALF_HOUR)
        db.session.rollback()
        assert run(args=["unlock", "ma.li"]).exit_code == 0
        assert attempts.locked([key], HALF_HOUR) == {}
    db.session.rollback()
    assert run(args=["unlock", "nobody.here"]).exit_code == 1
    assert actions() == ["account.unlocked"]


def test_nineteen_failures_or_twenty_over_two_days_do_not_lock(app: Flask) -> None:
    now = datetime.now(UTC)
    for number in range(19):
        db.session.add(SignInAttempt(login_hash="a" * 64, address="x", at=now - timedelta(minutes=number)))
    for number in range(20):
        db.session.add(SignInAttempt(login_hash="b" * 64, address="x", at=now - timedelta(hours=2 * number)))
    db.session.flush()
    assert attempts.locked(["a" * 64, "b" * 64], HALF_HOUR) == {}


def test_a_failed_sign_in_leaves_no_login_behind(client: FlaskClient, account: Account) -> None:
    enter(client, "zhang.secret", "Wrong-Guess-99")
    record = db.session.scalars(select(AuditRecord)).one()
    assert (record.action, record.result, record.actor_id) == ("sign_in_refused", "denied", None)
    assert re.fullmatch("[0-9a-f]{64}", record.body["login"])
    kept = [record.body["login"], *db.session.scalars(select(SignInAttempt.login_hash))]
    assert not [text for text in kept if "zhang" in text]


def test_a_success_forgives_the_failures_of_its_own_address_only(
    client: FlaskClient, app: Flask, account: Account
) -> None:
    key = attempts.login_key(app.extensions["settings"].secret_key, "ma.li")
    db.session.add(SignInAttempt(login_hash=key, address="10.0.0.9", at=datetime.now(UTC)))
    db.session.commit()
    enter(client, "ma.li", "Wrong-Guess-99")
    enter(client, "ma.li", PASSWORD)
    assert list(db.session.scalars(select(SignInAttempt.address))) == ["10.0.0.9"]


def test_a_flood_from_one_address_is_cut_off(client: FlaskClient, account: Account) -> None:
    codes = [client.post("/sign-in").status_code for _ in range(121)]
    assert codes == [422] * 120 + [429]
    limiter.reset()


OUTSIDE = (
    "https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\/evil.example",
    "/\t/evil.example", "/%0d%0aLocation:x\r\n", "javascript:alert(1)", "http:evil.example", "/no-such-page",
    "/sign-in", "/sign-out", "/static/portal.css", "evil", "", " /my/sessions", "/my/sessions\n", "/../../etc",
    "/my/sessions@evil.example",
)  # fmt: skip


@pytest.mark.parametrize("target", OUTSIDE)
def test_signing_in_leads_nowhere_outside(client: FlaskClient, account: Account, target: str) -> None:
    assert local_path(target, client.application.url_map) is None
    answer = enter(client, "ma.li", PASSWORD, next=target)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/") and "evil" not in answer.headers["Location"]


def test_signing_in_leads_back_to_the_page_asked_for(client: FlaskClient, account: Account) -> None:
    turned_away = client.get("/policy?pack=cn-2025")
    page = client.get(turned_away.headers["Location"])
    hidden = re.search(r'name="next"[^>]*value="([^"]*)"', page.text)
    assert hidden and hidden[1] == "/policy?pack=cn-2025"
    answer = enter(client, "ma.li", PASSWORD, next=hidden[1])
    assert answer.headers["Location"] == "/policy?pack=cn-2025"


def test_demo_accounts_show_only_on_a_demo(app: Flask, account: Account) -> None:
    someone = {
        "login": "ma.li",
        "password": PASSWORD,
        "name": "马丽",
        "role": "registrar",
        "office": "青禾小学",
    }
    app.extensions["demo_accounts"] = [someone]
    client = app.test_client()
    assert "演示账号" not in client.get("/sign-in?demo=0").text
    assert PASSWORD not in client.get("/sign-in?demo=0").text
    app.extensions["settings"] = replace(app.extensions["settings"], demo=True)
    assert "马丽" in client.get("/sign-in").text and PASSWORD not in client.get("/sign-in").text
    filled = client.get("/sign-in?demo=0").text
    assert 'value="ma.li"' in filled and f'value="{PASSWORD}"' in filled
    assert client.get("/sign-in?demo=7").status_code == client.get("/sign-in?demo=x").status_code == 200
    assert PASSWORD not in enter(client, "ma.li", PASSWORD + "x").text


@pytest.mark.parametrize(
    "agent, words",
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.1",
            "Edge 156，Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0 Safari/537.36", "Chrome 156，Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari 18，iPhone",
        ),
        ("curl", "curl"),
        ("", "—"),
    ],
)
def test_a_browser_is_named_in_a_few_words(agent: str, words: str) -> None:
    assert browser(agent) == words


def test_an_initial_password_must_be_changed_first(client: FlaskClient, account: Account) -> None:
    account.must_change_password = True
    db.session.commit()
    enter(client, "ma.li", PASSWORD)
    assert client.get(INSIDE).headers["Location"] == "/password"
    for new, again, fault in (
        ("short", "short", "10 到 64 个字符"),
        ("onlylowercase", "onlylowercase", "至少三种"),
        ("xX1-ma.li-2048", "xX1-ma.li-2048", "登录名"),
        ("Password123!", "Password123!", "太常见"),
        ("P@ssw0rd2026", "P@ssw0rd2026", "太常见"),
        ("Admin@12345", "Admin@12345", "太常见"),
        ("1qaz@WSX3edc", "1qaz@WSX3edc", "太常见"),
        ("Woaini1314!", "Woaini1314!", "太常见"),
        (PASSWORD, PASSWORD, "不能与现在的密码相同"),
        ("Brave-Lake-4096", "Brave-Lake-4097", "两次输入的新密码不一致"),
    ):
        answer = client.post("/password", data={"old": PASSWORD, "new": new, "again": again})
        assert answer.status_code == 422 and fault in answer.text
    wrong = client.post(
        "/password", data={"old": "No-Such-1", "new": "Brave-Lake-4096", "again": "Brave-Lake-4096"}
    )
    assert wrong.status_code == 422 and "现在的密码不正确" in wrong.text
    with client.session_transaction() as cookie:
        before = cookie["_user_id"]
    done = client.post(
        "/password", data={"old": PASSWORD, "new": "Brave-Lake-4096", "again": "Brave-Lake-4096"}
    )
    assert done.status_code == 303
    with client.session_transaction() as cookie:
        assert cookie["_user_id"] != before
    assert client.get(INSIDE).status_code == 200
    assert enter(client.application.test_client(), "ma.li", PASSWORD).status_code == 422


def test_a_new_password_ends_the_other_browser(app: Flask, account: Account) -> None:
    thief, owner = app.test_client(), app.test_client()
    enter(owner, "ma.li", PASSWORD)
    cookie = owner.get_cookie("xueji")
    assert cookie is not None
    thief.set_cookie("xueji", cookie.value)
    assert thief.get(INSIDE).status_code == 200
    owner.post("/password", data={"old": PASSWORD, "new": "Brave-Lake-4096", "again": "Brave-Lake-4096"})
    assert owner.get(INSIDE).status_code == 200
    assert thief.get(INSIDE).status_code == 303


@pytest.mark.parametrize(
    "name, office, password",
    [
        ("马晓东", "青禾县第一中学", "Maxiaodong@26x"),
        ("马晓东", "青禾县第一中学", "Xiaodong#26xy"),
        ("马晓东", "青禾县第一中学", "Qinghe-Stone-7"),
        ("冯涵", "青禾县第一中学", "冯涵-Stone-Lake-7"),
        ("冯涵", "青禾县第一中学", "青禾县第一中学-Ab7"),
    ],
)
def test_a_password_near_the_person_is_refused_also_in_pinyin(name: str, office: str, password: str) -> None:
    near = near_words("some.login", name, "13800000000", [office], "3462000002")
    assert "拼音也不行" in passwords.fault_in(password, near)
    assert passwords.fault_in("Brave-Lake-4096", near) == ""


FIRST = {
    "office_name": "云岭州教育局", "policy": "gs-linxia-2022", "login": "first.admin", "name": "杨静",
    "new": "Calm-Valley-88", "again": "Calm-Valley-88",
}  # fmt: skip


@pytest.mark.both_pairs
def test_the_first_administrator_needs_a_living_code(app: Flask, client: FlaskClient) -> None:
    limiter.reset()
    assert client.get("/first-administrator").status_code == 404
    assert client.post("/first-administrator", data=FIRST).status_code == 404
    printed = app.test_cli_runner().invoke(args=["first-administrator"])
    code = printed.stdout.strip()
    assert re.fullmatch(r"([2-9A-Z]{4}-){4}[2-9A-Z]{4}", code)
    kept = db.session.scalars(select(OneTimeCode)).one()
    assert code not in kept.code_hash and kept.purpose == one_time_codes.FIRST_ADMINISTRATOR
    page = client.get("/first-administrator")
    assert page.status_code == 200 and "执行的政策" in page.text
    assert re.search(
        r'name="policy"[^>]*>\s*<option[^>]*value=""[^>]*>请选择', page.text
    )  # no policy is chosen beforehand
    unchosen = client.post("/first-administrator", data={**FIRST, "code": code, "policy": ""})
    assert unchosen.status_code == 422 and "请选择本州（市）执行的政策" in unchosen.text
    assert (
        client.post("/first-administrator", data={**FIRST, "code": "AAAA-" * 4 + "AAAA"}).status_code == 422
    )
    assert db.session.scalar(select(func.count()).select_from(Account)) == 0
    assert client.post("/first-administrator", data={**FIRST, "code": code.lower()}).status_code == 303
    made = db.session.scalars(select(Account)).one()
    assert (made.role, made.office.level, made.office.policy) == (
        Role.ADMINISTRATOR,
        Level.STATE,
        "gs-linxia-2022",
    )
    assert db.session.scalar(select(func.count()).select_from(Holiday))
    assert (
        client.post("/first-administrator", data={**FIRST, "login": "second", "code": code}).status_code
        == 404
    )
    assert enter(client, "first.admin", "Calm-Valley-88").headers["Location"].endswith("/admin/offices")


def test_a_code_dies_after_an_hour_and_when_another_is_printed(app: Flask) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        old = one_time_codes.issue(one_time_codes.FIRST_ADMINISTRATOR)
        new = one_time_codes.issue(one_time_codes.FIRST_ADMINISTRATOR)
        assert not one_time_codes.spend(one_time_codes.FIRST_ADMINISTRATOR, old)
        assert not one_time_codes.spend("another purpose", new)
        clock.shift(timedelta(minutes=59))
        assert one_time_codes.any_living(one_time_codes.FIRST_ADMINISTRATOR)
        clock.shift(timedelta(minutes=1))
        assert not one_time_codes.any_living(one_time_codes.FIRST_ADMINISTRATOR)
        assert not one_time_codes.spend(one_time_codes.FIRST_ADMINISTRATOR, new)


def test_a_second_use_joins_the_state_office_that_is_there(app: Flask, client: FlaskClient) -> None:
    limiter.reset()
    state = a_state()
    code = one_time_codes.issue(one_time_codes.FIRST_ADMINISTRATOR)
    db.session.commit()
    assert client.post("/first-administrator", data={**FIRST, "code": code}).status_code == 303
    assert db.session.scalars(select(Account)).one().office_id == state.id
    assert db.session.scalar(select(func.count()).select_from(Office)) == 1


PUBLIC = {
    "health.healthz",
    "health.readyz",
    "auth.sign_in",
    "auth.try_sign_in",
    "auth.first_administrator",
    "captures.ticket",  # a phone that was handed one slot; it holds a ticket or a cookie for that
    "captures.take",
    "captures.phone",
    "captures.take_in",
    "static",
}


def _paths(app: Flask, method: str):
    """(endpoint, path) of every route with this method; ids are of nothing."""
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()):
            values = {name: _value(rule, name) for name in rule.arguments}
            with app.test_request_context():
                yield rule.endpoint, app.url_for(rule.endpoint, **values)


def _value(rule, name: str):
    converter = rule._converters[name]
    if hasattr(converter, "items"):  # one of a few words
        return min(converter.items)
    kind = type(converter).__name__
    return {"UUIDConverter": "0" * 8 + "-0000-4000-8000-" + "0" * 12, "IntegerConverter": 1}.get(kind, "x")


def test_every_view_needs_a_sign_in_but_the_short_list(app: Flask) -> None:
    for method in ("GET", "POST"):
        for endpoint, path in _paths(app, method):
            answer = app.test_client().open(path, method=method)
            if endpoint in PUBLIC:
                assert answer.headers.get("Location", "").find("sign-in") < 0, path
            else:
                assert answer.status_code == 303 and "/sign-in" in answer.headers["Location"], (method, path)


def test_every_answer_carries_the_headers(app: Flask, account: Account) -> None:
    visitor, person = app.test_client(), app.test_client()
    sign_in(person, account)
    for client in (visitor, person):
        for endpoint, path in _paths(app, "GET"):
            answer = client.get(path)
            for name, value in HEADERS.items():
                assert answer.headers.get(name), (path, name)
                if endpoint != "static" and name == "Content-Security-Policy":
                    assert answer.headers[name] == value
            if endpoint != "static":
                assert answer.headers["Cache-Control"] == "no-store", path
            assert answer.status_code < 500 or endpoint == "health.readyz", path


def test_every_post_refuses_a_missing_token(app: Flask, account: Account) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    limiter.reset()
    refused = 0
    for role in Role:
        school_or_state = account.office if role in (Role.REGISTRAR, Role.HEAD) else a_state()
        client = app.test_client()
        sign_in(client, an_account(role, school_or_state))
        for _endpoint, path in _paths(app, "POST"):
            answer = client.post(path)
            assert answer.status_code == 400 and "刷新" in answer.text, (role, path, answer.status_code)
            refused += 1
    assert refused > 6 * 15


def test_a_change_from_another_site_is_refused(client: FlaskClient, account: Account) -> None:
    sign_in(client, account)
    for site in ("cross-site", "same-site"):
        assert client.post("/sign-out", headers={"Sec-Fetch-Site": site}).status_code == 403
    assert client.get(INSIDE).status_code == 200


def test_the_cookie_is_named_and_guarded(app: Flask, account: Account) -> None:
    answer = enter(app.test_client(), "ma.li", PASSWORD)
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("xueji="))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Domain" not in cookie
