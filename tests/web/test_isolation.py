"""Another school's, county's or state's person gets nothing: not a page, not a file, not a word, not a changed row.

The matrix is every route of app.url_map x its methods x every role x {own, another school of the same county, another
county of the same state, another state, nobody signed in}; tests/web/isolation.py declares it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, true

from portal.accounts import management
from portal.blueprints import cases as cases_desk
from portal.blueprints import evidence as evidence_desk
from portal.blueprints import landings, printouts, register, review
from portal.cases import access, claims, entries, items, queues, roster
from portal.cases.intake import admitted_people, province_unsettled
from portal.cases.intake import scope as intake_scope
from portal.cases.loads import lifecycle
from portal.extensions import db, reading_only
from portal.models import Account, AuditRecord, Case, Item, NameGram, Office, Pupil, RegisterLoad
from portal.oversight import audit_reading
from tests.exports import EVERY_COLUMN, EVERY_HEADING, a_row, as_csv
from tests.web.giveaways import leaks, texts_of
from tests.web.isolation import ROUTES
from tests.web.recorded import difference, rows
from tests.web.walker import (
    Call,
    addresses,
    foreign_calls,
    methods_of,
    named,
    walk,
)
from tests.web.world import PEOPLE, World

FEWEST_PAIRS = 300
TOKEN = re.compile(rb'(name="csrf_token" value=")[^"]*|(csrf-token" content=")[^"]*')


@pytest.mark.pages
def test_every_route_is_declared(app: Flask) -> None:
    """Neither a route without an entry nor an entry without a route."""
    assert {one.endpoint for one in app.url_map.iter_rules()} == set(ROUTES)


@pytest.mark.pages
def test_declared_parts_are_the_parts_of_the_address(app: Flask) -> None:
    for address in app.url_map.iter_rules():
        assert set(ROUTES[address.endpoint].parts) == address.arguments, address.rule


@pytest.mark.pages
def test_public_routes_are_these(app: Flask) -> None:
    """The short list of what opens without signing in, as the code has it and as the matrix declares it."""
    opened = {name for name, view in app.view_functions.items() if getattr(view, "is_public", False)}
    assert opened | {"static"} == {name for name, rule in ROUTES.items() if rule.public}


@pytest.mark.pages
def test_roles_are_as_declared(app: Flask) -> None:
    """Where a view names its roles, they are the ones of the matrix."""
    for endpoint, view in app.view_functions.items():
        allowed = getattr(view, "allowed_roles", None)
        if allowed is not None:
            assert frozenset(allowed) == ROUTES[endpoint].roles, endpoint


def test_nobody_gets_what_is_not_theirs(world: World) -> None:
    """The whole matrix: no leak, no unknown cell, and everybody does get their own."""
    done = walk(world)
    assert not done.faults, "\n".join(done.faults[:80])
    cells = {
        (one.endpoint, method, person)
        for one in addresses(world)
        for method in methods_of(one)
        for person in (*PEOPLE, "nobody")
    }
    missing = {cell for cell in cells - done.cells if not _only_own(cell)}
    assert not missing, sorted(missing)[:20]


def _only_own(cell: tuple[str, str, str]) -> bool:
    """Public pages and writing to one's own have no foreign side to try for those who are allowed."""
    endpoint, _method, person = cell
    rule = ROUTES[endpoint]
    return not named(rule) and (rule.public or person == "nobody" or PEOPLE[person][0] in rule.roles)


def test_not_yours_and_not_there_answer_alike(world: World) -> None:
    """Status, body and headers of somebody else's id and of an id that is nobody's."""
    pairs = 0
    for person in PEOPLE:
        client = world.client(person)
        for address in addresses(world):
            rule = ROUTES[address.endpoint]
            if PEOPLE[person][0] not in rule.roles or not named(rule):
                continue
            for call in foreign_calls(world, address, person):
                if call.method not in methods_of(address):
                    continue
                theirs, nowhere = call.open(client), _elsewhere(call).open(client)
                assert theirs.status_code == nowhere.status_code, str(call)
                assert _bare(theirs.data) == _bare(nowhere.data), str(call)
                assert sorted(theirs.headers.keys()) == sorted(nowhere.headers.keys()), str(call)
                pairs += 1
    assert pairs >= FEWEST_PAIRS


def _elsewhere(call: Call) -> Call:
    """The same request with ids in its address that nothing has."""
    return replace(
        call,
        path=re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", lambda _: str(uuid.uuid4()), call.path),
    )


def _bare(body: bytes) -> bytes:
    return TOKEN.sub(rb"\1\2", body)


