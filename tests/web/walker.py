"""The walker: every route, with every method, by every person, on things that are not theirs.

What it calls comes from app.url_map and the declared matrix (isolation.py); what it looks for are the canaries of the
world (world.py) in bodies, headers and file names, and rows that changed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.routing import Rule as Address
from werkzeug.test import TestResponse

from tests.builders import sign_in
from tests.web.giveaways import leaks, texts_of
from tests.web.isolation import ROUTES, Rule
from tests.web.named_things import extras, things, value_of
from tests.web.recorded import difference, rows
from tests.web.world import PEOPLE, Estate, World

DENIED = frozenset({401, 403, 404, 405})
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
BACK = frozenset({"unsent.clear", "unsent.use"})
HTMX = {"HX-Request": "true", "HX-Target": "content", "HX-Current-URL": "http://localhost/"}
EVERYONE: tuple[str | None, ...] = (*PEOPLE, None)


@dataclass(frozen=True)
class Call:
    """One request: `things` are the ids that stand in the address, `sent` every text that was sent along."""

    endpoint: str
    method: str
    path: str
    person: str | None
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    sent: frozenset[str] = frozenset()

    def __str__(self) -> str:
        marks = " htmx" if self.headers else ""
        return f"{self.method} {self.endpoint} by {self.person or 'nobody'}{marks} ({self.path})"

    def open(self, client: FlaskClient) -> TestResponse:
        # A picture is opened anew for each request.
        form = {
            key: (io.BytesIO(value), "名单.csv" if key == "file" else "文件.jpg")
            if isinstance(value, bytes)
            else value
            for key, value in self.form.items()
        }
        return client.open(
            self.path,
            method=self.method,
            query_string=self.query,
            data=form if self.method in UNSAFE else None,
            headers=self.headers,
        )


# --- what is asked --------------------------------------------------------------------------------------------------


def addresses(world: World) -> list[Address]:
    return sorted(world.app.url_map.iter_rules(), key=lambda one: (one.endpoint, one.rule))


def methods_of(address: Address) -> list[str]:
    return sorted((address.methods or set()) - {"HEAD", "OPTIONS"})


def named(rule: Rule) -> list[str]:
    """The parts of the address that name a thing of somebody's."""
    return [part for part, spec in rule.parts.items() if not spec.startswith("=")]


def foreign_calls(world: World, address: Address, person: str | None) -> Iterator[Call]:
    """Addresses that name something of an estate beyond the person's reach, and hidden things of the own one."""
    rule = ROUTES[address.endpoint]
    parts = named(rule)
    if not parts:
        return
    for turn, estate in enumerate(world.beyond(person)):
        every = {part: things(world, estate, rule.parts[part], person) for part in parts}
        longest = max(len(ids) for ids in every.values())
        for choice in {0, (len(address.rule) * 7 + turn * 3) % longest}:
            chosen = {part: ids[choice % len(ids)] for part, ids in every.items()}
            yield from _calls(world, address, person, estate, chosen, turn, thorough=choice == 0)
        for part in parts if len(parts) > 1 else []:
            own = {other: things(world, world.home, rule.parts[other], person)[0] for other in parts}
            yield from _calls(world, address, person, estate, own | {part: every[part][0]}, turn)
    for part, hidden in hidden_things(world, rule, person):
        own = {other: things(world, world.home, rule.parts[other], person)[0] for other in parts}
        yield from _calls(world, address, person, world.home, own | {part: hidden}, 0)


def hidden_things(world: World, rule: Rule, person: str | None) -> Iterator[tuple[str, str]]:
    """Things of the own line that are nobody's but the school's: drafts; and other offices' loads and stamped forms."""
    if person is None:
        return
    level = PEOPLE[person][1]
    for part in named(rule):
        kind = rule.parts[part].partition(":")[0]
        if level != "school" and kind == "case":
            yield from ((part, str(world.home.cases[place].id)) for place in ("draft", "ready"))
        if level != "school" and kind == "file":
            yield part, str(world.home.files["ready"][0].id)
        if kind == "load":
            others = [load for name, load in world.home.loads.items() if not name.startswith(level)]
            yield part, str(others[0].id)
        if kind == "item":
            yield from ((part, str(one.id)) for of, one in world.home.items.items() if of != level)
        if kind == "batch":
            yield from ((part, str(one.id)) for of, one in world.home.batches.items() if of != level)
        if kind in ("sheet", "copy"):
            kept = {"tray"} if kind == "copy" else {"tray", "landed"}
            for name, page in world.home.sheets.items():
                if not name.startswith(level) and page.outcome in kept:
                    yield part, str(page.id)


