"""The state machine: people act on cases in every order, from fresh and stale pages, while clocks jump, uploads hang,
processes die before their commit, and persons leave or change their post. The invariants hold after every step.

What never belongs here: the services it runs on, how often it runs.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select

from portal import audit
from portal.accounts import management
from portal.cases import actions, claims, evidence, remarks, starting, stored_files
from portal.cases.access import Actor
from portal.cases.actions import Act
from portal.cases.facts import read_facts
from portal.cases.refusing import Refused
from portal.cases.remarks import Reason
from portal.extensions import db
from portal.models import Account, Case, Decision, EvidenceFile, Pupil, Role, Status, StoredFile
from portal.models.types import utcnow
from portal.workflows import WORKFLOWS
from tests import invariants
from tests.cases import world as worlds
from tests.cases.world import Installation, World

REGISTRARS = ("first registrar", "first registrar2", "second registrar", "direct registrar")
DECIDERS = (
    "first reviewer",
    "first reviewer2",
    "first approver",
    "first approver2",
    "second reviewer",
    "second approver",
)
OTHERS = ("first head", "first auditor", "first administrator", "second auditor")
POSTS = {"first registrar": (Role.REVIEWER, "county"), "first reviewer": (Role.APPROVER, "state")}
SLOTS = ("change_certificate", "household_book", "cancellation_certificate")

some_case = st.integers(0, 7)
whoever_may = st.integers(0, 2)  # the n-th of those to whom the page offers the act
mostly_not = st.sampled_from((False, False, False, True))
owner = st.one_of(whoever_may, whoever_may, st.sampled_from(REGISTRARS + DECIDERS[:2]))
decider = st.one_of(
    whoever_may, whoever_may, whoever_may, st.sampled_from(DECIDERS + REGISTRARS[:1] + OTHERS)
)
reaches = st.sampled_from((1, 2, 3, 4, 4))  # how many steps: prepared, submitted, decided, decided
pages = st.one_of(
    st.just(None), st.just(None), st.integers(0, 9)
)  # None: a fresh page, else one seen earlier
verdicts = st.sampled_from(("pass", "pass", "pass", "mend", "advise", "refuse"))
slots = st.sampled_from(SLOTS)
answers = st.sampled_from(
    ("name", "name", "wanted number", "wanted number", "held number", "birth date", "nonsense", "nothing")
)


class Machine(RuleBasedStateMachine):
    """A subclass names the world and the installation that it acts on."""

    world: World
    installation: Installation

    @initialize()
    def open_portal(self) -> None:
        self.leaving = ExitStack()
        app = self.leaving.enter_context(type(self).installation())
        self.clock = self.leaving.enter_context(worlds.running(app))
        self.lying = {key for key, _ in invariants.store().keys("evidence/")}
        self.stamps = {case_id: list(stamps) for case_id, stamps in type(self).world.cases.items()}
        self.cases = list(self.stamps)
        self.tokens = {name: token for name, (_, token) in type(self).world.people.items()}
        self.hanging: list[tuple[evidence.Coming, str, bytes]] = []
        self.buried: dict[str, datetime] = {}
        self.done: list[tuple[str, uuid.UUID, str, str, Act]] = []
        self.contents = 0
        self.changed = False
        for case_id in self.cases[2:]:
            self.send(case_id, 0, SLOTS[0], "pass", b"slow " + case_id.bytes, hangs=True)

    def teardown(self) -> None:
        if not hasattr(self, "lying"):  # it never opened
            return
        with self.leaving:
            db.session.remove()
            worlds.tasks.wait()
            found = invariants.everything(lying=self.lying)
            assert found == [], found
            expires = select(func.max(StoredFile.expires_at)).where(StoredFile.status == "staged")
            latest = (
                db.session.scalar(expires) or utcnow()
            )  # the clock may have gone back since it was staged
            self.clock.move_to(max(latest, utcnow()) + timedelta(days=2))
            for _ in range(2):  # the second time for what reached the store after the first
                stored_files.reap(invariants.store())
            assert db.session.query(StoredFile).filter_by(status="staged").count() == 0
            tidy = invariants.i6_rows_and_objects(self.lying, tombstones=False)
            assert tidy == [], tidy

    @invariant()
    def invariants_hold(self) -> None:
        if getattr(self, "changed", False):
            self.changed = False
            found = invariants.cheap()
            assert found == [], found

    # --- acting -----------------------------------------------------------------------------------------------------

    def attempt(self, name: str, work: Callable[[Actor], Any], *, dies: bool = False) -> Refused | None:
        """One request of a person: the door, the work, the commit. None when it was done."""
        db.session.remove()
        actor = self.signed_in(name)
        if actor is None:
            db.session.remove()
            return Refused("not signed in")
        audit.set_origin(actor_id=actor.id, office_id=actor.office_id)
        try:
            work(actor)
            if not dies:
                db.session.commit()
        except Refused as refused:
            db.session.rollback()
            return refused
        finally:
            db.session.remove()
        self.changed = not dies
        return None

    def case_id(self, which: int) -> uuid.UUID:
        return self.cases[which % len(self.cases)]

    def fitting(self, who: str | int, case_id: uuid.UUID, verb: str) -> str:
        """The person named, or the n-th of those to whom the page would offer the verb."""
        if isinstance(who, str):
            return who
        db.session.remove()
        case = db.session.get_one(Case, case_id)
        people = {name: type(self).world.people[name][0] for name in REGISTRARS + DECIDERS}
        working = select(Account).where(Account.id.in_(people.values()), Account.active)
        actors = {account.id: Actor.of(account) for account in db.session.scalars(working)}
        offered = [
            name
            for name, account_id in people.items()
            if account_id in actors and verb in actions.available(case, actors[account_id])
        ]
        return offered[who % len(offered)] if offered else DECIDERS[who]

    def signed_in(self, name: str) -> Actor | None:
        return worlds.signed_in(self.tokens[name])

    def perform(
        self, who: str | int, case_id: uuid.UUID, verb: str, page: int | None, act: Act, *, dies: bool = False
    ) -> Refused | None:
        """An act from a page, fresh or seen earlier, with what must become of it judged beforehand."""
        name = self.fitting(who, case_id, verb)
        db.session.remove()
        case = db.session.get_one(Case, case_id)
        fresh = actions.stamp(case)
        known = self.stamps[case_id]
        seen = fresh if page is None else known[page % len(known)]
        stale = seen.partition(".")[0] != str(case.version)
        must_refuse = stale or case.status not in actions.ACTIONS[verb].sources
        actor = self.signed_in(name)
        if actor and actions.ACTIONS[verb].decides:
            holder = claims.holds_claim(case)
            must_refuse = must_refuse or holder not in (None, actor.id)
            must_refuse = must_refuse or actor.office_id != case.holder_office_id
        stands_open = (
            bool(actor) and not must_refuse and seen == fresh and verb in actions.available(case, actor)
        )  # type: ignore[arg-type]
        must_accept = stands_open and self.nothing_missing(case, verb, act)
        refused = self.attempt(
            name,
            lambda one: actions.perform(db.session.get_one(Case, case_id), one, verb, seen, act),
            dies=dies,
        )
        assert not (must_refuse and refused is None), (
            f"{name} could {verb} from {seen}, the case is at {fresh}"
        )
        assert not (must_accept and refused), (
            f"{name} was offered {verb} and refused: {refused and refused.message}"
        )
        if refused is None and not dies:
            self.done.append((name, case_id, verb, seen, act))
            self.note(case_id)
        if dies:
            db.session.remove()
            assert actions.stamp(db.session.get_one(Case, case_id)) == fresh, (
                "a death before the commit leaves nothing"
            )
        return refused

    def nothing_missing(self, case: Case, verb: str, act: Act) -> bool:
        """Whether an act offered to a person carries all it needs, so that it has to be accepted."""
        if verb == "approve":
            return not actions.refusals_now(case, read_facts(case))
        if verb == "reject":
            return len(act.note.strip()) >= 4
        if verb == "return":
            return not remarks.fault_in_reasons(case, act.reasons) and not act.to
        return verb in ("edit", "withdraw")

    def note(self, case_id: uuid.UUID) -> None:
        """Remember what a page shows now. Whatever stands in the case can be read."""
        db.session.remove()
        case = db.session.get_one(Case, case_id)
        stamp, opinions = actions.stamp(case), read_facts(case).opinions
        assert len(opinions) == db.session.query(Decision).filter_by(case_id=case_id).count()
        if stamp not in self.stamps.setdefault(case_id, []):
            self.stamps[case_id].append(stamp)
        db.session.remove()

    # --- the school -------------------------------------------------------------------------------------------------

    @rule(who=st.one_of(whoever_may, whoever_may, st.sampled_from(REGISTRARS)), pupil=st.integers(0, 3))
    def start(self, who: str | int, pupil: int) -> None:
        """Registrar n can start for pupil n."""
        who = who if isinstance(who, str) else REGISTRARS[pupil]
        made: list[uuid.UUID] = []
        chosen = type(self).world.pupils[pupil]

        def work(actor: Actor) -> None:
            made.append(starting.start(actor, WORKFLOWS[0], db.session.get_one(Pupil, chosen)).id)

        if self.attempt(who, work) is None:
            self.cases.append(made[0])
            self.note(made[0])

    @precondition(lambda self: self.cases)
    @rule(which=some_case, who=owner, page=pages, what=answers, dies=mostly_not)
    def edit(self, which: int, who: str | int, page: int | None, what: str, dies: bool) -> None:
        self.perform(who, self.case_id(which), "edit", page, Act(answers=self.answers(what)), dies=dies)

    def answers(self, what: str) -> dict[str, Any]:
        told = {"cause": "household_corrected", "explanation": "户口簿登记有误，派出所已更正"}
        world = type(self).world
        return {
            "name": {**told, "fields": ["name"], "new_name": "马晓明"},
            "wanted number": {**told, "fields": ["id_number"], "new_id_number": world.wanted_number},
            "held number": {**told, "fields": ["id_number"], "new_id_number": world.held_number},
            "birth date": {**told, "fields": ["birth_date"], "new_birth_date": "2010-05-07"},
            "nonsense": {**told, "fields": ["birth_date"], "new_birth_date": "二〇一〇年"},
            "nothing": {"fields": [], "explanation": ""},
        }[what]

    @precondition(lambda self: self.cases)
    @rule(which=some_case, who=owner, slot=slots, verdict=verdicts, same=st.booleans(), hangs=mostly_not)
    def upload(self, which: int, who: str | int, slot: str, verdict: Any, same: bool, hangs: bool) -> None:
        self.contents += not same
        self.send(self.case_id(which), who, slot, verdict, b"paper %d" % self.contents, hangs)

    def send(
        self, case_id: uuid.UUID, who: str | int, slot: str, verdict: Any, content: bytes, hangs: bool = False
    ) -> None:
        staged: list[evidence.Coming] = []

        def stage(actor: Actor) -> None:
            staged.append(evidence.stage(db.session.get_one(Case, case_id), actor, slot, "证明.jpg"))

        if self.attempt(self.fitting(who, case_id, "edit"), stage) is None:
            self.hanging.append((staged[0], verdict, content))
            if not hangs:
                self.finish_upload(len(self.hanging) - 1)

    @precondition(lambda self: self.hanging)
    @rule(which=some_case)
    def finish_upload(self, which: int) -> None:
        """The second half of an upload, at once or after anything else has happened."""
        coming, verdict, content = self.hanging.pop(which % len(self.hanging))
        db.session.remove()
        status = db.session.get_one(Case, coming.case_id).status
        db.session.remove()
        judged = worlds.judged(verdict, content)
        kept = evidence.keep(invariants.store(), coming.key, content, judged)
        try:
            evidence.settle(coming, kept, judged)
            db.session.commit()
        except Refused:
            db.session.rollback()
            return
        finally:
            db.session.remove()
        self.changed = True
        assert status in (Status.DRAFT, Status.RETURNED), f"a paper came into a case that is {status}"

    @precondition(lambda self: self.cases)
    @rule(which=some_case, who=owner, file=st.integers(0, 3), keep=st.booleans())
    def remove_or_explain_file(self, which: int, who: str | int, file: int, keep: bool) -> None:
        case_id = self.case_id(which)
        db.session.remove()
        case = db.session.get_one(Case, case_id)
        files, status = [one.id for one in evidence.files_of(case)], case.status
        if not files:
            return
        chosen = files[file % len(files)]

        def work(actor: Actor) -> None:
            one, case = db.session.get_one(EvidenceFile, chosen), db.session.get_one(Case, case_id)
            if keep:
                evidence.override(case, actor, one, "原件已由派出所收回")
            else:
                evidence.remove(case, actor, one)

        refused = self.attempt(self.fitting(who, case_id, "edit"), work)
        assert refused or status in (Status.DRAFT, Status.RETURNED), (
            f"papers of a case changed that is {status}"
        )

    @precondition(lambda self: self.cases)
    @rule(which=some_case, what=st.sampled_from(("name", "wanted number")))
    def prepare(self, which: int, what: str) -> None:
        """Everything that a case needs to be submitted."""
        case_id = self.case_id(which)
        self.perform(0, case_id, "edit", None, Act(answers=self.answers(what)))
        for slot in SLOTS[:2]:
            self.contents += 1
            self.send(case_id, 0, slot, "pass", b"paper %d" % self.contents)

    @precondition(lambda self: self.cases)
    @rule(which=some_case, who=owner, page=pages, explains=st.booleans(), dies=mostly_not)
    def submit(self, which: int, who: str | int, page: int | None, explains: bool, dies: bool) -> None:
        case_id = self.case_id(which)
        db.session.remove()
        left = remarks.open_remarks(db.session.get_one(Case, case_id)) if explains else []
        told = {str(remark.id): "原件已由派出所收回，无法重拍" for remark in left}
        self.perform(who, case_id, "submit", page, Act(explanations=told), dies=dies)

    @precondition(lambda self: self.cases)
    @rule(which=some_case, who=owner, page=pages)
    def withdraw(self, which: int, who: str | int, page: int | None) -> None:
        self.perform(who, self.case_id(which), "withdraw", page, Act())

    # --- the bureaus ------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.cases)
    @rule(which=some_case, who=decider, page=pages, dies=mostly_not)
    def approve(self, which: int, who: str | int, page: int | None, dies: bool) -> None:
        self.perform(who, self.case_id(which), "approve", page, Act(note="同意"), dies=dies)

    @precondition(lambda self: self.cases)
    @rule(which=some_case, who=decider, page=pages, down=st.booleans(), slot=slots, mild=st.booleans())
    def send_back(
        self, which: int, who: str | int, page: int | None, down: bool, slot: str, mild: bool
    ) -> None:
        case_id = self.case_id(which)
        db.session.remove()
        case = db.session.get_one(Case, case_id)
        targets = actions.return_targets(case, read_facts(case)) if case.step else [("", "")]
        reasons = (
            Reason("image_unclear", "evidence", slot),
            *((Reason("other", note="请补说明"),) if mild else ()),
        )
        self.perform(who, case_id, "return", page, Act(reasons=reasons, to=targets[-1][0] if down else ""))

    @precondition(lambda self: self.cases)
    @rule(which=some_case, who=decider, page=pages, note=st.sampled_from(("证明与本人不符", "否")))
    def reject(self, which: int, who: str | int, page: int | None, note: str) -> None:
        self.perform(who, self.case_id(which), "reject", page, Act(note=note))

    @precondition(lambda self: self.cases)
    @rule(which=st.one_of(st.none(), some_case), far=reaches, what=st.sampled_from(("name", "wanted number")))
    def carry_on(self, which: int | None, far: int, what: str) -> None:
        """What should happen to most cases, to one or to all: prepared, submitted and decided at each step in turn."""
        for number in range(len(self.cases)) if which is None else [which]:
            for verb in ("prepare", "submit", "approve", "approve")[:far]:
                self.take_step(number, verb, what)

    def take_step(self, which: int, verb: str, what: str) -> None:
        db.session.remove()
        status = db.session.get_one(Case, self.case_id(which)).status
        if verb == "prepare" and status in (Status.DRAFT, Status.RETURNED):
            self.prepare(which, what)
        elif verb in actions.ACTIONS and status in actions.ACTIONS[verb].sources:
            self.perform(0, self.case_id(which), verb, None, Act())

    @precondition(lambda self: self.done)
    @rule(which=some_case)
    def press_again(self, which: int) -> None:
        """The same button pressed once more on the same page: done once, told the second time."""
        name, case_id, verb, seen, act = self.done[-1 - which % len(self.done)]
        refused = self.attempt(
            name, lambda one: actions.perform(db.session.get_one(Case, case_id), one, verb, seen, act)
        )
        assert refused, f"{verb} was done twice from the page {seen}"

    @precondition(lambda self: self.cases)
    @rule(which=some_case, who=decider, how=st.sampled_from(("claim", "claim", "take over", "release")))
    def claim(self, which: int, who: str | int, how: str) -> None:
        case_id, name = self.case_id(which), self.fitting(who, self.case_id(which), "approve")

        def work(actor: Actor) -> None:
            case = db.session.get_one(Case, case_id)
            other = claims.claimed_by_other(case, actor)
            if how == "release":
                claims.release(case, actor)
                return
            done = claims.claim(case, actor, take_over=how == "take over")
            assert not (done and other and how == "claim"), "a living claim was passed over without a word"
            assert not done or claims.holds_claim(case) == actor.id

        self.attempt(name, work)

    # --- the world --------------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from((-26, -1, 1, 5, 26, 24 * 14, 24 * 60)), sweeps=st.booleans())
    def time_passes(self, hours: int, sweeps: bool) -> None:
        """The clock jumps, and the daily sweep may run: an upload that hangs longer than a day can no longer be ended."""
        self.clock.shift(timedelta(hours=hours))
        db.session.remove()
        received = select(EvidenceFile.id).where(EvidenceFile.status == "committed")
        before = set(db.session.scalars(received))
        if sweeps:
            stored_files.reap(invariants.store())
            self.give_up_dead_uploads()
        assert before <= set(db.session.scalars(received)), "the sweep took what had been received"
        db.session.remove()

    @precondition(lambda self: self.cases)
    @rule(who=st.sampled_from(sorted(POSTS)), which=some_case)
    def follow_a_case(self, who: str, which: int) -> None:
        """A person decides, takes up the post where the case waits then, and decides again: a registrar becomes the
        county reviewer of their own case, a reviewer the state approver of what they let pass."""
        act = Act(note="同意")
        self.perform(who, self.case_id(which), "approve", None, act)
        db.session.remove()
        role, office = POSTS[who]
        worlds.move(type(self).world.people[who][0], role, type(self).world.offices[office])
        db.session.commit()
        self.perform(who, self.case_id(which), "approve", None, act)

    def give_up_dead_uploads(self) -> None:
        """No connection lives for a month: what a sweep still finds in its grave 30 days after another never arrives."""
        gone = select(StoredFile.key).where(StoredFile.status == "gone")
        for key in db.session.scalars(gone):
            self.buried.setdefault(key, utcnow())
        month_ago = utcnow() - timedelta(days=30)
        self.hanging = [one for one in self.hanging if self.buried.get(one[0].key, month_ago) >= month_ago]

    @rule(
        who=st.one_of(st.sampled_from(sorted(POSTS)), st.sampled_from(DECIDERS + REGISTRARS[:1])),
        how=st.sampled_from(("leaves", "comes back", "moves", "moves")),
    )
    def people_change(self, who: str, how: str) -> None:
        """An account is closed in the middle of things and perhaps opened again, or the person takes up another post:
        a registrar becomes a county reviewer, a reviewer a state approver, with their cases on the way."""
        world = type(self).world
        account_id = world.people[who][0]
        if how == "moves":
            account_id = world.people[who if who in POSTS else "first reviewer"][0]
            role, office = POSTS.get(who, POSTS["first reviewer"])
            worlds.move(account_id, role, world.offices[office])
        else:
            management.set_account_active(db.session.get_one(Account, account_id), False)
            db.session.commit()
            assert self.signed_in(who) is None, "a closed account still acts"
        if how == "comes back":
            management.set_account_active(db.session.get_one(Account, account_id), True)
            assert self.signed_in(who) is None, "a session rose from the dead"
            self.tokens[who] = worlds.sessions.begin(
                db.session.get_one(Account, account_id), "127.0.0.1", ""
            ).token
        db.session.commit()
        db.session.remove()
