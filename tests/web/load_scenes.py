"""What somebody does with a load over HTTP while the process dies: uploads it, has it checked, applies it, says yes to what
it proposes, throws it away.

What never belongs here: the death, the restart, the sweep (test_crash.py).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from portal.cases.intake import admissions
from portal.cases.intake.admitted_rows import columns
from portal.cases.intake.scope import scope_of
from portal.cases.loads import lifecycle, proposals
from portal.extensions import db
from portal.models import Item, Pupil, RegisterLoad, RegisterLoadRow
from storage.objects import Sealed
from tests import exports, invariants
from tests.builders import Cast, a_case
from tests.cases.test_loads import apply, check, receive
from tests.intakes import a_person
from tests.web.dying import Sender

PUPILS = 30


@dataclass(frozen=True)
class Scene:
    """Something that somebody does over HTTP: as a browser before the death, and as a test client after the restart."""

    who: Any
    page: str  # where the form stands
    perform: Callable[[Sender], int]
    repeat: Callable[[Any], int]
    done: Callable[[], bool]
    again: int = 303  # the answer to the act where it was done before the death
    task: bool = False  # the dying work is a task of its own, which the restart takes up


def an_export(cast: Cast, _paper: Any) -> Scene:
    """Uploaded, up to the choice of the columns."""
    a_case(cast)  # the audit chain has begun
    db.session.commit()
    data = _sheet(cast)

    def done() -> bool:
        loads = db.session.scalars(select(RegisterLoad)).all()
        for load in loads:
            assert invariants.store().read(Sealed(**load.stored)) == data, "a load without its file"
        return bool(loads)

    def repeat(client: Any) -> int:
        sent = {"file": (io.BytesIO(data), "导出.xlsx")}
        return int(client.post("/register/loads", data=sent).status_code)

    return Scene(
        cast.reviewer,
        "/register/loads",
        lambda sender: sender.send("/register/loads", data, "export.xlsx", field="file"),
        repeat,
        done,
    )


def a_list(cast: Cast, _paper: Any) -> Scene:
    """A list of the admitted, up to its confirmation."""
    a_case(cast)  # the audit chain has begun
    db.session.commit()
    scope = scope_of(cast.approver)
    assert scope is not None
    listed = columns(scope.roster)
    one = {**a_person(1), "admitted_to": cast.school.code, "exam_county": "青禾县"}
    lines = (",".join(column.title for column in listed), ",".join(one[column.key] for column in listed))
    data = "\n".join((*lines, "")).encode()

    def done() -> bool:
        waiting = admissions.staged(scope)
        assert waiting is None or invariants.store().read(waiting.sealed) == data, "a list without its file"
        return waiting is not None

    def repeat(client: Any) -> int:
        sent = {"file": (io.BytesIO(data), "list.csv")}
        return int(client.post("/intake/admitted", data=sent).status_code)

    path = "/intake/admitted"
    return Scene(
        cast.approver, path, lambda sender: sender.send(path, data, "list.csv", field="file"), repeat, done
    )


def a_check(cast: Cast, _paper: Any) -> Scene:
    """Every row read and compared; a task of its own, which leaves findings chunk by chunk."""
    db.session.commit()
    load = lifecycle.begin(cast.reviewer, "导出.xlsx", receive(_sheet(cast), cast.reviewer))
    fields = {f"column-{position}": key for position, key in load.mapping.items()}
    path, load_id = f"/register/loads/{load.id}/columns", load.id
    db.session.commit()

    def done() -> bool:
        checked = db.session.get_one(RegisterLoad, load_id).status == "checked"
        rows = select(func.count()).where(RegisterLoadRow.load_id == load_id)
        assert not checked or db.session.scalar(rows) == PUPILS, "half a check, or findings twice"
        return checked

    return _task(cast.reviewer, path, path, fields, done)


def a_load(cast: Cast, _paper: Any) -> Scene:
    """A bureau applies new pupils."""
    db.session.commit()
    load = check(cast.reviewer, _rows(cast))
    path, load_id = f"/register/loads/{load.id}", load.id

    def done() -> bool:
        status = db.session.get_one(RegisterLoad, load_id).status
        assert _added(load_id) == (PUPILS if status == "applied" else 0), f"half a load, which is {status}"
        return status == "applied"

    return _task(cast.reviewer, path, f"{path}/apply", {}, done)


def an_answer(cast: Cast, _paper: Any) -> Scene:
    """The county says yes to the new pupils that a school's load proposes."""
    db.session.commit()
    load = apply(check(cast.registrar, _rows(cast)), cast.registrar)
    item = proposals.of_load(load)
    assert item is not None
    path, load_id, item_id = f"/register/proposals/{item.id}", load.id, item.id

    def done() -> bool:
        status = db.session.get_one(Item, item_id).status
        assert _added(load_id) == (PUPILS if status == "accepted" else 0), f"half an item, which is {status}"
        return status == "accepted"

    return _task(cast.reviewer, path, f"{path}/accept", {"version": str(item.version)}, done)


def a_discard(cast: Cast, _paper: Any) -> Scene:
    """Thrown away: the load and its findings in one commit, its file after it."""
    db.session.commit()
    load = check(cast.reviewer, _rows(cast))
    path, load_id = f"/register/loads/{load.id}", load.id

    def done() -> bool:
        standing = db.session.get_one(RegisterLoad, load_id)
        assert (standing.status == "discarded") == (standing.stored == {}), "half thrown away"
        return standing.status == "discarded"

    return Scene(
        cast.reviewer,
        path,
        lambda sender: sender.post(f"{path}/discard", {}).status,
        lambda client: int(client.post(f"{path}/discard").status_code),
        done,
        again=409,
    )


def _task(who: Any, page: str, path: str, fields: dict[str, str], done: Callable[[], bool]) -> Scene:
    return Scene(
        who,
        page,
        lambda sender: sender.post(path, fields).status,
        lambda client: int(client.post(path, data=fields).status_code),
        done,
        task=True,
    )


def _rows(cast: Cast) -> list[dict[str, str]]:
    return list(exports.rows_of(PUPILS, [cast.school.code]))


def _sheet(cast: Cast) -> bytes:
    return exports.as_xlsx(_rows(cast), exports.EVERY_COLUMN, exports.EVERY_HEADING)


def _added(load_id: Any) -> int:
    return db.session.query(Pupil).filter_by(load_id=load_id).count()
