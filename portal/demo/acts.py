"""What the demonstration does, by the portal's own acts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from sqlalchemy import select

from portal import audit, tasks
from portal.cases import evidence
from portal.cases.access import Actor
from portal.cases.actions import Act, perform, stamp
from portal.demo.people import ACCOUNTS, OFFICES
from portal.extensions import db
from portal.models import Account, Case, EvidenceFile, Office
from storage.judge import Judgement, judge

PAPERS = Path(__file__).parent / "papers"


def cast() -> tuple[dict[str, Office], dict[str, Account]]:
    """The offices by key and the accounts by login, as seed.begin() made them."""
    keys = {one.code: one.key for one in OFFICES}
    offices = {keys[one.code]: one for one in db.session.scalars(select(Office).where(Office.code.in_(keys)))}
    logins = [one.login for one in ACCOUNTS]
    accounts = db.session.scalars(select(Account).where(Account.login.in_(logins)))
    return offices, {one.login: one for one in accounts}


def who(accounts: Mapping[str, Account], role: str, office: Office) -> Actor:
    return Actor.of(next(one for one in accounts.values() if one.role == role and one.office_id == office.id))


def act(case: Case, actor: Actor, verb: str, act: Act | None = None) -> None:
    audit.set_origin(actor_id=actor.id, office_id=actor.office_id)
    perform(case, actor, verb, stamp(case), act)


_judged: dict[Path, tuple[bytes, Judgement]] = {}


class NotUsable(Exception):
    """A paper that the demonstration brings along is refused by the picture checks."""


def prepare(papers: Iterable[Path]) -> None:
    """Have papers judged ahead. Raises NotUsable, storage.sandbox.Unavailable."""
    for path in papers:
        _judge(path)


def upload(case: Case, actor: Actor, slot: str, path: Path) -> EvidenceFile:
    """Bring a paper, in the running transaction: it is the whole chapter's."""
    data, judged = _judge(path)
    coming = evidence.stage(case, actor, slot, path.name)
    kept = evidence.keep(tasks.store(), coming.key, data, judged)
    return evidence.settle(coming, kept, judged)


def reread() -> None:
    """What a commit does to loaded rows, without one: the engine writes them by statements of its own."""
    db.session.flush()
    db.session.expire_all()


def _judge(path: Path) -> tuple[bytes, Judgement]:
    if path not in _judged:
        data = path.read_bytes()
        judged = judge(data)
        if judged.refusal is not None:
            raise NotUsable(f"{path.name}: {judged.refusal}")
        _judged[path] = (data, judged)
    return _judged[path]
