"""Rows of the province's return that could not be used: kept until a later load settles them, put aside by hand, or, where
the province has given somebody another 学籍辅号, put right by the state with a reason and a document."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.cases import register, telling
from portal.cases.access import visible_to
from portal.cases.intake.planning import DOCUMENT_MOST, REASON_LEAST, REASON_MOST
from portal.cases.intake.scope import Scope
from portal.cases.intake.sheets import workbook
from portal.cases.refusing import Refused
from portal.cases.rosters.reading import chunks
from portal.extensions import db
from portal.models import Case, Level, ProvinceReturnRow, RosterRow, SecondaryNumberCorrection
from portal.models.types import new_id, utcnow
from portal.standards.words import letters_in
from portal.workflows.facts import ANOTHER

if TYPE_CHECKING:
    from portal.cases.intake.province_return import Refusal

SHOWN = 200
HEADINGS = ("学号", "姓名", "表中的学籍辅号", "原因", "办法")
WIDTHS = (18, 14, 20, 44, 44)
UNSETTLED = ProvinceReturnRow.__table__
TAKEN = "taken"  # somebody else has the 学籍辅号
OTHER = "other"  # somebody has a 学籍辅号, and the file gives another
REMEDIES = {
    "unread": "在返回表中改正这一格，号码列设为文本格式，再导入",
    "empty": "在返回表中补填后再导入",
    "twice": "同一学号只留正确的一行后再导入",
    "shared": "向省厅核对这个学籍辅号是谁的，改正后再导入",
    "unknown": "核对学号；名单还没有登记报省的，先登记再导入",
    "shape": "核对是否填错了列，改正后再导入",
    TAKEN: "向省厅核对这个学籍辅号是谁的；先前给错了人的，先更正那一位；两人互相给错的，导入写着两人的返回表后一并更正",
    "differs": "向省厅核对是不是同一人，改正后再导入",
    OTHER: "省厅确认改号的，凭文件更正；写错的，改正后再导入",
}
PLAINLY = {  # what is wrong, without the other person whom the full sentence may name
    "unread": "表中有没有结果或丢失了数字的单元格",
    "empty": "学号或学籍辅号是空的",
    "twice": "这个学号在表中出现了不止一次",
    "shared": "这个学籍辅号在表中给了不止一个人",
    "unknown": "没有这个学号，或所在名单还没有登记报省",
    "shape": "学籍辅号的写法不对",
    TAKEN: ANOTHER,
    "differs": "表中的姓名或身份证号与名单不符",
    OTHER: "已登记的学籍辅号与表中的不同",
}
IN_DOUBT = (
    "unread",
    "empty",
    "unknown",
)  # faults of the 学号: the same 学籍辅号 under the right one settles them


@dataclass(frozen=True)
class Unsettled:
    """A kept row with the person to whom its 学号 belongs, None where nobody has it. `reason` is what is wrong in the words that
    the person looking may read."""

    kept: ProvinceReturnRow
    person: RosterRow | None
    reason: str

    @property
    def remedy(self) -> str:
        return REMEDIES[self.kept.fault]

    @property
    def may_correct(self) -> bool:
        return self.kept.fault == OTHER and self.person is not None


@dataclass(frozen=True)
class Holder:
    """Who has a 学籍辅号 already; `seen` says whether the person looking may see the roster."""

    number: str
    seen: bool


def holders(scope: Scope, secondary: Iterable[str]) -> dict[str, Holder]:
    """{学籍辅号: who has it} of those that somebody has, in whichever state."""
    found: dict[str, Holder] = {}
    for chunk in chunks(text for text in secondary if text):
        query = (
            select(RosterRow.secondary_number, RosterRow.number, visible_to(scope.actor))
            .join(Case, Case.id == RosterRow.case_id)
            .where(RosterRow.secondary_number.in_(chunk))
        )
        found |= {text: Holder(number or "", bool(seen)) for text, number, seen in db.session.execute(query)}
    return found


def given_to(holder: Holder) -> str:
    """Who has the 学籍辅号, as far as the person may read it."""
    return telling.told(f"这个学籍辅号已经给了学号 {holder.number}", readable=holder.seen)


def keep(
    scope: Scope,
    filename: str,
    sha256: str,
    *,
    numbers: Iterable[str],
    written: Iterable[str],
    refused: Sequence[Refusal],
) -> Counter[int]:
    """Forget what this load has settled, keep what it could not use. A load judges every 学号 in it anew, and all that the same
    file has left behind. Returns how many rows were kept under each year."""
    own = UNSETTLED.c.office_id == scope.state.id
    db.session.execute(delete(UNSETTLED).where(own, UNSETTLED.c.sha256 == sha256))
    for several in chunks(number for number in numbers if number):
        db.session.execute(delete(UNSETTLED).where(own, UNSETTLED.c.number.in_(several)))
    for several in chunks(written):
        gone = delete(UNSETTLED).where(own, UNSETTLED.c.secondary_number.in_(several))
        db.session.execute(gone.where(UNSETTLED.c.fault.in_(IN_DOUBT)))
    for several in chunks(one.secondary for one in refused if not one.number):
        again = delete(UNSETTLED).where(own, UNSETTLED.c.secondary_number.in_(several))
        db.session.execute(again.where(UNSETTLED.c.number == ""))
    at, years = utcnow(), _years_of(one.row_id for one in refused if one.row_id)
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "office_id": scope.state.id,
            "year": years.get(one.row_id, scope.year) if one.row_id else scope.year,
            "row": one.row,
            "number": one.number[:40],
            "secondary_number": one.secondary[:80],
            "fault": one.fault,
            "reason": one.reason,
            "row_id": one.row_id,
            "filename": filename[-200:],
            "sha256": sha256,
            "loaded_at": at,
        }
        for one in refused
    ]
    if rows:
        db.session.execute(insert(UNSETTLED), rows)
    return Counter(int(row["year"]) for row in rows)


def _years_of(row_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """{roster row id: year of its intake}: a person's row waits on the page of their year, on whichever page it was loaded."""
    found: dict[uuid.UUID, int] = {}
    for chunk in chunks(row_ids):
        query = select(RosterRow.id, Case.intake_year).join(Case, Case.id == RosterRow.case_id)
        rows = db.session.execute(query.where(RosterRow.id.in_(chunk), Case.intake_year.is_not(None)))
        found |= {row_id: year for row_id, year in rows if year}
    return found


