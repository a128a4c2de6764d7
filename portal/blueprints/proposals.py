"""The bureau's answer to what schools' loads propose: the queue, one proposal with all its rows, yes or no."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from flask import Blueprint, Response, flash, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal import keeping
from portal.blueprints import load_view
from portal.cases import clock, items, unsent
from portal.cases.loads import lifecycle, proposals
from portal.cases.loads.comparing import ADDED, CHANGED, LANDED, MISSING
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Item
from portal.web import actor, found, go, reply, roles

bp = Blueprint("proposals", __name__)

COUNTED = {ADDED: "新增学生", CHANGED: "更改关键信息", MISSING: "不在名单", LANDED: "确认落地"}


@bp.get("/register/proposals")
@roles(*items.ANSWERERS)
def index() -> Response:
    """What waits for this office, and what it answered lately."""
    who = actor()
    return reply(
        "register/proposals.html",
        waiting=[_line(item) for item in items.waiting(who)],
        answered=[_line(item) for item in items.answered(who)],
    )


def _line(item: Item) -> dict[str, object]:
    return {
        "url": url_for(".show", item_id=item.id),
        "school": item.scope.name,
        "counts": [(title, item.after[kind]) for kind, title in COUNTED.items() if item.after.get(kind)],
        "standing": load_view.waiting_view(item),
        "last": clock.local(item.last_run).strftime("%m-%d %H:%M"),
    }


@bp.get("/register/proposals/<uuid:item_id>")
@roles(*items.ANSWERERS)
def show(item_id: uuid.UUID) -> Response:
    """One proposal: how many rows of each kind, and all of them a page at a time."""
    return _show(_item(item_id))


def _show(item: Item, refused: Refused | None = None, status: int = 200) -> Response:
    load = proposals.load_of(item)
    wanted = request.args.get("kind", "")
    kind = wanted if item.after.get(wanted) else next(iter(one for one in COUNTED if item.after.get(one)))
    listing = lifecycle.proposed(load, kind, _key("after"), _key("before"))
    kept = keeping.kept_for(unsent.ITEM, item.id, "refuse", back=url_for(".show", item_id=item.id))
    return reply(
        "register/proposal.html",
        status,
        item=item,
        load=load,
        line=_line(item),
        tabs_of=[
            {
                "title": title,
                "url": url_for(".show", item_id=item.id, kind=one),
                "count": item.after[one],
                "active": one == kind,
            }
            for one, title in COUNTED.items()
            if item.after.get(one)
        ],
        kind=kind,
        rows=load_view.found_in(listing.rows, applied=item.status == "accepted"),
        previous=listing.previous and url_for(".show", item_id=item.id, kind=kind, before=listing.previous),
        next=listing.next and url_for(".show", item_id=item.id, kind=kind, after=listing.next),
        kept=kept,
        reason=request.form.get("reason", kept.text.get("reason", "") if kept.text else ""),
        refused=refused,
        events=items.events_of(item),
    )


@bp.post("/register/proposals/<uuid:item_id>/accept")
@roles(*items.ANSWERERS)
def accept(item_id: uuid.UUID) -> BaseResponse:
    """Say yes to the whole proposal."""
    return _answer(item_id, "已接受，正在写入。", lambda item: proposals.accept(item, actor(), _version()))


@bp.post("/register/proposals/<uuid:item_id>/refuse")
@roles(*items.ANSWERERS)
def refuse(item_id: uuid.UUID) -> BaseResponse:
    """Say no, with a reason for the school."""
    reason = request.form.get("reason", "")
    return _answer(
        item_id,
        "没有接受，学校会看到原因。",
        lambda item: proposals.refuse(item, actor(), _version(), reason),
    )


def _answer(item_id: uuid.UUID, told: str, act: Callable[[Item], None]) -> BaseResponse:
    try:
        act(_item(item_id))
    except Refused as refused:
        db.session.rollback()
        return _show(_item(item_id), refused, 422 if refused.field else 409)
    keeping.sent()
    db.session.commit()
    flash(told, "success")
    return go(".show", item_id=item_id)


def _item(item_id: uuid.UUID) -> Item:
    return found(items.find(actor(), item_id))


def _version() -> int:
    return request.form.get("version", -1, type=int)


def _key(name: str) -> int:
    return max(0, min(request.args.get(name, 0, type=int), 2**31 - 1))
