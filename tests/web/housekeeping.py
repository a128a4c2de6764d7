"""The house rules of a page, checked on every answer that passes: use CheckingClient wherever a test asks for a page.

What never belongs here: what one page in particular says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.standards import id_number
from portal.web import CSP

REVEALING = frozenset(
    {"review.reveal", "register.reveal", "rosters.reveal", "numbers.fill", "numbers.check"}
)  # each leaves an audit record
TYPED = {  # the new number where the person who types it reads it: in its field, and when checking before submitting
    "cases.fill": 'input[name="new_id_number"]',
    "cases.check": 'td[data-label="变更为"]',
    "cases.submit": 'td[data-label="变更为"]',
    "rosters.row": ".row-cells",
    "rosters.new_row": ".row-cells",
}
TERMS = {  # words that a page has to name as they are
    "health.readiness": frozenset({"doctor", "flask", "sqlite", "ok", "postgresql", "psycopg"}),
    "register.search": frozenset({"mmt"}),
    "register.look_up": frozenset({"mmt"}),
    "cases.choose": frozenset({"mmt"}),
}
ENGLISH = frozenset(
    [
        *("CSV", "DOCX", "HEIC", "JPEG", "JPG", "PDF", "PNG", "QR", "SHA", "TIFF", "UTF", "XLSX", "ZIP"),
        *(
            "GB",
            "KB",
            "MB",
            "dpi",
            "HTTP",
            "HTTPS",
            "ID",
            "IP",
            "Excel",
            "WPS",
            "Windows",
            "Word",
            "PostgreSQL",
            "SQLite",
        ),
        *("Alt", "Ctrl", "Enter", "Esc", "Home", "End", "Shift", "Tab"),
    ]
)
WORD = re.compile(r"(?<![0-9A-Za-z_./@-])[A-Za-z]{2,}(?![0-9A-Za-z_@])")
ID_PART = re.compile(r"[a-f]{8,}")  # the beginning of an id can happen to be letters only
NUMBER = re.compile(r"(?<![0-9A-Za-z])[GLJ]?([0-9]{17}[0-9X])(?![0-9A-Za-z])")
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
SANDBOXED = "sandbox; default-src 'none'"
CONTROLS = "input:not([type=hidden]):not([type=submit]):not([type=button]), select, textarea"
NAMES = ("aria-label", "aria-labelledby", "title")
SEEN = ("placeholder", "aria-label", "title", "alt")


class CheckingClient(FlaskClient):
    """A test client that fails the test as soon as an answer breaks a rule of the house."""

    def open(self, *args: object, **kwargs: object) -> TestResponse:  # type: ignore[override]
        response = super().open(*args, **kwargs)  # type: ignore[arg-type]
        faults = faults_in(self.application, response, words=False)  # a test's own data need not be Chinese
        assert not faults, f"{response.request.method} {response.request.path}: " + "; ".join(faults)
        return response


def faults_in(
    app: Flask, response: TestResponse, known: Iterable[str] = (), *, words: bool = True
) -> list[str]:
    """Everything that is wrong with an answer. `known` are texts of people that need not be Chinese; without `words` the
    language is left alone."""
    endpoint = endpoint_of(app, response)
    found = list(_header_faults(response, endpoint))
    if response.mimetype == "text/html" and response.status_code not in (204, 303) and response.data:
        found += page_faults(response.text, endpoint, known, words=words)
    return found


def endpoint_of(app: Flask, response: TestResponse) -> str:
    request = response.request
    adapter = app.url_map.bind("localhost")
    try:
        endpoint: str = adapter.match(request.path, method=request.method)[0]
    except Exception:
        return ""
    return endpoint


def _header_faults(response: TestResponse, endpoint: str) -> Iterator[str]:
    for name, value in HEADERS.items():
        given = response.headers.get(name, "")
        if given != value and not (name == "Content-Security-Policy" and given == SANDBOXED):
            yield f"header {name} is {given!r}"
    if "HX-Request" not in response.headers.get("Vary", ""):
        yield "Vary does not name HX-Request"
    if endpoint != "static" and response.headers.get("Cache-Control") != "no-store":
        yield f"Cache-Control is {response.headers.get('Cache-Control')!r}"
    if "Permissions-Policy" not in response.headers:
        yield "no Permissions-Policy"


def page_faults(html: str, endpoint: str = "", known: Iterable[str] = (), *, words: bool = True) -> list[str]:
    """What is wrong with a page, or with a fragment of one (which has no <html>)."""
    page = BeautifulSoup(html, "html.parser")
    found = [*_structure(page), *_controls(page), *_code(page)]
    if words:
        found += _english(page, TERMS.get(endpoint, frozenset()), known)
    if endpoint not in REVEALING:
        found += _numbers(page, TYPED.get(endpoint, ""))
    return found


def _structure(page: BeautifulSoup) -> Iterator[str]:
    root = page.find("html")
    headings = len(page.find_all("h1"))
    if isinstance(root, Tag):
        if root.get("lang") != "zh-CN":
            yield f"lang is {root.get('lang')!r}"
        if headings != 1:
            yield f"{headings} h1"
        if not page.title or not page.title.get_text(strip=True).strip("· "):
            yield "no title"
    elif headings > 1:
        yield f"{headings} h1 in a fragment"
    ids = [str(one["id"]) for one in page.find_all(id=True)]
    for one in sorted({one for one in ids if ids.count(one) > 1}):
        yield f"id {one!r} stands {ids.count(one)} times"
    if "" in ids:
        yield "an empty id"
    for name in ("aria-describedby", "aria-labelledby", "aria-controls", "for", "list"):
        for one in page.find_all(attrs={name: True}):
            for target in str(one[name]).split():
                if isinstance(root, Tag) and target not in ids:
                    yield f"{name} points at {target!r}, which is not there"
    for picture in page.find_all("img"):
        if picture.get("alt") is None:
            yield f"img without alt: {picture.get('src')}"


def _controls(page: BeautifulSoup) -> Iterator[str]:
    labelled = {str(one["for"]) for one in page.find_all("label", attrs={"for": True})}
    for one in page.select(CONTROLS):
        named = any(one.get(name) for name in NAMES) or str(one.get("id")) in labelled
        if not named and not one.find_parent("label"):
            yield f"no label for {one.name} {one.get('name')!r}"
    for one in page.find_all(["button", "a"]):
        said = one.get_text(strip=True) or any(one.get(name) for name in NAMES) or one.find("img", alt=True)
        if not said:
            yield f"a {one.name} without a name: {one}"
    for one in page.find_all("form"):
        if str(one.get("method", "get")).lower() == "post" and not one.find(
            "input", attrs={"name": "csrf_token"}
        ):
            yield f"a form without csrf_token: {one.get('action')}"


def _code(page: BeautifulSoup) -> Iterator[str]:
    for one in page.find_all(True):
        for name, value in one.attrs.items():
            if name == "style" or name.startswith(("on", "hx-on")):
                yield f"inline {name} on {one.name}"
            text = " ".join(value) if isinstance(value, list) else str(value)
            if name in ("href", "src", "action", "hx-get", "hx-post") and _leads_out(one, text):
                yield f"{name}={text!r}"
    if page.find_all("style"):
        yield "a style element"
    for one in page.find_all("script"):
        if not one.get("src") or one.get_text(strip=True):
            yield "an inline script"


def _leads_out(one: Tag, address: str) -> bool:
    """Whether an address leaves the portal, or is code. A link to a source may, if it tells the other side nothing."""
    told_nothing = one.name == "a" and "noreferrer" in one.get("rel", [])
    if address.startswith("https://") and told_nothing:
        return False
    return bool(re.match(r"(?i)\s*(javascript|data|vbscript|https?):|//", address))


def seen_texts(page: BeautifulSoup) -> Iterator[str]:
    """Every text that a person can read or hear."""
    for one in page.find_all(string=True):
        if (
            one.parent
            and one.parent.name not in ("script", "style", "code")
            and type(one).__name__ == "NavigableString"
        ):
            yield str(one)
    for name in SEEN:
        yield from (str(one[name]) for one in page.find_all(attrs={name: True}))
    yield from (str(one["value"]) for one in page.select("input[type=submit], input[type=button]"))


def _english(page: BeautifulSoup, terms: frozenset[str], known: Iterable[str]) -> Iterator[str]:
    words: set[str] = set()
    for text in seen_texts(page):
        for one in known:
            text = text.replace(one, "")
        words |= {
            word for word in WORD.findall(text) if word not in ENGLISH | terms and not ID_PART.fullmatch(word)
        }
    if words:
        yield f"English: {sorted(words)}"


def _numbers(page: BeautifulSoup, typed: str) -> Iterator[str]:
    """Full identity numbers, alone or inside a G student number: anywhere in the page, attributes too. Call it last: it
    takes away what stands where `typed` says."""
    for one in page.select(typed) if typed else []:
        one.decompose()
    for number in NUMBER.findall(str(page)):
        if id_number.check_digit(number[:17]) == number[17]:
            yield f"a full identity number: {number[:6]}…"
