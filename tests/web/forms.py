"""What each form of the portal is for: how it is filled, and the rows and columns that it may write."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import openpyxl
from flask.testing import FlaskClient
from sqlalchemy import select

from portal import keeping, tasks
from portal.accounts import known_browsers, one_time_codes
from portal.accounts.passwords import hash_password
from portal.cases import captures, unsent
from portal.cases.actions import stamp
from portal.cases.unsent import Place, Sheet
from portal.extensions import db
from portal.models import Account, Case, Item, Office, PhoneCapture, Pupil, RegisterLoadRow, StampedPage
from portal.oversight import holiday_table, holidays
from portal.standards.columns import BY_KEY
from portal.standards.statutory_days import statutory_days
from tests import papers, scans
from tests.builders import PASSWORD, a_pupil, an_account, an_id_number
from tests.cases.test_loads import as_exported
from tests.exports import EVERY_COLUMN, EVERY_HEADING, a_row, as_csv
from tests.stamped import order_of
from tests.web import intake_forms, roster_forms
from tests.web.world import PEOPLE, Estate, World

SERIAL = itertools.count(9001)  # of pupils in sheets, so that no two loads bring the same ones
MOVED = {"status", "step", "version", "changed_at", "holder_office_id", "due_on", "clock_from", "clock_used"}
CLAIM = {"claimed_by_id", "claimed_at"}
DELETED = {"status", "expires_at"}  # of a file's row
PAPERS = frozenset({"evidence_files", "evidence_pages", "stored_files"})  # one came in
HELD = {"stored_files": {"lock_mode", "retain_until"}}  # the task that has the store hold the papers


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


def to(path: str, **fields: Any) -> Callable[[World, FlaskClient], tuple[str, dict[str, Any]]]:
    """A form with fixed fields. In the path {draft} is the case that stands there, {file:draft} its first file; a field
    "@draft" is the stamp of the case."""

    def fill(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
        ids = {place: str(case.id) for place, case in world.home.cases.items()}
        ids |= {f"file_{place}": str(files[0].id) for place, files in world.home.files.items() if files}
        ids |= _people(world.home) | {"tray": str(world.home.sheets["school:tray"].id)}
        values = {
            key: stamp_of(world, value[1:]) if isinstance(value, str) and value.startswith("@") else value
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


def stamp_of(world: World, place: str) -> str:
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


def _photograph(world: World, client: FlaskClient) -> tuple[str, dict[str, Any]]:
    path, form = _upload(world, client)
    return path.replace("/evidence/", "/capture/"), form


def _handed_over(world: World, client: FlaskClient) -> tuple[str, dict[str, Any]]:
    here = f"/cases/{world.home.cases['ready'].id}/phone/change_certificate"
    assert client.post(here).status_code == 303
    return f"{here}/end", {}


def _scan(world: World, client: FlaskClient) -> tuple[str, dict[str, Any]]:
    _handed_over(world, client)
    capture = db.session.scalars(select(PhoneCapture).order_by(PhoneCapture.created_at.desc())).first()
    assert capture is not None
    ticket = captures.ticket_of(capture, world.app.extensions["settings"].secret_key)
    db.session.rollback()
    return f"/p/{ticket}", {}


def _from_phone(world: World, client: FlaskClient) -> tuple[str, dict[str, Any]]:
    taken = client.post(_scan(world, client)[0])
    picture = papers.as_jpeg(papers.household_page("马晓明", an_id_number(), 4))
    return taken.headers["Location"], {"files": (io.BytesIO(picture), "拍照.jpg")}


def _scanned(_world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    return "/stamped", {"file": (io.BytesIO(scans.scanned(scans.sheet())), "盖章表.jpg")}


def _placed(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    page, case = world.home.sheets["school:tray"], world.home.cases["approved"]
    return f"/stamped/pages/{page.id}/place", {"number": case.number, "printout": "approval-form"}


def _offered(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    """A page of the tray that waits to be put into the case that its code names."""
    page = world.home.sheets["school:tray"]
    case = db.session.get_one(Case, world.home.cases["approved"].id)
    order, code = order_of(case, "approval-form", world.app.extensions["settings"].secret_key)
    waiting = db.session.get_one(StampedPage, page.id)
    waiting.case_id, waiting.printout, waiting.version, waiting.code = (
        case.id,
        order.printout.id,
        order.version,
        code,
    )
    waiting.outcome, waiting.doubts = "tray", {"seal": "page"}  # the forms before this one may have placed it
    db.session.commit()
    return f"/stamped/pages/{page.id}/accept", {}


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


def _renumbered(world: World, client: FlaskClient) -> tuple[str, dict[str, Any]]:
    """A load in which a pupil of the school has got a G number; the form that says so of all who agree."""
    pupil = next(one for one in world.home.pupils if (one.student_number or "")[:1] == "L" and one.id_number)
    line = a_row(next(SERIAL), world.home.school.code) | {
        "student_number": f"G{pupil.id_number}",
        "name": pupil.name,
        "birth_date": str(pupil.birth_date),
        "id_number": pupil.id_number,
    }
    sent = {"file": (io.BytesIO(as_csv([line], EVERY_COLUMN, EVERY_HEADING)), "名单.csv")}
    columns = client.post("/register/loads", data=sent).headers["Location"]
    chosen = {f"column-{place}": key for place, key in enumerate(EVERY_COLUMN)} | {"complete": ""}
    assert client.post(columns, data=chosen).status_code == 303
    tasks.wait()
    return columns.replace("/columns", "/renumber"), {"pupil": "all"}


def _another_sheet(world: World, client: FlaskClient) -> tuple[str, dict[str, Any]]:
    """A workbook with two lists, of which the second is asked for."""
    book = openpyxl.Workbook()
    for name, key in (("第一张", "name"), ("第二张", "sex")):
        sheet = book.create_sheet(name)
        sheet.append([BY_KEY["student_number"].title, BY_KEY[key].title])
        sheet.append(["G622999201005060011", "1"])
    del book["Sheet"]
    data = io.BytesIO()
    book.save(data)
    sent = {"file": (io.BytesIO(data.getvalue()), "名单.xlsx")}
    columns = client.post("/register/loads", data=sent).headers["Location"]
    return columns.replace("/columns", "/sheet"), {"sheet": "第二张"}


def _emptied(world: World, client: FlaskClient) -> tuple[str, dict[str, Any]]:
    """A load in which the number of one of the school's pupils is empty, confirmed by its row."""
    pupil = next(one for one in world.home.pupils if one.id_number and len(one.student_number or "") == 19)
    pupil = db.session.get_one(Pupil, pupil.id, populate_existing=True)
    data = as_csv([as_exported(pupil, id_number="")], EVERY_COLUMN, EVERY_HEADING)
    db.session.rollback()
    sent = {"file": (io.BytesIO(data), "名单.csv")}
    columns = client.post("/register/loads", data=sent).headers["Location"]
    chosen = {f"column-{place}": key for place, key in enumerate(EVERY_COLUMN)} | {"complete": ""}
    assert client.post(columns, data=chosen).status_code == 303
    tasks.wait()
    here = columns.removesuffix("/columns")
    rows = select(RegisterLoadRow.id).where(
        RegisterLoadRow.load_id == UUID(here.split("/")[-1]), RegisterLoadRow.kind == "emptied"
    )
    row = db.session.scalars(rows).one()
    db.session.rollback()
    return f"{here}/emptied", {"row": str(row)}


