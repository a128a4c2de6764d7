"""Rules that hold for the evidence of every procedure: a required paper is there, one of several where one is enough, and a poor
one has its reason."""

from __future__ import annotations

from portal.workflows.facts import Facts
from portal.workflows.vocabulary import Evidence, Rule, alone

SETTLED = ("pass", "mend")
MOST_NAMED = 5


def evidence_rules(slots: tuple[Evidence, ...]) -> tuple[Rule, ...]:
    """Two rules a slot, and one for those of which one is enough. The legibility article is 临州教学管发〔2022〕5号 三（一）1 or
    what the policy puts in its place."""
    every = tuple(rule for slot in slots for rule in (_presence(slot), _legibility(slot)))
    together = tuple(slot for slot in slots if slot.one_of is not alone)
    return (*every, _one_of_several(together)) if together else every


def _presence(slot: Evidence) -> Rule:
    def missing(facts: Facts) -> list[str]:
        if not (slot.when(facts) and slot.required(facts)):
            return []
        return [piece.title for piece in slot.pieces(facts) if not facts.in_slot(piece.id)]

    return Rule(
        id=f"{slot.id}_missing",
        article=slot.article,
        stops=lambda facts: bool(missing(facts)),
        text=lambda facts: f"还缺{_listed(missing(facts))}",
        remedy=f"请上传{slot.issuer}出具的{slot.title}",
        at="evidence",
        field=slot.id,
    )


def _one_of_several(slots: tuple[Evidence, ...]) -> Rule:
    def lacking(facts: Facts) -> list[str]:
        wanted = {one for slot in slots if slot.when(facts) for one in slot.still_one_of(facts)}
        return [slot.title for slot in slots if slot.id in wanted]

    return Rule(
        id="one_of_several_missing",
        article=slots[0].article,
        stops=lambda facts: bool(lacking(facts)),
        text=lambda facts: f"还缺证明材料：{_listed(lacking(facts))}中任意一种",
        remedy="请上传其中一种，不必都交",
        at="evidence",
        field=slots[0].id,
    )


def _legibility(slot: Evidence) -> Rule:
    def poor(facts: Facts) -> list[str]:
        files = (file for piece in slot.pieces(facts) for file in facts.in_slot(piece.id))
        return [file.name for file in files if file.verdict not in SETTLED and not file.override_reason]

    return Rule(
        id=f"{slot.id}_illegible",
        article="evidence.legible",
        stops=lambda facts: slot.when(facts) and bool(poor(facts)),
        text=lambda facts: (
            f"“{slot.title}”中有未通过图像检查、要重拍或说明原因的图片：{'、'.join(poor(facts))}"
        ),
        remedy="请按提示重新拍摄；确实无法改善的，可以填写原因后继续",
        at="evidence",
        field=slot.id,
    )


def _listed(titles: list[str]) -> str:
    """The first few titles in quotation marks, and how many there are."""
    named = "、".join(f"“{title}”" for title in titles[:MOST_NAMED])
    return named if len(titles) <= MOST_NAMED else f"{named}等 {len(titles)} 份"
