"""Files handed out to be kept: one way of naming and guarding them."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, make_response

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"


def download(data: bytes, name: str, media_type: str) -> Response:
    """The bytes as a file to be saved; a Chinese name goes by RFC 5987. Never shown inline, never cached."""
    response = make_response(data)
    response.headers["Content-Type"] = media_type
    plain = "".join(character for character in name if character.isascii() and character not in '"\\')
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response
