"""Counts what was missed and what was asked wrongly."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from storage.judging import CHECKS
from tests.paperset.evaluation import ASKING, Finding
from tests.paperset.truth import Defect, Truth


@dataclass
class Honest:
    """Pictures on which nothing was planted. ``asked_by`` counts the checks that asked for anything."""

    pictures: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    asked_by: Counter[str] = field(default_factory=Counter)

    def add(self, one: Finding) -> None:
        self.pictures += 1
        self.verdicts[one.verdict] += 1
        self.asked_by.update(check for check, verdict in one.checks.items() if verdict in ASKING)
        if one.refusal:
            self.asked_by["file"] += 1


@dataclass
class Found:
    """Pictures with one kind of defect. ``named``: the right check did not pass it.

    ``right``: named, and the verdict on the whole file is one of the expected ones. ``otherwise``: missed, but asked for another reason.
    """

    planted: int = 0
    named: int = 0
    right: int = 0
    otherwise: int = 0

    @property
    def missed(self) -> int:
        return self.planted - self.named

    def add(self, one: Finding, defect: Defect, expected: frozenset[str]) -> None:
        named = one.says(defect.check) != "pass"
        self.planted += 1
        self.named += named
        self.right += named and one.verdict in expected
        self.otherwise += not named and one.asked


@dataclass
class Summary:
    """Everything that the tables show, and what a program may want of it."""

    thresholds: str
    half: str
    honest: dict[str, Honest]  # by condition
    found: dict[tuple[str, str, str], Found]  # by check, kind, severity
    by_condition: dict[tuple[str, str], Found]  # by check, condition
    elsewhere: Counter[str]  # a check that asked where another defect was planted
    made: frozenset[str]  # the checks that were made at all
    skew_errors: list[float]
    seconds: list[float]
    wrong: list[tuple[str, str]]  # file, what was wrong about it

    def record(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "thresholds": self.thresholds,
            "half": self.half,
            "honest": {
                name: {
                    "pictures": one.pictures,
                    "verdicts": dict(one.verdicts),
                    "asked_by": dict(one.asked_by),
                }
                for name, one in self.honest.items()
            },
            "planted": [
                {
                    "check": c,
                    "kind": k,
                    "severity": s,
                    "planted": f.planted,
                    "named": f.named,
                    "missed": f.missed,
                }
                | {"verdict_right": f.right, "asked_for_another_reason": f.otherwise}
                for (c, k, s), f in self.found.items()
            ],
            "by_condition": [
                {"check": c, "condition": w, "planted": f.planted, "missed": f.missed}
                for (c, w), f in self.by_condition.items()
            ],
            "asked_where_another_defect_is": dict(self.elsewhere),
            "checks_not_made": [check for check in CHECKS if check not in self.made],
            "skew_error_degrees": spread(self.skew_errors),
            "seconds": spread(self.seconds),
            "wrong": self.wrong,
        }


def spread(values: list[float]) -> dict[str, float]:
    """Median, and what one in twenty goes beyond."""
    if not values:
        return {}
    return {
        "median": round(median(values), 3),
        "p95": round(sorted(values)[int(0.95 * (len(values) - 1))], 3),
    }


def condition_of(truth: Truth) -> str:
    """The row of the table of honest papers."""
    return f"{truth.condition}, {truth.detail.split()[0]}" if truth.condition == "scan" else truth.condition


def counted(findings: list[Finding], half: str) -> Summary:
    """The counts over drawn pictures."""
    summary = Summary(
        thresholds=", ".join(sorted({one.thresholds for one in findings if one.thresholds})),
        half=half,
        honest={},
        found={},
        by_condition={},
        elsewhere=Counter(),
        made=frozenset(check for one in findings for check in one.checks),
        skew_errors=[],
        seconds=[one.seconds for one in findings],
        wrong=[],
    )
    for one in findings:
        if one.truth is not None:
            _count(summary, one, one.truth)
    return summary


def _count(summary: Summary, one: Finding, truth: Truth) -> None:
    if not truth.defects:
        summary.honest.setdefault(condition_of(truth), Honest()).add(one)
        if one.asked:
            names = [c for c, v in one.checks.items() if v in ASKING] or [one.refusal]
            summary.wrong.append((one.name, f"honest, asked by {', '.join(names)}"))
    for defect in truth.defects:
        key = (defect.check, defect.kind, severity_of(defect))
        summary.found.setdefault(key, Found()).add(one, defect, truth.expected_verdicts)
        where = (defect.check, truth.condition)
        summary.by_condition.setdefault(where, Found()).add(one, defect, truth.expected_verdicts)
        others = (c for c, v in one.checks.items() if v in ASKING and c != defect.check)
        summary.elsewhere.update(others)
        if one.says(defect.check) == "pass":
            summary.wrong.append((one.name, f"{defect.check} {defect.kind} {severity_of(defect)} missed"))
    if any(defect.check == "skew" for defect in truth.defects) and "skew" in one.values:
        summary.skew_errors.append(abs(one.values["skew"] - truth.lean))


def severity_of(defect: Defect) -> str:
    """For a row of the table: as it was planted; how many characters were cut in three classes."""
    if defect.check == "completeness":
        low = next(limit for limit in (10, 5, 2, 0) if defect.severity >= limit)
        return f"{low} or more characters"
    if not defect.unit:
        return ""
    return f"{defect.severity:g} {defect.unit}".replace(" °", "°")
