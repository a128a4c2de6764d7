"""The reviewer's desk: one page on which a case is read and decided. Who may not decide reads the same page.

A typed note or reason is never lost: a refused decision answers with the desk as it stands now and everything typed.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from flask import Blueprint, Response, abort, flash, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal import audit, keeping
from portal.blueprints import (
    casefile,
    desk_place,
    desk_view,
    marks_view,
    reading_view,
    roster_view,
    slots_view,
)
from portal.blueprints.desk_forms import Typed, subjects, typed_in
from portal.cases import claims, clock, evidence, queues, sights, unsent
from portal.cases.access import find_case, find_pupil
from portal.cases.actions import CONFIRMATION, Act, available, perform, refusals_now, return_targets, stamp
from portal.cases.facts import read_facts
from portal.cases.queues import Box, Filters
from portal.cases.refusing import Refused
from portal.cases.whose_papers import WORDS
from portal.extensions import db, reading_only
from portal.faults import reach
from portal.models import OPEN, Case, EvidenceFile, Role, Status
from portal.policies import policy
from portal.web import actor, found, go, reply, unattended, wants_fragment
from portal.workflows import workflow

bp = Blueprint("review", __name__, url_prefix="/cases")

DECIDING = ("approve", "return", "reject")
DONE = {"approve": "已同意", "return": "已退回", "reject": "已作不同意处理"}


@bp.get("/<uuid:case_id>/desk")
def desk(case_id: uuid.UUID) -> Response:
    """The desk of one case, with the way to its neighbours in the box that it was opened from."""
    case = _find(case_id)
    audit.append_now("case.viewed", "case", case.id)
    return _desk(case)


@bp.post("/<uuid:case_id>/desk/numbers")
def reveal(case_id: uuid.UUID) -> Response:
    """The same desk with the numbers in full; that somebody looked is recorded."""
    case = _find(case_id)
    audit.append("case.revealed", "case", case.id)
    db.session.commit()
    return _desk(case, revealed=True, typed=typed_in(request.form), fragment=_table(case))


@bp.post("/<uuid:case_id>/desk/reasons")
def more_reasons(case_id: uuid.UUID) -> Response:
    """One more empty row for a reason; nothing is written."""
    case = _find(case_id)
    typed = typed_in(request.form, more=1)
    return _desk(case, typed=typed, opened="return", fragment="review/_reasons.html")


@bp.post("/<uuid:case_id>/decide")
def decide(case_id: uuid.UUID) -> BaseResponse:
    """同意, 退回 or 不同意, once; then on to the next case of the same box, filter and order."""
    case = _find(case_id)
    verb = request.form.get("verb", "")
    if verb not in DECIDING:
        abort(400)
    typed = typed_in(request.form)
    box, filters = desk_place.origin(case)
    after = queues.following(actor(), box, filters, case) if box else None
    try:
        act = replace(_act(case, verb, typed), sight=_seen_again(case))
        case = _find(case_id)  # as it stands now: reading the papers again took its time
        perform(case, actor(), verb, request.form.get("seen", ""), act)
    except Refused as refused:
        db.session.rollback()
        case = _find(case_id)
        conflict = refused.conflict or claims.claimed_by_other(case, actor())
        return _desk(case, 409 if conflict else 422, refused=refused, typed=typed, opened=verb)
    keeping.sent()
    db.session.commit()
    reach("decide.after_commit")
    following = db.session.get_one(Case, after) if after else None
    told = f"{DONE[verb]}：{case.number}，{_whither(case)}。"
    flash(told + (_told_next(case, following) if following else ""), "success")
    return _go_on(case, box, filters, after)


def _seen_again(case: Case) -> sights.Sight:
    """The papers read from the store once more, while no transaction holds anybody up. Raises Refused."""
    case_id = case.id
    db.session.commit()
    with reading_only():
        sight = sights.look(case)
        db.session.rollback()
    try:
        sights.read_again(sight)
    except sights.Spoilt as spoilt:
        raise sights.refusal(case_id, spoilt) from spoilt
    return sight


def _act(case: Case, verb: str, typed: Typed) -> Act:
    if verb != "return":
        return Act(note=typed.note, confirmation=typed.confirmation, papers_words=typed.papers_words)
    targets = {row["code"]: row["target"] for row in policy(case.policy).value("return_reasons")}
    return Act(note=typed.note, reasons=typed.reasons(targets), to=typed.to)


def _whither(case: Case) -> str:
    if case.status == Status.APPROVED:
        return "学生已进入学籍登记" if workflow(case.workflow).roster else "学籍登记已更改"
    if case.status == Status.REJECTED:
        return "本件已终止"
    return f"已转{case.holder.name}" if case.holder else "已办结"


def _go_on(case: Case, box: Box | None, filters: Filters, after: uuid.UUID | None) -> BaseResponse:
    if box is None:
        return go("review.desk", case_id=case.id)
    if after is None:
        flash("本队列没有待您办的业务了。", "success")
        return go("queues.box", name=box.id, **filters.as_args())
    return go("review.desk", case_id=after, box=box.id, **filters.as_args())


def _told_next(case: Case, after: Case) -> str:
    """Which case the desk goes on with; no name, since what is flashed travels in the browser's cookie."""
    switched = (
        "" if after.workflow == case.workflow else f"本队列没有待您办的{workflow(case.workflow).title}了。"
    )
    return f"{switched}下一件：{workflow(after.workflow).title} {after.number}。"


