"""本地条件: in versions with who, when and why; added and retired, never rewritten; offered where they belong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from portal.cases import actions, local_conditions
from portal.cases.facts import facts_before_start, read_facts
from portal.cases.local_conditions import Typed, Unsaved
from portal.cases.offices import policy_of
from portal.extensions import db
from portal.workflows import workflow
from tests.builders import Cast, a_state, act
from tests.withdrawals import ENDS, a_withdrawal

pytestmark = pytest.mark.pages

LAW = workflow(ENDS)
(LIST,) = LAW.supplements
KEY = local_conditions.key_of(LAW, LIST)
TYPED = Typed("连续旷课满一学期", "退学", "云州教发〔2026〕1号", " 第十二条 ", "", "按本州文件补充")


def test_a_condition_is_added_offered_and_retired(app: Flask) -> None:
    cast, elsewhere = Cast(), Cast()
    local_conditions.add(cast.approver, KEY, LIST, TYPED, 0)
    pack = policy_of(cast.school)
    (one,) = facts_before_start(LAW, pack, cast.pupil).local["grounds"]
    assert (one.title, one.article.cited) == (TYPED.title, "云州教发〔2026〕1号 第十二条")
    assert facts_before_start(LAW, pack, elsewhere.pupil).local["grounds"] == ()
    ended = a_withdrawal(cast, "ready")
    act(ended, cast.registrar, "edit", answers={"ground": one.code})
    act(ended, cast.registrar, "submit", confirmation=cast.pupil.name)
    local_conditions.retire(cast.approver, KEY, one.code, "文件已废止", 1)
    (stop,) = actions.refusals_now(ended, read_facts(ended))
    assert stop.rule == "ground_retired"
    assert LAW.printouts[0].names(read_facts(ended))["ground"] == TYPED.title, (
        "decided cases keep their ground"
    )
    versions = local_conditions.history(cast.state, KEY)
    assert [(v.number, v.note, v.account_id) for v in versions] == [
        (2, "文件已废止", cast.approver.id),
        (1, "按本州文件补充", cast.approver.id),
    ]
    assert [what for what, _ in local_conditions.difference(versions[0], versions[1])] == ["停用"]
    assert [what for what, _ in local_conditions.difference(versions[1], None)] == ["增加"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": "旷课"}, "title"),
        ({"title": "旷" * 121}, "title"),
        ({"scope": ""}, "scope"),
        ({"scope": "转学"}, "scope"),
        ({"document": " "}, "document"),
        ({"clause": ""}, "clause"),
        ({"clause": "第\u202e一条"}, "clause"),
        ({"text": "条" * 501}, "text"),
        ({"reason": "嗯"}, "reason"),
    ],
)
def test_without_its_clause_or_reason_nothing_is_saved(app: Flask, wrong: dict[str, str], field: str) -> None:
    cast = Cast()
    with pytest.raises(Unsaved) as unsaved:
        local_conditions.add(cast.approver, KEY, LIST, replace(TYPED, **wrong), 0)
    assert set(unsaved.value.faults) == {field} and local_conditions.history(cast.state, KEY) == []


def test_who_may_and_that_nobody_overwrites_what_was_not_seen(app: Flask) -> None:
    cast = Cast()
    for who in (cast.reviewer, cast.registrar, cast.auditor, cast.administrator):
        with pytest.raises(Unsaved):
            local_conditions.add(who, KEY, LIST, TYPED, 0)
    local_conditions.add(cast.approver, KEY, LIST, TYPED, 0)
    with pytest.raises(Unsaved) as stale:
        local_conditions.add(cast.approver, KEY, LIST, TYPED, 0)
    assert stale.value.conflict
    with pytest.raises(LookupError):
        local_conditions.retire(cast.approver, KEY, "local-9", "文件已废止", 1)
    with pytest.raises(Unsaved):
        local_conditions.retire(cast.approver, KEY, "local-1", "", 1)
    assert local_conditions.history(a_state(), KEY) == []
    db.session.rollback()
