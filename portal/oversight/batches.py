"""Rows of a walk, a batch at a time, so that memory does not grow with the installation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.orm import Session


def batches(session: Session, query: Any, key: Any, size: int) -> Iterator[Sequence[Any]]:
    """Rows of a query in the order of its key column, at most `size` at a time."""
    last = None
    while True:
        page = query if last is None else query.where(key > last)
        rows = session.execute(page.order_by(key).limit(size)).all()
        if not rows:
            return
        yield rows
        last = getattr(rows[-1], key.name)
