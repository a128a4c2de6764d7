"""Reading an answer for what it gives away: canaries in its headers, its body, and the parts of an Office file or a ZIP."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable
from urllib.parse import unquote

from werkzeug.test import TestResponse

from tests.web.world import Estate

MASS = re.compile(r"[0-9A-Za-z]{8,}")


def texts_of(response: TestResponse) -> str:
    """Everything an answer says, as text: headers, body, and the parts of a ZIP or an Office file."""
    headers = "\n".join(f"{key}: {unquote(_as_utf8(value))}" for key, value in response.headers)
    body = response.get_data()
    return headers + "\n" + _readable(body, response.mimetype or "")


def _as_utf8(value: str) -> str:
    """A header as its bytes would read in UTF-8, where they can."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _readable(body: bytes, mimetype: str) -> str:
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as parts:
            return "\n".join(f"{part}\n{_readable(parts.read(part), '')}" for part in parts.namelist())
    if mimetype == "application/json":
        return json.dumps(json.loads(body), ensure_ascii=False)
    return body.decode("utf-8", "replace")


def leaks(text: str, estates: Iterable[Estate], sent: frozenset[str] = frozenset()) -> list[str]:
    """Which canaries of these estates stand in a text, apart from what was sent and may come back."""
    for one in sorted(sent, key=len, reverse=True):
        if len(one) > 3:
            text = text.replace(one, "")
    known = {one.replace("-", "") for one in sent}
    words = set(MASS.findall(text)) | set(MASS.findall(text.replace("-", "")))
    found = []
    for estate in estates:
        canaries = estate.canaries
        if canaries.mark in text:
            at = text.index(canaries.mark)
            found.append(f"text of {estate.name}: …{text[max(0, at - 60) : at + 20]!r}")
        if canaries.word in text:
            found.append(f"file of {estate.name}")
        numbers = words & (canaries.numbers | canaries.ids) - known
        found += [f"{one} of {estate.name}" for one in sorted(numbers)[:3]]
    return found
