"""The audit chain: what the database refuses, what a verification finds when its administrator interferes."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from portal import audit
from portal.extensions import db, reading_only
from portal.models import AuditHead, AuditRecord
from tests.services import bucket_of_its_own  # noqa: F401 - a fixture

RECORDS = 40


@pytest.fixture
def chain(app: Flask) -> str:
    """Forty records, committed; the anchor of the thirty-fifth, as noted outside."""
    anchor = ""
    for number in range(1, RECORDS + 1):
        record = audit.append("pupil.viewed", "pupil", number, what=f"第{number}次", number=number)
        if number == 35:
            anchor = f"{record.seq}:{record.digest}"
    db.session.commit()
    return anchor


def as_administrator(*statements: str, **values: object) -> None:
    """What somebody with every right over the database does: the guards go first."""
    db.session.rollback()
    with reading_only(False), db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            for act in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS audit_records_no_{act}"))
        else:
            connection.execute(text("ALTER TABLE audit_records DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(text(statement), values)
    db.session.expire_all()


def read(anchor: str) -> tuple[int, str]:
    seq, digest = anchor.split(":")
    return int(seq), digest


def test_an_untouched_chain_is_sound(app: Flask, chain: str) -> None:
    assert audit.verify() == audit.verify(audit.Anchor(*read(chain)))
    verdict = audit.verify()
    head = db.session.get(AuditHead, 1)
    assert head and (verdict.records, verdict.fault, verdict.head) == (RECORDS, "", head.digest)


def test_an_empty_chain_is_sound(app: Flask) -> None:
    assert audit.verify() == audit.Verdict(0, "", audit.START)
    assert audit.verify(audit.Anchor(1, "0" * 64)).fault


@pytest.mark.parametrize("act", ["UPDATE audit_records SET result = 'ok'", "DELETE FROM audit_records"])
def test_the_database_refuses_to_change_a_record(app: Flask, chain: str, act: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(f"{act} WHERE seq = 7"))
    db.session.rollback()
    assert audit.verify().fault == ""


def test_postgresql_refuses_to_empty_the_table(app: Flask, chain: str) -> None:
    statement = (
        "TRUNCATE audit_records" if db.engine.dialect.name == "postgresql" else "DELETE FROM audit_records"
    )
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(statement))
    db.session.rollback()
    assert audit.verify().records == RECORDS


SWAP = (
    "UPDATE audit_records SET seq = 1000 WHERE seq = 12",
    "UPDATE audit_records SET seq = 12 WHERE seq = 13",
    "UPDATE audit_records SET seq = 13 WHERE seq = 1000",
)
ACTS: dict[str, tuple[str, ...]] = {
    "edit a text": ("UPDATE audit_records SET action = 'pupil.changed' WHERE seq = 12",),
    "edit the time": (
        "UPDATE audit_records SET at = (SELECT at FROM audit_records WHERE seq = 30) WHERE seq = 12",
    ),
    "edit the body": ("UPDATE audit_records SET body = '{\"number\": 13}' WHERE seq = 12",),
    "hide who": ("UPDATE audit_records SET address = '127.0.0.9' WHERE seq = 1",),
    "delete one": ("DELETE FROM audit_records WHERE seq = 12",),
    "delete the first": ("DELETE FROM audit_records WHERE seq = 1",),
    "delete one and close the gap": (
        "DELETE FROM audit_records WHERE seq = 12",
        "UPDATE audit_records SET seq = seq - 1 WHERE seq = 13",
    ),
    "reorder two": SWAP,
    "copy a digest": ("UPDATE audit_records SET digest = previous WHERE seq = 12",),
    "cut the tail and leave the head": ("DELETE FROM audit_records WHERE seq > 30",),
    "move the head back": (
        "UPDATE audit_head SET seq = 30, digest = (SELECT digest FROM audit_records WHERE seq = 30)",
    ),
    "empty it": ("DELETE FROM audit_records",),
    "drop the head": ("DELETE FROM audit_head",),
}


@pytest.mark.parametrize("act", ACTS)
def test_every_kind_of_tampering_is_found(app: Flask, chain: str, act: str) -> None:
    as_administrator(*ACTS[act])
    assert audit.verify().fault, act


def test_the_fault_is_named_where_it_lies(app: Flask, chain: str) -> None:
    as_administrator(*ACTS["edit a text"])
    verdict = audit.verify()
    assert verdict.records == 11 and "记录 12" in verdict.fault


CUT = (
    "DELETE FROM audit_records WHERE seq > 30",
    "UPDATE audit_head SET seq = 30, digest = (SELECT digest FROM audit_records WHERE seq = 30)",
)


def test_a_tail_cut_off_cleanly_is_found_only_with_the_anchor(app: Flask, chain: str) -> None:
    as_administrator(*CUT)
    assert audit.verify().fault == ""  # the limit of any chain that is read by itself
    assert "链尾被截去" in audit.verify(audit.Anchor(*read(chain))).fault


def test_a_tail_cut_and_written_anew_is_found_with_the_anchor(app: Flask, chain: str) -> None:
    as_administrator(*CUT)
    for number in range(15):
        audit.append("pupil.viewed", "pupil", number)
    db.session.commit()
    assert audit.verify().fault == ""
    assert "锚点" in audit.verify(audit.Anchor(*read(chain))).fault


def test_a_hundred_random_acts_are_all_found(app: Flask, chain: str) -> None:
    """Edits of a random column or deletions at a random place, each undone before the next."""
    dice = random.Random(20250103)
    found = 0
    table = AuditRecord.__table__
    as_administrator()
    for _ in range(100):
        seq = dice.randint(1, RECORDS)
        with reading_only(False), db.engine.connect() as connection:
            row = connection.execute(select(table).where(table.c.seq == seq)).one()._asdict()
            connection.execute(_random_act(dice, seq))
            connection.commit()
            found += bool(audit.verify(audit.Anchor(*read(chain))).fault)
            connection.execute(table.delete().where(table.c.seq == seq))
            connection.execute(table.insert().values(**row))
            connection.commit()
    assert found == 100
    assert audit.verify(audit.Anchor(*read(chain))).fault == ""


def _random_act(dice: random.Random, seq: int):
    table = AuditRecord.__table__
    if dice.random() < 0.25:
        return table.delete().where(table.c.seq == seq)
    column = dice.choice(
        ["action", "object_kind", "object_id", "result", "address", "request_id", "digest", "previous"]
    )
    value = f"{dice.randrange(16**8):08x}"
    return table.update().where(table.c.seq == seq).values(**{column: value})


def test_writers_at_once_make_one_unbroken_chain(app: Flask) -> None:
    def write(number: int) -> None:
        with app.app_context(), reading_only(False):
            for _ in range(10):
                audit.append("pupil.viewed", "pupil", number)
                db.session.commit()

    db.session.rollback()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert audit.verify() == audit.Verdict(40, "", db.session.get(AuditHead, 1).digest)


def test_what_cannot_be_recorded_does_not_happen(app: Flask, chain: str) -> None:
    audit.append("case.approved", "case", "x")
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(AuditRecord)) == RECORDS
    assert audit.verify().fault == ""


def test_the_command_line_says_so(app: Flask, chain: str) -> None:
    run: Callable[..., Result] = app.test_cli_runner().invoke
    db.session.rollback()
    anchor = run(args=["audit", "anchor"])
    assert anchor.output.strip() == f"{RECORDS}:{audit.verify().head}"
    sound = run(args=["audit", "verify", "--anchor", chain])
    assert sound.exit_code == 0 and "40 records, all sound" in sound.output
    assert run(args=["audit", "verify", "--anchor", "nonsense"]).exit_code == 2
    as_administrator(*CUT)
    assert run(args=["audit", "verify"]).exit_code == 0
    broken = run(args=["audit", "verify", "--anchor", chain])
    assert broken.exit_code == 1 and "链尾被截去" in broken.output
