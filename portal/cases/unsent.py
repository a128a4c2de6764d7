"""What a person has typed and not sent, per person, thing and form: through an idle half hour, another sign-in, a crash.

Reading and writing go by the account alone, so that nobody meets another's text; the thing has to be one that the person
may see. Keeping touches neither the thing nor its version, and leaves no line in a log or the audit trail.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, func, not_, or_, select

from portal.cases import items
from portal.cases.access import Actor, find_case
from portal.cases.loads import lifecycle
from portal.extensions import db
from portal.models import OPEN, Account, Case, Item, RegisterLoad, Status, UnsentText
from portal.models.types import utcnow

CASE, LOAD, OFFICE, ITEM = "case", "load", "office", "item"
KEPT_FOR = timedelta(
    days=30
)  # personal data without a purpose goes; the source names no term (open-questions.md)
MOST_CHARACTERS, MOST_FIELDS, LONGEST_NAME = 40_000, 1_500, 80
MOST_FORMS = 200  # of one person; the oldest goes first
MOST_PAGES = 3  # texts of other pages beside the newest

Fields = Mapping[str, list[str]]


class TooMuch(Exception):
    """More than any form of ours can hold."""


@dataclass(frozen=True)
class Place:
    """Where something is typed: the kind and id of the thing, and the form about it."""

    about: str
    about_id: uuid.UUID
    form: str


@dataclass(frozen=True)
class Sheet:
    """The page it was typed on: its own key, the revision of the kept text that it was drawn from (0: none), and the stamp
    of the thing that it showed."""

    page: str
    drawn_from: int
    stamp: str


def reachable(actor: Actor, place: Place) -> bool:
    """Whether the person may see the thing, and something can still be done with it."""
    if place.about == CASE:
        case = find_case(actor, place.about_id)
        return case is not None and case.status in OPEN
    if place.about == ITEM:
        item = items.find(actor, place.about_id)
        return item is not None and item.status == "open"
    if place.about == LOAD:
        load = lifecycle.find_load(actor, place.about_id)
        return load is not None and load.status in lifecycle.BEFORE_APPLYING
    return place.about == OFFICE and place.about_id == actor.office_id


def kept(account_id: uuid.UUID, place: Place) -> UnsentText | None:
    """What this person typed there last."""
    return db.session.scalars(_at(account_id, place)).one_or_none()


def kept_about(account_id: uuid.UUID, about: str, about_id: uuid.UUID, prefix: str) -> list[UnsentText]:
    """What this person typed into the forms about a thing whose names begin so, oldest first."""
    query = select(UnsentText).where(
        UnsentText.account_id == account_id,
        UnsentText.about == about,
        UnsentText.about_id == about_id,
        UnsentText.form.startswith(prefix, autoescape=True),
    )
    return list(db.session.scalars(query.order_by(UnsentText.saved_at)))


def keep(actor: Actor, place: Place, sheet: Sheet, fields: Fields) -> None:
    """Keep the fields in the running transaction; nothing but empty ones forgets what this page had typed.

    A text that another open page has put there since this one was drawn is laid aside, not overwritten.
    """
    fields = {name: texts for name, texts in fields.items() if len(name) <= LONGEST_NAME}
    if (
        sum(map(len, fields)) + sum(len(text) for texts in fields.values() for text in texts)
        > MOST_CHARACTERS
    ):
        raise TooMuch
    if len(fields) > MOST_FIELDS:
        raise TooMuch
    if not any(text.strip() for texts in fields.values() for text in texts):
        forget(actor.id, place, sheet)
        return
    found = _for_writing(actor.id, place)
    if found is None:
        _make_room(actor.id)
        found = UnsentText(account_id=actor.id, about=place.about, about_id=place.about_id, form=place.form)
        found.revision, found.others = 0, {}
        db.session.add(found)
    else:
        found.others = _beside(found, sheet, fields)
    found.fields, found.page, found.stamp = dict(fields), sheet.page, sheet.stamp[:40]
    found.revision, found.saved_at = found.revision + 1, utcnow()
    db.session.flush()


def _beside(found: UnsentText, sheet: Sheet, fields: Fields) -> dict[str, dict[str, Any]]:
    """The texts of other pages, once this page has typed `fields`."""
    others = {page: text for page, text in found.others.items() if page != sheet.page}
    if not _same(found, sheet) and found.fields != fields:
        others[found.page] = _text_of(found)
    newest = sorted(others.items(), key=lambda one: str(one[1]["saved_at"]))[-MOST_PAGES:]
    return dict(newest)


def _text_of(found: UnsentText) -> dict[str, Any]:
    return {"fields": found.fields, "stamp": found.stamp, "saved_at": found.saved_at.isoformat()}


def _same(found: UnsentText, sheet: Sheet) -> bool:
    """Whether the kept text is that of this page, or the one that the page was drawn from."""
    return found.page == sheet.page or found.revision == sheet.drawn_from


def forget(account_id: uuid.UUID, place: Place, sheet: Sheet) -> None:
    """Let go of what one page had typed, in the running transaction; the newest text of another page takes its place. A
    text that only another page has typed stays."""
    found = _for_writing(account_id, place)
    if found is None:
        return
    if not _same(found, sheet):
        found.others = {page: text for page, text in found.others.items() if page != sheet.page}
    elif found.others:
        _bring_up(found, max(found.others, key=lambda page: str(found.others[page]["saved_at"])), stay=False)
    else:
        db.session.delete(found)
    db.session.flush()


def take(account_id: uuid.UUID, place: Place, page: str) -> bool:
    """Put the text of another page in front, in the running transaction, and lay the present one aside."""
    found = _for_writing(account_id, place)
    if found is None or page not in found.others:
        return False
    _bring_up(found, page, stay=True)
    db.session.flush()
    return True


def _bring_up(found: UnsentText, page: str, *, stay: bool) -> None:
    text = found.others[page]
    others = {key: other for key, other in found.others.items() if key != page}
    found.others = others | ({found.page: _text_of(found)} if stay else {})
    found.fields, found.page, found.stamp = text["fields"], page, text["stamp"]
    found.revision += 1


def _at(account_id: uuid.UUID, place: Place) -> Any:
    return select(UnsentText).where(
        UnsentText.account_id == account_id,
        UnsentText.about == place.about,
        UnsentText.about_id == place.about_id,
        UnsentText.form == place.form,
    )


def _for_writing(account_id: uuid.UUID, place: Place) -> UnsentText | None:
    """The kept text as it stands now. One writer of a person's texts at a time, so that of two pages the second sees what
    the first wrote; the lock leaves other rows that name the account alone."""
    db.session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))
    fresh = _at(account_id, place).execution_options(populate_existing=True)
    found: UnsentText | None = db.session.scalars(fresh).one_or_none()
    return found


def _make_room(account_id: uuid.UUID) -> None:
    own = UnsentText.account_id == account_id
    count = db.session.execute(select(func.count()).select_from(UnsentText).where(own)).scalar_one()
    if count >= MOST_FORMS:
        oldest = select(UnsentText.id).where(own).order_by(UnsentText.saved_at).limit(count - MOST_FORMS + 1)
        db.session.execute(delete(UnsentText).where(UnsentText.id.in_(oldest)))


def sweep() -> int:
    """Delete texts that are too old, of closed accounts, or about what has moved on past the person. Commits."""
    closed = select(Account.id).where(not_(Account.active))
    office = Account.office_id
    to_mend = and_(Case.owner_office_id == office, Case.status.in_((Status.DRAFT, Status.RETURNED)))
    to_decide = and_(Case.holder_office_id == office, Case.status == Status.IN_REVIEW)
    whose = and_(Account.id == UnsentText.account_id, Case.id == UnsentText.about_id)
    mine = select(Case.id).join(Account, whose).where(or_(to_mend, to_decide)).correlate(UnsentText)
    waiting = select(RegisterLoad.id).where(RegisterLoad.status.in_(lifecycle.BEFORE_APPLYING))
    unanswered = select(Item.id).where(Item.status == "open")
    done = db.session.execute(
        delete(UnsentText).where(
            or_(
                UnsentText.saved_at < utcnow() - KEPT_FOR,
                UnsentText.account_id.in_(closed),
                and_(UnsentText.about == CASE, not_(mine.exists())),
                and_(UnsentText.about == LOAD, UnsentText.about_id.not_in(waiting)),
                and_(UnsentText.about == ITEM, UnsentText.about_id.not_in(unanswered)),
            )
        ),
        execution_options={"synchronize_session": False},
    )
    db.session.commit()
    return int(done.rowcount)  # type: ignore[attr-defined]
