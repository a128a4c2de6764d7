"""Sealed things handed out: an original as an attachment that no browser runs, our own rendition inline."""

from __future__ import annotations

import io
from typing import Any

from flask import Response, current_app, make_response, send_file

from portal.cases import evidence_rows
from portal.web import found
from storage.objects import ObjectStore, Sealed

SANDBOXED = "sandbox; default-src 'none'"


def store() -> ObjectStore:
    """The evidence store of the running application."""
    here: ObjectStore = current_app.extensions["store"]
    return here


def original(sealed: Sealed, name: str) -> Response:
    """The sealed bytes under the name that the person's computer gave them. Raises StoreError."""
    answer = send_file(
        io.BytesIO(store().read(sealed)),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=name,
    )
    return _sandboxed(make_response(answer))


def picture(stored: dict[str, Any]) -> Response:
    """A rendition by its stored mapping, 404 where there is none. Raises StoreError."""
    response = make_response(store().read(evidence_rows.sealed_picture(found(stored or None))))
    response.headers["Content-Type"] = "image/jpeg"
    response.headers["Content-Disposition"] = "inline"
    return _sandboxed(response)


def _sandboxed(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = SANDBOXED
    return response
