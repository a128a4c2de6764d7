"""Printed forms as they come back: the words of a case's form on a sheet with its code and a seal, scanned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portal.cases import printed, printing
from portal.cases.printed import Order
from portal.models import Case
from tests.conftest import KEY
from tests.scans import scanned, sheet

WHOM = (("姓名", "name"), ("学籍号", "student_number"), ("身份证件号", "id_number"))


def order_of(case: Case, printout: str | None = None, key: str = KEY) -> tuple[Order, str]:
    """Print a form of the case: what was printed, and what its QR code holds."""
    (order,) = printed.orders(case, printout)
    printed.record([order], key)
    return order, printing.qr_text(order.printout, order.facts, version=order.version, key=key)


def code_of(case: Case, printout: str | None = None) -> str:
    """Print a form of the case, and give what its QR code holds."""
    return order_of(case, printout)[1]


def words_of(order: Order) -> list[str]:
    """Lines that stand on the form: number and title, whom it is about, what it changes, what the procedure says."""
    facts = order.facts
    lines = [order.printout.title, f"编号：{facts.number}　状态：审核中"]
    lines += [f"{title}　{facts.pupil[key]}" for title, key in WHOM if facts.pupil[key]]
    lines += [f"{row['title']}　{row['before']}　{row['after']}" for row in printing.change_rows(facts)]
    lines += _own(order)
    return lines


def _own(order: Order) -> Iterator[str]:
    if order.printout.rows is None:
        yield from (text for text in order.printout.names(order.facts).values() if text)
        return
    for rows in order.printout.rows(order.facts).values():
        yield from (f"{row['number']}　{row['name']}　{row['id_number']}" for row in rows)


def paper_of(case: Case, printout: str | None = None, *, code: str | None = None, **how: Any) -> Any:
    """A form of the case on paper, stamped (`seal`), with its own code or another, as an RGB array."""
    order, own = order_of(case, printout)
    return sheet(own if code is None else code, words=words_of(order), **how)


def scan_of(case: Case, printout: str | None = None, **how: Any) -> bytes:
    """The same as a scan."""
    return scanned(paper_of(case, printout, **how))
