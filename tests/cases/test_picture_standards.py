"""The thresholds of the picture checks in versions: what counts for a case, what is refused, which values make sense."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.cases import picture_standards, quality
from portal.cases.refusing import Refused
from portal.workflows import WORKFLOWS
from storage import thresholds
from tests.builders import Cast, a_case


def test_every_slot_wants_a_kind_of_paper_that_there_is() -> None:
    kinds = {slot.paper for law in WORKFLOWS for slot in law.evidence}
    assert kinds <= {"", *thresholds.papers()} and kinds <= set(picture_standards.PAPERS)
    assert set(thresholds.papers()) <= set(picture_standards.PAPERS)


def test_every_threshold_has_its_meaning_and_a_standard_within_its_range() -> None:
    for paper in picture_standards.PAPERS:
        for name, value in picture_standards.standard_of(paper).items():
            known = picture_standards.MEANINGS[name]
            assert known.least <= value <= known.most, (paper, name)
        assert picture_standards.faults(paper, {}, {}) == {}


def test_every_save_is_a_version_and_going_back_is_one_too(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "draft")
    assert quality.thresholds_for(case) == {}
    picture_standards.save(cast.approver, "", {"blur_advise": "0.03"}, "按数据放严", 0)
    picture_standards.save(cast.approver, "application", {"text_advise_px": "14"}, "申请书字小", 1)
    both = {"": {"blur_advise": 0.03}, "application": {"text_advise_px": 14.0}}
    assert quality.thresholds_for(case) == both
    picture_standards.go_back(cast.approver, 1, "先不单独设", 2)
    assert quality.thresholds_for(case) == {"": {"blur_advise": 0.03}}
    picture_standards.go_back(cast.approver, 0, "恢复成标准", 3)
    assert quality.thresholds_for(case) == {}
    versions = picture_standards.history(cast.state.id)
    assert [(one.number, one.note) for one in versions] == [
        (4, "恢复成标准"),
        (3, "先不单独设"),
        (2, "申请书字小"),
        (1, "按数据放严"),
    ]
    assert versions[2].changes == both and quality.thresholds_for(a_case(Cast(), "draft")) == {}
    said = picture_standards.differences(versions[2].changes, versions[3].changes)
    assert said == [("申请书", "字的大小：字高小于此值的提醒", "标准值", "14")]


def test_a_version_over_a_newer_one_without_reason_or_change_is_refused(app: Flask) -> None:
    cast = Cast()
    picture_standards.save(cast.approver, "", {"blur_advise": "0.03"}, "按数据放严", 0)
    with pytest.raises(Refused) as stale:
        picture_standards.save(cast.approver, "", {"blur_advise": "0.02"}, "按数据放严", 0)
    assert stale.value.conflict
    for values, reason in (({"blur_advise": "0.02"}, " 嗯 "), ({"blur_advise": "0.03"}, "没有改动")):
        with pytest.raises(Refused):
            picture_standards.save(cast.approver, "", values, reason, 1)
    with pytest.raises(Refused):
        picture_standards.save(cast.reviewer, "", {"blur_advise": "0.02"}, "按数据放严", 0)
    with pytest.raises(LookupError):
        picture_standards.go_back(cast.approver, 9, "按数据放严", 1)
    assert [one.number for one in picture_standards.history(cast.state.id)] == [1]


@pytest.mark.parametrize(
    ("values", "at_fault"),
    [
        ({}, set()),
        ({"blur_advise": "0.03", "dark_mend": "80"}, set()),
        ({"blur_advise": "much"}, {"blur_advise"}),
        ({"blur_advise": "nan"}, {"blur_advise"}),
        ({"blur_advise": "1e9"}, {"blur_advise"}),
        ({"skew_mend_degrees": "-1", "cut_marks": ""}, {"skew_mend_degrees"}),
        ({"text_refuse_px": "30", "text_advise_px": "20"}, {"text_refuse_px"}),
        ({"text_refuse_px": "30"}, {"text_refuse_px"}),
        ({"seal_needed": "0.5"}, {"seal_needed"}),
        ({"no_such_threshold": "3"}, set()),
    ],
)
def test_values_have_to_make_sense(values: dict[str, str], at_fault: set[str]) -> None:
    assert set(picture_standards.faults("", values, {})) == at_fault
