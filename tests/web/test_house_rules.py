"""Rules of the house that hold on every page and every route, whoever looks."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal import keeping
from portal.accounts.passwords import hash_password
from portal.extensions import db
from portal.models import (
    Account,
)
from tests.web.crawl import Crawl, crawl
from tests.web.giveaways import leaks
from tests.web.housekeeping import NUMBER, faults_in, page_faults
from tests.web.isolation import ROUTES
from tests.web.recorded import difference, rows
from tests.web.walker import addresses, own_calls
from tests.web.world import PEOPLE, World

pytestmark = pytest.mark.pages

AGENT = "test"  # what the tests' own sign-ins are listed under
NOT_OFFERED = frozenset(
    {
        "health.healthz",  # for machines
        "health.readyz",
        "auth.sign_in",  # for those outside
        "auth.first_administrator",
        "loads.progress",  # only while a load is being worked on
        "readings.comparison",  # only while papers are being read
        "readings.progress",
        "register.results",  # after a search, which is a POST
        "stamped.progress",  # only while a batch is being sorted
        "captures.watch",  # only while a phone has the slot
        "captures.code",
        "captures.ticket",  # for the phone
        "captures.phone",
    }
)


# --- what everybody is offered --------------------------------------------------------------------------------------


@dataclass
class Seen:
    """One crawl by everybody, and what it left behind."""

    by: dict[str, Crawl]
    changed: list[str]
    logged: str


@pytest.fixture(scope="module")
def seen(world: World) -> Seen:
    clients = {person: world.client(person) for person in PEOPLE}
    before = rows()
    with _logging() as lines:
        by = {person: crawl(world.app, client, known=(AGENT,)) for person, client in clients.items()}
        by["nobody"] = crawl(world.app, world.client(None), "/sign-in")
    changed = [f"{one.table}: {sorted(one.columns)}" for one in difference(before, rows())]
    return Seen(by, changed, lines.getvalue())


@contextmanager
def _logging() -> Iterator[io.StringIO]:
    """Everything that any logger says from INFO on, as a service would keep it; the SQL echo is never on in service."""
    lines = io.StringIO()
    handler, root = logging.StreamHandler(lines), logging.getLogger()
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    echo, levels = logging.getLogger("sqlalchemy"), (root.level, logging.getLogger("sqlalchemy").level)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    echo.setLevel(logging.WARNING)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(levels[0])
        echo.setLevel(levels[1])


@pytest.mark.parametrize("person", [*PEOPLE, "nobody"])
def test_every_page_that_is_offered_is_there_and_in_order(seen: Seen, person: str) -> None:
    """No dead link, no error, and every page by the rules of housekeeping.py."""
    assert not seen.by[person].faults, "\n".join(seen.by[person].faults)


def test_every_page_is_offered_to_somebody(seen: Seen, world: World) -> None:
    """What can be read can be reached by links."""
    offered = {endpoint for one in seen.by.values() for endpoint in one.endpoints}
    pages = {one.endpoint for one in addresses(world) if "GET" in (one.methods or set())}
    assert pages - offered == NOT_OFFERED - offered


def test_reading_changes_nothing(seen: Seen) -> None:
    """A GET leaves audit records and the sign of life of a session, and nothing else."""
    assert not seen.changed


def test_nothing_personal_is_logged_or_stands_in_an_address(seen: Seen, world: World) -> None:
    """Names, texts and numbers of people: neither in a line of a log nor in an address that anybody was offered."""
    _nothing_personal(world, seen.logged)
    urls = [unquote(url) for one in seen.by.values() for url in one.urls]
    personal = {
        value
        for estate in world.estates
        for pupil in estate.pupils
        for value in (pupil.name, pupil.former_name, pupil.id_number, pupil.student_number)
    } | {person.name for estate in world.estates for person in estate.own_people}
    assert not [url for url in urls if any(value in url for value in personal) or NUMBER.search(url)]


def test_nothing_personal_is_logged_when_things_go_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Searches, refused sign-ins, refused forms, and an error in the middle of a page."""
    pupil, registrar = world.home.pupils[0], world.home.people["registrar"]
    client = world.client("registrar")
    with _logging() as lines:
        for text in (pupil.name, pupil.id_number, pupil.student_number):
            client.post("/register", data={"q": text})
            client.post("/queue/all/name", data={"name": text})
        client.post("/queue/all/name", data={"name": ""})
        world.client(None).post("/sign-in", data={"login": registrar.login, "password": pupil.id_number})
        client.post("/cases/start", data={"pupil": pupil.name, "workflow": pupil.id_number})
        client.post(f"/cases/{world.home.cases['ready'].id}/fill/what", data={"explanation": pupil.name})
        monkeypatch.setitem(world.app.view_functions, "register.pupil", _broken(pupil.name))
        broken = client.get(f"/register/pupils/{pupil.id}")
    assert broken.status_code == 500
    assert pupil.name not in broken.text
    _nothing_personal(world, lines.getvalue())


def _broken(said: str) -> Callable[..., Any]:
    def view(**_parts: Any) -> str:
        db.session.execute(select(Account).where(Account.name == said)).one()
        return said

    return view


def _nothing_personal(world: World, lines: str) -> None:
    for estate in world.estates:
        ids = estate.canaries.ids
        told = [one for one in leaks(lines, [estate]) if not any(one.startswith(known) for known in ids)]
        assert not told, told


# --- who may ask ----------------------------------------------------------------------------------------------------


