"""Rules that hold for the evidence of every procedure: a required paper is there, and a poor one has its reason."""

from __future__ import annotations

from portal.workflows.vocabulary import Evidence, Facts, Rule

SETTLED = ("pass", "mend")


def evidence_rules(slots: tuple[Evidence, ...]) -> tuple[Rule, ...]:
    """Two rules a slot. The legibility article is 临州教学管发〔2022〕5号 三（一）1 or what the policy puts in its place."""
    return tuple(rule for slot in slots for rule in (_presence(slot), _legibility(slot)))


def _presence(slot: Evidence) -> Rule:
    def missing(facts: Facts) -> bool:
        return slot.when(facts) and slot.required(facts) and not facts.in_slot(slot.id)

    return Rule(
        id=f"{slot.id}_missing",
        article=slot.article,
        stops=missing,
        text=f"还缺“{slot.title}”",
        remedy=f"请上传{slot.issuer}出具的{slot.title}",
        at="evidence",
        field=slot.id,
    )


def _legibility(slot: Evidence) -> Rule:
    def poor(facts: Facts) -> list[str]:
        return [f.name for f in facts.in_slot(slot.id) if f.verdict not in SETTLED and not f.override_reason]

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
