"""Places of the shown view as places of the page it was made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from storage.judge import PageJudgement
from storage.mending import back, way


def on_page(page: PageJudgement, places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Places in shares of the view as shares of the upright page."""
    found = way(page.mending, page.width, page.height)
    pixels = np.array(places, np.float64) * (found.width, found.height)
    return [(float(x / page.width), float(y / page.height)) for x, y in back(found, pixels)]
