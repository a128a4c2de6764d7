"""A form writes the columns that it is for. Every column of every model is posted along with every form, under its own
name and with a value that would do harm; only what the table below declares may change."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal import tasks
from portal.accounts import one_time_codes
from portal.accounts.passwords import hash_password
from portal.cases.actions import stamp
from portal.extensions import db
from portal.models import Account, Case, Office
from tests import papers
from tests.builders import PASSWORD, a_pupil, an_account, an_id_number
from tests.exports import EVERY_COLUMN, EVERY_HEADING, a_row, as_csv
from tests.web.world import PEOPLE, Estate, World, difference, rows

PROBE = "探针"
SERIAL = itertools.count(9001)  # of pupils in sheets, so that no two loads bring the same ones
HARMFUL = {
    "status": "approved",
    "role": "administrator",
    "level": "state",
    "verdict": "pass",
    "kind": "off",
    "stages": "小学",
    "policy": "ha-2022",
    "workflow": "key_information_change",
    "login": "administrator-of-all",
}
BY_TYPE: tuple[tuple[type[Any], str], ...] = (
    (sa.Boolean, "1"),
    (sa.Integer, "77"),
    (sa.DateTime, "1999-09-09T00:00:00+00:00"),
    (sa.Date, "1999-09-09"),
    (sa.JSON, f'{{"x": "{PROBE}"}}'),
)

MOVED = {"status", "step", "version", "changed_at", "holder_office_id", "due_on", "clock_from", "clock_used"}
CLAIM = {"claimed_by_id", "claimed_at"}
HELD = {"evidence_files": {"lock_mode"}}  # the task that has the store hold the papers


@dataclass(frozen=True)
class Form:
    """What a form is for: `changes` are {table: columns} of rows that stand already, `adds` tables that get a row, and
    `removes` those that lose one. `fill` makes the address and what a person would post, from the world."""

    person: str
    fill: Callable[[World, FlaskClient], tuple[str, dict[str, Any]]]
    changes: Mapping[str, set[str]] = field(default_factory=dict)
    adds: frozenset[str] = frozenset()
    removes: frozenset[str] = frozenset()
    nothing: bool = False  # it changes no row but bookkeeping


def _to(path: str, **fields: Any) -> Callable[[World, FlaskClient], tuple[str, dict[str, Any]]]:
    """A form with fixed fields. In the path {draft} is the case that stands there, {file:draft} its first file; a field
    "@draft" is the stamp of the case."""

    def fill(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
        ids = {place: str(case.id) for place, case in world.home.cases.items()}
        ids |= {f"file_{place}": str(files[0].id) for place, files in world.home.files.items() if files}
        ids |= _people(world.home)
        values = {
            key: _stamp(world, value[1:]) if isinstance(value, str) and value.startswith("@") else value
            for key, value in fields.items()
        }
        return path.format(**ids), values

    return fill


def _people(home: Estate) -> dict[str, str]:
    return {f"account_{person}": str(home.people[person].id) for person in PEOPLE} | {
        "school": str(home.school.id),
        "county": str(home.county.id),
        "pupil": str(home.pupils[-2].id),
    }


def _stamp(world: World, place: str) -> str:
    case = db.session.get_one(Case, world.home.cases[place].id, populate_existing=True)
    text = stamp(case)
    db.session.rollback()
    return text


def _start(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    pupil = a_pupil(db.session.get_one(Office, world.home.school.id))
    db.session.commit()
    return "/cases/start", {"pupil": str(pupil.id), "workflow": "key_information_change"}


def _upload(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    picture = papers.as_jpeg(
        papers.police_certificate("马晓明", an_id_number(), "姓名 马小明", "姓名 马晓明", 9)
    )
    case = world.home.cases["returned"]
    return f"/cases/{case.id}/evidence/household_book", {"files": (io.BytesIO(picture), "证明.jpg")}


def _sheet(world: World) -> bytes:
    lines = [a_row(next(SERIAL), world.home.school.code) for _ in range(2)]
    return as_csv(lines, EVERY_COLUMN, EVERY_HEADING)


def _load(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    return "/register/loads", {"file": (io.BytesIO(_sheet(world)), "名单.csv")}


def _load_at(stage: str) -> Callable[[World, FlaskClient], tuple[str, dict[str, Any]]]:
    """A load of one's own that has come to the point at which the form for `stage` stands."""

    def fill(world: World, client: FlaskClient) -> tuple[str, dict[str, Any]]:
        path, form = _load(world, client)
        columns = client.post(path, data=form).headers["Location"]
        here = columns.removesuffix("/columns")
        chosen = {f"column-{place}": key for place, key in enumerate(EVERY_COLUMN)} | {"complete": ""}
        if stage == "check":
            return columns, chosen
        if stage == "discard":
            return f"{here}/discard", {}
        for step, sent in (("columns", chosen), ("apply", {"without_faulty": "1"})):
            if step == "apply" and stage == "apply":
                break
            assert client.post(f"{here}/{step}", data=sent).status_code == 303
            tasks.wait()
        return f"{here}/{stage}", {"without_faulty": "1"} if stage == "apply" else {}

    return fill


