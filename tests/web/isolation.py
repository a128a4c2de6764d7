"""The declared matrix: every route of the portal, whose it is, and what its parts name.

A route without an entry, or an entry without a route, fails tests/web/test_isolation.py. To add a route: say which
roles it is for, what each <part> of its address names, and, for a POST, what a person would post.

Parts and fields name things by kind:
    case:PLACE      the case that stands at PLACE (world.PLACES)       file:PLACE   a file of that case
    pupil           a pupil                                             load:STATUS  a load of the person's own office
    item            what waits for the person's office                  batch           the own office's batch of stamped forms             sheet:OUTCOME   a page of it
    copy            a page of any that landed in a case
    office          the person's own office; office:below the ones below, office:school a school
    account         an account                                          =text        just this text
    roster:STANDING a roster: draft, review, approved, or sent to the province      row:STANDING a row of it      postponement    one of the school
    return_row      a row of the province's return that waits
    @stamp @kept @picture @sheet @name @class @login @case_number @today      see named_things.value_of()
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.models import Role

REGISTRAR = frozenset({Role.REGISTRAR})
SCHOOL = frozenset({Role.REGISTRAR, Role.HEAD})
DECIDERS = frozenset({Role.HEAD, Role.REVIEWER, Role.APPROVER})
SEERS = frozenset({Role.REGISTRAR, Role.HEAD, Role.REVIEWER, Role.APPROVER, Role.AUDITOR})
ENTERERS = frozenset({Role.REGISTRAR, Role.REVIEWER, Role.APPROVER})
LOADERS = ENTERERS
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
AUDITOR = frozenset({Role.AUDITOR})
APPROVER = frozenset({Role.APPROVER})
DESKS = frozenset({Role.REVIEWER, Role.APPROVER})
QUALITY = frozenset({Role.APPROVER, Role.REVIEWER, Role.AUDITOR})
INTAKE = frozenset({Role.REGISTRAR, Role.REVIEWER, Role.APPROVER, Role.AUDITOR})
EVERYBODY = frozenset(Role)
NOBODY: frozenset[Role] = frozenset()
TOPMOST_ONLY = frozenset({200, 404})  # a county's administrator is told that there is no such page


@dataclass(frozen=True)
class Rule:
    """One endpoint.

    `roles` may use it on their own things, everybody else gets what a missing page gives. `acts` are those of them for
    whom a POST can take effect; the others read only. `parts` name what stands in the address. `form` is a POST that
    would be accepted. `reads` says that the POST changes nothing of the business, so that it is tried on own things.
    `own` are the answers to a GET (or a reading POST) on own things, `shows` that the answer holds own texts.
    """

    roles: frozenset[Role] = EVERYBODY
    parts: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    acts: frozenset[Role] | None = None
    reads: bool = False
    own: frozenset[int] = frozenset({200})
    shows: bool = True
    public: bool = False


def _public(**values: object) -> Rule:
    return Rule(public=True, shows=False, **values)  # type: ignore[arg-type]


CASE = {"case_id": "case:county_review"}
MINE = {"case_id": "case:ready"}
FILE = {"file_id": "file:county_review"}
BATCH = {"batch_id": "batch"}
PHONE = "=00000000-0000-4000-8000-000000000000"
OFFICE = {"office_id": "office"}
SCHOOL_OFFICE = {"office_id": "office:school"}
ACCOUNT = {"account_id": "account"}
DESK = {"seen": "@stamp", "note": "=同意办理"}
MENDED = {"version": "@stamp"}
DRAFT = {"case_id": "roster:draft"}
LOCAL_CONDITION = {
    "scope": "=退学",
    "title": "=连续旷课满一学期",
    "document": "=云州教发〔2026〕1号",
    "clause": "=第十二条",
    "reason": "=按本州文件补充",
}

ROUTES: dict[str, Rule] = {
    "static": _public(parts={"filename": "=portal.css"}),
    "health.healthz": _public(),
    "health.readyz": _public(),
    "health.readiness": Rule(ADMINISTRATOR | AUDITOR, shows=False),
    # the door
    "auth.sign_in": _public(own=frozenset({200, 303})),
    "auth.try_sign_in": _public(form={"login": "@login", "password": "=Wrong-Password-9"}),
    "auth.first_administrator": _public(own=frozenset({404})),
    "auth.sign_out": Rule(shows=False),
    "auth.change_password": Rule(
        form={"old": "=x", "new": "=Quiet-River-4096", "again": "=Quiet-River-4096"}
    ),
    "auth.my_sessions": Rule(),
    "auth.forget_browser": Rule(shows=False),
    # offices and accounts
    "admin.offices": Rule(ADMINISTRATOR),
    "admin.office": Rule(ADMINISTRATOR, OFFICE),
    "admin.add_office": Rule(
        ADMINISTRATOR,
        OFFICE,
        {"name": "=新单位", "level": "=school", "code": "=2162999901", "stages": "=高中"},
    ),
    "admin.edit_office": Rule(
        ADMINISTRATOR, {"office_id": "office:below"}, {"name": "=改名", "stages": "=高中"}
    ),
    "admin.close_office": Rule(ADMINISTRATOR, {"office_id": "office:below"}),
    "admin.open_office": Rule(ADMINISTRATOR, {"office_id": "office:below"}),
    "account_admin.index": Rule(ADMINISTRATOR),
    "account_admin.add": Rule(
        ADMINISTRATOR,
        {"office_id": "office:below"},
        {"name": "=新人", "login": "=newcomer", "role": "=registrar"},
    ),
    "account_admin.show": Rule(ADMINISTRATOR, ACCOUNT),
    "account_admin.edit": Rule(ADMINISTRATOR, ACCOUNT, {"name": "=改名"}),
    "account_admin.close": Rule(ADMINISTRATOR, ACCOUNT),
    "account_admin.reopen": Rule(ADMINISTRATOR, ACCOUNT),
    "account_admin.end_sessions": Rule(ADMINISTRATOR, ACCOUNT),
    "account_admin.reset_password": Rule(ADMINISTRATOR, ACCOUNT),
    "account_admin.unlock": Rule(ADMINISTRATOR, ACCOUNT),
    # settings and records
    "holidays.year": Rule(ADMINISTRATOR, shows=False),
    "holidays.add": Rule(ADMINISTRATOR, shows=False),
    "holidays.remove": Rule(ADMINISTRATOR, shows=False),
    "holidays.upload": Rule(ADMINISTRATOR, shows=False),
    "holidays.notice": Rule(ADMINISTRATOR, own=TOPMOST_ONLY, shows=False),
    "holidays.enter_notice": Rule(ADMINISTRATOR, shows=False),
    "holidays.template": Rule(ADMINISTRATOR, own=TOPMOST_ONLY, shows=False),
    "holidays.withdraw": Rule(ADMINISTRATOR, shows=False),
    "policy_packs.index": Rule(shows=False),
    "local_conditions.page": Rule(QUALITY, shows=False),
    "local_conditions.add": Rule(
        APPROVER, form={"list": "=withdrawal.grounds", "seen": "=0", **LOCAL_CONDITION}, shows=False
    ),
    "local_conditions.retire": Rule(
        APPROVER,
        form={"list": "=withdrawal.grounds", "code": "=local-1", "reason": "=文件已废止", "seen": "=1"},
        shows=False,
    ),
    "audit_trail.index": Rule(AUDITOR),
    "audit_trail.verify": Rule(AUDITOR, reads=True),
    "audit_trail.export": Rule(
        AUDITOR, form={"first": "=2026-01-01", "last": "@today", "purpose": "=routine"}, reads=True
    ),
    # the register
    "register.search": Rule(SEERS, query={"school": "office:school"}),
    "register.look_up": Rule(SEERS, form={"q": "@name"}, reads=True, own=frozenset({303}), shows=False),
    "register.results": Rule(SEERS),
    "register.class_list": Rule(
        SEERS, query={"school": "office:school", "grade": "=高一", "class_name": "@class"}
    ),
    "register.pupil": Rule(SEERS, {"pupil_id": "pupil"}),
    "register.reveal": Rule(SEERS, {"pupil_id": "pupil"}, reads=True),
    "loads.index": Rule(LOADERS),
    "loads.upload": Rule(LOADERS, form={"file": "@sheet"}),
    "loads.columns": Rule(LOADERS, {"load_id": "load:uploaded"}),
    "loads.check": Rule(
        LOADERS, {"load_id": "load:uploaded"}, {"column-0": "=student_number", "column-1": "=name"}
    ),
    "loads.sheet": Rule(LOADERS, {"load_id": "load:uploaded"}, {"sheet": "=第二张"}),
    "loads.show": Rule(LOADERS, {"load_id": "load:checked"}),
    "loads.progress": Rule(LOADERS, {"load_id": "load:checked"}, shows=False),
    "loads.renumber": Rule(LOADERS, {"load_id": "load:checked"}, {"pupil": "=all"}),
    "loads.apply": Rule(LOADERS, {"load_id": "load:checked"}, {"without_faulty": "=1"}),
    "loads.confirm_emptied": Rule(LOADERS, {"load_id": "load:checked"}, {"row": "=1"}),
    "loads.undo": Rule(LOADERS, {"load_id": "load:applied"}),
    "loads.discard": Rule(LOADERS, {"load_id": "load:uploaded"}),
    "loads.faults": Rule(LOADERS, {"load_id": "load:checked"}),
    "proposals.index": Rule(DESKS),
    "proposals.show": Rule(DESKS, {"item_id": "item"}),
    "proposals.accept": Rule(DESKS, {"item_id": "item"}, {"version": "=1"}),
    "proposals.refuse": Rule(DESKS, {"item_id": "item"}, {"version": "=1", "reason": "=没有转入手续"}),
    # the school's desk
    "cases.choose": Rule(REGISTRAR, query={"pupil": "pupil"}),
    "cases.start": Rule(REGISTRAR, form={"pupil": "pupil", "workflow": "=key_information_change"}),
    "cases.show": Rule(SEERS, CASE, own=frozenset({200, 303}), shows=False),
    "cases.fill": Rule(REGISTRAR, MINE | {"page": "=what"}, MENDED | {"explanation": "=别人写的说明文字"}),
    "cases.autosave": Rule(
        REGISTRAR, MINE | {"page": "=what"}, MENDED | {"explanation": "=别人写的说明文字"}
    ),
    "numbers.fill": Rule(REGISTRAR, MINE | {"page": "=values"}, reads=True),
    "numbers.check": Rule(REGISTRAR, MINE, reads=True),
    "cases.papers": Rule(REGISTRAR, MINE),
    "cases.check": Rule(REGISTRAR, MINE),
    "cases.submit": Rule(REGISTRAR, MINE, MENDED),
    "cases.withdraw": Rule(REGISTRAR, MINE, MENDED),
    "evidence.upload": Rule(REGISTRAR, MINE | {"slot": "=change_certificate"}, {"files": "@picture"}),
    # a camera for one slot: the registrar's own, or a phone's that was handed the slot
    "captures.camera": Rule(REGISTRAR, MINE | {"slot": "=change_certificate"}, shows=False),
    "captures.keep": Rule(REGISTRAR, MINE | {"slot": "=change_certificate"}, {"files": "@picture"}),
    "captures.hand_over": Rule(REGISTRAR, MINE | {"slot": "=change_certificate"}),
    "captures.watch": Rule(
        REGISTRAR, MINE | {"slot": "=change_certificate"}, own=frozenset({303}), shows=False
    ),
    "captures.code": Rule(
        REGISTRAR, MINE | {"slot": "=change_certificate"}, own=frozenset({404}), shows=False
    ),
    "captures.end": Rule(REGISTRAR, MINE | {"slot": "=change_certificate"}),
    "captures.ticket": _public(parts={"ticket": "=nobodys"}, own=frozenset({404})),
    "captures.take": _public(parts={"ticket": "=nobodys"}),
    "captures.phone": _public(parts={"capture_id": PHONE}, own=frozenset({404})),
    "captures.take_in": _public(parts={"capture_id": PHONE}, form={"files": "@picture"}),
    "evidence.remove": Rule(REGISTRAR, {"file_id": "file:ready"}),
    "evidence.override": Rule(REGISTRAR, {"file_id": "file:ready"}, {"reason": "=只能拍成这样了"}),
    "evidence.view": Rule(SEERS, FILE | {"page": "=1"}),
    "evidence.thumb": Rule(SEERS, FILE | {"page": "=1"}),
    "evidence.either": Rule(SEERS, FILE | {"which": "=mended", "page": "=1"}),
    "evidence.choose": Rule(REGISTRAR, {"file_id": "file:ready", "page": "=1"}, {"shown": "=plain"}),
    "evidence.original": Rule(SEERS, FILE),
    # the boxes and the reviewer's desk
    "queues.home": Rule(own=frozenset({200, 303}), shows=False),
    "queues.box": Rule(SEERS, {"name": "=all"}),
    "queues.find_name": Rule(SEERS, {"name": "=all"}, {"name": "@name"}),
    "review.desk": Rule(SEERS, CASE),
    "review.reveal": Rule(SEERS, CASE, reads=True),
    "review.more_reasons": Rule(SEERS, CASE, reads=True),
    "review.status": Rule(SEERS, CASE, own=frozenset({200, 303}), shows=False),
    "review.decide": Rule(SEERS, CASE, DESK | {"verb": "=approve"}, acts=DECIDERS),
    "review.claim": Rule(SEERS, CASE, DESK, acts=DECIDERS),
    "review.take_over": Rule(SEERS, CASE, DESK, acts=DECIDERS),
    "review.release": Rule(SEERS, CASE, DESK, acts=DECIDERS),
    # what was typed and not sent: the signed field says whose, about what
    "unsent.keep": Rule(form={"kept": "@kept", "note": "=还没有写完"}, shows=False),
    "unsent.clear": Rule(form={"kept": "@kept"}, shows=False),
    "unsent.use": Rule(form={"kept": "@kept", "other": "=0"}, shows=False),
    "readings.comparison": Rule(SEERS, CASE, own=frozenset({200, 303}), shows=False),
    "readings.correct": Rule(SEERS, CASE | {"column": "=name"}, {"value": "=材料上的姓名"}, acts=DECIDERS),
    "readings.progress": Rule(REGISTRAR, MINE, own=frozenset({200, 303}), shows=False),
    "review.compare": Rule(
        SEERS,
        {
            "case_id": "case:returned_twice",
            "old": "file:returned_twice",
            "new": "file:returned_twice",
        },
    ),
    "review.marks": Rule(SEERS, {"case_id": "case:returned_twice", "file_id": "file:returned_twice"}),
    # figures on pictures, and the standard that they are held to
    "quality.figures": Rule(QUALITY),
    "quality.workbook": Rule(QUALITY, shows=False),
    "picture_standards.page": Rule(QUALITY, shows=False),
    "picture_standards.save": Rule(
        APPROVER, form={"reason": "=按数据调整", "value-blur_advise": "=0.03", "seen": "=0"}, shows=False
    ),
    "picture_standards.go_back": Rule(
        APPROVER, form={"reason": "=按数据调整", "number": "=0", "seen": "=0"}, shows=False
    ),
    # rosters: the school's to fill, a bureau's to strike from
    "rosters.show": Rule(SEERS, {"case_id": "roster:review"}),
    "rosters.reveal": Rule(SEERS, {"case_id": "roster:review"}, reads=True),
    "rosters.blank": Rule(REGISTRAR, DRAFT, shows=False),
    "rosters.load": Rule(REGISTRAR, DRAFT, MENDED | {"file": "@sheet"}),
    "rosters.admitted": Rule(REGISTRAR, DRAFT, MENDED | {"all": "=1"}),
    "rosters.new_row": Rule(
        REGISTRAR, DRAFT, MENDED | {"cell-name": "=别人", "cell-exam_number": "=226299999999"}
    ),
    "rosters.row": Rule(REGISTRAR, DRAFT | {"row_id": "row:draft"}, MENDED | {"cell-name": "=别人"}),
    "rosters.remove": Rule(REGISTRAR, DRAFT, MENDED | {"row": "row:draft"}),
    "rosters.strike": Rule(
        SEERS,
        {"case_id": "roster:review"},
        MENDED | {"row": "row:review", "note": "=录取信息待核"},
        acts=DECIDERS,
    ),
    "rosters.put_back": Rule(
        SEERS, {"case_id": "roster:review"}, MENDED | {"row": "row:review"}, acts=DECIDERS
    ),
    "rosters.assign": Rule(REGISTRAR, DRAFT, MENDED | {"row": "row:draft", "class_name": "=9班"}),
    "rosters.again": Rule(REGISTRAR, {"case_id": "roster:approved"}),
    # a year's intake of high schools
    "intake.ledger": Rule(INTAKE),
    "intake.workbook": Rule(INTAKE),
    "intake.remind": Rule(DESKS, SCHOOL_OFFICE),
    "intake_plan.page": Rule(INTAKE),
    "intake_plan.edit": Rule(APPROVER),
    "intake_plan.save": Rule(APPROVER, form={"document": "=文号", "note": "=调整计划", "seen": "=9"}),
    "intake_plan.load": Rule(APPROVER, form={"file": "@sheet"}),
    "intake_plan.template": Rule(APPROVER),
    "admitted.page": Rule(INTAKE),
    "admitted.upload": Rule(APPROVER, form={"file": "@sheet"}),
    "admitted.confirm": Rule(APPROVER, form={"seen": "=0", "note": "=更换名单"}),
    "admitted.discard": Rule(APPROVER),
    "admitted.sheet": Rule(APPROVER, form={"sheet": "=第二张"}),
    # What waits is thrown away by the form above.
    "admitted.faults": Rule(APPROVER, own=frozenset({200, 404})),
    "admitted_people.page": Rule(INTAKE),
    # An empty text ends a search, so that the pages after it list everybody.
    "admitted_people.look_up": Rule(INTAKE, form={"q": "="}, reads=True, own=frozenset({303}), shows=False),
    "admitted_people.workbook": Rule(ENTERERS),
    "not_reported.page": Rule(INTAKE, SCHOOL_OFFICE),
    "not_reported.postpone": Rule(
        REGISTRAR,
        SCHOOL_OFFICE,
        {"exam_number": "=226200000001", "reason": "=因病住院", "until": "@today"},
    ),
    "not_reported.withdraw": Rule(REGISTRAR, SCHOOL_OFFICE | {"postponement_id": "postponement"}),
    "province.page": Rule(QUALITY),
    "province.send": Rule(
        APPROVER, form={"case": "roster:approved", "document": "=文号", "sent_on": "@today"}
    ),
    "province.sheet": Rule(APPROVER, form={"case": "roster:sent"}, reads=True),
    "province.take": Rule(APPROVER, form={"file": "@sheet"}),
    "province.unsettled": Rule(DESKS),
    "province.set_aside": Rule(APPROVER, form={"row": "return_row"}),
    "province.correct": Rule(
        APPROVER, form={"row": "return_row", "reason": "=省厅更正号码", "document": "=文号"}
    ),
    # paper, and the way into the national system
    "printouts.docx": Rule(SEERS, {"case_id": "case:approved", "printout_id": "=approval-form"}),
    # The form of the cases that the walk knows is no table.
    "printouts.xlsx": Rule(
        SEERS,
        {"case_id": "case:approved", "printout_id": "=approval-form"},
        own=frozenset({404}),
        shows=False,
    ),
    "printouts.batch": Rule(SEERS, form={"case": "case:approved"}, reads=True),
    # stamped forms: a batch is its office's, a page that landed belongs to its case
    "stamped.index": Rule(LOADERS),
    # Refused: a picture would be sorted while the walk goes on.
    "stamped.upload": Rule(LOADERS, form={"file": "@sheet"}),
    "stamped.show": Rule(LOADERS, BATCH),
    "stamped.progress": Rule(LOADERS, BATCH, shows=False),
    "stamped.original": Rule(LOADERS, BATCH),
    "stamped.page": Rule(LOADERS, {"page_id": "sheet:tray"}),
    "stamped.place": Rule(
        LOADERS, {"page_id": "sheet:tray"}, {"number": "@case_number", "printout": "=approval-form"}
    ),
    # The world's page of the tray has no code of ours: there is nothing to be put in.
    "stamped.accept": Rule(LOADERS, {"page_id": "sheet:tray"}),
    "stamped.discard": Rule(LOADERS, {"page_id": "sheet:tray"}, {"sure": "=1"}),
    "stamped.take_back": Rule(LOADERS, {"page_id": "sheet:landed"}),
    "stamped.view": Rule(SEERS, {"page_id": "copy"}),
    "stamped.thumb": Rule(SEERS, {"page_id": "copy"}),
    "landings.index": Rule(SEERS),
    "landings.entry_pack": Rule(ENTERERS, {"case_id": "case:approved"}),
    "landings.entered": Rule(ENTERERS, {"case_id": "case:approved"}, {"receipt": "=GW20269999", "seen": "="}),
}
