"""The engine: a table and two functions. available() says what a person may do now; perform() does it, once.

Templates draw the buttons that available() lists and perform() accepts only those, so page and server cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal import audit, tasks
from portal.cases import claims, digests, holds, paper_advice, register, remarks, sights, whose_papers
from portal.cases.access import Actor
from portal.cases.facts import read_facts
from portal.cases.history import append_event, told_what_happened
from portal.cases.intake import numbers, plans
from portal.cases.outcomes import Place, outcome
from portal.cases.refusing import Refused
from portal.cases.rosters import entering, striking
from portal.cases.writing import write_case, write_decision
from portal.extensions import db
from portal.faults import reach
from portal.models import Case, Decision, Role, RosterRow, Status
from portal.standards import names
from portal.standards.words import letters_in
from portal.workflows import workflow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Refusal, Terminal, Workflow

OWNER, HOLDER = "owner", "holder"
SAYING = {
    "submit": "材料说明",
    "approve": "材料不是该生的，同意的理由",
}  # verb -> before what is said of the papers
CONFIRMATION = "confirmation"


@dataclass(frozen=True)
class Action:
    """One row of the table: a verb, the statuses it starts from, whose it is, and the event it leaves."""

    verb: str
    sources: frozenset[Status]
    by: str
    event: str
    decides: bool = False
    of_roster: bool = False  # only where the case is about many


ACTIONS: dict[str, Action] = {
    action.verb: action
    for action in (
        Action("edit", frozenset({Status.DRAFT, Status.RETURNED}), OWNER, "edited"),
        Action("submit", frozenset({Status.DRAFT, Status.RETURNED}), OWNER, "submitted"),
        Action("withdraw", frozenset({Status.DRAFT, Status.RETURNED, Status.IN_REVIEW}), OWNER, "withdrawn"),
        Action("approve", frozenset({Status.IN_REVIEW}), HOLDER, "approved", decides=True),
        Action("return", frozenset({Status.IN_REVIEW}), HOLDER, "returned", decides=True),
        Action("reject", frozenset({Status.IN_REVIEW}), HOLDER, "rejected", decides=True),
        Action("strike", frozenset({Status.IN_REVIEW}), HOLDER, "struck", of_roster=True),
        Action("put_back", frozenset({Status.IN_REVIEW}), HOLDER, "put_back", of_roster=True),
    )
}


@dataclass(frozen=True)
class Act:
    """What an act carries: note, coded reasons (return), where to return to, new raw answers (edit), explanations."""

    note: str = ""
    reasons: tuple[remarks.Reason, ...] = ()
    to: str = ""  # return: "" is the school, else the id of the step before
    answers: Mapping[str, Any] = field(default_factory=dict)
    explanations: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[str, ...] = ()  # strike, put_back: ids of roster rows
    confirmation: str = ""  # the word of a terminal procedure, as it was typed
    sight: sights.Sight | None = None  # the papers as they were read again before; None: perform() reads them
    papers_words: str = ""  # submit, approve: why it is right although the papers say otherwise


def available(case: Case, actor: Actor) -> frozenset[str]:
    """The verbs that this person can use on this case now."""
    return frozenset(action.verb for action in ACTIONS.values() if _may(action, case, actor))


def _may(action: Action, case: Case, actor: Actor) -> bool:
    if case.status not in action.sources:
        return False
    if action.of_roster and workflow(case.workflow).roster is None:
        return False
    if action.by == OWNER:
        return actor.role is Role.REGISTRAR and case.owner_office_id == actor.office_id
    step = workflow(case.workflow).step(case.step)
    return (
        case.holder_office_id == actor.office_id
        and actor.role == step.role
        and not _is_own(case, actor)
        and not claims.claimed_by_other(case, actor)
        and not _decided_this_round(case, actor)
    )


def _is_own(case: Case, actor: Actor) -> bool:
    return actor.id in (case.submitted_by_id, case.created_by_id)


def _decided_this_round(case: Case, actor: Actor) -> bool:
    query = select(Decision.id).where(
        Decision.case_id == case.id, Decision.round == case.round, Decision.actor_id == actor.id
    )
    return db.session.scalars(query.limit(1)).first() is not None


def return_targets(case: Case, facts: Facts) -> list[tuple[str, str]]:
    """Where a return can go: [(value, what the person reads)], the school first, then the step before."""
    law = workflow(case.workflow)
    targets = [("", f"退回学校（{case.owner.name}）")]
    steps = law.steps(facts)
    ids = [step.id for step in steps]
    if case.step in ids[1:]:
        before = steps[ids.index(case.step) - 1]
        targets.append((before.id, f"退回上一级（{before.title}）"))
    return targets


def stamp(case: Case) -> str:
    """What a page shows, as text to be posted back: the version of the case and of the pupil's record."""
    return f"{case.version}.{case.pupil.version if case.pupil else 0}"


