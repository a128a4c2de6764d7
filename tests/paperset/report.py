"""The tables of docs/evidence.md, in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.paperset import CHECKS
from tests.paperset.counting import Found, Honest, Summary, spread
from tests.paperset.evaluation import ASKING, Finding

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
CONDITIONS = ("scan", "photo", "messenger")


def table(titles: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    titles = list(titles)
    lines = [titles, ["---"] * len(titles), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def report(summary: Summary, real: list[Finding], remarks: dict[str, str]) -> str:
    """All tables with their headings."""
    parts = [
        _heading(summary),
        "### Honest papers (synthetic)",
        honest_table(summary),
        "### Asked wrongly, by check (synthetic)",
        wrong_table(summary),
        "### Planted defects (synthetic)",
        planted_table(summary),
        "### Planted defects missed, by condition (synthetic)",
        condition_table(summary),
    ]
    if real:
        parts += ["### Real pictures", real_table(real, remarks)]
    return "\n\n".join(parts)


def _heading(summary: Summary) -> str:
    honest = sum(one.pictures for one in summary.honest.values())
    planted = sum(one.planted for one in summary.found.values())
    half = {"reserved": "the reserved half", "tuning": "the half for tuning", "both": "both halves"}[
        summary.half
    ]
    text = f"{honest + planted} pictures of {half} ({honest} honest, {planted} with a defect), "
    text += f"thresholds {summary.thresholds}."
    if summary.skew_errors:
        error = spread(summary.skew_errors)
        text += f" Skew is measured to {error['median']:.2f}° (median; 95 %: {error['p95']:.2f}°)."
    absent = [check for check in CHECKS if check not in summary.made]
    return text + (f" Not judged: {', '.join(absent)}." if absent else "")


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common()) or "–"


def honest_table(summary: Summary) -> str:
    """One row per condition, and one for all."""
    total = Honest()
    for one in summary.honest.values():
        total.pictures += one.pictures
        total.verdicts += one.verdicts
        total.asked_by += one.asked_by
    rows = [*sorted(summary.honest.items()), ("all", total)]
    return table(
        ("condition", "pictures", "passed", "mended", "advised", "refused", "asked by"),
        (
            (name, one.pictures, *(one.verdicts[v] for v in ("pass", "mend", *ASKING)), _counts(one.asked_by))
            for name, one in rows
        ),
    )


def wrong_table(summary: Summary) -> str:
    """Per check: honest papers for which it asked, and pictures with another defect for which it asked too."""
    honest = sum(one.pictures for one in summary.honest.values())
    asked: Counter[str] = Counter()
    for one in summary.honest.values():
        asked += one.asked_by
    planted = Counter[str]()
    for (check, _, _), found in summary.found.items():
        planted[check] += found.planted
    return table(
        ("check", "honest papers", "pictures with another defect"),
        (
            (
                check,
                f"{asked[check]} of {honest}",
                f"{summary.elsewhere[check]} of {planted.total() - planted[check]}",
            )
            if check in summary.made
            else (check, "not judged", "not judged")
            for check in CHECKS
        ),
    )


def planted_table(summary: Summary) -> str:
    """One row per check, kind and severity, the mildest first."""
    rows = sorted(summary.found.items(), key=lambda row: _place(row[0]))
    return table(
        (
            "check",
            "defect",
            "severity",
            "planted",
            "named",
            "missed",
            "missed, but asked otherwise",
            "verdict right",
        ),
        (
            (
                check,
                kind,
                severity or "–",
                one.planted,
                *_found(summary, check, one),
                one.otherwise,
                one.right,
            )
            for (check, kind, severity), one in rows
        ),
    )


def _place(key: tuple[str, str, str]) -> tuple[int, str, float]:
    check, kind, severity = key
    number = float(severity.split()[0].rstrip("°")) if severity else 0.0
    falling = check in ("text_size", "exposure", "shadow")  # the smaller, the worse
    return CHECKS.index(check), kind, -number if falling else number


def _found(summary: Summary, check: str, one: Found) -> tuple[object, object]:
    return (one.named, one.missed) if check in summary.made else ("–", "not judged")


def condition_table(summary: Summary) -> str:
    """Missed of planted, per check and condition."""

    def cell(check: str, condition: str) -> str:
        one = summary.by_condition.get((check, condition))
        return f"{one.missed} of {one.planted}" if one else "–"

    checks = [check for check in CHECKS if any(key[0] == check for key in summary.by_condition)]
    return table(
        ("check", *CONDITIONS), ((check, *(cell(check, where) for where in CONDITIONS)) for check in checks)
    )


def real_table(real: list[Finding], remarks: dict[str, str]) -> str:
    """What was said of each file."""
    return table(
        ("file", "size", "verdict", "checks", "remark"),
        (
            (
                one.name,
                f"{one.size[0]} x {one.size[1]}" if one.size[0] else "–",
                one.verdict,
                one.refusal or ", ".join(f"{c} {v}" for c, v in one.checks.items() if v != "pass") or "–",
                remarks.get(one.name, ""),
            )
            for one in real
        ),
    )


def written_into(page: Path, text: str) -> None:
    """Replace what stands between the two markers; ``ValueError`` when the page has none."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} lacks the marks {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
