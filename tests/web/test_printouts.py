"""Printing over HTTP and from the command line: who may, what comes out, what is recorded."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import pytest
from docx import Document
from flask import Flask
from sqlalchemy import select

from portal.blueprints import printouts
from portal.extensions import db
from portal.models import AuditRecord, Case, RegisterChange
from portal.models.types import new_id
from tests.builders import Cast, a_case, a_pupil
from tests.cases.forms import enter, texts

pytestmark = pytest.mark.pages

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def url(case: Case) -> str:
    return f"/cases/{case.id}/printouts/approval-form.docx"


def printed_records() -> list[AuditRecord]:
    found = list(db.session.scalars(select(AuditRecord).where(AuditRecord.action == "case.printed")))
    db.session.commit()
    return found


@pytest.mark.parametrize("who", ["registrar", "head", "reviewer", "approver", "auditor"])
def test_everybody_who_sees_a_case_can_print_it(app: Flask, who: str) -> None:
    cast = Cast()
    name = cast.pupil.name  # the form shows what was changed, and its file is called after that
    case = a_case(cast, "approved")
    client = enter(app, cast.everybody()[who])
    answer = client.get(url(case))
    assert (answer.status_code, answer.content_type) == (200, DOCX)
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment;") and "filename*=UTF-8''" in disposition
    assert unquote(disposition.split("''")[1]) == f"{case.number}_关键信息变更审批表_{name}.docx"
    assert answer.headers["Cache-Control"] == "no-store"
    (change,) = db.session.scalars(select(RegisterChange).where(RegisterChange.case_id == case.id))
    found = texts(answer.data)
    assert found[found.index(change.after) - 1] == change.before
    (record,) = printed_records()
    assert record.actor_id == cast.everybody()[who].id and record.object_id == str(case.id)
    assert any(f"存证码：{record.seq}-{record.digest[:12]}" in text for text in found)


def test_nobody_else_can(app: Flask) -> None:
    cast, stranger = Cast(), Cast()
    case, draft = a_case(cast, "approved"), a_case(cast, "draft", pupil=a_pupil(cast.school))
    a_case(stranger, "approved")
    for who in stranger.everybody().values():
        client = enter(app, who)
        assert client.get(url(case)).status_code == 404
    administrator = enter(app, cast.administrator)
    assert administrator.get(url(case)).status_code == 404
    reviewer = enter(app, cast.reviewer)
    assert reviewer.get(url(draft)).status_code == 404, "a draft is the school's own"
    registrar = enter(app, cast.registrar)
    assert registrar.get(f"/cases/{case.id}/printouts/other-form.docx").status_code == 404
    assert registrar.get(f"/cases/{uuid4()}/printouts/approval-form.docx").status_code == 404
    assert app.test_client().get(url(case)).status_code == 303
    assert printed_records() == []


def test_a_draft_is_printed_as_a_draft(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "ready")
    client = enter(app, cast.registrar)
    assert any("状态：草稿，未提交" in text for text in texts(client.get(url(case)).data))


def test_a_batch_holds_what_may_be_seen_and_says_what_is_left_out(app: Flask) -> None:
    cast, stranger = Cast(), Cast()
    mine = [
        a_case(cast, "county_review", pupil=a_pupil(cast.school, name=name))
        for name in ("甲/乙", "买买提·阿卜杜")
    ]
    theirs = a_case(stranger, "county_review")
    client = enter(app, cast.reviewer)
    chosen = [str(mine[0].id), str(theirs.id), "nonsense", str(mine[1].id), str(mine[0].id)]
    answer = client.post("/printouts/batch", data={"case": chosen})
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    package = zipfile.ZipFile(io.BytesIO(answer.data))
    names = [
        f"{mine[0].number}_关键信息变更审批表_甲_乙.docx",
        f"{mine[1].number}_关键信息变更审批表_买买提·阿卜杜.docx",
    ]
    assert package.namelist() == [*names, "打印清单.txt"]
    first = texts(package.read(names[0]))
    assert first[first.index("姓名") + 1] == "甲/乙"
    listed = package.read("打印清单.txt").decode("utf-8-sig").splitlines()
    assert listed == [
        "已打印 2 份",
        *names,
        "",
        "未打印 2 件",
        "所选第 2 件：没有找到，或不在您可查看的范围",
        "所选第 3 件：没有找到，或不在您可查看的范围",
    ]
    assert [record.object_id for record in printed_records()] == [str(case.id) for case in mine]
    assert theirs.number not in "".join(listed)


def test_an_empty_or_too_large_choice_is_explained(app: Flask) -> None:
    cast, stranger = Cast(), Cast()
    theirs = a_case(stranger, "county_review")
    client = enter(app, cast.reviewer)
    for chosen, words in (
        ([], "还没有选择业务"),
        ([str(new_id()) for _ in range(printouts.MOST + 1)], "一次最多打印 100 件，现选了 101 件"),
        ([str(theirs.id)], "所选业务都不能打印"),
    ):
        answer = client.post("/printouts/batch", data={"case": chosen})
        assert answer.status_code == 422 and words in answer.text
    assert printed_records() == []


def test_a_batch_needs_its_token(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    client = enter(app, cast.reviewer)
    app.config["WTF_CSRF_ENABLED"] = True
    assert client.post("/printouts/batch", data={"case": [str(case.id)]}).status_code == 400
    assert printed_records() == []


def test_the_command_writes_the_same_forms(app: Flask, tmp_path: Path) -> None:
    cast = Cast()
    name = cast.pupil.name
    case = a_case(cast, "approved")
    number = case.number
    db.session.commit()
    result = app.test_cli_runner().invoke(
        args=["print", number, "GJ1999000001", "--out", str(tmp_path / "forms")]
    )
    path = tmp_path / "forms" / f"{number}_关键信息变更审批表_{name}.docx"
    assert result.exit_code == 1 and "GJ1999000001" in result.output and str(path) in result.output
    client = enter(app, cast.registrar)
    over_http = texts(client.get(url(case)).data)
    by_command = texts(path.read_bytes())
    assert by_command[:-1] == over_http[:-1]  # the last line bears time and record of the printing
    assert Document(str(path)).core_properties.subject == number
    assert len(printed_records()) == 2
