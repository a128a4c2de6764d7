"""Office files as bytes that depend on their contents alone: no clock, no chance."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP entry can bear


def entry(name: str) -> zipfile.ZipInfo:
    """An entry of a ZIP without a time of its own, compressed, readable by everybody who may read the file."""
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def repacked(data: bytes) -> bytes:
    """The same ZIP with the times of its entries taken away."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(packed, "w") as target:
        for info in source.infolist():
            target.writestr(entry(info.filename), source.read(info))
    return packed.getvalue()


def packed(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Named files as one ZIP. Raises ValueError where two have one name."""
    out = io.BytesIO()
    names: set[str] = set()
    with zipfile.ZipFile(out, "w") as target:
        for name, data in files:
            if name in names:
                raise ValueError(f"two files are called {name!r}")
            names.add(name)
            target.writestr(entry(name), data)
    return out.getvalue()