def perform(case: Case, actor: Actor, verb: str, seen: str, act: Act | None = None) -> None:
    """Do one act in the running transaction; the caller commits. All or nothing: on Refused roll back.

    `seen` is the stamp of the page that the person acted from: a stale page is refused and told who did what.
    Raises Refused.
    """
    act = act or Act()
    action = ACTIONS[verb]
    _hold(case)
    _refuse_stale(case, action, seen)
    seen_version = case.version
    if not _may(action, case, actor):
        raise Refused(_why_not(case, action, actor), conflict=case.status not in action.sources)
    law = workflow(case.workflow)
    if law.roster and verb in ("submit", "approve"):
        plans.hold(case.owner_office_id)
    facts = read_facts(case, actor)
    sight = _seen_again(case, act) if action.decides else ()
    if verb == "approve":
        register.hold(law, law.changes(facts))
    _check(case, action, act, facts)
    before = Place(case.status, case.step, case.round)
    after = outcome(case, actor, law, facts, verb, answers=act.answers, to=act.to)
    if (terminal := law.terminal) and (verb == "submit" or after.status is Status.APPROVED):
        _refuse_unconfirmed(terminal, facts, act)
    write_case(case, seen_version, before, after)
    reach("decide.after_update")
    content: dict[str, Any] = {}
    with _overtaken(case):
        if action.decides:
            decision = write_decision(case, actor, action.event, before, _noted(verb, act), sight)
            content["decision"] = digests.of_decision(decision)
        if verb == "return" and not act.to:
            remarks.write_remarks(case, act.reasons)
        if law.roster:
            act = _write_roster(case, actor, verb, act, before, facts)
        if verb in ("submit", "approve"):
            holds.take(case, actor, holds.wanted(case, law, facts))
        if after.status is Status.APPROVED:
            content["changes"] = _take_effect(case, law, facts)
        if case.ended_at:
            holds.free(case)
    if verb != "edit":
        words = act.papers_words.strip() if verb in SAYING else ""
        event = append_event(
            case, actor, action.event, before.step, _noted(verb, act), act.reasons, act.to, words
        )
        content["event"] = digests.of_event(event)
    if verb == "submit" or case.ended_at:
        tasks.enqueue("evidence.lock", case_id=str(case.id))
    audit.append(
        f"case.{action.event}",
        "case",
        case.id,
        step=before.step,
        round=before.round,
        version=case.version,
        status=str(case.status),
        answers=digests.of_answers(case.id, case.answers),
        about=digests.of_case(case),
        **_of_roster(case, law, verb),
        **content,
    )
    reach("decide.before_commit")


@contextmanager
def _overtaken(case: Case) -> Iterator[None]:
    """Tell who was quicker, where the database or the register says that somebody was. Raises Refused."""
    try:
        yield
    except register.EndedRecord as error:
        db.session.rollback()
        db.session.refresh(case)
        raise Refused("学籍登记刚有变动，这件业务现在不能批准；请刷新页面查看原因", conflict=True) from error
    except (IntegrityError, register.RegisterMoved) as error:
        db.session.rollback()
        db.session.refresh(case)
        raise Refused(told_what_happened(case), conflict=True) from error


def _seen_again(case: Case, act: Act) -> sights.Sight:
    """The papers that a decision rests on: as they were read again before the transaction, else read now. Raises Refused
    where one is not what was received."""
    sight = sights.look(case)
    if sight == act.sight:
        return sight
    case_id = case.id
    try:
        sights.read_again(sight)
    except sights.Spoilt as spoilt:
        db.session.rollback()
        refused = sights.refusal(
            case_id, spoilt
        )  # in a transaction of its own, so before the next one begins here
        db.session.refresh(case)
        raise refused from spoilt
    return sight


def _of_roster(case: Case, law: Workflow, verb: str) -> dict[str, Any]:
    """Of a roster the people are what was answered: they stand from the submission on."""
    if law.roster is None or verb not in ("submit", "approve"):
        return {}
    rows = db.session.execute(select(RosterRow.__table__).where(RosterRow.case_id == case.id))
    return {"roster": digests.of_roster(case.id, rows)}


def _noted(verb: str, act: Act) -> str:
    """The note as decision and history keep it: with what was said of the papers."""
    words = act.papers_words.strip() if verb in SAYING else ""
    return "\n".join(part for part in (act.note.strip(), f"{SAYING[verb]}：{words}" if words else "") if part)


def _write_roster(case: Case, actor: Actor, verb: str, act: Act, before: Place, facts: Facts) -> Act:
    """What an act does to the rows of a roster; the act with what the history is to say of it."""
    if verb == "submit":
        try:
            numbers.allot(case, len(facts.standing_rows))
        except numbers.NoNumbersLeft as error:
            raise Refused("学号已编排完，不能再申请号段：请州教育局核对政策中的学号规则") from error
    if verb in ("strike", "put_back"):
        write = striking.strike if verb == "strike" else striking.put_back
        return replace(act, note=write(facts, actor, before.step, act.rows, act.note))
    return act