def test_an_export_that_names_other_peoples_pupils_tells_nothing_of_them(world: World) -> None:
    """A load is the one place where a person brings numbers along: those of pupils elsewhere are faults of the row."""
    client, theirs = world.client("registrar"), world.neighbours["next_state"]
    pupils = theirs.pupils[:3]
    lines = [
        a_row(one, world.home.school.code)
        | {"student_number": str(pupil.student_number), "id_number": pupil.id_number}
        for one, pupil in enumerate(pupils, start=1)
    ]
    before = rows()
    sheet = as_csv(lines, EVERY_COLUMN, EVERY_HEADING)
    answer = client.post("/register/loads", data={"file": (_stream(sheet), "名单.csv")})
    assert answer.status_code == 303
    page = answer.headers["Location"]
    columns = {f"column-{place}": key for place, key in enumerate(EVERY_COLUMN)}
    assert client.post(page, data=columns).status_code == 303
    _settle()
    shown = page.removesuffix("/columns")
    sent = frozenset(text for line in lines for text in line.values() if text)
    for address in (shown, f"{shown}?kind=faulty", f"{shown}?kind=changed", f"{shown}/faults.xlsx"):
        assert leaks(texts_of(client.get(address)), [theirs], sent) == [], address
    client.post(f"{shown}/apply", data={"without_faulty": "1"})
    _settle()
    changed = [one for one in difference(before, rows()) if one.table == "pupils"]
    assert not changed, [(one.table, one.columns) for one in changed]
    assert client.post(f"{shown}/discard").status_code in (303, 409)


def _stream(data: bytes) -> Any:
    import io

    return io.BytesIO(data)


def _settle() -> None:
    from portal import tasks

    db.session.rollback()
    tasks.wait()


# --- the matrix can fail --------------------------------------------------------------------------------------------

Patch = Callable[[pytest.MonkeyPatch, Flask], None]


def _any_case(_actor: Any, case_id: uuid.UUID) -> Case | None:
    return db.session.get(Case, case_id)


def _any_pupil(_actor: Any, pupil_id: uuid.UUID) -> Pupil | None:
    return db.session.get(Pupil, pupil_id)


def _view(endpoint: str, change: Callable[[Any], Any]) -> Patch:
    return lambda patch, app: patch.setitem(
        app.view_functions, endpoint, change(app.view_functions[endpoint])
    )


def _set(room: Any, name: str, value: Any) -> Patch:
    return lambda patch, _app: patch.setattr(room, name, value)


def _open_box(patch: pytest.MonkeyPatch, _app: Flask) -> None:
    patch.setitem(queues.BOXES, "all", replace(queues.BOXES["all"], condition=lambda _actor: true()))


def _open_search(patch: pytest.MonkeyPatch, _app: Flask) -> None:
    """The index of names narrows by county and school before any pupil is looked at."""
    patch.setattr(roster, "pupils_visible_to", lambda _actor: true())
    patch.setattr(roster, "_among", lambda _actor, _narrowed: None)
    everywhere = select(NameGram.county_id).distinct()
    patch.setattr(roster, "_counties", lambda _actor: list(db.session.scalars(everywhere)))


def _public(view: Any) -> Any:
    def opened(**parts: Any) -> Any:
        case = db.session.get(Case, parts["case_id"])
        return case.pupil.name if case and case.pupil else ""

    opened.is_public = True  # type: ignore[attr-defined]
    return opened


def _drafts_too(actor: Any) -> Any:
    return Case.owner_office_id.in_(access.offices_under(actor.office_path))


def _told_in_a_header(patch: pytest.MonkeyPatch, app: Flask) -> None:
    def tell(response: Any) -> Any:
        newest = db.session.scalars(select(Pupil.name).order_by(Pupil.student_number.desc())).first()
        response.headers["X-Newest"] = (newest or "").encode("utf-8").decode("latin-1")
        return response

    functions = list(app.after_request_funcs.get(None, []))
    patch.setitem(app.after_request_funcs, None, [*functions, tell])


def _counting(view: Any) -> Any:
    """A page that quietly writes to a row of somebody else."""

    def counted(**parts: Any) -> Any:
        file = db.session.get(evidence_desk.EvidenceFile, parts["file_id"])
        if file:
            file.notice += "。"
            db.session.commit()
        return view(**parts)

    return counted


def _to_everybody(view: Any) -> Any:
    return view.__wrapped__


def _claims_anything(patch: pytest.MonkeyPatch, _app: Flask) -> None:
    patch.setattr(review, "find_case", _any_case)
    patch.setattr(claims, "waiting_for", lambda _actor: true())


