"""Is there a red seal? The best of the red blobs of a seal's size whose outline is an ellipse.

Advises only, and only where the paper needs a seal: faint seals exist, and a black-and-white scan shows none.
"""

from __future__ import annotations

from storage.measurement import Measurement
from storage.quality.picture import Picture
from storage.thresholds import Thresholds

NAME = "seal"
MESSAGE = "未发现红色印章，请确认是否为盖章原件"


def measure(picture: Picture, thresholds: Thresholds) -> Measurement:
    """``score`` of the best red blob, 0 to 1."""
    value = round(max((one.score for one in picture.seals), default=0.0), 2)
    if thresholds.seal_needed and value < thresholds.seal_score:
        return Measurement(NAME, value, "score", thresholds.seal_score, "advise", MESSAGE)
    return Measurement(NAME, value, "score", thresholds.seal_score, "pass")