@bp.get("/<uuid:case_id>/desk/status")
@unattended
def status(case_id: uuid.UUID) -> BaseResponse:
    """What an open page asks every 20 seconds: who works on the case, and whether it has moved on."""
    case = _find(case_id)
    if not wants_fragment():
        return go("review.desk", case_id=case.id, **desk_place.origin_args())
    beat = request.args.get("beat", 0, type=int)
    seen = request.args.get("seen", "")
    return reply("review/_status.html", **desk_place.status(case, seen=seen, beat=max(0, beat)))


@bp.post("/<uuid:case_id>/claim")
def claim(case_id: uuid.UUID) -> BaseResponse:
    """开始办理: others see that somebody is on it and cannot decide meanwhile."""
    return _answer_claim(case_id, claims.claim(_find(case_id), actor()))


@bp.post("/<uuid:case_id>/take-over")
def take_over(case_id: uuid.UUID) -> BaseResponse:
    """接办: pass over somebody's living claim; that person's open page says so."""
    return _answer_claim(case_id, claims.claim(_find(case_id), actor(), take_over=True))


@bp.post("/<uuid:case_id>/release")
def release(case_id: uuid.UUID) -> BaseResponse:
    """放下: give up one's own claim."""
    return _answer_claim(case_id, claims.release(_find(case_id), actor()))


def _answer_claim(case_id: uuid.UUID, done: bool) -> BaseResponse:
    """After a claim changed hands: the fragment for htmx, the desk for everybody else; 409 where it did not.

    htmx sends the note of the form of decisions along. A page without it was opened while somebody else worked on the
    case, and needs the whole desk, since the fragment would leave its reader without the buttons to decide with."""
    if done:
        db.session.commit()
    else:
        db.session.rollback()
    case = _find(case_id)
    seen = request.form.get("seen", stamp(case))
    if wants_fragment() and not (
        done and claims.holds_claim(case) == actor().id and "note" not in request.form
    ):
        return reply(
            "review/_status.html", 200 if done else 409, **desk_place.status(case, seen=seen, failed=not done)
        )
    if not done:
        return _desk(case, 409, refused=Refused(desk_place.claim_failed(case), conflict=True))
    return go("review.desk", case_id=case.id, **desk_place.origin_args())


@bp.get("/<uuid:case_id>/compare/<uuid:old>/<uuid:new>")
def compare(case_id: uuid.UUID, old: uuid.UUID, new: uuid.UUID) -> Response:
    """A replaced file beside the one that replaced it."""
    case = _find(case_id)
    both = [found(_file_of(case, one)) for one in (old, new)]
    audit.append_now("case.viewed", "case", case.id)
    views = [slots_view.file_view(case, one) for one in both]
    frames = marks_view.frames_on(case, old)
    return reply(
        "review/compare.html",
        case=case,
        title=views[0].slot_title,
        frames=frames,
        old=desk_view.scan(views[0], "退回前", frames),
        new=desk_view.scan(views[1], "补正后"),
        back=url_for("review.desk", case_id=case.id, **desk_place.origin_args()),
    )


@bp.get("/<uuid:case_id>/marks/<uuid:file_id>")
def marks(case_id: uuid.UUID, file_id: uuid.UUID) -> Response:
    """A picture with every place that a return marked on it, numbered as in the 补正 list. Needs no script; prints."""
    case = _find(case_id)
    file = found(_file_of(case, file_id))
    frames = marks_view.frames_on(case, file.id)
    found(frames or None)
    audit.append_now("case.viewed", "case", case.id)
    view = slots_view.file_view(case, file)
    owner = "edit" in available(case, actor())
    back = (
        casefile.mending_url(case, "evidence", file.slot)
        if owner
        else url_for("cases.show", case_id=case.id)
        if actor().role is Role.REGISTRAR
        else url_for("review.desk", case_id=case.id, **desk_place.origin_args())
    )
    scan = desk_view.scan(view, view.slot_title, frames)
    return reply("review/marks.html", case=case, file=view, scan=scan, frames=frames, back=back, owner=owner)


