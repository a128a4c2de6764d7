"""Following every link that a person is offered, from their first page on."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urldefrag, urlencode, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from tests.web.housekeeping import faults_in

EACH = 4  # instances of one address and set of arguments; the first ones offered
STOPS = frozenset({"auth.sign_out"})


@dataclass
class Crawl:
    """What was visited, and what was wrong, in words."""

    faults: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    endpoints: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Link:
    url: str
    of: str  # the page that offers it
    htmx: bool = False


def crawl(app: Flask, client: FlaskClient, start: str = "/", known: tuple[str, ...] = ()) -> Crawl:
    """Every page that can be reached by links, pictures, htmx and search forms; checks each by the house rules."""
    done = Crawl()
    waiting, met, shapes = deque([Link(start, "")]), {start}, Counter[str]()
    while waiting:
        link = waiting.popleft()
        response = client.get(link.url, headers={"HX-Request": "true"} if link.htmx else {})
        done.urls.append(link.url)
        done.endpoints[_endpoint(app, link.url)] += 1
        if response.status_code >= 400:
            done.faults.append(f"{link.url}: {response.status_code}, offered by {link.of or 'nobody'}")
        done.faults += [f"{link.url}: {one}" for one in faults_in(app, response, known)]
        found: list[Link] = []
        if response.status_code == 303:
            found = [Link(response.headers["Location"], link.url)]
        elif response.mimetype == "text/html" and response.status_code < 400:
            page = BeautifulSoup(response.text, "html.parser")
            found = list(_links(page, link.url))
            done.faults += _dead_ends(app, page, link.url)
        response.close()
        for one in found:
            url = urldefrag(one.url)[0]
            shape = _shape(app, url) + str(one.htmx)
            if url not in met and shapes[shape] < EACH:
                met.add(url)
                shapes[shape] += 1
                waiting.append(Link(url, one.of, one.htmx))
    return done


def _links(page: BeautifulSoup, here: str) -> Iterator[Link]:
    for name, attribute in (("a", "href"), ("img", "src"), ("link", "href"), ("script", "src")):
        for one in page.find_all(name, attrs={attribute: True}):
            yield Link(urljoin(here, str(one[attribute])), here)
    for one in page.find_all(attrs={"hx-get": True}):
        yield Link(urljoin(here, str(one["hx-get"])), here, htmx=True)
    for name in ("data-view", "data-src", "data-url"):
        for one in page.find_all(attrs={name: True}):
            yield Link(urljoin(here, str(one[name])), here)
    for form in page.find_all("form"):
        if str(form.get("method", "get")).lower() == "get":
            yield Link(_submitted(form, here), here)


def _submitted(form: Tag, here: str) -> str:
    """The address to which a search form leads as it stands."""
    target = urljoin(here, str(form.get("action") or here))
    fields = [(str(one["name"]), str(one.get("value", ""))) for one in form.select("input[name]")]
    for one in form.select("select[name]"):
        chosen = one.select_one("option[selected]") or one.select_one("option")
        fields.append((str(one["name"]), str(chosen.get("value", "")) if chosen else ""))
    return f"{target.partition('?')[0]}?{urlencode(fields)}"


def _dead_ends(app: Flask, page: BeautifulSoup, here: str) -> Iterator[str]:
    """Places on this page that are not there, and forms that post to nowhere."""
    ids = {str(one["id"]) for one in page.find_all(id=True)}
    whole = page.find("html") is not None
    for one in page.find_all("a", href=True):
        place = str(one["href"])
        if whole and place.startswith("#") and len(place) > 1 and place[1:] not in ids:
            yield f"{here}: {place} is not on the page"
    adapter = app.url_map.bind("localhost")
    for name in ("action", "hx-post", "data-autosave", "formaction"):
        for one in page.find_all(attrs={name: True}):
            posted = name != "action" or str(one.get("method", "get")).lower() == "post"
            path = urlsplit(urljoin(here, str(one[name]))).path
            try:
                adapter.match(path, method="POST" if posted else "GET")
            except HTTPException as error:
                yield f"{here}: {name}={path} leads nowhere ({error.code})"


def _endpoint(app: Flask, url: str) -> str:
    try:
        endpoint: str = app.url_map.bind("localhost").match(urlsplit(url).path, method="GET")[0]
    except HTTPException:
        return "?"
    return endpoint


def _shape(app: Flask, url: str) -> str:
    """Addresses of one shape differ in ids only."""
    parts = urlsplit(url)
    keys = sorted(key for key, _value in parse_qsl(parts.query))
    endpoint = _endpoint(app, url)
    return f"{endpoint if endpoint != 'static' else parts.path} {keys}"
