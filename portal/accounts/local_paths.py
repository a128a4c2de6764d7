"""Where a person may be sent after signing in: a page of this application and nothing else.

What never belongs here: who may see the page; its view decides.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, RequestRedirect

NOT_A_PLACE = frozenset({"static", "auth.sign_in", "auth.sign_out", "auth.first_administrator"})


def local_path(text: str | None, url_map: Map) -> str | None:
    """The text when it is the path (and query) of a page of this application, else None.

    Browsers read a backslash as a slash and drop tabs and line breaks, so a path with one is no path.
    """
    if not text or not text.startswith("/") or text.startswith("//"):
        return None
    if "\\" in text or any(ord(sign) <= 32 or ord(sign) == 127 for sign in text) or len(text) > 2000:
        return None
    parts = urlsplit(text)
    if parts.scheme or parts.netloc:
        return None
    try:
        endpoint, _values = url_map.bind("localhost").match(parts.path, method="GET")
    except (HTTPException, RequestRedirect):
        return None
    return None if endpoint in NOT_A_PLACE else text
