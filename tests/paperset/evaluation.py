"""Runs the picture checks over drawn and real pictures."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from storage.judge import Judgement, judge
from storage.measurement import Verdict, worst
from storage.thresholds import standard
from tests.paperset import Truth, draw

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
