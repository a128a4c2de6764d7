"""Runs the picture checks over pictures whose truth is known, and counts."""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from storage.judge import Judgement, judge
from storage.measurement import Verdict, worst
from storage.thresholds import standard
from tests.paperset import CHECKS, Defect, Truth, draw

# What the portal calls the kinds of paper that are called otherwise here.
PAPERS = {"hospital-note": "hospital-record", "letter": "other"}
ASKING = ("advise", "refuse")
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".heic", ".webp", ".pdf")
REMARKS = Path(__file__).with_name("real.json")  # what a person sees in the real pictures, by file name


@dataclass(frozen=True, slots=True)
class Finding:
    """What the judge said about one file: the worst verdict of each check over its pages."""

    name: str
    verdict: Verdict
    checks: dict[str, Verdict]
    values: dict[str, float]
    size: tuple[int, int]
    refusal: str
    seconds: float
    thresholds: str
    truth: Truth | None = None

    @property
    def asked(self) -> bool:
        """Whether a person would have been asked for anything."""
        return self.verdict in ASKING

    def says(self, check: str) -> Verdict:
        """The verdict of a check; ``pass`` where it was not made."""
        return self.checks.get(check, "pass")


def finding(name: str, result: Judgement, truth: Truth | None = None) -> Finding:
    """The answer of the judge, in plain values."""
    checks: dict[str, Verdict] = {}
    values: dict[str, float] = {}
    for page in result.pages:
        for one in page.measurements:
            checks[one.name] = worst((checks.get(one.name, "pass"), one.verdict))
            values.setdefault(one.name, one.value)
    size = (result.pages[0].width, result.pages[0].height) if result.pages else (0, 0)
    return Finding(
        name,
        result.verdict,
        checks,
        values,
        size,
        result.refusal or "",
        result.seconds,
        result.thresholds,
        truth,
    )


def judged(index: int) -> Finding:
    """The drawn picture of that index, judged as the kind of paper that it is."""
    sample = draw(index)
    kind = sample.truth.kind
    thresholds = standard(PAPERS.get(kind, kind))
    return finding(f"{index:05d}{sample.suffix}", judge(sample.data, thresholds=thresholds), sample.truth)


def judged_all(indexes: Iterable[int], jobs: int = 2) -> list[Finding]:
    """All of them, in order, in ``jobs`` processes."""
    if jobs < 2:
        return [judged(index) for index in indexes]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        return list(pool.imap(judged, indexes, chunksize=4))


def judged_files(folder: Path) -> Iterator[Finding]:
    """Real pictures in a folder, by the thresholds for any paper."""
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            yield finding(path.name, judge(path, thresholds=standard("other")))


def remarks() -> dict[str, str]:
    """What a person sees in the real pictures, where it is more than a legible page."""
    return dict(json.loads(REMARKS.read_text(encoding="utf-8")))


# --- counting -------------------------------------------------------------------------------------------------------


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