MUTANTS: dict[str, tuple[Patch, tuple[str, ...]]] = {
    "visible_to lets everything through": (
        _set(access, "visible_to", lambda _actor: true()),
        ("review.desk",),
    ),
    "a prefix that ends too early": (
        _set(access, "offices_under", lambda _path: select(Office.id)),
        ("review.desk", "cases.show"),
    ),
    "drafts are seen from above": (_set(access, "visible_to", _drafts_too), ("review.desk",)),
    "pupils_visible_to lets everything through": (
        _set(access, "pupils_visible_to", lambda _actor: true()),
        ("register.pupil",),
    ),
    "a school's pages ignore the actor": (_set(cases_desk, "find_case", _any_case), ("cases.show",)),
    "starting ignores the actor": (_set(cases_desk, "find_pupil", _any_pupil), ("cases.choose",)),
    "the pupil's page ignores the actor": (_set(register, "find_pupil", _any_pupil), ("register.pupil",)),
    "the desk ignores the actor": (_set(review, "find_case", _any_case), ("review.desk", "review.status")),
    "pictures ignore the actor": (
        _set(evidence_desk, "find_case", _any_case),
        ("evidence.view", "evidence.thumb"),
    ),
    "originals ignore the actor": (_set(evidence_desk, "find_case", _any_case), ("evidence.original",)),
    "printing ignores the actor": (_set(printouts, "find_case", _any_case), ("printouts.docx",)),
    "a batch ignores the actor": (_set(printouts, "find_case", _any_case), ("printouts.batch",)),
    "the pack ignores the actor": (_set(landings, "find_case", _any_case), ("landings.entry_pack",)),
    "a box without its condition": (_open_box, ("queues.box",)),
    "a list of entries without its condition": (
        _set(entries, "visible_to", lambda _actor: true()),
        ("landings.index",),
    ),
    "a search without its condition": (
        _open_search,
        ("register.look_up", "register.results", "register.class_list"),
    ),
    "schools of everybody in the search": (
        _set(roster, "offices_under", lambda _path: select(Office.id)),
        ("register.search",),
    ),
    "loads of every office": (_set(lifecycle, "_own", lambda _actor: select(RegisterLoad)), ("loads.index",)),
    "items of every office": (_set(items, "_of", lambda _actor: select(Item)), ("proposals.index",)),
    "an item of any office": (
        _set(items, "find", lambda _actor, item_id: db.session.get(Item, item_id)),
        ("proposals.show",),
    ),
    "a load of any office": (
        _set(lifecycle, "find_load", lambda _actor, load_id: db.session.get(RegisterLoad, load_id)),
        ("loads.show", "loads.faults"),
    ),
    "an intake of every school": (
        _set(intake_scope, "offices_under", lambda _path: select(Office.id)),
        ("intake.ledger", "not_reported.page"),
    ),
    "a list of the admitted of every school": (
        _set(admitted_people, "offices_under", lambda _path: select(Office.id)),
        ("admitted_people.page", "admitted_people.workbook"),
    ),
    "rosters of everybody beside the province's return": (
        _set(province_unsettled, "visible_to", lambda _actor: true()),
        ("province.page", "province.unsettled"),
    ),
    "offices of everybody": (_set(management, "office_in_reach", lambda _actor: true()), ("admin.office",)),
    "accounts of everybody": (
        _set(management, "account_in_reach", lambda _actor: true()),
        ("account_admin.index",),
    ),
    "an account of anybody": (
        _set(management, "find_account", lambda _actor, account_id: db.session.get(Account, account_id)),
        ("account_admin.show",),
    ),
    "the whole audit trail": (
        _set(audit_reading, "readable_by", lambda _actor: true()),
        ("audit_trail.index",),
    ),
    "roles() lets everybody in": (_view("admin.offices", _to_everybody), ("admin.offices",)),
    "a page that needs no login": (_view("cases.show", _public), ("cases.show",)),
    "a header that tells": (_told_in_a_header, ("health.healthz", "queues.home")),
    "a page that writes to others' rows": (_view("evidence.thumb", _counting), ("evidence.thumb",)),
    "claims of anybody's case": (_claims_anything, ("review.claim",)),
}


@pytest.fixture
def mutated(world: World) -> Iterator[World]:
    yield world
    db.session.rollback()


@pytest.mark.pages
@pytest.mark.parametrize("name", MUTANTS)
def test_the_walk_reports(mutated: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With one check taken away, the walk over the routes that it guards finds a leak."""
    mutate, endpoints = MUTANTS[name]
    with monkeypatch.context() as patch:
        mutate(patch, mutated.app)
        found = walk(mutated, endpoints)
    assert found.faults, name


@pytest.mark.pages
def test_an_undeclared_route_is_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ROUTES, "review.desk")
    assert any("not declared" in fault for fault in walk(world, ["review.desk"]).faults)


def test_denials_are_recorded(world: World) -> None:
    """Who tried somebody else's case stands in the audit trail."""
    client = world.client("registrar")
    before = _denials()
    client.get(f"/cases/{world.neighbours['next_state'].cases['county_review'].id}")
    assert _denials() == before + 1


def _denials() -> int:
    query = select(func.count()).where(
        AuditRecord.action == "access.denied", AuditRecord.actor_id.is_not(None)
    )
    with reading_only():
        found = db.session.execute(query).scalar_one()
        db.session.rollback()
    return found
