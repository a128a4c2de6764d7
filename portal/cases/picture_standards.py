"""图片检查标准: the thresholds of the picture checks as a state bureau sets them, in versions that nothing overwrites.

Which thresholds there are, and the standard, is read from storage.thresholds, so that a new one appears here by itself.
What never belongs here: how a picture is measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.cases import digests
from portal.cases.access import Actor
from portal.cases.quality import Changes, newest_set
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import Level, Role, ThresholdSet
from portal.standards.words import letters_in
from storage import thresholds

ALL = ""
PAPERS = {
    ALL: "各种材料",
    "police-certificate": "公安机关证明",
    "household-first": "户口簿首页",
    "household-page": "户口簿本人页",
    "approval-form": "审批表",
    "hospital-record": "医院病历、诊断证明",
    "application": "申请书",
    "other": "其他材料",
}
REASON_LEAST, REASON_MOST = 4, 500


@dataclass(frozen=True)
class Meaning:
    """What a threshold decides, in which unit, and between which values it makes sense."""

    check: str
    text: str
    unit: str
    least: float
    most: float


MEANINGS: dict[str, Meaning] = {
    "blank_ink_percent": Meaning("空白页", "墨迹少于此值，且字迹少于下一项的，按空白页拒绝", "%", 0, 5),
    "blank_marks": Meaning("空白页", "字迹少于此数，才按空白页拒绝", "个", 0, 200),
    "text_refuse_px": Meaning("字的大小", "字高小于此值的拒绝", "像素", 4, 40),
    "text_advise_px": Meaning("字的大小", "字高小于此值的提醒", "像素", 4, 60),
    "page_refuse_px": Meaning("图片大小", "没有字可量时，长边小于此值的拒绝", "像素", 100, 4000),
    "page_advise_px": Meaning("图片大小", "没有字可量时，长边小于此值的提醒", "像素", 100, 6000),
    "blur_advise": Meaning("清晰", "笔画边缘的模糊达到此值的提醒", "字高", 0.005, 0.5),
    "blur_refuse": Meaning("清晰", "笔画边缘的模糊达到此值的拒绝", "字高", 0.005, 0.5),
    "blur_part_advise": Meaning("清晰", "最模糊的一块达到此值的提醒", "字高", 0.005, 0.5),
    "skew_mend_degrees": Meaning("端正", "倾斜达到此值的自动摆正", "度", 0.1, 45),
    "skew_advise_degrees": Meaning("端正", "倾斜达到此值的提醒", "度", 1, 45),
    "orientation_sure": Meaning("方向", "有多大把握才自动转正（越大越谨慎）", "分", 0.5, 50),
    "perspective_mend_percent": Meaning("变形", "对边相差达到此值的自动校正", "%", 0.5, 60),
    "perspective_advise_percent": Meaning("变形", "对边相差达到此值的提醒", "%", 1, 90),
    "crop_mend_share": Meaning("裁边", "纸占画面不到此值的自动裁去四周", "占比", 0.1, 1),
    "cut_marks": Meaning("完整", "画面一边有这么多字被切到的提醒", "个", 1, 100),
    "edges_advise": Meaning("完整", "纸边不在画面里也提醒（1 是，0 否）", "是否", 0, 1),
    "dark_mend": Meaning("亮度", "纸面亮度低于此值的自动调亮", "级", 1, 250),
    "dark_refuse": Meaning("亮度", "纸面亮度低于此值的拒绝", "级", 0, 200),
    "contrast_advise": Meaning("反差", "字与纸的反差小于此值的提醒", "占比", 0.01, 0.95),
    "glare_advise_percent": Meaning("反光", "最大的一块反光达到此值的提醒", "%", 0.05, 50),
    "shadow_mend": Meaning("阴影", "最暗处与最亮处之比低于此值的自动匀光", "占比", 0.05, 1),
    "seal_needed": Meaning("印章", "应有红色印章（1 是，0 否）", "是否", 0, 1),
    "seal_score": Meaning("印章", "红色印迹要有多圆才算印章", "分", 0.05, 1),
    "colour_needed": Meaning("彩色", "原件是彩色的（1 是，0 否）", "是否", 0, 1),
    "chroma_advise": Meaning("彩色", "色彩少于此值的按黑白复印件提醒", "分", 0.001, 1),
    "screenshot_ratio": Meaning("截屏", "长边是短边的这么多倍的按截屏提醒", "倍", 1.2, 5),
    "screen_advise_peak": Meaning("翻拍屏幕", "规则的屏幕纹路达到此值的提醒", "倍", 1, 100),
}
WHOLE = frozenset({"seal_needed", "colour_needed", "edges_advise"})
IN_ORDER = (  # the first must not be more than the second
    ("text_refuse_px", "text_advise_px"),
    ("page_refuse_px", "page_advise_px"),
    ("blur_advise", "blur_refuse"),
    ("skew_mend_degrees", "skew_advise_degrees"),
    ("perspective_mend_percent", "perspective_advise_percent"),
    ("dark_refuse", "dark_mend"),
)


def meaning(name: str) -> Meaning:
    """What is known of a threshold; one that came with a new check may go from a tenth of its standard to ten times."""
    value = getattr(thresholds.standard(), name)
    unknown = Meaning("新增检查", "说明见版本记录", "", value / 10, max(1.0, value * 10))
    return MEANINGS.get(name, unknown)


def standard_of(paper: str) -> dict[str, float]:
    """The values that ship with this version for a kind of paper."""
    found = thresholds.standard(paper)
    return {name: float(getattr(found, name)) for name in thresholds.NAMES}


def in_force(paper: str, changes: Changes) -> dict[str, float]:
    """The values by which a kind of paper is judged under an office's changes."""
    found = thresholds.changed(paper, changes, "")
    return {name: float(getattr(found, name)) for name in thresholds.NAMES}


