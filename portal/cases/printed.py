"""A case on paper: what is printed of it, under which name, and the record that it was.

What never belongs here: the look of a form, HTTP.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal import audit
from portal.cases import clock, printing, versions
from portal.cases.facts import STATUS_TEXT, read_facts
from portal.extensions import db, reading_only
from portal.models import Case, RegisterChange
from portal.models.types import utcnow
from portal.workflows import workflow
from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Printout, Sheet

FORBIDDEN_IN_FILE_NAMES = frozenset('\\/:*?"<>|')


@dataclass(frozen=True)
class Order:
    """All that one printout needs, read in one transaction; making it touches the database no more."""

    case_id: uuid.UUID
    version: int
    status: str
    facts: Facts
    printout: Printout

    @property
    def file_name(self) -> str:
        """Number, title and whom it is about: the pupil, or the school where it is about no single one."""
        return f"{self._name}.docx"

    @property
    def sheet_name(self) -> str:
        """The same of the XLSX."""
        return f"{self._name}.xlsx"

    @property
    def _name(self) -> str:
        whom = self.facts.pupil["name"] or self.facts.school.name
        return safe_file_name(f"{self.facts.number}_{self.printout.title}_{whom}")


def orders(case: Case, printout_id: str | None = None) -> list[Order]:
    """The printouts of a case (or the one with this id), in order; empty where there is none."""
    facts = facts_on_paper(case)
    return [
        Order(case.id, case.version, STATUS_TEXT[case.status], facts, printout)
        for printout in workflow(case.workflow).printouts
        if printout_id in (None, printout.id)
    ]


def facts_on_paper(case: Case) -> Facts:
    """The facts with the pupil as the register held them when the case was decided: the form shows what was changed,
    not what the change has made of it."""
    facts = read_facts(case)
    if case.ended_at is None:
        return facts
    query = select(RegisterChange).where(
        RegisterChange.pupil_id == case.pupil_id,
        or_(RegisterChange.case_id == case.id, RegisterChange.at >= case.ended_at),
    )
    values = dict(facts.pupil.values)
    for change in db.session.scalars(query.order_by(RegisterChange.pupil_version.desc())):
        values[change.column] = change.before
    return replace(facts, pupil=replace(facts.pupil, values=values))


def record(wanted: Iterable[Order], key: str) -> list[str]:
    """Write one "case.printed" record for each order in a transaction of its own. Returns the anchor to print on each:
    the number of the record in the audit chain and the first 12 digits of its digest.

    The record keeps the digits of the QR code and keyed fingerprints of the parts of the form, so that a stamped copy can
    be told from one with other contents. `key` is the installation's secret.

    Rolls the running transaction back first: on SQLite it would keep the record from being written.
    """
    wanted = list(wanted)
    db.session.rollback()
    with reading_only(False), Session(db.engine) as session:
        records = [
            audit.append(
                "case.printed",
                "case",
                one.case_id,
                session=session,
                printout=one.printout.id,
                version=one.version,
                digits=versions.digits_of(one.printout, one.facts, one.version, key),
                digits_by=versions.WHOLE,
                parts=versions.fingerprints(one.printout, one.facts, key),
            )
            for one in wanted
        ]
        anchors = [f"{one.seq}-{one.digest[:12]}" for one in records]
        session.commit()
    return anchors


def make(order: Order, anchor: str, key: str) -> bytes:
    """The DOCX of an order. `key` is the installation's secret, for the digits in the QR code."""
    return printing.render(order.printout, order.facts, **_circumstances(order, anchor, key))


def make_sheet(order: Order, sheet: Sheet, anchor: str, key: str) -> bytes:
    """The XLSX of an order whose printout has this sheet."""
    return printing.render_sheet(order.printout, sheet, order.facts, **_circumstances(order, anchor, key))


def _circumstances(order: Order, anchor: str, key: str) -> dict[str, Any]:
    return {
        "version": order.version,
        "anchor": anchor,
        "qr_text": printing.qr_text(order.printout, order.facts, version=order.version, key=key),
        "status": order.status,
        "printed_at": clock.local(utcnow()),
    }


def safe_file_name(name: str) -> str:
    """A file name that every system takes: no separators, no control or direction characters, no dot at the ends."""
    kept = "".join(
        "_" if character in FORBIDDEN_IN_FILE_NAMES else character
        for character in name
        if character.isprintable() or 0xE000 <= ord(character) <= 0xF8FF or ord(character) >= 0x20000
    )
    return kept.strip(" .")[:120] or "未命名"
