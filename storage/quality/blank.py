"""Is there anything on the sheet? Share of ink, and marks that look like characters."""

from __future__ import annotations

import cv2
import numpy as np

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "blank"
REFUSE = "图片上没有看到内容，请检查是否拍了空白面，重新拍有字的一面"

DEEP = 10  # levels below the surroundings in the small copy: dust, shadows and noise stay above


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """Ink in ``%`` of the page. Blank means little ink and hardly a mark: blurred text still has ink."""
    if picture.text.marks >= thresholds.blank_marks * 8:  # a page of text: nothing to look for
        value = 100.0 * float(np.mean(picture.text.ink[::4, ::4] > 0))
        return Measurement(NAME, round(value, 3), "%", thresholds.blank_ink_percent, "pass")
    value = round(ink_percent(picture), 3)
    empty = value < thresholds.blank_ink_percent and picture.text.marks < thresholds.blank_marks
    if empty:
        return Measurement(NAME, value, "%", thresholds.blank_ink_percent, "refuse", REFUSE)
    return Measurement(NAME, value, "%", thresholds.blank_ink_percent, "pass")


def ink_percent(picture: Picture) -> float:
    """Anything darker or more coloured than the paper around it, seals too, in percent of the sheet."""
    darkest = np.ascontiguousarray(picture.small.min(axis=2))
    darkest = cv2.medianBlur(darkest, 3)
    paper = cv2.blur(cv2.morphologyEx(darkest, cv2.MORPH_CLOSE, np.ones((31, 31), np.uint8)), (31, 31))
    ink = (cv2.subtract(paper, darkest) > DEEP) & (picture.page.inner > 0)
    return 100.0 * float(np.count_nonzero(ink)) / max(1, int(np.count_nonzero(picture.page.inner)))