def _own_password(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    _set_password(world, "auditor_county")
    return "/password", {"old": PASSWORD, "new": "Still-Lake-4096", "again": "Still-Lake-4096"}


def _at_the_door(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    _set_password(world, "auditor_state")
    return "/sign-in", {"login": world.home.people["auditor_state"].login, "password": PASSWORD, "next": ""}


def _set_password(world: World, person: str) -> None:
    account = db.session.get_one(Account, world.home.people[person].id)
    account.password_hash = hash_password(PASSWORD)
    db.session.commit()


def _first(_world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    code = one_time_codes.issue(one_time_codes.FIRST_ADMINISTRATOR)
    db.session.commit()
    person = {"login": "first-of-all", "name": "马首", "new": "Calm-Hill-4096", "again": "Calm-Hill-4096"}
    return "/first-administrator", {"code": code} | person


def _closed_account(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    account = an_account("registrar", db.session.get_one(Office, world.home.school.id), active=False)  # type: ignore[arg-type]
    db.session.commit()
    return f"/admin/accounts/{account.id}/open", {}


ADMIN = "administrator_state"
DECIDED = MOVED | {"ended_at"} | CLAIM
SUBMITTED = MOVED | {"round", "submitted_at", "submitted_by_id", "doubtful", "clock_limit"}
DAY = {"day": "2031-05-05", "kind": "off", "name": "试", "notice": "试"}
ADDED_OFFICE = {"name": "新学校", "level": "school", "code": "2162999901", "stages": "高中", "policy": ""}
NEWCOMER = {"name": "新人", "login": "newcomer", "role": "registrar", "phone": ""}
PUPIL = {"name", "name_key", "initials", "version"}

FORMS: dict[str, Form] = {
    "auth.try_sign_in": Form("auditor_state", _at_the_door, {"accounts": {"last_sign_in_at"}}),
    "auth.change_password": Form(
        "auditor_county",
        _own_password,
        {"accounts": {"password_hash", "must_change_password", "last_sign_in_at"}},
    ),
    "auth.sign_out": Form("head", _to("/sign-out"), nothing=True),
    "auth.first_administrator": Form(
        "head", _first, {"one_time_codes": {"used_at"}}, frozenset({"accounts", "holidays"})
    ),
    # offices and accounts
    "admin.add_office": Form(
        ADMIN, _to("/admin/offices/{county}/add", **ADDED_OFFICE), adds=frozenset({"offices"})
    ),
    "admin.edit_office": Form(
        ADMIN,
        _to("/admin/offices/{school}/edit", name="改名中学", policy="", stages="初中"),
        {"offices": {"name", "policy", "stages"}},
    ),
    "admin.close_office": Form(ADMIN, _to("/admin/offices/{school}/close"), {"offices": {"active"}}),
    "admin.open_office": Form(ADMIN, _to("/admin/offices/{school}/open"), {"offices": {"active"}}),
    "account_admin.add": Form(
        ADMIN, _to("/admin/offices/{school}/accounts/add", **NEWCOMER), adds=frozenset({"accounts"})
    ),
    "account_admin.edit": Form(
        ADMIN,
        _to("/admin/accounts/{account_head}/edit", name="改名", phone=""),
        {"accounts": {"name", "phone"}},
    ),
    "account_admin.end_sessions": Form(
        ADMIN, _to("/admin/accounts/{account_head}/end-sessions"), nothing=True
    ),
    "account_admin.unlock": Form(ADMIN, _to("/admin/accounts/{account_head}/unlock"), nothing=True),
    "account_admin.reset_password": Form(
        ADMIN,
        _to("/admin/accounts/{account_head}/reset-password"),
        {"accounts": {"password_hash", "must_change_password"}},
    ),
    "account_admin.close": Form(ADMIN, _to("/admin/accounts/{account_head}/close"), {"accounts": {"active"}}),
    "account_admin.reopen": Form(ADMIN, _closed_account, {"accounts": {"active"}}),
    # settings and records
    "holidays.add": Form(
        ADMIN,
        _to("/admin/holidays/add", **DAY),
        {"cases": {"due_on"}},
        adds=frozenset({"holidays"}),
    ),
    "holidays.remove": Form(
        ADMIN,
        _to("/admin/holidays/remove", day="2031-05-05"),
        {"cases": {"due_on"}},
        removes=frozenset({"holidays"}),
    ),
    "holidays.upload": Form(
        ADMIN,
        lambda _world, _client: (
            "/admin/holidays/upload",
            {
                "table": (
                    io.BytesIO("date,name,kind,official_notice\n2027-01-01,元旦,off,试\n".encode()),
                    "放假.csv",
                )
            },
        ),
        {"cases": {"due_on"}},
        adds=frozenset({"holidays"}),
    ),
    "audit_trail.verify": Form("auditor_state", _to("/audit/verify"), nothing=True),
    "audit_trail.export": Form(
        "auditor_state",
        _to("/audit/export", first="2026-01-01", last="2026-12-31", purpose="routine"),
        nothing=True,
    ),
    # the register
    "register.look_up": Form(
        "registrar",
        _to("/register", q="马", school=""),
        {"preferences": {"value"}},
        adds=frozenset({"preferences"}),
    ),
    "register.reveal": Form("registrar", _to("/register/pupils/{pupil}/reveal"), nothing=True),
    "loads.upload": Form("registrar", _load, adds=frozenset({"register_loads"})),
    "loads.check": Form(
        "registrar",
        _load_at("check"),
        {
            "register_loads": {
                "status",
                "mapping",
                "worker_seen_at",
                "worker",
                "done_rows",
                "total_rows",
                "counts",
            },
            "preferences": {"value"},
        },
        adds=frozenset({"preferences", "register_load_rows"}),
    ),
    "loads.apply": Form(
        "registrar",
        _load_at("apply"),
        {"register_loads": {"status", "applied_at", "counts"}, "register_load_rows": {"pupil_version"}},
        adds=frozenset({"pupils"}),
    ),
    "loads.undo": Form(
        "registrar",
        _load_at("undo"),
        {"register_loads": {"status", "undone_at"}},
        removes=frozenset({"pupils"}),
    ),
    "loads.discard": Form("registrar", _load_at("discard"), {"register_loads": {"status"}}),
    # the school's desk
    "cases.start": Form(
        "registrar", _start, {"number_series": {"last"}}, frozenset({"cases", "case_events", "number_series"})
    ),
    "cases.fill": Form(
        "registrar",
        _to(
            "/cases/{draft}/fill/what",
            version="@draft",
            fields="name",
            cause="household_corrected",
            explanation="户口簿写错",
        ),
        {"cases": {"answers", "version", "changed_at"}},
    ),
    "cases.autosave": Form(
        "registrar",
        _to("/cases/{draft}/autosave/values", version="@draft", new_name="马明"),
        {"cases": {"answers", "version", "changed_at"}},
    ),
    "evidence.upload": Form(
        "registrar", _upload, {"cases": {"changed_at"}}, frozenset({"evidence_files", "evidence_pages"})
    ),
    "evidence.override": Form(
        "registrar",
        _to("/evidence/{file_returned}/override", reason="只能拍成这样了"),
        {"evidence_files": {"override_reason"}, "cases": {"changed_at"}},
    ),
    "evidence.remove": Form(
        "registrar",
        _to("/evidence/{file_returned}/remove"),
        {"evidence_files": {"removed_at", "removed_round"}, "cases": {"changed_at"}},
    ),
    "cases.submit": Form(
        "registrar",
        _to("/cases/{ready}/submit", version="@ready"),
        {"cases": SUBMITTED, **HELD},
        frozenset({"case_events"}),
    ),
    "cases.withdraw": Form(
        "registrar",
        _to("/cases/{returned_twice}/withdraw", version="@returned_twice", note="填错了"),
        {"cases": DECIDED, **HELD},
        frozenset({"case_events"}),
    ),
    # the boxes and the reviewer's desk
    "queues.find_name": Form(
        "reviewer", _to("/queue/all/name", name="马"), {"preferences": {"value"}}, frozenset({"preferences"})
    ),
    "review.reveal": Form("reviewer", _to("/cases/{county_review}/desk/numbers", note=""), nothing=True),
    "review.more_reasons": Form(
        "reviewer", _to("/cases/{county_review}/desk/reasons", note=""), nothing=True
    ),
    "review.release": Form(
        "reviewer", _to("/cases/{county_review}/release", seen="@county_review"), {"cases": CLAIM}
    ),
    "review.claim": Form(
        "reviewer", _to("/cases/{county_review}/claim", seen="@county_review"), {"cases": CLAIM}
    ),
    "review.take_over": Form(
        "reviewer", _to("/cases/{county_review}/take-over", seen="@county_review"), {"cases": CLAIM}
    ),
    "review.decide": Form(
        "approver",
        _to("/cases/{state_approval}/decide", seen="@state_approval", verb="approve", note="同意", to=""),
        {"cases": DECIDED, "pupils": PUPIL, **HELD},
        frozenset({"case_events", "decisions", "register_changes", "national_entries"}),
    ),
    # paper, and the way into the national system
    "printouts.batch": Form(
        "reviewer",
        lambda world, _client: ("/printouts/batch", {"case": str(world.home.cases["approved"].id)}),
        nothing=True,
    ),
    "landings.entered": Form(
        "registrar",
        _to("/cases/{approved}/entered", receipt="GW20260001", seen=""),
        {"national_entries": {"receipt", "entered_at", "entered_by_id"}},
    ),
}


def columns() -> dict[str, sa.Column[Any]]:
    """Every column name of every model."""
    return {column.name: column for table in db.metadata.tables.values() for column in table.columns}


def probes(world: World) -> dict[str, str]:
    """A harmful value for each of them: somebody else's id, a decided status, a mark that nobody would write."""
    theirs = world.neighbours["next_state"]
    ids = {
        "pupil_id": theirs.pupils[0].id,
        "case_id": theirs.cases["county_review"].id,
        "school_id": theirs.school.id,
        "parent_id": theirs.county.id,
    }
    found = {}
    for name, column in columns().items():
        if isinstance(column.type, sa.Uuid):
            found[name] = str(ids.get(name, theirs.people["approver"].id))
        else:
            kind = next((value for known, value in BY_TYPE if isinstance(column.type, known)), "")
            found[name] = HARMFUL.get(name) or kind or f"{PROBE}{name}"
    return found


def test_every_form_is_declared(app: Flask) -> None:
    posts = {one.endpoint for one in app.url_map.iter_rules() if "POST" in (one.methods or set())}
    assert posts == set(FORMS)


@pytest.mark.parametrize("endpoint", FORMS)
def test_a_form_writes_only_what_it_is_for(world: World, endpoint: str) -> None:
    form = FORMS[endpoint]
    client = world.client(form.person)
    path, values = form.fill(world, client)
    if endpoint in ("auth.try_sign_in", "auth.first_administrator"):
        client = world.client(None)
    if endpoint == "review.take_over":
        client.post(path.replace("take-over", "claim"), data=values)
    tasks.wait()
    before = rows()
    answer = client.post(path, data=_all_fields(probes(world), values))
    tasks.wait()
    assert answer.status_code in (200, 201, 204, 303), f"{endpoint} was not taken: {answer.status_code}"
    _judge(world, form, before)


def _all_fields(harmful: dict[str, str], values: dict[str, Any]) -> dict[str, Any]:
    """The form with every column beside its own fields, which keep what a person would type."""
    return {**harmful, **values}


def _judge(world: World, form: Form, before: Any) -> None:
    theirs = {one.hex for one in (world.neighbours["next_state"].people["approver"].id,)}
    theirs |= world.neighbours["next_state"].canaries.ids
    found = difference(before, rows())
    for one in found:
        now = " ".join(str(getattr(value, "hex", value)) for value in one.now.values())
        assert PROBE not in now, one
        if not one.was:
            assert one.table in form.adds, f"added to {one.table}: {one.now}"
            assert not [value for value in theirs if value in now], one
        elif not one.now:
            assert one.table in form.removes, f"removed from {one.table}: {one.was}"
        else:
            allowed = form.changes.get(one.table, set())
            assert one.columns <= allowed, f"{one.table}: {sorted(one.columns - allowed)}"
            assert not [value for value in theirs if value in one.text], one
    if form.nothing:
        assert not found
    elif form.changes or form.adds:
        assert found or "preferences" in form.changes, "the form did nothing"


def test_the_judge_can_find_fault(world: World) -> None:
    """A form that took a column by its name, as forms do that copy what is posted, is found out."""
    form = Form("registrar", _to("/"), {"accounts": {"name"}})
    for column, value in (("role", "administrator"), ("name", f"{PROBE}name")):
        before = rows()
        account = db.session.get_one(Account, world.home.people["head"].id)
        kept = getattr(account, column)
        setattr(account, column, value)
        db.session.commit()
        with pytest.raises(AssertionError):
            _judge(world, form, before)
        setattr(account, column, kept)
        db.session.commit()


def test_a_pages_read_only_values_cannot_be_posted(world: World) -> None:
    """What an answer page does not ask is not kept, whatever it is called."""
    client, case = world.client("registrar"), world.home.cases["draft"]
    fields = {"version": _stamp(world, "draft"), "fields": "name", "cause": "household_corrected"}
    answer: TestResponse = client.post(
        f"/cases/{case.id}/fill/what",
        data=fields
        | {"explanation": "户口簿写错", "id_number": PROBE, "student_number": PROBE, "new_sex": "2"},
    )
    assert answer.status_code == 303
    kept = db.session.get_one(Case, case.id, populate_existing=True).answers
    db.session.rollback()
    assert set(kept) <= {"fields", "cause", "explanation", "new_name"}
