"""Checks of what the walks prove: the newest records and the anchor now, and how the last full walks ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from portal import audit
from portal.cases import clock
from portal.extensions import db
from portal.models import AuditHead, keyed_rows
from portal.models.types import utcnow
from portal.oversight import anchors, walks
from portal.oversight.checks import LATE, OK, SOON, Check, Installation

TITLES = {"anchor": "存证锚点", "walks": "全面核查"}
TAIL = 500  # records
WALK_LIFE = timedelta(days=8)  # once a week, and a day to spare
COMMAND = "请运行 flask doctor --full"


def check_anchor(installation: Installation) -> Check:
    """The newest records verify, and the newest note of the head outside the database fits."""
    noted = anchors.newest(installation.store)
    fault = noted.faults[0] if noted.faults else audit.tail_fault(TAIL, *noted.anchors)
    if fault:
        words = f"{fault}。请保护现场，{COMMAND.removeprefix('请')}"
        return Check("anchor", TITLES["anchor"], LATE, words)
    head = db.session.execute(select(AuditHead.__table__)).one_or_none()
    if head and not head.rows_sealed:
        words = "登记中有启用密钥以前的行还没有封存：核对无误后请运行 flask audit seal"
        return Check("anchor", TITLES["anchor"], SOON, words)
    if head and head.anchor_due and head.anchor_due < utcnow() - audit.ANCHOR_EVERY:
        words = "审计链链尾已超过一小时没有写入存储：请运行 flask sweep，并看服务器日志"
        return (
            Check("anchor", TITLES["anchor"], SOON, words) if head.seq > head.anchored_seq else _noted(noted)
        )
    return _noted(noted)


def _noted(noted: anchors.Noted) -> Check:
    words = f"存储中最新的锚点是第 {noted.anchor.seq} 条，相符" if noted.anchor else "还没有到写入锚点的时候"
    return Check("anchor", TITLES["anchor"], OK, f"最近 {TAIL} 条记录完好；{words}")


def check_walks(_installation: Installation) -> Check:
    """Age and result of the last full walks through evidence and audit."""
    said, tone = [], OK
    for kind, title in walks.TITLES.items():
        walk = walks.newest(kind)
        if walk is None:
            said.append(f"{title}还没有核查过")
            tone = SOON if tone == OK else tone
            continue
        day = clock.local(walk.at).strftime("%Y-%m-%d %H:%M")
        if not keyed_rows.fits(walk.__tablename__, keyed_rows.values_of(walk)):
            said.append(f"{title}核查结果（{day}）不是由本系统写入的")
            tone = LATE
        elif walk.faults:
            said.append(f"{title}核查（{day}）发现 {walk.faults} 处不符，第一处：{walk.first}")
            tone = LATE
        else:
            old = walk.at < utcnow() - WALK_LIFE
            said.append(f"{title}核查（{day}）{walk.checked} 项全部相符{'，已过一周' if old else ''}")
            tone = SOON if old and tone == OK else tone
    advice = "" if tone == OK else f"。{COMMAND}"
    return Check("walks", TITLES["walks"], tone, "；".join(said) + advice)


CHECKS: tuple[Callable[[Installation], Check], ...] = (check_anchor, check_walks)
