"""Two people whose 学籍辅号 the province had exchanged: each has what the same return gives the other, so that neither can be put
right before the other. The state corrects both at once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from portal.cases.intake.province_unsettled import TAKEN, Unsettled, held, put_right
from portal.cases.intake.scope import Scope
from portal.cases.refusing import Refused
from portal.cases.rosters.reading import chunks
from portal.extensions import db
from portal.models import ProvinceReturnRow, RosterRow, SecondaryNumberCorrection


def partners(scope: Scope, rows: Sequence[Unsettled]) -> dict[uuid.UUID, Unsettled]:
    """{id of a kept row: the kept row of the same file with which it exchanges numbers}; nothing below the state's approver."""
    if not scope.may_set:
        return {}
    taken = {
        one.kept.id: (one.kept.sha256, one.kept.secondary_number, one.person.secondary_number)
        for one in rows
        if one.kept.fault == TAKEN and one.person and one.person.secondary_number
    }
    found: dict[tuple[str, str, str], Unsettled] = {}
    for chunk in chunks(wanted for _file, wanted, _has in taken.values()):
        query = (
            select(ProvinceReturnRow, RosterRow)
            .join(RosterRow, RosterRow.id == ProvinceReturnRow.row_id)
            .where(
                ProvinceReturnRow.office_id == scope.state.id,
                ProvinceReturnRow.fault == TAKEN,
                RosterRow.secondary_number.in_(chunk),
            )
        )
        for kept, person in db.session.execute(query):
            key = (kept.sha256, person.secondary_number, kept.secondary_number)
            found[key] = Unsettled(kept, person, kept.reason)
    return {kept_id: found[key] for kept_id, key in taken.items() if key in found}


def correct(
    scope: Scope, kept_id: uuid.UUID, other_id: uuid.UUID, form: Mapping[str, str]
) -> tuple[SecondaryNumberCorrection, SecondaryNumberCorrection]:
    """Give each of two people what the other has; the form must be without faults. Raises Refused, RegisterMoved."""
    one = held(scope, kept_id)
    other = partners(scope, [one]).get(one.kept.id)
    if other is None or other.kept.id != other_id or one.person is None or other.person is None:
        raise Refused("这两行不能互换，请刷新页面核对", conflict=True)
    both = (one.person.id, other.person.id)
    query = (
        select(RosterRow).where(RosterRow.id.in_(both)).order_by(RosterRow.id).with_for_update(of=RosterRow)
    )
    db.session.scalars(query.execution_options(populate_existing=True)).all()
    has, gets = one.person.secondary_number, one.kept.secondary_number
    if (has, gets) != (other.kept.secondary_number, other.person.secondary_number):
        raise Refused("这两位的学籍辅号刚有人更正过，请刷新页面", conflict=True)
    try:
        # Two rows may not have one number even for a moment.
        db.session.execute(update(RosterRow).where(RosterRow.id.in_(both)).values(secondary_number=""))
        made = (
            put_right(scope, one.person, has, gets, form),
            put_right(scope, other.person, gets, has, form),
        )
        db.session.delete(one.kept)
        db.session.delete(other.kept)
        db.session.flush()
    except IntegrityError as error:
        raise Refused("这两位的学籍辅号刚有人更正过，请刷新页面", conflict=True) from error
    return made
