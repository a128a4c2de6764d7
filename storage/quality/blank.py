"""Is there anything on the sheet? Share of ink, and marks that look like characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "blank"
REFUSE = "图片上没有看到内容，请检查是否拍了空白面，重新拍有字的一面"
BESIDE = "这一页没有内容，按空白页处理，不计入材料页数；若原件这一面有字，请重新扫描这一页"

DEEP = 10  # levels below the surroundings in the small copy: dust, shadows and noise stay above


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """Ink in ``%`` of the page. Blank means little ink and hardly a mark: blurred text still has ink."""
    marks = marks_within(picture)
    if marks >= thresholds.blank_marks * 8:  # a page of text: nothing to look for
        value = 100.0 * float(np.mean(picture.text.ink[::4, ::4] > 0))
        return Measurement(NAME, round(value, 3), "%", thresholds.blank_ink_percent, "pass")
    value = round(ink_percent(picture), 3)
    if value < thresholds.blank_ink_percent and marks < thresholds.blank_marks:
        return Measurement(NAME, value, "%", thresholds.blank_ink_percent, "refuse", REFUSE)
    return Measurement(NAME, value, "%", thresholds.blank_ink_percent, "pass")


def beside_others(pages: Sequence[Sequence[dict[str, Any]]]) -> None:
    """Tell, instead of refusing it, that a page is blank where others of its file are not: the back of a sheet, as scanners
    take it that scan both sides. ``pages`` are the measurements of each, as mappings."""
    empty = [found for found in pages if found[0]["name"] == NAME and found[0]["verdict"] == "refuse"]
    if len(empty) < len(pages):
        for found in empty:
            found[0].update(verdict="pass", message=BESIDE)


def marks_within(picture: Picture) -> int:
    """How many marks like characters stand on the sheet, away from its margin."""
    inner = picture.page.inner
    share = inner.shape[0] / picture.work.shape[0]
    x, y, w, h = picture.text.boxes.T
    row = ((y + h / 2) * share).astype(int).clip(0, inner.shape[0] - 1)
    column = ((x + w / 2) * share).astype(int).clip(0, inner.shape[1] - 1)
    return int(np.count_nonzero(inner[row, column]))


def ink_percent(picture: Picture) -> float:
    """Anything darker or more coloured than the paper around it, seals too, in percent of the sheet. What reaches over the
    margin is the desk, or the dark border of a scanner."""
    inner = picture.page.inner
    darkest = np.ascontiguousarray(picture.small.min(axis=2))
    darkest = cv2.medianBlur(darkest, 3)
    paper = cv2.blur(cv2.morphologyEx(darkest, cv2.MORPH_CLOSE, np.ones((31, 31), np.uint8)), (31, 31))
    ink = np.asarray(cv2.subtract(paper, darkest) > DEEP, dtype=np.uint8)
    _, labels = cv2.connectedComponents(ink, connectivity=8)
    beyond = np.unique(labels[inner == 0])
    inside = (inner > 0) & (ink > 0) & ~np.isin(labels, beyond)
    return 100.0 * float(np.count_nonzero(inside)) / max(1, int(np.count_nonzero(inner)))
