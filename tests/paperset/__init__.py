"""Pictures of official Chinese papers, drawn with known defects: what the picture checks are measured on.

``draw(index)`` gives the picture of an index with its truth; ``python -m tests.paperset`` writes pictures out or runs
the checks over them. They are synthetic: people, places and numbers are invented, and so are the scanners, the phones
and the desks. docs/evidence.md says what that is worth.
"""

from storage.judging import CHECKS
from tests.paperset.drawing import draw
from tests.paperset.truth import Defect, Sample, Truth

__all__ = ["CHECKS", "Defect", "Sample", "Truth", "draw"]
