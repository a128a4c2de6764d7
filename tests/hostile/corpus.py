"""Every class of hostile file by its name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.hostile import damage, heics, jpegs, names, pdfs, pngs, polyglots, strangers, tiffs
from tests.hostile.specimen import Maker, Specimen

MAKERS: dict[str, tuple[Maker, ...]] = {
    "names": (names.double_extensions, names.hard_names),
    "damage": (damage.magic_only, damage.flipped, damage.hardly_anything),
    "truncated": tuple(partial(damage.truncated, suffix) for suffix in damage.WHOLE),
    "strangers": (strangers.markup, strangers.other_pictures, strangers.programs, strangers.archives),
    "polyglots": (polyglots.polyglots,),
    "jpegs": (
        jpegs.orientations,
        jpegs.metadata,
        jpegs.profiles,
        jpegs.colours,
        jpegs.several_pictures,
        jpegs.scans,
        jpegs.broken_structure,
    ),
    "pngs": (pngs.promises, pngs.bombs, pngs.words, pngs.colours, pngs.moving, pngs.broken),
    "tiffs": (tiffs.directories, tiffs.lies, tiffs.colours),
    "heics": (heics.forged,),
    "pdfs": (pdfs.active, pdfs.locked, pdfs.circles, pdfs.boxes, pdfs.pages, pdfs.endless),
}


def of(group: str) -> Iterator[Specimen]:
    """The files of one group, always the same and in the same order."""
    for maker in MAKERS[group]:
        yield from maker()


def everything() -> Iterator[Specimen]:
    for group in MAKERS:
        yield from of(group)
