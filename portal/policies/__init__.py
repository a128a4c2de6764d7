"""What differs by jurisdiction and year. A pack is one TOML file: documents, articles and values, each value with the
article it rests on, and a row of a value with one of its own where it names one. A pack inherits another; its own values and
articles win. The folder `before` holds what a pack said before it was put right, for the list of open cases that it touches.

What never belongs here: code. A condition is a function in a workflow that reads a value from here.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
BEFORE = "before"


class PolicyError(Exception):
    """A pack that cannot be used, or a key that no pack knows."""


@dataclass(frozen=True)
class Article:
    """A clause that a stop rests on: document number, clause, and its words (or a plain account of them)."""

    id: str
    document: str
    clause: str
    text: str

    @property
    def cited(self) -> str:
        return f"{self.document} {self.clause}".strip()


@dataclass(frozen=True)
class Policy:
    """One pack with everything it inherits. `code` is the file's name without .toml."""

    code: str
    title: str
    lineage: tuple[str, ...]  # this pack first, then what it inherits
    valid_from: date
    values: dict[str, tuple[Any, str]]  # dotted key -> (value, article id)
    articles: dict[str, Article]

    def value(self, key: str) -> Any:
        """The value under a dotted key. Raises PolicyError for a key that no pack of the lineage sets."""
        try:
            return self.values[key][0]
        except KeyError:
            raise PolicyError(f"policy {self.code} has no value {key}") from None

    def source(self, key: str) -> Article:
        """The article that the value under a dotted key rests on."""
        self.value(key)
        return self.articles[self.values[key][1]]

    def article(self, article_id: str) -> Article:
        """An article by its id. Raises PolicyError for one that no pack of the lineage holds."""
        try:
            return self.articles[article_id]
        except KeyError:
            raise PolicyError(f"policy {self.code} has no article {article_id}") from None


def source(policy: Policy, name: str) -> Article:
    """The article of this id, or the one that the policy value of this key rests on."""
    return policy.source(name) if name in policy.values else policy.article(name)


@cache
def policy(code: str) -> Policy:
    """Read one pack and its ancestors. Raises PolicyError with the file's name on any fault."""
    return _read(code, {})


@cache
def policy_before(code: str) -> Policy:
    """The pack as it was before it was put right: the values in the folder `before` stand in place of its own."""
    return _read(code, {path.stem: path for path in (FOLDER / BEFORE).glob("*.toml")})


def _read(code: str, replaced: dict[str, Path]) -> Policy:
    path = FOLDER / f"{code}.toml"
    if not path.is_file():
        raise PolicyError(f"there is no policy pack {code}")
    pack = tomllib.loads(path.read_text("utf-8"))
    parent = _read(pack["inherits"], replaced) if "inherits" in pack else None
    articles = dict(parent.articles) if parent else {}
    for article_id, entry in pack.get("articles", {}).items():
        articles[article_id] = Article(article_id, entry["document"], entry.get("clause", ""), entry["text"])
    values = dict(parent.values) if parent else {}
    values |= _values(pack.get("values", {}), "")
    if code in replaced:
        values |= _values(tomllib.loads(replaced[code].read_text("utf-8"))["values"], "")
    for key, (value, article_id) in values.items():
        for one in (article_id, *_articles_of_rows(value)):
            if one not in articles:
                raise PolicyError(f"{path.name}: value {key} rests on the unknown article {one!r}")
    lineage = (code, *(parent.lineage if parent else ()))
    return Policy(code, pack["title"], lineage, pack["valid_from"], values, articles)


def _articles_of_rows(value: Any) -> list[str]:
    """The articles on which single rows of a value rest."""
    rows = value if isinstance(value, list) else []
    return [row["article"] for row in rows if isinstance(row, dict) and "article" in row]


def _values(table: dict[str, Any], prefix: str) -> dict[str, tuple[Any, str]]:
    """Flatten nested tables; a table that has `value` and `article` is a value."""
    found: dict[str, tuple[Any, str]] = {}
    for name, entry in table.items():
        key = f"{prefix}{name}"
        if isinstance(entry, dict) and "value" in entry:
            if "article" not in entry:
                raise PolicyError(f"value {key} names no article")
            found[key] = (entry["value"], entry["article"])
        elif isinstance(entry, dict):
            found |= _values(entry, f"{key}.")
        else:
            raise PolicyError(f"{key} is neither a table of values nor a value with its article")
    return found


@cache
def all_policies() -> dict[str, Policy]:
    """Every pack in this folder by code, in order of code."""
    return {path.stem: policy(path.stem) for path in sorted(FOLDER.glob("*.toml"))}
