"""Whether a JPEG 2000 is there from its first tile to its last, by its markers (ITU-T T.800, annex A). Nothing is decoded."""

from __future__ import annotations

_START, _SIZE, _PART, _END = b"\xff\x4f", b"\xff\x51", b"\xff\x90", b"\xff\xd9"
_PART_HEADER = 12


def whole(data: bytes) -> bool:
    """Whether every tile is there and each of its parts as long as it says; also for a file that begins otherwise than with
    a codestream or a box of one, of which nothing can be said."""
    start = _codestream(data)
    if start is None:
        return True
    at, tiles, seen = start + 2, 0, set()
    while data[at : at + 2] not in (_PART, _END):
        if len(data) < at + 4:
            return False
        if data[at : at + 2] == _SIZE:
            tiles = _tiles(data[at + 4 : at + 40])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    while data[at : at + 2] == _PART:
        header = data[at : at + _PART_HEADER]
        length = int.from_bytes(header[6:10], "big")
        seen.add(header[4:6])
        if length == 0:  # the last part: to the end marker, wherever that is
            return data.rstrip(b"\x00\r\n").endswith(_END) and len(seen) >= tiles
        if length < _PART_HEADER or at + length > len(data):
            return False
        at += length
    return data[at : at + 2] in (_END, b"") and len(seen) >= tiles


def _codestream(data: bytes) -> int | None:
    if data.startswith(_START):
        return 0
    at = data.find(b"jp2c")
    found = data.find(_START, at, at + 14) if at > 0 else -1
    return found if found > 0 else None


def _tiles(size: bytes) -> int:
    """How many tiles the picture has, from its size, its offset and theirs."""
    wide, high, _x, _y, tile_wide, tile_high, tile_x, tile_y = (
        int.from_bytes(size[2 + 4 * n : 6 + 4 * n], "big") for n in range(8)
    )
    if not tile_wide or not tile_high:
        return 0
    return -(-(wide - tile_x) // tile_wide) * -(-(high - tile_y) // tile_high)
