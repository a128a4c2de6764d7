"""The school's desk: choose a pupil, answer page by page, add papers, check and submit, mend what came back."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal import audit, keeping
from portal.blueprints import case_frame, case_pages, casefile, reading_view, slots_view
from portal.cases import actions, starting, whose_papers
from portal.cases.access import find_case, find_pupil
from portal.cases.actions import Act, available, perform, stamp
from portal.cases.facts import facts_before_roster, facts_before_start, read_facts
from portal.cases.intake import province
from portal.cases.offices import policy_of
from portal.cases.refusing import Refused
from portal.cases.rosters import editing
from portal.extensions import db
from portal.forms import raw_answers
from portal.models import Case, NationalEntry, Office, Role, Status
from portal.web import actor, deny, found, go, reply, roles
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
    facts = read_facts(case, actor())
    figures = case_pages.figures(case, facts)
    return reply(
        "cases/show.html",
        status,
        **case_frame.head(case, facts),
        message=message,
        changes=casefile.masked(casefile.decided_changes(case, facts)),
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


@bp.route("/<uuid:case_id>/fill/<page>", methods=["GET", "POST"])
@roles(Role.REGISTRAR)
def fill(case_id: uuid.UUID, page: str) -> BaseResponse:
    """One page of questions. What was typed is kept even when it cannot be accepted yet."""
    case, law, chosen = open_page(case_id, page)
    if request.method == "GET":
        return case_pages.fill_page(case, law, chosen)
    try:
        _save(case, law, chosen)
    except Refused as refused:
        return case_pages.fill_page(case, law, chosen, 409, refused.message, raw=posted(law, chosen))
    keeping.sent()
    db.session.commit()
    if request.form.get("go") == LOOK:
        answer = case_pages.fill_page(case, law, chosen)
        answer.headers["HX-Reswap"] = "outerHTML"  # the page stays where it is
        return answer
    facts = read_facts(case)
    problems = case_frame.page_problems(case, law, facts, chosen)
    if problems:
        return case_pages.fill_page(case, law, chosen, 422)
    following = case_frame.next_page(law, facts, chosen)
    if following:
        return go("cases.fill", case_id=case.id, page=following.id)
    return go("cases.papers", case_id=case.id)


@bp.post("/<uuid:case_id>/autosave/<page>")
@roles(Role.REGISTRAR)
def autosave(case_id: uuid.UUID, page: str) -> BaseResponse:
    """Keep a draft while it is being typed. Answers the new stamp of the page as JSON."""
    case, law, chosen = open_page(case_id, page)
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
    return case_pages.papers_page(editable(case_id))


@bp.get("/<uuid:case_id>/check")
@roles(Role.REGISTRAR)
def check(case_id: uuid.UUID) -> BaseResponse:
    """Everything once more before it goes, with what still stands in the way."""
    return case_pages.check_page(editable(case_id))


@bp.post("/<uuid:case_id>/submit")
@roles(Role.REGISTRAR)
def submit(case_id: uuid.UUID) -> BaseResponse:
    case = found(find_case(actor(), case_id))
    typed = case_pages.explanations(request.form)
    try:
        word, words = request.form.get(actions.CONFIRMATION, ""), request.form.get(whose_papers.WORDS, "")
        act = Act(explanations=typed, confirmation=word, papers_words=words)
        perform(case, actor(), "submit", request.form.get("version", ""), act)
    except Refused as refused:
        db.session.rollback()
        if (refused.conflict and not refused.busy) or "submit" not in available(case, actor()):
            return _show(case, 409, refused.message)
        status = 409 if refused.conflict else 422
        return case_pages.check_page(case, status, refused, typed, word, words)
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


def editable(case_id: uuid.UUID) -> Case:
    """The case if its owner may still change it; otherwise 404, as for a page that is not there."""
    case = found(find_case(actor(), case_id))
    return found(case if "edit" in available(case, actor()) else None)


def open_page(case_id: uuid.UUID, page: str) -> tuple[Case, Workflow, Page]:
    case = editable(case_id)
    law = workflow(case.workflow)
    return case, law, found(next((one for one in law.pages if one.id == page), None))


def posted(law: Workflow, page: Page) -> dict[str, Any]:
    return raw_answers(law.form, request.form, page.fields)


def _save(case: Case, law: Workflow, page: Page) -> None:
    perform(case, actor(), "edit", request.form.get("version", ""), Act(answers=posted(law, page)))
