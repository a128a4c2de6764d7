"""Is the text large enough to read? Height of a character in pixels of the original.

A camera's megapixels say nothing: a sheet far away has small text in a large picture.
"""

from __future__ import annotations

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "text_size"
SURE_MARKS = 24  # so few marks may be specks and ends of lines
REFUSE = "图片太小，字看不清，请靠近重拍或改用扫描"
ADVISE = "字偏小，请靠近一些重拍，或用更高的分辨率扫描"


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """``px`` of a character; of the long side where there is no text to measure."""
    height = picture.text.height / picture.work_scale
    if height > 0:
        value, refuse, advise = height, thresholds.text_refuse_px, thresholds.text_advise_px
    else:
        value = float(max(picture.width, picture.height))
        refuse, advise = thresholds.page_refuse_px, thresholds.page_advise_px
    value = round(value, 1)
    if value < refuse and (height == 0 or picture.text.marks >= SURE_MARKS):
        return Measurement(NAME, value, "px", refuse, "refuse", REFUSE)
    if value < advise:
        return Measurement(NAME, value, "px", advise, "advise", ADVISE)
    return Measurement(NAME, value, "px", advise, "pass")
