"""Policy packs: inheritance, sources, and the faults that must not pass unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal import policies
from portal.policies import PolicyError, all_policies, policy, policy_before


def test_a_place_inherits_what_it_does_not_set() -> None:
    beiguan = policy("ha-anyang-beiguan")
    assert beiguan.lineage == ("ha-anyang-beiguan", "ha-2022", "cn-2025")
    assert beiguan.value("key_information_change.chain") == {"*": ["county", "state"]}
    assert beiguan.value("evidence.refusals_before_way_out") == 2


def test_every_value_has_a_source_with_words() -> None:
    for pack in all_policies().values():
        for key in pack.values:
            article = pack.source(key)
            assert article.document and article.text, f"{pack.code}: {key}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('title="x"\nvalid_from=2025-01-01\n[values.a]\nb={value=1, article="nowhere"}', "unknown article"),
        ('title="x"\nvalid_from=2025-01-01\n[values.a]\nb={value=1}', "names no article"),
        ('title="x"\nvalid_from=2025-01-01\n[values]\na=1', "neither a table"),
        (
            'title="x"\nvalid_from=2025-01-01\n[articles.b]\ndocument="d"\ntext="t"\n'
            '[values.a]\nb={value=[{code="c", article="nowhere"}], article="b"}',
            "unknown article 'nowhere'",
        ),
    ],
)
def test_a_pack_without_its_source_is_refused(
    text: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.toml").write_text(text, "utf-8")
    monkeypatch.setattr(policies, "FOLDER", tmp_path)
    with pytest.raises(PolicyError, match=complaint):
        policy.__wrapped__("broken")


def test_a_clause_about_transfers_is_cited_for_other_business_as_an_analogy() -> None:
    for key in ("key_information_change", "withdrawal", "withdrawal_reversal"):
        article = policy("cn-2025").source(f"clock.{key}")
        assert (
            article.cited.endswith("第十五条（参照）") and "转学" in article.text and "比照" in article.text
        )


def test_a_pack_as_it_was_before_it_was_put_right() -> None:
    key = "key_information_change.proofs"
    for code, pack in all_policies().items():
        assert policy_before(code).values.keys() == pack.values.keys()
    old, new = policy_before("ha-anyang-beiguan"), policy("ha-anyang-beiguan")
    assert (
        old.value("key_information_change.key_fields")
        == ["name", "id_number"]
        != new.value("key_information_change.key_fields")
    )
    needed = {row["slot"] for row in old.value(key) if row["required"] and row["cause"] == "*"}
    assert needed == {"household_book"}
    assert policy_before("gs-linxia-2022").value(key) != policy("gs-linxia-2022").value(key)
    assert policy_before("ha-2022").value(key) == policy("ha-2022").value(key)


def test_unknown_keys_are_errors() -> None:
    with pytest.raises(PolicyError):
        policy("cn-2025").value("no.such.key")
    with pytest.raises(PolicyError):
        policy("no-such-pack")