def _calls(
    world: World,
    address: Address,
    person: str | None,
    estate: Estate,
    chosen: dict[str, str],
    turn: int,
    thorough: bool = False,
) -> Iterator[Call]:
    """The methods of one address with the estate's things in query and form as well. `thorough` asks as htmx does too,
    and by methods that the address does not have."""
    rule = ROUTES[address.endpoint]
    path = _path(address, rule, chosen)
    target = chosen.get("case_id")
    more = extras(estate, turn)
    form = {key: value_of(world, estate, spec, person, target) for key, spec in rule.form.items()}
    sent = frozenset({*chosen.values(), *more.values(), *(v for v in form.values() if isinstance(v, str))})
    for method in methods_of(address):
        for headers in ({}, HTMX) if thorough else ({},):
            yield Call(
                address.endpoint,
                method,
                path,
                person,
                more if method == "GET" else {},
                {**more, **form} if method in UNSAFE else {},
                headers,
                sent,
            )
    wrong = ("HEAD", "OPTIONS", *UNSAFE) if thorough and estate is world.neighbours["next_state"] else ()
    for method in wrong:
        if method not in methods_of(address):
            yield Call(address.endpoint, method, path, person, {}, {}, {}, sent)


def _path(address: Address, rule: Rule, chosen: dict[str, str]) -> str:
    """The address with its parts filled in."""
    literal = {part: spec[1:] for part, spec in rule.parts.items() if spec.startswith("=")}
    values = literal | chosen
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", lambda match: values[match[1]], address.rule)


def own_calls(world: World, address: Address, person: str) -> Iterator[Call]:
    """The route on the person's own things: each method once, plain."""
    rule = ROUTES[address.endpoint]
    chosen: dict[str, str] = {}
    for part in named(rule):
        ids = things(world, world.home, rule.parts[part], person)
        # Two files of one case stand for one replaced by the other.
        chosen[part] = ids[-1] if part == "new" else ids[0]
    if address.endpoint == "review.compare":
        files = world.home.files["returned_twice"]
        chosen |= {"old": str(files[0].id), "new": str(files[-1].id)}
    path = _path(address, rule, chosen)
    form = {
        key: value_of(world, world.home, spec, person, chosen.get("case_id"))
        for key, spec in rule.form.items()
    }
    query = {key: value_of(world, world.home, spec, person, None) for key, spec in rule.query.items()}
    for method in methods_of(address):
        yield Call(address.endpoint, method, path, person, query, form if method in UNSAFE else {})


def bare_calls(world: World, address: Address, person: str | None) -> Iterator[Call]:
    """Own addresses, or those that name nothing, with foreign things in every field: texts of every kind where something
    is looked for, and in turn plain and as htmx asks."""
    rule = ROUTES[address.endpoint]
    chosen = {part: things(world, world.home, rule.parts[part], person)[0] for part in named(rule)}
    path = _path(address, rule, chosen)
    beyond = world.beyond(person)
    for number, estate in enumerate(beyond[-1:] if named(rule) else beyond):
        for method in methods_of(address):
            if named(rule) and method != "GET" and not rule.reads:
                continue
            for turn in (
                (0, 1, 2, 3) if method in UNSAFE and not named(rule) else (number, 3)[: 2 - bool(named(rule))]
            ):
                more = extras(estate, turn)
                form = {key: value_of(world, estate, spec, person, None) for key, spec in rule.form.items()}
                sent = {*more.values(), *chosen.values(), *(v for v in form.values() if isinstance(v, str))}
                fields = form | more if method in UNSAFE else {}
                headers = HTMX if turn % 2 else {}
                yield Call(address.endpoint, method, path, person, more, fields, headers, frozenset(sent))


# --- the walk -------------------------------------------------------------------------------------------------------


@dataclass
class Walk:
    """What a walk found: faults in words, and how much it looked at."""

    faults: list[str] = field(default_factory=list)
    calls: int = 0
    cells: set[tuple[str, str, str]] = field(default_factory=set)


