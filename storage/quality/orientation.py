"""Does the page stand upright? Which of four ways its characters stand, and whether its lines run across or down.

EXIF has been applied before; this is about a sheet laid sideways on the scanner or photographed head first.
"""

from __future__ import annotations

from storage.measurement import Measurement
from storage.quality import skew, upright
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "orientation"
MEND = "图片放倒了，已自动转正；请核对转正后的图"
ADVISE = "文字像是横着的，请把图片转正后再传"

LINES_RUN_DOWN = 0.8  # rows this much weaker than columns


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """Quarter turns needed, as ``degrees`` clockwise (0, 90, 180, 270)."""
    turn, sureness = upright.turn_needed(picture)
    limit = thresholds.orientation_sure
    if turn == 0 or sureness < 1:
        return Measurement(NAME, 0.0, "degrees", limit, "pass")
    if turn != 180:  # the lines have to run down the picture, too
        points, side = picture.text.points, max(picture.work.shape)
        if skew.row_share(points, skew.angle(points, side), side) > LINES_RUN_DOWN and sureness < 3 * limit:
            return Measurement(NAME, 0.0, "degrees", limit, "pass")
    if sureness >= limit:
        return Measurement(NAME, float(turn), "degrees", limit, "mend", MEND)
    return Measurement(NAME, float(turn), "degrees", limit, "advise", ADVISE)
