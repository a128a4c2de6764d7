"""The audit key: where a chain begins to be keyed, the anchors outside, and what the readiness page says of walks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from portal import audit, keyed_digests, tasks
from portal.extensions import db
from portal.models import Account, AuditRecord, Pupil, Walk
from portal.oversight import anchors, walk_checks, walks
from portal.oversight.checks import LATE, OK, SOON, Installation
from portal.oversight.findings import Findings
from portal.settings import Settings, SettingsError, derived_audit_key
from tests.builders import Cast, a_case
from tests.conftest import KEY, settings_for
from tests.services import bucket_of_its_own  # noqa: F401 - a fixture
from tests.tamperings import HEAD, RECORDS, _rewrite, as_administrator, one, store
from tests.test_tampering import running

GOOD = "0123456789abcdef0123456789abcdef"
SQLITE = pytest.mark.parametrize("settings", ["sqlite+folder"], indirect=True)


def installation(app: Flask) -> Installation:
    return Installation(
        app.extensions["settings"], app.extensions["store"], app.extensions["migrate"].directory
    )


def viewed(times: int = 1) -> None:
    for number in range(times):
        audit.append("pupil.viewed", "pupil", number)
    db.session.commit()


def of_before_keys() -> int:
    """The installation as the older program left it, right after the upgrade; the number of its last record."""
    _rewrite(1, lambda row: row | {"key_id": ""})
    tables = (Account.__table__, Pupil.__table__, db.metadata.tables["offices"])
    as_administrator(
        update(HEAD).values(keyed_since=0, rows_sealed=False, anchor_due=None),
        *(update(table).values(row_digest="") for table in tables),
    )
    return int(one(select(HEAD)).seq)


@SQLITE
def test_an_older_chain_is_sealed_by_the_first_keyed_record(app: Flask) -> None:
    """Its number leaves the database at once; what stood before is said to be not covered, and becomes so by a command."""
    a_case(Cast())
    db.session.commit()
    last = of_before_keys()
    assert audit.verify().fault == "" and audit.verify().keyed_since == 0
    viewed()
    tasks.wait()
    sealed = one(select(RECORDS).where(RECORDS.c.seq == last + 1))
    assert (sealed.action, sealed.object_id) == (audit.SEALED, str(last)) and sealed.key_id
    noted = anchors.newest(store()).anchor
    assert noted and noted.keyed_since == last + 1 and audit.verify(noted).fault == ""
    findings = walks.walk_audit(store())
    assert findings.told == []
    assert any(f"第 1 至 {last} 条记录写在启用密钥之前" in text for text in findings.remarks)
    assert any("flask audit seal" in text for text in findings.remarks)
    assert walk_checks.check_anchor(installation(app)).tone == SOON
    run = app.test_cli_runner().invoke(args=["audit", "seal"])
    assert run.exit_code == 0 and "rows sealed" in run.output
    findings = walks.walk_audit(store())
    assert findings.told == [] and not any("audit seal" in text for text in findings.remarks)
    as_administrator(update(Pupil.__table__).values(row_digest=""))
    assert any("没有封存" in text for text in walks.walk_audit(store()).told)


@SQLITE
def test_a_row_that_was_looked_into_is_sealed_again(app: Flask) -> None:
    cast = Cast()
    viewed()
    as_administrator(update(Pupil.__table__).where(Pupil.id == cast.pupil.id).values(name="另一人"))
    assert walks.walk_audit(store()).faults == 1
    run = app.test_cli_runner().invoke(args=["audit", "accept", "pupils", str(cast.pupil.id)])
    assert run.exit_code == 0
    assert walks.walk_audit(store()).faults == 0
    assert one(select(RECORDS).where(RECORDS.c.action == "audit.accepted")).object_id == str(cast.pupil.id)


@SQLITE
def test_an_hour_of_activity_leaves_an_anchor_and_the_sweep_one_more(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    viewed(3)
    tasks.wait()
    assert anchors.newest(store()).anchor is None
    with (
        time_machine.travel(datetime.now(UTC) + timedelta(minutes=61), tick=False),
        caplog.at_level("WARNING"),
    ):
        viewed()
        tasks.wait()
        head = one(select(HEAD))
        assert anchors.newest(store()).anchor == audit.Anchor(4, head.digest, 1)
        assert f"audit anchor 4:{head.digest}" in caplog.text
        viewed()
        tasks.wait()
        assert anchors.newest(store()).anchor == audit.Anchor(4, head.digest, 1), "once an hour"
        run = app.test_cli_runner().invoke(args=["sweep"])
    assert "audit anchor 5:" in run.output
    keys = [key for key, _ in store().keys(anchors.PREFIX)]
    assert len(keys) == 2
    newest = anchors.newest(store())
    assert newest.anchor and newest.anchor.seq == 5 and newest.faults == []
    for key, version in store().keys(anchors.PREFIX):
        name = anchors.KEY.fullmatch(key)
        sealed = anchors.Sealed(key, version, name[2], int(name[3]))
        assert store().locked_until(sealed) > datetime.now(UTC) + timedelta(days=3000)


@SQLITE
def test_an_anchor_that_somebody_else_wrote_is_said(app: Flask) -> None:
    viewed(2)
    anchors.note(store())
    content = (
        b'{"said": {"seq": 900, "digest": "' + b"0" * 64 + b'", "keyed_since": 1, "key": "x"}, "seal": ""}'
    )
    key = f"anchors/000000000900-{anchors.hashlib.sha256(content).hexdigest()}-{len(content)}"
    store().put(key, anchors.io.BytesIO(content), size_limit=500, media_type="application/json")
    noted = anchors.newest(store())
    assert noted.anchor and noted.anchor.seq == 2 and "不是本系统写的" in noted.faults[0]
    assert walk_checks.check_anchor(installation(app)).tone == LATE


def test_the_anchor_as_printed_on_a_form_is_taken(app: Flask) -> None:
    viewed(20)
    record = one(select(RECORDS).where(RECORDS.c.seq == 12))
    run = app.test_cli_runner().invoke
    short = f"12-{record.digest[:12]}"
    for text in (short, short.upper(), f"12:{record.digest}", f"12:{record.digest.upper()}"):
        answer = run(args=["audit", "verify", "--anchor", text])
        assert answer.exit_code == 0 and "20 records, all sound" in answer.output, answer.output
    wrong = "0" * 12 if not record.digest.startswith("0" * 12) else "1" * 12
    answer = run(args=["audit", "verify", "--anchor", f"12-{wrong}"])
    assert answer.exit_code == 1 and "记录 12 与外部留存的锚点不符" in answer.output
    answer = run(args=["audit", "verify", "--anchor", f"21-{record.digest[:12]}"])
    assert answer.exit_code == 1 and "链尾被截去" in answer.output
    for text in ("12-abc", "12", f"12-{record.digest[:13]}", "XII-0123456789ab"):
        answer = run(args=["audit", "verify", "--anchor", text])
        assert answer.exit_code == 2 and "as printed on a form" in answer.output


def test_the_key_is_another_one_than_the_secret_and_can_be_changed(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    """Records and row digests of an earlier key verify with it, and do not without."""
    (tmp_path / "portal.db").write_bytes(migrated_sqlite.read_bytes())
    old, new = settings_for(tmp_path), settings_for(tmp_path, audit_key=GOOD)
    assert old.audit_keys == (derived_audit_key(KEY),) and KEY not in old.audit_keys
    with running(old):
        Cast()
        viewed()
    with running(new):
        assert "本机没有" in audit.verify().fault
    with running(settings_for(tmp_path, audit_key=GOOD, audit_old_keys=old.audit_keys)):
        Cast()
        viewed()
        assert walks.walk_audit(store()).told == []
        names = {record.key_id for record in db.session.scalars(select(AuditRecord))}
        assert names == {keyed_digests.key_id(GOOD), keyed_digests.key_id(derived_audit_key(KEY))}


def test_a_weak_audit_key_is_refused(tmp_path: Path) -> None:
    env = {"XUEJI_SECRET_KEY": KEY}
    for key in ("short", "a" * 40, KEY):
        with pytest.raises(SettingsError, match="XUEJI_AUDIT_KEY"):
            Settings.from_environment({**env, "XUEJI_AUDIT_KEY": key})
    (tmp_path / "old").write_text(f"{GOOD}1\n{GOOD}2\n")
    read = Settings.from_environment(
        {**env, "XUEJI_AUDIT_KEY": GOOD, "XUEJI_AUDIT_OLD_KEYS_FILE": str(tmp_path / "old")}
    )
    assert read.audit_keys == (GOOD, f"{GOOD}1", f"{GOOD}2")


@SQLITE
def test_the_readiness_page_tells_age_and_result_of_the_last_walks(app: Flask) -> None:
    here = installation(app)
    Cast()
    viewed()
    first = walk_checks.check_walks(here)
    assert first.tone == SOON and "还没有核查过" in first.text
    run = app.test_cli_runner().invoke(args=["doctor", "--full"])
    assert "全面核查：材料核查（" in run.output
    assert walk_checks.check_walks(here).tone == OK
    with time_machine.travel(datetime.now(UTC) + timedelta(days=9), tick=False):
        old = walk_checks.check_walks(here)
        assert old.tone == SOON and "已过一周" in old.text
    walks.keep(walks.AUDIT, Findings(checked=5, faults=1, told=["学生 1：被改动"]))
    db.session.commit()
    faulty = walk_checks.check_walks(here)
    assert faulty.tone == LATE and "发现 1 处不符，第一处：学生 1：被改动" in faulty.text
    as_administrator(update(Walk.__table__).values(faults=0))
    forged = walk_checks.check_walks(here)
    assert forged.tone == LATE and "不是由本系统写入的" in forged.text


@SQLITE
def test_the_quick_form_sees_a_changed_end_and_a_forgotten_anchor(app: Flask) -> None:
    viewed(30)
    here = installation(app)
    assert walk_checks.check_anchor(here).tone == OK
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=3), tick=False):
        assert walk_checks.check_anchor(here).tone == SOON
    as_administrator(update(RECORDS).where(RECORDS.c.seq == 20).values(address="10.0.0.9"))
    changed = walk_checks.check_anchor(here)
    assert changed.tone == LATE and "记录 20 的内容或次序被改动" in changed.text
