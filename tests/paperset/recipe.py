"""How one picture is to be taken: everything neutral unless it is said otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """One picture of one paper.

    Lengths are millimetres of the paper; ``blur`` and ``part_blur`` are Gaussian sigmas in heights of a
    character. The first group is any honest picture; the second is neutral unless a defect was planted.
    """

    condition: str  # scan, photo, messenger
    detail: str  # the mode of the scanner, or the desk
    size: tuple[int, int] = (3000, 4000)  # of a photograph
    dpi: float = 200.0  # of a scan
    quality: int = 85
    lean: float = 0.0  # degrees, clockwise
    tilt: tuple[float, float] = (0.0, 0.0)  # degrees of the camera: forwards, sideways
    blur: float = 0.0
    level: float = 205.0  # of white paper in the picture
    slope: float = 0.1  # how much darker the far side of the light is, as a share
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    grain: float = 2.0  # levels of noise
    border: float = 0.0  # mm of black at the sides of a scan
    exif: int | None = None

    motion_mm: float = 0.0
    motion_angle: float = 0.0
    part: str = ""  # the side that is out of focus
    part_blur: float = 0.0
    cut: str = ""  # the side at which text is cut
    shadow: str = ""  # half, hand
    shadow_depth: float = 1.0  # light left in the shadow, as a share
    glare_mm: float = 0.0
    quarters: int = 0  # turned clockwise by so many quarters
    wanted_text_px: float = 0.0  # characters made this small