def _file_of(case: Case, file_id: uuid.UUID) -> EvidenceFile | None:
    every = evidence.files_of(case) + evidence.removed_files(case)
    return next((file for file in every if file.id == file_id), None)


# --- the page -------------------------------------------------------------------------------------------------------


def _find(case_id: uuid.UUID) -> Case:
    return found(find_case(actor(), case_id))


def _desk(
    case: Case,
    status: int = 200,
    *,
    refused: Refused | None = None,
    typed: Typed | None = None,
    opened: str = "",
    revealed: bool = False,
    fault: reading_view.Fault | None = None,
    beat: int = 0,
    fragment: str | None = None,
) -> Response:
    """The whole desk. `opened` is the panel that stands open, `typed` what the person had written."""
    facts = read_facts(case, actor())
    slots = slots_view.slots(case, facts, readonly=True)
    changed = casefile.decided_changes(case, facts)
    changes = desk_view.marked(changed, revealed=revealed)
    verbs = available(case, actor())
    kept = _kept(case)
    if typed is None and kept and kept.text is not None:
        typed, opened = typed_in(kept.text), opened or kept.opened.removeprefix("panel-")
    judged = case.status in OPEN and case.round > 0
    rostered = workflow(case.workflow).roster is not None
    outcome = desk_view.outcome(case, facts, changes) if "approve" in verbs else None
    word_fault = refused.message if refused and refused.field == CONFIRMATION else ""
    words_fault = refused.message if refused and refused.field == WORDS else ""
    return reply(
        "review/desk.html",
        status,
        **desk_place.status(case, seen=stamp(case)),
        **desk_place.place(case),
        law=workflow(case.workflow),
        pupil=casefile.subject_line(facts),
        figures=roster_view.figures(case, facts) if rostered else None,
        beside=roster_view.sheet(case, facts, "all", 1, revealed=False)
        if rostered and not facts.evidence
        else None,
        notable=roster_view.notable(case, facts) if rostered else [],
        due=clock.read_clock(case, clock.today(), clock.load_calendar(case.owner)),
        chain=casefile.steps(case, facts),
        **reading_view.desk(
            case,
            facts,
            changed,
            revealed=revealed,
            may_correct=bool(verbs.intersection(DECIDING)),
            fault=fault,
            beat=beat,
        ),
        revealed=revealed,
        answers=casefile.answers(facts, case),
        checks=desk_view.checks(facts, refusals_now(case, facts)) if judged else [],
        slots=slots,
        scans=desk_view.scans(slots, desk_view.standing_frames(case)),
        mended=desk_view.mended(case, facts),
        timeline=reading_view.history(case),
        verbs=verbs,
        deciding=bool(verbs.intersection(DECIDING)),
        outcome=outcome,
        confirm=casefile.confirmation(facts, (typed or Typed()).confirmation, word_fault)
        if outcome and outcome.last
        else None,
        targets=return_targets(case, facts) if "return" in verbs else [],
        subjects=subjects(case, facts),
        words_fault=words_fault,
        pupil_url=_pupil_url(case),
        reasons=policy(case.policy).value("return_reasons"),
        refused=refused,
        kept=kept,
        typed=typed or Typed(),
        opened=opened,
        fragment=fragment,
    )


def _kept(case: Case) -> keeping.Kept | None:
    """What the person typed here and did not send, of those who decide cases."""
    if not actor().decides:
        return None
    back = url_for("review.desk", case_id=case.id, **desk_place.origin_args())
    return keeping.kept_for(unsent.CASE, case.id, "decide", stamp=stamp(case), back=back)


def comparison(
    case: Case, status: int = 200, *, fault: reading_view.Fault | None = None, beat: int = 0
) -> Response:
    """The table of the desk for htmx, the whole desk for everybody else."""
    return _desk(case, status, fault=fault, beat=beat, fragment=_table(case))


def _table(case: Case) -> str:
    """The part of the desk that changes while papers are read and when numbers are shown."""
    return "review/_identity.html" if workflow(case.workflow).roster else "review/_comparison.html"


def _pupil_url(case: Case) -> str:
    """The page of the pupil whom the case is about, "" where there is none that this person may read."""
    pupil = find_pupil(actor(), case.pupil_id) if case.pupil_id else None
    return url_for("register.pupil", pupil_id=pupil.id) if pupil else ""


def back_to_desk(case: Case) -> BaseResponse:
    """The desk as it was opened, after a change that was not a decision."""
    return go("review.desk", case_id=case.id, **desk_place.origin_args())
