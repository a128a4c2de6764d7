"""The school's desk: choose a pupil, answer page by page, add papers, check and submit, mend what came back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal import audit, keeping
from portal.blueprints import case_frame, casefile, reading_view, roster_view, slots_view
from portal.blueprints.fill_kept import fill_kept
from portal.cases import actions, clock, starting, unsent
from portal.cases.access import find_case, find_pupil
from portal.cases.actions import Act, available, perform, stamp
from portal.cases.facts import facts_before_roster, facts_before_start, read_facts
from portal.cases.intake import province
from portal.cases.offices import policy_of
from portal.cases.refusing import Refused
from portal.cases.rosters import editing
from portal.extensions import db
from portal.forms import raw_answers
from portal.models import Case, NationalEntry, Office, RegisterChange, Role, Status
from portal.web import actor, deny, found, go, reply, roles, wants_fragment
from portal.workflows import WORKFLOWS, workflow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Page, Workflow

bp = Blueprint("cases", __name__, url_prefix="/cases")

KEPT_BESIDE = "您填的已另行暂存，重新打开本页可以选用哪一份"
LOOK = "look"  # of a fill form: keep what is there and show what is asked now


@bp.get("/new")
@roles(Role.REGISTRAR)
def choose() -> Response:
    """Without a pupil: how to find one. With one: the procedures, and at once what stops each of them."""
    pupil_id = request.args.get("pupil", type=uuid.UUID)
    if pupil_id is None:
        return _choose_without_pupil()
    pupil = found(find_pupil(actor(), pupil_id))
    audit.append_now("pupil.viewed", "pupil", pupil.id)
    pack = policy_of(pupil.school)
    offers = []
    for law in _for_one_pupil():
        facts = facts_before_start(law, pack, pupil)
        if law.reverses and facts.ended_by is None:
            continue  # nothing to take back: of no use to almost every pupil
        stops = law.refusals(facts, "start") if law.offered(pack) else ()
        closed = None if law.offered(pack) else law.closed_by(pack)
        offers.append((law, law.offered(pack), closed, stops, facts.other_cases))
    line = casefile.pupil_line(facts_before_start(WORKFLOWS[0], pack, pupil))
    return reply("cases/choose.html", pupil=pupil, line=line, offers=offers, pack=pack, workflows=WORKFLOWS)


def _for_one_pupil() -> tuple[Workflow, ...]:
    return tuple(law for law in WORKFLOWS if law.roster is None)


def _choose_without_pupil() -> Response:
    """How to find a pupil, and what a school does for many at once."""
    school = db.session.get_one(Office, actor().office_id)
    pack = policy_of(school)
    rosters = []
    for law in WORKFLOWS:
        if law.roster and law.roster.stage in school.stages:
            stops = law.refusals(facts_before_roster(law, pack, school), "start")
            reason = None if law.offered(pack) else pack.source(f"{law.id}.offered")
            rosters.append((law, stops, reason))
    return reply(
        "cases/choose.html", pupil=None, offers=[], workflows=_for_one_pupil(), rosters=rosters, pack=pack
    )


@bp.post("/start")
@roles(Role.REGISTRAR)
def start() -> BaseResponse:
    law = found({item.id: item for item in WORKFLOWS}.get(request.form.get("workflow", "")))
    if law.roster:
        return _start_roster(law)
    pupil = found(find_pupil(actor(), _form_uuid("pupil")))
    try:
        case = starting.start(actor(), law, pupil)
    except Refused as refused:
        db.session.rollback()
        flash(refused.message, "error")
        return go("cases.choose", pupil=pupil.id)
    db.session.commit()
    return go("cases.fill", case_id=case.id, page=workflow(case.workflow).pages[0].id)


def _start_roster(law: Workflow) -> BaseResponse:
    """A new roster; one that has not been sent is opened instead, so that nobody fills in two."""
    if unsent := editing.unsent_roster(actor().office_id, law.id):
        flash(f"本校还有一份没有提交的名单 {unsent.number}，已为您打开。", "warning")
        return go("rosters.show", case_id=unsent.id)
    try:
        case = starting.start_roster(actor(), law)
    except Refused as refused:
        db.session.rollback()
        flash(refused.message, "error")
        return go("cases.choose")
    db.session.commit()
    return go("rosters.show", case_id=case.id)


@bp.get("/<uuid:case_id>")
def show(case_id: uuid.UUID) -> BaseResponse:
    """The page of a case: bureaus read it at the desk, the school here."""
    case = found(find_case(actor(), case_id))
    if actor().role is not Role.REGISTRAR:
        return redirect(url_for("review.desk", case_id=case.id), 303)
    audit.append_now("case.viewed", "case", case.id)
    return _show(case)


def _show(case: Case, status: int = 200, message: str = "") -> Response:
    facts = read_facts(case)
    figures = _figures(case, facts)
    return reply(
        "cases/show.html",
        status,
        **case_frame.head(case, facts),
        message=message,
        changes=casefile.masked(_changes(case, facts)),
        answers=casefile.answers(facts, case),
        slots=slots_view.slots(case, facts, readonly=True),
        timeline=reading_view.history(case),
        remarks=casefile.remark_items(case) if case.status == Status.RETURNED else [],
        refusals=[(item, casefile.refusal_url(case, item)) for item in actions.refusals_now(case, facts)]
        if "submit" in available(case, actor())
        else [],
        entry=db.session.get(NationalEntry, case.id),
        printouts=workflow(case.workflow).printouts,
        figures=figures,
        filing=province.standing(case) if figures and case.status == Status.APPROVED else None,
        again_url=url_for("rosters.again", case_id=case.id) if _may_begin_again(case, facts) else "",
    )


def _may_begin_again(case: Case, facts: Facts) -> bool:
    """Whether people of an approved roster were struck, whom the school may send once more."""
    return case.status == Status.APPROVED and any(row.strike for row in facts.roster)


def _figures(case: Case, facts: Facts) -> roster_view.Figures | None:
    return roster_view.figures(case, facts) if workflow(case.workflow).roster else None


@bp.route("/<uuid:case_id>/fill/<page>", methods=["GET", "POST"])
@roles(Role.REGISTRAR)
def fill(case_id: uuid.UUID, page: str) -> BaseResponse:
    """One page of questions. What was typed is kept even when it cannot be accepted yet."""
    case, law, chosen = _open_page(case_id, page)
    if request.method == "GET":
        return _fill_page(case, law, chosen)
    try:
        _save(case, law, chosen)
    except Refused as refused:
        return _fill_page(case, law, chosen, 409, refused.message, raw=_posted(law, chosen))
    keeping.sent()
    db.session.commit()
    if request.form.get("go") == LOOK:
        answer = _fill_page(case, law, chosen)
        answer.headers["HX-Reswap"] = "outerHTML"  # the page stays where it is
        return answer
    facts = read_facts(case)
    problems = _page_problems(case, law, facts, chosen)
    if problems:
        return _fill_page(case, law, chosen, 422)
    following = _next_page(law, facts, chosen)
    if following:
        return go("cases.fill", case_id=case.id, page=following.id)
    return go("cases.papers", case_id=case.id)


@bp.post("/<uuid:case_id>/autosave/<page>")
@roles(Role.REGISTRAR)
def autosave(case_id: uuid.UUID, page: str) -> BaseResponse:
    """Keep a draft while it is being typed. Answers the new stamp of the page as JSON."""
    case, law, chosen = _open_page(case_id, page)
    try:
        _save(case, law, chosen)
    except Refused as refused:
        db.session.rollback()
        also = f"。{KEPT_BESIDE}" if keeping.posted() else ""
        answer = jsonify(message=refused.message + also)
        answer.status_code = 409
        return answer
    keeping.sent()
    db.session.commit()
    return jsonify(version=stamp(case))


@bp.get("/<uuid:case_id>/papers")
@roles(Role.REGISTRAR)
def papers(case_id: uuid.UUID) -> BaseResponse:
    """The slots that the answers call for."""
    return papers_page(_editable(case_id))


def papers_page(case: Case, status: int = 200, slot: str = "", message: str = "") -> Response:
    """The page of slots; `message` stands at `slot`, or on top where the case has no such slot."""
    facts = read_facts(case)
    views = slots_view.slots(case, facts, error=(slot, message))
    return reply(
        "cases/papers.html",
        status,
        **case_frame.head(case, facts),
        progress=case_frame.progress(case, facts, case_frame.PAPERS),
        slots=views,
        message="" if slot in {view.id for view in views} else message,
        **_beside_slots(case),
    )


def slot_answer(case: Case, slot: str, status: int = 200, message: str = "") -> BaseResponse:
    """One slot as it is now, with what stands beside it; without scripts its page, with `message` at the slot."""
    if wants_fragment():
        views = slots_view.slots(case, error=(slot, message))
        asked = found(next((one for one in views if one.id == slot), None))
        return reply("cases/_slot.html", status, case=case, slot=asked, slots=views, **_beside_slots(case))
    if message:
        return papers_page(case, status, slot, message)
    return go("cases.papers", case_id=case.id, _anchor=f"slot-{slot}")


def _beside_slots(case: Case) -> dict[str, Any]:
    """What stands beside the slots and changes with them: how far they are read, and what a return said of them."""
    return {**reading_view.papers(case), "remarks": _remarks_on(case, "evidence")}


@bp.get("/<uuid:case_id>/check")
@roles(Role.REGISTRAR)
def check(case_id: uuid.UUID) -> BaseResponse:
    """Everything once more before it goes, with what still stands in the way."""
    return _check_page(_editable(case_id))


@bp.post("/<uuid:case_id>/submit")
@roles(Role.REGISTRAR)
def submit(case_id: uuid.UUID) -> BaseResponse:
    case = found(find_case(actor(), case_id))
    typed = _explanations(request.form)
    try:
        word = request.form.get(actions.CONFIRMATION, "")
        act = Act(explanations=typed, confirmation=word)
        perform(case, actor(), "submit", request.form.get("version", ""), act)
    except Refused as refused:
        db.session.rollback()
        if refused.conflict or "submit" not in available(case, actor()):
            return _show(case, 409, refused.message)
        return _check_page(case, 422, refused, typed, word)
    keeping.sent()
    db.session.commit()
    flash(f"已提交，{case.holder.name if case.holder else ''}将办理。编号 {case.number}。", "success")
    return go("cases.show", case_id=case.id)


@bp.post("/<uuid:case_id>/withdraw")
@roles(Role.REGISTRAR)
def withdraw(case_id: uuid.UUID) -> BaseResponse:
    case = found(find_case(actor(), case_id))
    try:
        perform(
            case, actor(), "withdraw", request.form.get("version", ""), Act(note=request.form.get("note", ""))
        )
    except Refused as refused:
        db.session.rollback()
        return _show(case, 409, refused.message)
    db.session.commit()
    flash(f"{case.number} 已撤回。需要时可以重新发起。", "success")
    return go("queues.home")


# --- helpers --------------------------------------------------------------------------------------------------------


def _form_uuid(name: str) -> uuid.UUID:
    try:
        return uuid.UUID(request.form.get(name, ""))
    except ValueError:
        deny()


def _editable(case_id: uuid.UUID) -> Case:
    """The case if its owner may still change it; otherwise 404, as for a page that is not there."""
    case = found(find_case(actor(), case_id))
    return found(case if "edit" in available(case, actor()) else None)


def _open_page(case_id: uuid.UUID, page: str) -> tuple[Case, Workflow, Page]:
    case = _editable(case_id)
    law = workflow(case.workflow)
    return case, law, found(next((one for one in law.pages if one.id == page), None))


def _posted(law: Workflow, page: Page) -> dict[str, Any]:
    return raw_answers(law.form, request.form, page.fields)


def _save(case: Case, law: Workflow, page: Page) -> None:
    perform(case, actor(), "edit", request.form.get("version", ""), Act(answers=_posted(law, page)))


def _fill_page(
    case: Case,
    law: Workflow,
    page: Page,
    status: int = 200,
    message: str = "",
    raw: dict[str, Any] | None = None,
) -> Response:
    facts = read_facts(case)
    unsaved = fill_kept(case, facts, page, raw)
    form = law.form.from_raw({**case.answers, **unsaved.raw}, facts)
    asked = [name for name in page.fields if name in law.asked(facts)]
    incomplete = form.errors_in(asked) if status == 422 else {}
    refusals = [
        item for item in law.refusals(facts, "answers") if not item.field or item.field in page.fields
    ]
    for item in refusals:  # the stop tells the clause; the field tells where
        if item.field in asked:
            form[item.field].errors = [*form[item.field].errors, item.text]
    return reply(
        "cases/fill.html",
        status,
        **case_frame.head(case, facts),
        page=page,
        form=form,
        unsaved=unsaved,
        asked=asked,
        incomplete=incomplete,
        compare_values={
            name: casefile.old_value(facts, law.compare[name]) for name in asked if name in law.compare
        },
        message=message,
        refusals=refusals,
        remarks=_remarks_on(case, "field", set(page.fields)),
        progress=case_frame.progress(case, facts, page.id),
        back=_previous_page(law, facts, page),
        fragment="cases/_fill.html",
    )


def _page_problems(case: Case, law: Workflow, facts: Facts, page: Page) -> bool:
    """Whether this page cannot be left yet: incomplete fields, or a rule about a field of this page."""
    form = law.form.from_raw(case.answers, facts)
    if form.errors_in([name for name in page.fields if name in law.asked(facts)]):
        return True
    here = set(page.fields)
    return any(item.field in here for item in law.refusals(facts, "answers")) or (
        page is law.pages[-1] and any(not item.field for item in law.refusals(facts, "answers"))
    )


def _next_page(law: Workflow, facts: Facts, page: Page) -> Page | None:
    following = law.pages[law.pages.index(page) + 1 :]
    return next((one for one in following if set(one.fields) & law.asked(facts)), None)


def _previous_page(law: Workflow, facts: Facts, page: Page) -> Page | None:
    earlier = law.pages[: law.pages.index(page)]
    return next((one for one in reversed(earlier) if set(one.fields) & law.asked(facts)), None)


def _remarks_on(case: Case, target: str, keys: set[str] | None = None) -> list[casefile.RemarkItem]:
    """Open remarks of a returned case about fields (of one page) or papers."""
    if case.status != Status.RETURNED:
        return []
    return [
        item
        for item in casefile.remark_items(case)
        if item.target == target and (keys is None or item.key in keys)
    ]


def _check_page(
    case: Case,
    status: int = 200,
    refused: Refused | None = None,
    typed: dict[str, str] | None = None,
    word: str = "",
) -> Response:
    facts = read_facts(case)
    message = refused.message if refused else ""
    fault = message if refused and refused.field == actions.CONFIRMATION else ""
    law = workflow(case.workflow)
    first = next(iter(law.steps(facts)), None)
    kept = keeping.kept_for(
        unsent.CASE, case.id, "submit", stamp=stamp(case), back=url_for("cases.check", case_id=case.id)
    )
    if typed is None and kept.text is not None:
        typed = _explanations(kept.text)
    return reply(
        "cases/check.html",
        status,
        **case_frame.head(case, facts),
        message=message,
        progress=case_frame.progress(case, facts, case_frame.CHECK),
        changes=casefile.masked(casefile.changes(facts), keep_new=True),
        answers=casefile.answers(facts, case),
        slots=slots_view.slots(case, facts, readonly=True),
        refusals=[(item, casefile.refusal_url(case, item)) for item in actions.refusals_now(case, facts)],
        remarks=casefile.remark_items(case) if case.status == Status.RETURNED else [],
        typed=typed or {},
        kept=kept,
        confirm=casefile.confirmation(facts, word, fault),
        first_step=first,
        figures=_figures(case, facts),
        limit=clock.limit_text(case),
        limit_article=facts.policy.source(f"clock.{law.id}"),
    )


def _explanations(form: Mapping[str, str]) -> dict[str, str]:
    """{id of a remark: why what it names stays} as typed."""
    return {key.removeprefix("explain-"): text for key, text in form.items() if key.startswith("explain-")}


def _changes(case: Case, facts: Facts) -> list[casefile.Change]:
    """From the register's record once approved, since the register then holds the new values itself."""
    if case.status != Status.APPROVED:
        return casefile.changes(facts)
    rows = db.session.scalars(db.select(RegisterChange).where(RegisterChange.case_id == case.id)).all()
    return casefile.recorded_changes(case, rows)
