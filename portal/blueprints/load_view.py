"""What pages show of the findings of a load, as plain values: old and new of each column, and who is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portal.blueprints.pupil_view import shown
from portal.cases import clock
from portal.cases.loads import proposals
from portal.cases.loads.comparing import (
    ADDED,
    CHANGED,
    EMPTIED,
    FAULTY,
    HELD,
    LANDED,
    MISSING,
    MOVED,
    WAITING,
    WARNED,
)
from portal.models import Item, RegisterLoad, RegisterLoadRow
from portal.standards.columns import BY_KEY

KIND_TITLES = {
    FAULTY: "有错误",
    WAITING: "待上级确认",
    ADDED: "新增",
    CHANGED: "更改",
    MISSING: "不在名单",
    EMPTIED: "证件号变空",
    MOVED: "没有写入",
    HELD: "暂不覆盖",
    LANDED: "确认落地",
    WARNED: "提醒",
}
OF_ADDED = ("school_code", "grade", "class_name")
OF_PROPOSED = ("sex", "birth_date", "id_type", "id_number", *OF_ADDED)  # by which a bureau knows a pupil


@dataclass(frozen=True)
class Difference:
    title: str
    before: str
    after: str


@dataclass(frozen=True)
class FoundRow:
    """One finding for macros: `kind` is what it is or would become, `linked` whether its pupil has a page."""

    row: RegisterLoadRow
    kind: str
    linked: bool
    differences: list[Difference]
    faults: list[dict[str, str]]


@dataclass(frozen=True)
class WaitingView:
    """Where a school's proposal stands."""

    count: int
    owner: str
    since: str
    status: str
    tone: str
    text: str


def found_in(rows: Iterable[RegisterLoadRow], *, applied: bool = False) -> list[FoundRow]:
    """The findings of a list. Private values are masked; an added pupil is known once the load is `applied`."""
    return [
        FoundRow(
            row,
            row.waits_as or row.kind,
            bool(row.pupil_id) and row.kind != FAULTY and (_has_page(row) or applied),
            _differences(row),
            _faults(row),
        )
        for row in rows
    ]


def _has_page(row: RegisterLoadRow) -> bool:
    return (row.waits_as if row.kind in (WAITING, MOVED) else row.kind) != ADDED


def waiting(load: RegisterLoad) -> WaitingView | None:
    """What became of the rows that a bureau is asked about; None where none is asked."""
    item = proposals.of_load(load)
    return waiting_view(item) if item else None


STANDING = {
    "open": ("等待确认", "soon", "{owner}尚未答复，自 {since} 起等待。其余各行已经写入。"),
    "answered": ("正在写入", "info", "{owner}已接受，正在写入，请稍后刷新查看。"),
    "accepted": ("已接受", "ok", "{owner}已接受并写入。"),
    "closed": ("没有写入", "late", "{owner}没有接受：{cause}"),
}


def waiting_view(item: Item) -> WaitingView:
    status, tone, text = STANDING[item.status]
    since = clock.local(item.first_run).strftime("%m-%d %H:%M")
    told = text.format(owner=item.owner.name, since=since, cause=item.cause)
    if item.status == "closed" and item.cause == proposals.WITHDRAWN:
        told = item.cause
    return WaitingView(sum(item.after.values()), item.owner.name, since, status, tone, told)


def _differences(row: RegisterLoadRow) -> list[Difference]:
    """Old and new of each column of a finding; of an added pupil only what tells who and where it is."""
    kind = row.waits_as or row.kind
    if kind in (FAULTY, WARNED, MISSING):
        return []
    keys = tuple(row.after)
    if kind == ADDED:
        keys = OF_PROPOSED if row.kind in (WAITING, MOVED) else OF_ADDED
    differences = [_difference(row, key) for key in keys if key in BY_KEY and key in row.after]
    if kind == CHANGED and "gone_since" in row.after:
        differences.append(Difference("名单状态", "不在名单", "重新出现"))
    return differences


def _difference(row: RegisterLoadRow, key: str) -> Difference:
    column, old, new = BY_KEY[key], row.before.get(key), row.after.get(key)
    before, after = shown(column, old, revealed=False), shown(column, new, revealed=False)
    if before == after and old != new:
        after = "已更改（不在此显示）"
    return Difference(column.title, before, after)


def _faults(row: RegisterLoadRow) -> list[dict[str, str]]:
    return [one | {"value": shown(BY_KEY[one["column"]], one["value"], revealed=False)} for one in row.faults]
