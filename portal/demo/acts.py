"""What the demonstration does, by the portal's own acts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from portal import audit
from portal.cases import evidence
from portal.cases.access import Actor
from portal.cases.actions import Act, perform, stamp
from portal.extensions import db
from portal.models import Account, Case, EvidenceFile, Office
from storage.judge import Judgement, judge
from storage.objects import ObjectStore

PAPERS = Path(__file__).parent / "papers"


def who(accounts: Mapping[str, Account], role: str, office: Office) -> Actor:
    return Actor.of(next(one for one in accounts.values() if one.role == role and one.office_id == office.id))


def act(case: Case, actor: Actor, verb: str, act: Act | None = None) -> None:
    audit.set_origin(actor_id=actor.id, office_id=actor.office_id)
    perform(case, actor, verb, stamp(case), act)


_judged: dict[Path, tuple[bytes, Judgement]] = {}


def upload(store: ObjectStore, case: Case, actor: Actor, slot: str, path: Path) -> EvidenceFile:
    data, judged = _judged.get(path) or _judge(path)
    file = evidence.stage(case, actor, slot, path.name)
    db.session.commit()
    kept = evidence.keep(store, file.store_key, data, judged)
    settled = evidence.settle(file.id, kept, judged)
    db.session.commit()
    return settled


def _judge(path: Path) -> tuple[bytes, Judgement]:
    data = path.read_bytes()
    _judged[path] = (data, judge(data))
    return _judged[path]