def year_of(scope: Scope, made: SecondaryNumberCorrection) -> int:
    """The year on whose page a correction stands."""
    return _years_of([made.row_id]).get(made.row_id, scope.year)


def listed(scope: Scope, most: int = SHOWN) -> tuple[list[Unsettled], int]:
    """(the first rows of the year that wait, as far as the person may see them; how many there are). A bureau below the state
    sees those about people whose rosters it sees."""
    rows = _waiting(scope, most)
    if len(rows) < most:
        return rows, len(rows)
    return rows, db.session.execute(_seen(scope, select(func.count(ProvinceReturnRow.id)))).scalar_one()


def sheet(scope: Scope) -> tuple[bytes, int]:
    """(XLSX, rows) of all that listed() counts, in its order."""
    lines = [
        (
            one.kept.number,
            one.person.values.get("name", "") if one.person else "",
            one.kept.secondary_number,
            one.reason,
            one.remedy,
        )
        for one in _waiting(scope)
    ]
    return workbook("还没有解决的行", HEADINGS, lines, WIDTHS), len(lines)


def _waiting(scope: Scope, most: int | None = None) -> list[Unsettled]:
    query = _seen(scope, select(ProvinceReturnRow, RosterRow))
    query = query.order_by(ProvinceReturnRow.loaded_at.desc(), ProvinceReturnRow.row, ProvinceReturnRow.id)
    return [_unsettled(scope, kept, person) for kept, person in db.session.execute(query.limit(most))]


def _seen(scope: Scope, query: Any) -> Any:
    query = query.select_from(ProvinceReturnRow).outerjoin(
        RosterRow, RosterRow.id == ProvinceReturnRow.row_id
    )
    query = query.where(ProvinceReturnRow.office_id == scope.state.id, ProvinceReturnRow.year == scope.year)
    if scope.actor.office_level is Level.STATE:
        return query
    return query.join(Case, Case.id == RosterRow.case_id).where(visible_to(scope.actor))


def find(scope: Scope, kept_id: uuid.UUID) -> Unsettled | None:
    """The row if the person may see it, None otherwise, whether or not it exists."""
    query = _seen(scope, select(ProvinceReturnRow, RosterRow)).where(ProvinceReturnRow.id == kept_id)
    found = db.session.execute(query).one_or_none()
    return _unsettled(scope, found[0], found[1]) if found else None


def _unsettled(scope: Scope, kept: ProvinceReturnRow, person: RosterRow | None) -> Unsettled:
    """The full sentence may name somebody of another county: below the state it is said without them."""
    of_state = scope.actor.office_level is Level.STATE
    return Unsettled(kept, person, kept.reason if of_state else PLAINLY[kept.fault])