def _take_effect(case: Case, law: Workflow, facts: Facts) -> str:
    """The last approval reaches the register; the keyed digest of what it changed. Raises RegisterMoved, IntegrityError when another was quicker."""
    if law.roster:
        return entering.enter(case, law, facts)
    return register.apply(case, law, law.changes(facts))


def _hold(case: Case) -> None:
    """Lock the case's row and read it as it stands: an upload or another decision that is being written ends first.

    SQLite has one writer, who holds the whole database already.
    """
    query = select(Case).where(Case.id == case.id).with_for_update(of=Case)
    db.session.execute(query.execution_options(populate_existing=True)).unique().all()


def _refuse_stale(case: Case, action: Action, seen: str) -> None:
    """A page older than the case, or for a decision older than the pupil's record, is refused. Raises Refused."""
    if seen.partition(".")[0] != str(case.version):
        raise Refused(told_what_happened(case), conflict=True)
    if action.decides and seen != stamp(case):
        raise Refused("该生的学籍登记刚有变动，请刷新页面核对原值后再办", conflict=True)


def _check(case: Case, action: Action, act: Act, facts: Facts) -> None:
    """What an act must carry, and the rules that must not stop it."""
    if any(ord(character) < 32 and character not in "\r\n\t" for character in act.note):
        raise Refused("意见中有不能使用的控制字符，请删去后重新提交")
    if action.verb == "reject" and letters_in(act.note) < 4:
        raise Refused("不同意须写明理由（至少 4 个字）")
    if action.verb == "return":
        fault = remarks.fault_in_reasons(case, act.reasons)
        if fault:
            raise Refused(fault)
        if act.to and act.to not in dict(return_targets(case, facts)):
            raise Refused("不能退回到所选的环节，请重新选择")
    if action.verb == "submit" and case.status == Status.RETURNED:
        remarks.explain(case, act.explanations)
        left = remarks.unsettled(case)
        if left:
            numbers = "、".join(str(remark.position) for remark in left)
            raise Refused(f"补正清单第 {numbers} 项还没有改动；确需保持原样的，请在该项写明原因")
    if action.verb in SAYING and (fault := whose_papers.fault_in_words(act.papers_words)):
        raise Refused(fault, field=whose_papers.WORDS)
    if action.verb in ("submit", "approve"):
        stopping = refusals_now(case, facts)
        if stopping:
            raise Refused(
                "还不能提交，请先处理下列事项"
                if action.verb == "submit"
                else "现在不能同意，请先处理下列事项",
                stopping,
            )
    if action.verb == "submit":
        paper_advice.refuse_unsaid(case, facts, act.papers_words)
    if action.verb == "approve":
        whose_papers.refuse_unsaid(case, facts, act.papers_words)


def _refuse_unconfirmed(terminal: Terminal, facts: Facts, act: Act) -> None:
    """What cannot be taken back is asked for and granted with its word typed, look-alike characters aside. Raises Refused."""
    typed, wanted = (names.name_key(text.strip()) for text in (act.confirmation, terminal.word(facts)))
    if not typed:
        raise Refused(f"请填写“{terminal.asks}”，确认知道后果", field=CONFIRMATION)
    if typed != wanted:
        raise Refused(f"“{terminal.asks}”填写的与登记不一致，请核对是不是这名学生", field=CONFIRMATION)


def refusals_now(case: Case, facts: Facts) -> tuple[Refusal, ...]:
    """Everything that keeps this case from being submitted or approved: incomplete fields first, then the rules."""
    law = workflow(case.workflow)
    form = law.form.from_raw(case.answers, facts)
    errors = form.errors_in(law.asked(facts))
    article = facts.policy.source(f"{law.id}.offered")
    incomplete = tuple(
        Refusal("incomplete", f"“{form[name].label.text}”：{'；'.join(messages)}", "请补填", article, name)
        for name, messages in errors.items()
    )
    return incomplete + law.refusals(facts)


def _why_not(case: Case, action: Action, actor: Actor) -> str:
    if case.status not in action.sources:
        return told_what_happened(case)
    if action.by == HOLDER:
        if claims.claimed_by_other(case, actor) and case.claimed_by:
            return f"{case.claimed_by.name}正在办理这项业务，需要时可以接办"
        if _is_own(case, actor):
            return "不能审核自己发起或提交的业务"
        if case.holder_office_id == actor.office_id and _decided_this_round(case, actor):
            return "您已在本轮办理过这项业务，须由另一人办理"
    return "这项业务现在不由您办理"