def test_every_post_refuses_without_its_token(world: World) -> None:
    """No token, a token of somebody else's session, and a request that a browser says comes from another site."""
    app = world.app
    tried = set()
    before = rows()
    for person in PEOPLE:
        client, stranger = world.client(person), world.client("approver" if person != "approver" else "head")
        before = rows()
        app.config["WTF_CSRF_ENABLED"] = True
        try:
            foreign = _token(stranger.get("/password"))
            for call in _posts(world, person):
                tried.add(call.endpoint)
                assert _post(client, call).status_code == 400, call
                assert _post(client, call, csrf_token=foreign).status_code == 400, call
        finally:
            app.config["WTF_CSRF_ENABLED"] = False
        for call in _posts(world, person):
            for headers in (
                {"Sec-Fetch-Site": "cross-site"},
                {"Sec-Fetch-Site": "same-site"},
                {"Origin": "https://elsewhere.example"},
            ):
                assert _post(client, call, headers).status_code == 403, (call, headers)
        assert not difference(before, rows()), person
    posts = {one.endpoint for one in addresses(world) if "POST" in (one.methods or set())}
    assert posts == tried


def _posts(world: World, person: str) -> Iterator[Any]:
    for address in addresses(world):
        rule = ROUTES[address.endpoint]
        if PEOPLE[person][0] in rule.roles:
            yield from (call for call in own_calls(world, address, person) if call.method == "POST")


def _post(
    client: FlaskClient, call: Any, headers: dict[str, str] | None = None, **fields: str
) -> TestResponse:
    plain = {
        key: value
        for key, value in call.form.items()
        if not isinstance(value, bytes) and key != keeping.FIELD  # signed: a token of its own
    }
    return client.post(call.path, data=plain | fields, headers=headers or {})


def _token(page: TestResponse) -> str:
    return page.text.split('name="csrf_token" value="')[1].split('"')[0]


def test_a_page_posts_with_its_own_token(world: World) -> None:
    """The other side of the rule: with the token of the page the same request is taken."""
    client = world.client("head")
    world.app.config["WTF_CSRF_ENABLED"] = True
    try:
        token = _token(client.get("/password"))
        answer = client.post("/queue/all/name", data={"name": "", "csrf_token": token})
    finally:
        world.app.config["WTF_CSRF_ENABLED"] = False
    assert answer.status_code == 303


# --- every answer ---------------------------------------------------------------------------------------------------


def test_every_kind_of_error_keeps_the_rules(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors carry the same headers, say something in Chinese, and never what went wrong inside."""
    client = world.client("registrar")
    nothing = "00000000-0000-4000-8000-000000000000"
    monkeypatch.setitem(world.app.view_functions, "auth.my_sessions", _broken("x"))
    answers = {
        404: client.get(f"/cases/{nothing}"),
        405: client.delete("/landings"),
        413: client.post("/register", environ_overrides={"CONTENT_LENGTH": str(28 * 1024 * 1024)}),
        422: client.post("/register", data={"q": ""}),
        500: client.get("/my/sessions"),
        403: client.post("/register", headers={"Sec-Fetch-Site": "cross-site"}),
        303: world.client(None).get(f"/cases/{nothing}"),
        401: world.client(None).get(f"/cases/{nothing}", headers={"HX-Request": "true"}),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert not faults_in(world.app, answer), (status, faults_in(world.app, answer))
        assert "Traceback" not in answer.text and "sqlalchemy" not in answer.text.lower()


def test_each_rule_can_be_broken() -> None:
    """A page that breaks a rule is reported: the checks themselves are checked."""
    whole = (
        '<!doctype html><html lang="zh-CN"><head><title>页</title></head><body><h1>题</h1>{}</body></html>'
    )
    assert page_faults(whole.format("")) == []
    broken = {
        "h1": "<h1>再一个</h1>",
        "stands 2 times": '<p id="a"></p><p id="a"></p>',
        "no label": '<input name="x">',
        "without a name": '<a href="/x"></a>',
        "csrf_token": '<form method="post" action="/x"></form>',
        "inline style": '<p style="color:red">红</p>',
        "inline onclick": '<p onclick="x()">红</p>',
        "inline script": "<script>x()</script>",
        "style element": "<style>p{}</style>",
        "javascript:": '<a href="javascript:x()">连接</a>',
        "https://": '<a href="https://elsewhere.example">外面</a>',
        "data:": '<img alt="图" src="data:image/png;base64,AA">',
        "points at": '<input id="b" aria-label="框" aria-describedby="nowhere">',
        "without alt": '<img src="/x.jpg">',
        "English": "<p>please wait</p>",
        "English: ['Name']": '<input aria-label="Name">',
        "full identity number": "<p>622999201005060016</p>".replace("622999201005060016", _number()),
        "identity number: 622999": f'<p data-number="G{_number()}">学籍号</p>',
    }
    for said, part in broken.items():
        assert any(said in fault for fault in page_faults(whole.format(part))), (
            said,
            page_faults(whole.format(part)),
        )
    assert page_faults("<p>片段</p>") == []
    assert any("lang" in fault for fault in page_faults("<html><title>页</title><h1>题</h1></html>"))
    assert page_faults(whole.format(f"<p>{_number()}</p>"), "register.reveal") == []


def _number() -> str:
    from tests.builders import an_id_number

    return an_id_number(serial=7)


def test_the_password_of_an_account_is_never_shown(world: World) -> None:
    """Hashes stay in the database: no page of an administrator carries one."""
    hashed = hash_password("Quiet-River-2048")
    with world.app.app_context():
        account = db.session.get_one(Account, world.home.people["head"].id)
        kept, account.password_hash = account.password_hash, hashed
        db.session.commit()
        try:
            page = world.client("administrator_state").get(f"/admin/accounts/{account.id}").text
        finally:
            account.password_hash = kept
            db.session.commit()
    assert hashed not in page and "argon2" not in page