def walk(
    world: World, endpoints: Iterable[str] | None = None, people: Iterable[str | None] = EVERYONE
) -> Walk:
    """Call everything; collect what must not be. Routes that the matrix does not declare are a fault themselves."""
    done = Walk()
    clients = {person: world.client(person) for person in people}
    for address in addresses(world):
        if endpoints is not None and address.endpoint not in endpoints:
            continue
        if address.endpoint not in ROUTES:
            done.faults.append(
                f"{address.endpoint} ({address.rule}) is not declared in tests/web/isolation.py"
            )
            continue
        for person, client in clients.items():
            if address.endpoint.startswith("auth.") and person:
                sign_in(client, world.home.actor(person))
            _visit(world, address, person, client, done)
    return done


def _visit(world: World, address: Address, person: str | None, client: FlaskClient, done: Walk) -> None:
    rule = ROUTES[address.endpoint]
    allowed = person is not None and PEOPLE[person][0] in rule.roles
    before = rows()
    for call in foreign_calls(world, address, person):
        _judge(world, call, client, done, refused=not rule.public)
    if person and not allowed:
        for call in own_calls(world, address, person):
            _judge(world, call, client, done, refused=True)
    if person and allowed and rule.acts is not None and PEOPLE[person][0] not in rule.acts:
        for call in own_calls(world, address, person):
            status = _judge(world, call, client, done, refused=False)
            if call.method != "GET" and status < 400:
                done.faults.append(f"{call}: {status}, though {person} may only read")
    after = rows()
    for change in difference(before, after):
        done.faults.append(f"{address.endpoint} by {person}: changed {change.table} {sorted(change.columns)}")
    if not allowed and not (rule.public or person is None):
        return
    typed: set[str] = set()
    for call in bare_calls(world, address, person):
        _judge(world, call, client, done, refused=person is None and not rule.public)
        typed |= call.sent
    for change in difference(after, rows()):
        # What somebody looked for, or typed and did not send, is kept among their own as they typed it.
        own = change.table in ("preferences", "unsent_texts")
        told = leaks(change.text, world.beyond(person), frozenset(typed if own else ()))
        if told:
            done.faults.append(f"{address.endpoint} by {person}: changed a row of {change.table}: {told}")
    if person:
        _read_own(world, address, person, client, done)


def _judge(world: World, call: Call, client: FlaskClient, done: Walk, *, refused: bool) -> int:
    response = call.open(client)
    done.calls += 1
    done.cells.add((call.endpoint, call.method, call.person or "nobody"))
    status = response.status_code
    if status >= 500:
        done.faults.append(f"{call}: {status}")
    elif refused and not _is_refusal(call, response):
        done.faults.append(f"{call}: {status} {response.headers.get('Location', '')}")
    text = texts_of(response)
    # What was looked for by POST shows on the next page. BACK leads to one with the person's own earlier search on it.
    if call.method in UNSAFE and status == 303 and call.endpoint not in BACK:
        text += texts_of(client.get(response.headers["Location"]))
    found = leaks(text, world.beyond(call.person), call.sent)
    done.faults += [f"{call}: {status}, {one}" for one in found]
    response.close()
    return status


def _is_refusal(call: Call, response: TestResponse) -> bool:
    if call.method == "OPTIONS" and call.person:
        return response.status_code in DENIED or (response.status_code == 200 and not response.get_data())
    if call.person is None:
        to_the_door = urlsplit(response.headers.get("Location", "")).path == "/sign-in"
        return response.status_code in DENIED or (response.status_code == 303 and to_the_door)
    return response.status_code in DENIED


def _read_own(world: World, address: Address, person: str, client: FlaskClient, done: Walk) -> None:
    """Those whom a route is for do get their own things: otherwise the walk would pass on a portal that shows nothing."""
    rule = ROUTES[address.endpoint]
    for call in own_calls(world, address, person):
        if call.method != "GET" and not rule.reads:
            continue
        response = call.open(client)
        done.calls += 1
        text = texts_of(response)
        if response.status_code not in rule.own:
            done.faults.append(f"own: {call}: {response.status_code}, expected {sorted(rule.own)}")
        elif rule.shows and response.status_code == 200 and not leaks(text, [world.home]):
            done.faults.append(f"own: {call}: nothing of the person's own estate is in the answer")
        done.faults += [f"own: {call}: {one}" for one in leaks(text, world.beyond(person))]
        response.close()