def set_aside(scope: Scope, kept_id: uuid.UUID) -> None:
    """Forget a row that needs nothing more. Raises Refused."""
    one = held(scope, kept_id)
    number = one.kept.number
    db.session.delete(one.kept)
    db.session.flush()
    audit.append("intake.return_row_set_aside", "office", scope.state.id, year=scope.year, number=number)


def correction_faults(form: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with a form of `reason` and `document`: {field: sentence}."""
    faults, document = {}, form.get("document", "").strip()
    reason = _tidy(form.get("reason", ""))
    if letters_in(reason) < REASON_LEAST or len(reason) > REASON_MOST:
        faults["reason"] = f"请写明为什么更正（{REASON_LEAST} 到 {REASON_MOST} 个字）"
    if not document or len(document) > DOCUMENT_MOST or not document.isprintable():
        faults["document"] = f"请填省厅的文号或来函（最多 {DOCUMENT_MOST} 个字）"
    return faults


def correct(scope: Scope, kept_id: uuid.UUID, form: Mapping[str, str]) -> SecondaryNumberCorrection:
    """Give the person the 学籍辅号 of the kept row instead of the one that stands; the form must be without faults. The old one
    stays in the corrections and in the register's history. Raises Refused, RegisterMoved."""
    one = held(scope, kept_id)
    query = select(RosterRow).where(RosterRow.id == one.kept.row_id).with_for_update(of=RosterRow)
    person = db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    after = one.kept.secondary_number
    if one.kept.fault != OTHER or person is None or person.secondary_number in ("", after):
        raise Refused("这一行不能这样更正，请刷新页面核对", conflict=True)
    if other := holders(scope, [after]).get(after):
        raise Refused(f"{given_to(other)}，请先更正那一位", conflict=True)
    try:
        made = put_right(scope, person, person.secondary_number, after, form)
        db.session.delete(one.kept)
        db.session.flush()
    except IntegrityError as error:
        raise Refused("这个学籍辅号刚刚给了别人，或刚有人更正过，请刷新页面", conflict=True) from error
    return made


def put_right(
    scope: Scope, person: RosterRow, before: str, after: str, form: Mapping[str, str]
) -> SecondaryNumberCorrection:
    """Write another 学籍辅号 for somebody to roster, register and corrections. Raises RegisterMoved, IntegrityError."""
    earlier = select(func.count()).where(SecondaryNumberCorrection.row_id == person.id)
    made = SecondaryNumberCorrection(
        id=new_id(),
        row_id=person.id,
        number=db.session.execute(earlier).scalar_one() + 1,
        before=before,
        after=after,
        reason=_tidy(form.get("reason", "")),
        document=form.get("document", "").strip(),
        account_id=scope.actor.id,
    )
    db.session.add(made)
    db.session.execute(update(RosterRow).where(RosterRow.id == person.id).values(secondary_number=after))
    changes = ""
    if person.pupil_id:
        case = db.session.get_one(Case, person.case_id)
        changes = register.note_later(
            case, "secondary_number", {person.pupil_id: after}, correction=made.number
        )
    db.session.flush()
    audit.append(
        "intake.secondary_corrected",
        "case",
        person.case_id,
        row=person.id.hex,
        number=made.number,
        changes=changes,
    )
    return made


def corrections(scope: Scope, most: int = SHOWN) -> tuple[list[SecondaryNumberCorrection], int]:
    """(the year's newest corrections as far as the person may see the rosters; how many there are)."""
    query = _corrected(scope, select(SecondaryNumberCorrection))
    made = list(db.session.scalars(query.order_by(SecondaryNumberCorrection.made_at.desc()).limit(most)))
    if len(made) < most:
        return made, len(made)
    counted = _corrected(scope, select(func.count(SecondaryNumberCorrection.id)))
    return made, db.session.execute(counted).scalar_one()


def _corrected(scope: Scope, query: Any) -> Any:
    query = query.select_from(SecondaryNumberCorrection)
    query = query.join(RosterRow, RosterRow.id == SecondaryNumberCorrection.row_id)
    query = query.join(Case, Case.id == RosterRow.case_id)
    return query.where(Case.intake_year == scope.year, visible_to(scope.actor))


def held(scope: Scope, kept_id: uuid.UUID) -> Unsettled:
    if not scope.may_set:
        raise Refused("只有州级审批人员可以处理省厅返回表")
    one = find(scope, kept_id)
    if one is None:
        raise Refused("这一行已经处理过，请刷新页面", conflict=True)
    return one


def _tidy(text: str) -> str:
    return " ".join(text.split())
