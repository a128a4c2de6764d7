"""本地条件: what the state bureau adds to the lists of the policy; the bureaus below it read them."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, flash, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal import keeping
from portal.cases import local_conditions, unsent
from portal.cases.local_conditions import Typed, Unsaved
from portal.cases.offices import policy_of, supervisor
from portal.extensions import db
from portal.models import Level, Office, Role
from portal.policies import Article, PolicyError
from portal.web import actor, deny, found, go, reply, roles
from portal.workflows import WORKFLOWS
from portal.workflows.vocabulary import Supplement, Workflow

bp = Blueprint("local_conditions", __name__, url_prefix="/policy/local")

READERS = (Role.APPROVER, Role.REVIEWER, Role.AUDITOR)
FIELDS = ("title", "scope", "document", "clause", "text", "reason")


@bp.get("")
@roles(*READERS)
def page() -> Response:
    """A list's own conditions, those of the policy beside them, every version with who, when and why."""
    return _page(request.args.get("list", ""))


@bp.post("/add")
@roles(Role.APPROVER)
def add() -> BaseResponse:
    """One condition more, as a new version."""
    key = request.form.get("list", "")
    _law, supplement = found(_lists().get(key))
    typed = _typed(request.form)
    try:
        one = local_conditions.add(actor(), key, supplement, typed, _seen())
    except Unsaved as refused:
        return _refuse(key, refused, typed)
    keeping.sent()
    db.session.commit()
    flash(f"已保存为第 {one.number} 版，学校发起业务时可以选用。", "success")
    return go("local_conditions.page", list=key)


@bp.post("/retire")
@roles(Role.APPROVER)
def retire() -> BaseResponse:
    """A condition that can no longer be chosen, as a new version."""
    key = request.form.get("list", "")
    found(_lists().get(key))
    reason = request.form.get("reason", "")
    try:
        one = local_conditions.retire(actor(), key, request.form.get("code", ""), reason, _seen())
    except LookupError:
        deny()
    except Unsaved as refused:
        return _refuse(key, refused, Typed())
    db.session.commit()
    flash(f"已停用，存为第 {one.number} 版；已办结的业务不受影响。", "success")
    return go("local_conditions.page", list=key)


def _lists() -> dict[str, tuple[Workflow, Supplement]]:
    """Every list of a procedure to which conditions can be added."""
    return {local_conditions.key_of(law, one): (law, one) for law in WORKFLOWS for one in law.supplements}


def _typed(form: Mapping[str, str]) -> Typed:
    return Typed(**{name: form.get(name, "") for name in FIELDS})


def _seen() -> int:
    text = request.form.get("seen", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1


def _refuse(key: str, refused: Unsaved, typed: Typed) -> Response:
    db.session.rollback()
    return _page(key, 409 if refused.conflict else 422, refused, typed)


def _settled(own: Office, key: str) -> tuple[list[dict[str, str]], Article | None]:
    """What the policy itself lists, and its article; nothing where no pack rules the office or the list."""
    try:
        pack = policy_of(own)
        return pack.value(key), pack.source(key)
    except PolicyError:
        return [], None


def _page(
    key: str, status: int = 200, refused: Unsaved | None = None, typed: Typed | None = None
) -> Response:
    lists = _lists()
    key = key if key in lists else next(iter(lists))
    law, supplement = lists[key]
    own = db.session.get_one(Office, actor().office_id)
    state = supervisor(own, Level.STATE)
    versions = local_conditions.history(state, key)
    settled, source = _settled(own, key)
    here = url_for("local_conditions.page", list=key)
    kept = keeping.kept_for(unsent.OFFICE, own.id, f"local:{key}"[:60], back=here)
    if typed is None and kept.text is not None:
        typed = _typed(kept.text)
    return reply(
        "policy/local.html",
        status,
        lists=[(one, where.title, added.title) for one, (where, added) in lists.items()],
        key=key,
        law=law,
        supplement=supplement,
        state=state,
        settled=settled,
        source=source,
        conditions=local_conditions.conditions_of(versions[0] if versions else None),
        seen=versions[0].number if versions else 0,
        versions=[
            (one, local_conditions.difference(one, older))
            for one, older in zip(versions, [*versions[1:], None], strict=False)
        ],
        editable=local_conditions.may_set(actor()),
        message=refused.message if refused else "",
        faults=refused.faults if refused else {},
        kept=kept,
        typed=typed or Typed(),
        retiring=request.form.get("code", ""),
        retire_reason=request.form.get("reason", "")[: local_conditions.REASON_MOST],
    )