def _answered(verb: str) -> Callable[[World, FlaskClient], tuple[str, dict[str, Any]]]:
    """The county's answer to what a load of the school proposes."""

    def fill(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
        school = world.client("registrar")
        path, sent = _load_at("apply")(world, school)
        assert school.post(path, data=sent).status_code == 303
        tasks.wait()
        query = select(Item).where(Item.source_id == UUID(path.split("/")[-2]))
        item = db.session.scalars(query).one()
        asked = f"/register/proposals/{item.id}/{verb}", {"version": str(item.version), "reason": "没有手续"}
        db.session.rollback()
        return asked

    return fill


def _own_password(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    _set_password(world, "auditor_county")
    return "/password", {"old": PASSWORD, "new": "Still-Lake-4096", "again": "Still-Lake-4096"}


def _at_the_door(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    _set_password(world, "auditor_state")
    return "/sign-in", {"login": world.home.people["auditor_state"].login, "password": PASSWORD, "next": ""}


def _browser(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    account = db.session.get_one(Account, world.home.people["head"].id)
    token = known_browsers.remember(account, None, "test")
    found = known_browsers.find(token, account.login)
    db.session.commit()
    return "/my/browsers/forget", {"browser": str(found.id)}


def _set_password(world: World, person: str) -> None:
    account = db.session.get_one(Account, world.home.people[person].id)
    account.password_hash = hash_password(PASSWORD)
    db.session.commit()


def _first(_world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    code = one_time_codes.issue(one_time_codes.FIRST_ADMINISTRATOR)
    db.session.commit()
    person = {"login": "first-of-all", "name": "马首", "new": "Calm-Hill-4096", "again": "Calm-Hill-4096"}
    return "/first-administrator", {"code": code} | person


def _local_day(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    day, _moved = holidays.add_local(world.home.state, holidays.Row(date(2032, 5, 5), "试", "off"), "试")
    row = str(day.id)
    db.session.commit()
    return "/admin/holidays/remove", {"row": row, "year": "2032"}


def _table(_world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    rows = holiday_table.template_rows((day.isoformat(), name) for day, name in statutory_days(2031).items())
    sheet = io.BytesIO(holiday_table.template(2031, rows))
    return "/admin/holidays/upload", {"year": "2031", "table": (sheet, "放假.xlsx")}


def _notice(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    rows = [holidays.Row(date(2033, 5, 1), "试", "off")]
    holidays.enter_notice(world.home.state, 2033, "试", rows, None)
    db.session.commit()
    return "/admin/holidays/withdraw", {"year": "2033"}


def _closed_account(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
    account = an_account("registrar", db.session.get_one(Office, world.home.school.id), active=False)  # type: ignore[arg-type]
    db.session.commit()
    return f"/admin/accounts/{account.id}/open", {}


def _typed_on(page: str, path: str = "/unsent") -> Callable[[World, FlaskClient], tuple[str, dict[str, Any]]]:
    """A note typed at the desk on one of the pages that are open on it."""

    def fill(world: World, _client: FlaskClient) -> tuple[str, dict[str, Any]]:
        place = Place(unsent.CASE, world.home.cases["county_review"].id, "decide")
        field = keeping.sign(keeping.Form(world.home.people["reviewer"].id, place, Sheet(page, 0, ""), "/"))
        return path, {"kept": field, "note": f"第 {page} 页写的"}

    return fill


def _typed_in_two_windows(world: World, client: FlaskClient) -> tuple[str, dict[str, Any]]:
    for page in ("1", "2"):
        path, typed = _typed_on(page)(world, client)
        assert client.post(path, data=typed).status_code == 200
    path, typed = _typed_on("2", "/unsent/use")(world, client)
    return path, typed | {"other": "1"}


INTAKE_FORMS = {
    "intake.remind": Form("reviewer", intake_forms.reminder, adds=frozenset({"intake_reminders"})),
    "intake_plan.save": Form("approver", intake_forms.plan, adds=frozenset({"intake_plans", "plan_figures"})),
    "intake_plan.load": Form("approver", intake_forms.plan_sheet, nothing=True),
    "admitted.upload": Form(
        "approver",
        intake_forms.admitted,
        {"preferences": {"value"}, "stored_files": DELETED},
        frozenset({"stored_files"}),
    ),
    "admitted.confirm": Form(
        "approver",
        intake_forms.confirmed,
        {"stored_files": DELETED},
        adds=frozenset({"admitted_lists", "admitted"}),
        removes=frozenset({"preferences"}),
    ),
    "admitted.discard": Form(
        "approver", intake_forms.discarded, {"stored_files": DELETED}, removes=frozenset({"preferences"})
    ),
    "admitted.sheet": Form("approver", intake_forms.other_sheet, {"preferences": {"value"}}),
    "admitted_people.look_up": Form(
        "registrar",
        to("/intake/admitted/people", q="马"),
        {"preferences": {"value"}},
        frozenset({"preferences"}),
    ),
    "not_reported.postpone": Form("registrar", intake_forms.postponement, adds=frozenset({"postponements"})),
    "not_reported.withdraw": Form("registrar", intake_forms.withdrawal, removes=frozenset({"postponements"})),
    "province.send": Form("approver", intake_forms.sent, adds=frozenset({"province_filings"})),
    "province.sheet": Form("approver", intake_forms.province_sheet, nothing=True),
    "province.take": Form(
        "approver",
        intake_forms.returned,
        {
            "roster_rows": {"secondary_number"},
            "pupils": {"particulars", "version"},
            "province_filings": {"returned", "returned_on"},
        },
        frozenset({"register_changes", "pupil_numbers"}),
    ),
    "province.correct": Form(
        "approver",
        intake_forms.another_number,
        {
            "roster_rows": {"secondary_number"},
            "pupils": {"particulars", "version"},
            "pupil_numbers": {"until"},
        },
        frozenset({"register_changes", "secondary_number_corrections", "pupil_numbers"}),
        frozenset({"province_return_rows"}),
    ),
    "province.set_aside": Form(
        "approver", intake_forms.set_aside, removes=frozenset({"province_return_rows"})
    ),
}
EDITED = {"version", "changed_at", "claimed_by_id", "claimed_at"}
ROWS = frozenset({"roster_rows"})
STRUCK = {"struck_step", "struck_reason", "struck_by_id", "struck_at"}
ROSTER_FORMS = {  # in the order in which each can be done after the one before
    "rosters.reveal": Form("registrar", roster_forms.to("draft", "numbers"), nothing=True),
    "rosters.load": Form("registrar", roster_forms.load, {"cases": EDITED}, ROWS),
    "rosters.new_row": Form(
        "registrar",
        roster_forms.to("draft", "rows/new", **{"cell-name": "马新", "cell-exam_number": "226288888888"}),
        {"cases": EDITED},
        ROWS,
    ),
    "rosters.admitted": Form(
        "registrar", roster_forms.to("draft", "admitted", all="1"), {"cases": EDITED}, ROWS
    ),
    "rosters.row": Form(
        "registrar",
        roster_forms.to("draft", "rows/@row", **{"cell-name": "马改", "cell-exam_number": "226299999998"}),
        {"cases": EDITED, "roster_rows": {"values", "exam_number", "id_number"} | STRUCK},
    ),
    "rosters.assign": Form(
        "registrar",
        roster_forms.to("draft", "class", row="@row", class_name="9班"),
        {"cases": EDITED, "roster_rows": {"values"}},
    ),
    "rosters.remove": Form(
        "registrar", roster_forms.to("draft", "remove", row="@row"), {"cases": EDITED}, removes=ROWS
    ),
    "rosters.strike": Form(
        "reviewer",
        roster_forms.to("review", "strike", row="@row", note="录取信息待核"),
        {"cases": EDITED, "roster_rows": STRUCK},
        frozenset({"case_events"}),
    ),
    "rosters.put_back": Form(
        "reviewer",
        roster_forms.put_back,
        {"cases": EDITED, "roster_rows": STRUCK},
        frozenset({"case_events"}),
    ),
    "rosters.again": Form(
        "registrar",
        roster_forms.again,
        {"number_series": {"last"}},
        frozenset({"cases", "case_events"}) | ROWS,
    ),
}
ADMIN = "administrator_state"
DECIDED = MOVED | {"ended_at"} | CLAIM
SUBMITTED = MOVED | {"round", "submitted_at", "submitted_by_id", "doubtful", "legibility", "clock_limit"}
DAY = {"day": "2031-05-05", "kind": "off", "name": "试", "document": "试"}
NOTICE = "\n".join(  # of 2031
    [
        "元旦：1月1日放假。",
        "春节：1月22日至25日放假。",
        "清明节：4月5日放假。",
        "劳动节：5月1日至2日放假。",
        "端午节：6月24日放假。",
        "中秋节、国庆节：10月1日至3日放假。",
    ]
)
ADDED_OFFICE = {"name": "新学校", "level": "school", "code": "2162999901", "stages": "高中", "policy": ""}
NEWCOMER = {"name": "新人", "login": "newcomer", "role": "registrar", "phone": ""}
CONDITION = {
    "list": "withdrawal.grounds",
    "scope": "退学",
    "title": "连续旷课满一学期",
    "document": "云州教发〔2026〕1号",
    "clause": "第十二条",
    "text": "",
    "reason": "按本州文件补充",
}
UNSENT_COLUMNS = {"fields", "others", "page", "stamp", "revision", "saved_at"}
UNSENT = frozenset({"unsent_texts"})
PUPIL = {"name", "name_key", "initials", "version"}

FORMS: dict[str, Form] = {
    "auth.try_sign_in": Form("auditor_state", _at_the_door, {"accounts": {"last_sign_in_at"}}),
    "auth.change_password": Form(
        "auditor_county",
        _own_password,
        {"accounts": {"password_hash", "must_change_password", "last_sign_in_at"}},
    ),
    "auth.sign_out": Form("head", to("/sign-out"), nothing=True),
    "auth.forget_browser": Form("head", _browser, nothing=True),
    "auth.first_administrator": Form(
        "head",
        _first,
        {"one_time_codes": {"used_at"}},
        frozenset({"accounts", "calendar_days", "calendar_notices"}),
    ),
    # offices and accounts
    "admin.add_office": Form(
        ADMIN, to("/admin/offices/{county}/add", **ADDED_OFFICE), adds=frozenset({"offices"})
    ),
    "admin.edit_office": Form(
        ADMIN,
        to("/admin/offices/{school}/edit", name="改名中学", policy="", stages="初中"),
        {"offices": {"name", "policy", "stages"}},
    ),
    "admin.close_office": Form(ADMIN, to("/admin/offices/{school}/close"), {"offices": {"active"}}),
    "admin.open_office": Form(ADMIN, to("/admin/offices/{school}/open"), {"offices": {"active"}}),
    "account_admin.add": Form(
        ADMIN, to("/admin/offices/{school}/accounts/add", **NEWCOMER), adds=frozenset({"accounts"})
    ),
    "account_admin.edit": Form(
        ADMIN,
        to("/admin/accounts/{account_head}/edit", name="改名", phone=""),
        {"accounts": {"name", "phone"}},
    ),
    "account_admin.end_sessions": Form(
        ADMIN, to("/admin/accounts/{account_head}/end-sessions"), nothing=True
    ),
    "account_admin.unlock": Form(ADMIN, to("/admin/accounts/{account_head}/unlock"), nothing=True),
    "account_admin.reset_password": Form(
        ADMIN,
        to("/admin/accounts/{account_head}/reset-password"),
        {"accounts": {"password_hash", "must_change_password"}},
    ),
    "account_admin.close": Form(ADMIN, to("/admin/accounts/{account_head}/close"), {"accounts": {"active"}}),
    "account_admin.reopen": Form(ADMIN, _closed_account, {"accounts": {"active"}}),
    # settings and records
    "holidays.add": Form(
        ADMIN,
        to("/admin/holidays/add", **DAY),
        {"cases": {"due_on"}},
        adds=frozenset({"calendar_days"}),
    ),
    "holidays.remove": Form(
        ADMIN,
        _local_day,
        {"cases": {"due_on"}},
        removes=frozenset({"calendar_days"}),
    ),
    "holidays.enter_notice": Form(
        ADMIN,
        to("/admin/holidays/notice", year="2031", document="试", text=NOTICE, confirm="1"),
        {"cases": {"due_on"}},
        adds=frozenset({"calendar_days", "calendar_notices"}),
    ),
    "holidays.withdraw": Form(
        ADMIN,
        _notice,
        {"cases": {"due_on"}, "calendar_notices": {"withdrawn_at", "withdrawn_by_id"}},
        removes=frozenset({"calendar_days"}),
    ),
    "holidays.upload": Form(ADMIN, _table, nothing=True),
    "audit_trail.verify": Form("auditor_state", to("/audit/verify"), nothing=True),
    "audit_trail.export": Form(
        "auditor_state",
        to("/audit/export", first="2026-01-01", last="2026-12-31", purpose="routine"),
        nothing=True,
    ),
    # the register
    "register.look_up": Form(
        "registrar",
        to("/register", q="马", school=""),
        {"preferences": {"value"}},
        adds=frozenset({"preferences"}),
    ),
    "register.reveal": Form("registrar", to("/register/pupils/{pupil}/reveal"), nothing=True),
    "loads.upload": Form("registrar", _load, adds=frozenset({"register_loads", "stored_files"})),
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
                "sheet",
            },
            "preferences": {"value"},
        },
        adds=frozenset({"preferences", "register_load_rows"}),
    ),
    "loads.sheet": Form(
        "registrar", _another_sheet, {"register_loads": {"headings", "sheet", "mapping", "counts"}}
    ),
    "loads.renumber": Form(
        "registrar",
        _renumbered,
        {
            "register_loads": {"counts", "worker_seen_at"},
            # SQLite gives the number of the question to its answer
            "register_load_rows": {"kind", "waits_as", "before", "after", "faults", "asked", "agrees"},
        },
        adds=frozenset({"register_load_rows"}),
        removes=frozenset({"register_load_rows"}),
    ),
    "loads.apply": Form(
        "registrar",
        _load_at("apply"),
        {
            "register_loads": {"status", "applied_at", "counts"},
            "register_load_rows": {"pupil_version"},
            "stored_files": {"expires_at"},
        },
        adds=frozenset({"items", "item_events"}),
    ),
    "loads.confirm_emptied": Form(
        "registrar",
        _emptied,
        {
            "register_loads": {"counts"},
            "register_load_rows": {"kind", "waits_as", "faults", "before", "after"},
        },
        removes=frozenset({"register_load_rows"}),
    ),
    "loads.undo": Form(
        "registrar",
        _load_at("undo"),
        {
            "register_loads": {"status", "undone_at"},
            "items": {"status", "version", "cause", "last_run"},
            "stored_files": {"expires_at"},
        },
        adds=frozenset({"item_events"}),
    ),
    "loads.discard": Form(
        "registrar",
        _load_at("discard"),
        {"register_loads": {"status", "stored"}, "stored_files": DELETED},
    ),
    "proposals.accept": Form(
        "reviewer",
        _answered("accept"),
        {
            "items": {"status", "version", "last_run"},
            "register_load_rows": {"kind"},
            "register_loads": {"counts"},
        },
        adds=frozenset({"item_events", "pupils", "name_grams", "pupil_numbers"}),
    ),
    "proposals.refuse": Form(
        "reviewer",
        _answered("refuse"),
        {"items": {"status", "version", "last_run", "cause"}},
        adds=frozenset({"item_events"}),
    ),
    # the school's desk
    "cases.start": Form(
        "registrar", _start, {"number_series": {"last"}}, frozenset({"cases", "case_events", "number_series"})
    ),
    "numbers.fill": Form("registrar", to("/cases/{ready}/fill/values/numbers"), nothing=True),
    "numbers.check": Form("registrar", to("/cases/{ready}/check/numbers"), nothing=True),
    "cases.fill": Form(
        "registrar",
        to(
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
        to("/cases/{draft}/autosave/values", version="@draft", new_name="马明"),
        {"cases": {"answers", "version", "changed_at"}},
    ),
    "evidence.upload": Form("registrar", _upload, {"cases": {"changed_at"}}, PAPERS),
    "captures.keep": Form("registrar", _photograph, {"cases": {"changed_at"}}, PAPERS),
    "captures.hand_over": Form(
        "registrar", to("/cases/{ready}/phone/household_book"), adds=frozenset({"phone_captures"})
    ),
    "captures.take": Form("registrar", _scan, {"phone_captures": {"taken_at", "phone_hash"}}),
    "captures.take_in": Form("registrar", _from_phone, {"cases": {"changed_at"}}, PAPERS),
    "captures.end": Form("registrar", _handed_over, {"phone_captures": {"ended_at"}}),
    "stamped.upload": Form(
        "registrar", _scanned, adds=frozenset({"stamped_batches", "stamped_pages", "stored_files"})
    ),
    "stamped.place": Form(
        "registrar",
        _placed,
        {"stamped_pages": {"outcome", "case_id", "printout", "message", "placed_by_id", "placed_at"}},
    ),
    "stamped.accept": Form(
        "registrar", _offered, {"stamped_pages": {"outcome", "message", "placed_by_id", "placed_at"}}
    ),
    "stamped.take_back": Form(
        "registrar",
        to("/stamped/pages/{tray}/take-back"),
        {
            "stamped_pages": {
                *("outcome", "case_id", "printout", "message", "placed_by_id", "placed_at"),
                *("version", "doubts"),
            }
        },
    ),
    "stamped.discard": Form(
        "registrar",
        to("/stamped/pages/{tray}/discard", sure="1"),
        {"stamped_pages": {"outcome", "placed_by_id", "placed_at"}},
    ),
    "evidence.override": Form(
        "registrar",
        to("/evidence/{file_returned}/override", reason="只能拍成这样了"),
        {"evidence_files": {"override_reason"}, "cases": {"changed_at"}},
    ),
    "evidence.remove": Form(
        "registrar",
        to("/evidence/{file_returned}/remove"),
        {"evidence_files": {"removed_at", "removed_round"}, "cases": {"changed_at"}},
    ),
    "evidence.choose": Form(
        "registrar",
        to("/evidence/{file_ready}/shown/1", shown="plain"),
        {"evidence_pages": {"shown"}, "cases": {"changed_at"}},
    ),
    "cases.submit": Form(
        "registrar",
        to("/cases/{ready}/submit", version="@ready"),
        {"cases": SUBMITTED, **HELD},
        frozenset({"case_events", "holds"}),
    ),
    "cases.withdraw": Form(
        "registrar",
        to("/cases/{returned_twice}/withdraw", version="@returned_twice", note="填错了"),
        {"cases": DECIDED, **HELD},
        frozenset({"case_events"}),
        removes=frozenset({"holds"}),
    ),
    # the boxes and the reviewer's desk
    "queues.find_name": Form(
        "reviewer", to("/queue/all/name", name="马"), {"preferences": {"value"}}, frozenset({"preferences"})
    ),
    "readings.correct": Form(
        "reviewer",
        to("/cases/{county_review}/readings/name", value="马晓明"),
        adds=frozenset({"reading_corrections"}),
    ),
    "review.reveal": Form("reviewer", to("/cases/{county_review}/desk/numbers", note=""), nothing=True),
    "review.more_reasons": Form("reviewer", to("/cases/{county_review}/desk/reasons", note=""), nothing=True),
    "review.release": Form(
        "reviewer", to("/cases/{county_review}/release", seen="@county_review"), {"cases": CLAIM}
    ),
    "review.claim": Form(
        "reviewer", to("/cases/{county_review}/claim", seen="@county_review"), {"cases": CLAIM}
    ),
    "review.take_over": Form(
        "reviewer", to("/cases/{county_review}/take-over", seen="@county_review"), {"cases": CLAIM}
    ),
    "review.decide": Form(
        "approver",
        to("/cases/{state_approval}/decide", seen="@state_approval", verb="approve", note="同意", to=""),
        {"cases": DECIDED, "pupils": PUPIL, **HELD},
        frozenset({"case_events", "decisions", "register_changes", "national_entries", "name_grams"}),
        removes=frozenset({"name_grams", "holds"}),
    ),
    "picture_standards.save": Form(
        "approver",
        to("/quality/standard", paper="", seen="0", reason="按数据调整", **{"value-blur_advise": "0.03"}),
        adds=frozenset({"threshold_sets"}),
    ),
    "picture_standards.go_back": Form(
        "approver",
        to("/quality/standard/back", paper="", number="0", seen="1", reason="恢复成标准值"),
        adds=frozenset({"threshold_sets"}),
    ),
    # what was typed and not sent, in the order in which each can be done after the one before
    "unsent.keep": Form("reviewer", _typed_on("1"), adds=UNSENT),
    "unsent.use": Form("reviewer", _typed_in_two_windows, {"unsent_texts": UNSENT_COLUMNS}),
    "unsent.clear": Form("reviewer", _typed_on("2", "/unsent/clear"), {"unsent_texts": UNSENT_COLUMNS}),
    # a year's intake of high schools
    **INTAKE_FORMS,
    **ROSTER_FORMS,
    "local_conditions.add": Form(
        "approver", to("/policy/local/add", seen="0", **CONDITION), adds=frozenset({"local_condition_sets"})
    ),
    "local_conditions.retire": Form(
        "approver",
        to("/policy/local/retire", list="withdrawal.grounds", code="local-1", seen="1", reason="文件已废止"),
        adds=frozenset({"local_condition_sets"}),
    ),
    # paper, and the way into the national system
    "printouts.batch": Form(
        "reviewer",
        lambda world, _client: ("/printouts/batch", {"case": str(world.home.cases["approved"].id)}),
        nothing=True,
    ),
    "landings.entered": Form(
        "registrar",
        to("/cases/{approved}/entered", receipt="GW20260001", seen=""),
        {"national_entries": {"receipt", "entered_at", "entered_by_id"}},
    ),
}