def may_set(actor: Actor) -> bool:
    """The state bureau's approver alone: the standard decides what schools must take again."""
    return actor.role is Role.APPROVER and actor.office_level is Level.STATE


def faults(paper: str, values: Mapping[str, str], changes: Changes) -> dict[str, str]:
    """What is wrong with the values typed for a kind of paper: {threshold: sentence}. An empty value is no own value."""
    found, read = {}, {}
    for name in thresholds.NAMES:
        text = values.get(name, "").strip()
        if not text:
            continue
        if fault := _fault(name, text):
            found[name] = fault
        else:
            read[name] = float(text)
    if not found:
        found |= _out_of_order(in_force(paper, {**changes, paper: read}))
    return found


def _fault(name: str, text: str) -> str:
    known = meaning(name)
    try:
        value = float(text)
    except ValueError:
        return "请填数字，不单独设置的留空"
    if not math.isfinite(value) or not known.least <= value <= known.most:
        return f"请填 {known.least:g} 到 {known.most:g} 之间的数"
    if name in WHOLE and value not in (0, 1):
        return "请填 1（是）或 0（否）"
    return ""


def _out_of_order(values: Mapping[str, float]) -> dict[str, str]:
    return {
        low: f"不能大于“{meaning(high).text}”的 {values[high]:g}"
        for low, high in IN_ORDER
        if low in values and high in values and values[low] > values[high]
    }


def save(actor: Actor, paper: str, values: Mapping[str, str], reason: str, seen: int) -> ThresholdSet:
    """A new version with these own values for one kind of paper, the others as they were. `seen` is the number of the
    version that the page was drawn from, 0 for none. Raises Refused; the values must be without faults."""
    before = newest_set(actor.office_id)
    changes = dict(before.changes) if before else {}
    own = {name: float(values[name]) for name in thresholds.NAMES if values.get(name, "").strip()}
    return _add(actor, before, {**changes, paper: own}, reason, seen)


def go_back(actor: Actor, number: int, reason: str, seen: int) -> ThresholdSet:
    """A new version with the values of an earlier one; 0 is the standard. Raises Refused, LookupError."""
    before = newest_set(actor.office_id)
    query = select(ThresholdSet).where(
        ThresholdSet.office_id == actor.office_id, ThresholdSet.number == number
    )
    earlier = db.session.scalars(query).first()
    if earlier is None and number != 0:
        raise LookupError(number)
    return _add(actor, before, earlier.changes if earlier else {}, reason, seen)


def _add(actor: Actor, before: ThresholdSet | None, changes: Changes, reason: str, seen: int) -> ThresholdSet:
    reason = " ".join(reason.split())
    if not may_set(actor):
        raise Refused("只有州级审批人员可以修改图片检查标准")
    if (before.number if before else 0) != seen:
        raise Refused("标准刚被修改过，请核对现在的值后再保存", conflict=True)
    if letters_in(reason) < REASON_LEAST or len(reason) > REASON_MOST or any(ord(one) < 32 for one in reason):
        raise Refused("请写明为什么修改（4 到 500 个字）")
    kept = {paper: dict(own) for paper, own in changes.items() if own}
    if kept == (before.changes if before else {}):
        raise Refused("没有改动，不用保存")
    one = ThresholdSet(
        office_id=actor.office_id, number=seen + 1, changes=kept, note=reason, account_id=actor.id
    )
    db.session.add(one)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Refused("标准刚被修改过，请核对现在的值后再保存", conflict=True) from error
    audit.append(
        "thresholds.changed",
        "threshold_set",
        one.id,
        number=one.number,
        changes=kept,
        content=digests.of_version(one),
    )
    return one


def history(office_id: object) -> list[ThresholdSet]:
    """Every version of an office, the newest first."""
    query = select(ThresholdSet).where(ThresholdSet.office_id == office_id)
    return list(db.session.scalars(query.order_by(ThresholdSet.number.desc())))


def differences(newer: Changes, older: Changes) -> list[tuple[str, str, str, str]]:
    """What a version changed: (kind of paper, threshold, old value, new value) as people read them."""
    found = []
    for paper in PAPERS:
        new, old = newer.get(paper, {}), older.get(paper, {})
        for name in sorted(new.keys() | old.keys()):
            if new.get(name) != old.get(name):
                known = meaning(name) if name in thresholds.NAMES else MEANINGS.get(name)
                title = f"{known.check}：{known.text}" if known else name
                found.append((PAPERS[paper], title, _shown(old.get(name)), _shown(new.get(name))))
    return found


def _shown(value: float | None) -> str:
    return "标准值" if value is None else f"{value:g}"
