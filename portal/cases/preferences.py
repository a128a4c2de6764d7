"""What a person or an office keeps from one visit to the next: a text searched for, the columns of a load.

What is typed into a search goes here and not into an address, where it would stand in logs and histories.
"""

from __future__ import annotations

import uuid

from sqlalchemy import select

from portal.extensions import db
from portal.models import Preference


def kept(owner_id: uuid.UUID, key: str) -> dict[str, object]:
    """What this owner, an account or an office, keeps under the key; {} for nothing."""
    found = _find(owner_id, key)
    return dict(found.value) if found else {}


def keep(owner_id: uuid.UUID, key: str, value: dict[str, object]) -> None:
    """Put `value` in the place of what was kept, in the running transaction."""
    found = _find(owner_id, key)
    if found is None:
        found = Preference(owner_id=owner_id, key=key)
        db.session.add(found)
    found.value = value


def _find(owner_id: uuid.UUID, key: str) -> Preference | None:
    query = select(Preference).where(Preference.owner_id == owner_id, Preference.key == key)
    return db.session.scalars(query).one_or_none()
