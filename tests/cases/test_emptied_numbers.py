"""An identity number that an export leaves empty is taken away only where somebody looked at the row and said so."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases.loads import emptied, proposals
from portal.cases.refusing import Refused
from portal.extensions import db
from portal.models import AuditRecord, Pupil
from tests.builders import Cast
from tests.cases.forms import enter
from tests.cases.test_loads import apply, apply_and_confirm, as_exported, check, findings, undo

NUMBER = "622999201005060013"


@pytest.fixture
def cast(app: Flask) -> Cast:
    made = Cast()
    made.pupil.id_number = NUMBER
    db.session.commit()
    return made


def now(cast: Cast) -> tuple[str, str, str]:
    db.session.rollback()
    pupil = db.session.get_one(Pupil, cast.pupil.id, populate_existing=True)
    return pupil.id_number, pupil.class_name, pupil.name


def confirm(load: object, cast: Cast) -> None:
    emptied.confirm(load, [one.id for one in findings(load, "emptied")])
    db.session.commit()


def test_a_bureau_confirms_what_it_looked_at_and_takes_it_back_as_a_whole(cast: Cast) -> None:
    _, was, name = now(cast)
    load = check(cast.reviewer, [as_exported(cast.pupil, id_number="", class_name="9班")])
    assert load.counts == {"rows": 1, "changed": 1, "emptied": 1}
    confirm(load, cast)
    assert load.counts == {"rows": 1, "changed": 1}, "the pupil is written once"
    (row,) = findings(load, "changed")
    assert row.after.items() >= {"class_name": "9班", "id_number": ""}.items()
    assert row.before["id_number"] == NUMBER
    assert db.session.scalars(select(AuditRecord).where(AuditRecord.action == "load.emptied_confirmed")).one()
    load = apply(load, cast.reviewer)
    assert load.status == "applied" and now(cast) == ("", "9班", name)
    assert undo(load, cast.reviewer).status == "undone" and now(cast) == (NUMBER, was, name)


def test_what_nobody_confirmed_stays_and_the_rest_is_written(cast: Cast) -> None:
    load = check(cast.reviewer, [as_exported(cast.pupil, id_number="", class_name="9班")])
    load = apply(load, cast.reviewer)
    assert load.status == "applied" and now(cast)[:2] == (NUMBER, "9班")
    with pytest.raises(Refused, match="刚被确认过"):
        emptied.confirm(load, [one.id for one in findings(load, "emptied")])


@pytest.mark.parametrize("also", [{}, {"name": "马晓明"}])
def test_what_a_school_confirms_waits_for_the_county_beside_its_other_key_columns(
    cast: Cast, also: dict[str, str]
) -> None:
    load = check(cast.registrar, [as_exported(cast.pupil, id_number="", class_name="9班", **also)])
    confirm(load, cast)
    (waiting,) = findings(load, "waiting")
    assert waiting.waits_as == "changed" and waiting.after == {**also, "id_number": ""}
    assert load.counts == {"rows": 1, "changed": 1, "waiting": 1}
    load = apply(load, cast.registrar)
    assert now(cast)[:2] == (NUMBER, "9班") and proposals.of_load(load) is not None
    load = check(cast.registrar, [as_exported(cast.pupil, id_number="", class_name="8班", **also)])
    confirm(load, cast)
    apply_and_confirm(load, cast)
    assert now(cast)[:2] == ("", "8班") and (not also or now(cast)[2] == also["name"])


def test_a_row_is_confirmed_once_and_only_of_its_own_load(cast: Cast) -> None:
    load = check(cast.reviewer, [as_exported(cast.pupil, id_number="")])
    other = check(cast.reviewer, [as_exported(cast.pupil, id_number="")])
    with pytest.raises(Refused, match="刚被确认过"):
        emptied.confirm(load, [one.id for one in findings(other, "emptied")])
    with pytest.raises(Refused, match="勾选"):
        emptied.confirm(load, [])
    ids = [one.id for one in findings(load, "emptied")]
    emptied.confirm(load, ids)
    db.session.commit()
    assert load.counts == {"rows": 1, "changed": 1} and not findings(load, "changed")[0].faults
    with pytest.raises(Refused, match="刚被确认过"):
        emptied.confirm(load, ids)


@pytest.mark.pages
def test_the_page_lists_them_to_be_ticked(app: Flask, cast: Cast) -> None:
    load = check(cast.registrar, [as_exported(cast.pupil, id_number="", class_name="9班")])
    client, here = enter(app, cast.registrar), f"/register/loads/{load.id}"
    page = client.get(here, query_string={"kind": "emptied"}).text
    assert NUMBER not in page and "不勾选的保留原号" in page and 'form="emptied"' in page
    refused = client.post(f"{here}/emptied", data={})
    assert refused.status_code == 422 and "请先勾选" in refused.text and 'form="emptied"' in refused.text
    (row,) = findings(load, "emptied")
    db.session.rollback()
    answer = client.post(f"{here}/emptied", data={"shown": str(row.id), "all": "1"}, follow_redirects=True)
    assert answer.status_code == 200 and "已确认 1 行" in answer.text and "待上级确认" in answer.text
    assert client.post(f"{here}/emptied", data={"row": str(row.id)}).status_code == 409
