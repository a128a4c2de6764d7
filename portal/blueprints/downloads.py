"""Files handed out to be kept: one way of naming and guarding them."""

from __future__ import annotations

from flask import Response, make_response

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ZIP = "application/zip"


def download(data: bytes, name: str, media_type: str) -> Response:
    """The bytes as a file to be saved; a Chinese name goes by RFC 5987. Never shown inline, never cached."""
    response = make_response(data)
    response.headers["Content-Type"] = media_type
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["Cache-Control"] = "no-store"
    return response
