"""flask sweep: what nobody will miss goes, what was received stays."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

from flask import Flask
from sqlalchemy import select

from portal.cases import evidence, evidence_keeping
from portal.cases.loads import lifecycle
from portal.extensions import db
from portal.models import EvidenceFile, RegisterLoad
from portal.models.types import utcnow
from storage.objects import Sealed
from tests import exports
from tests.builders import Cast, a_case


def test_sweep_takes_unfinished_uploads_and_discarded_loads_only(app: Flask) -> None:
    store = app.extensions["store"]
    cast = Cast()
    case = a_case(cast, "ready")
    staged = evidence.stage(case, cast.registrar, "change_certificate", "中断.jpg")
    staged.expires_at = utcnow() - timedelta(hours=2)
    left = store.put(staged.store_key, BytesIO(b"half an upload"), size_limit=100, media_type="image/jpeg")
    received = [
        lifecycle.receive("导出.xlsx", exports.as_xlsx([exports.a_row(n, cast.school.code)])) for n in (1, 2)
    ]
    discarded, standing = (lifecycle.begin(cast.registrar, one) for one in received)
    lifecycle.discard(discarded)
    staged_id, discarded_id, standing_id = staged.id, discarded.id, standing.id
    db.session.commit()

    result = app.test_cli_runner().invoke(args=["sweep"])

    assert result.exit_code == 0, result.output
    assert "1 unfinished uploads" in result.output and "1 files of discarded loads" in result.output
    db.session.expire_all()
    assert db.session.get_one(EvidenceFile, staged_id).status == "gone"
    assert db.session.get_one(RegisterLoad, discarded_id).stored == {}
    assert not store.exists(left) and not store.exists(received[0].sealed)
    assert store.exists(Sealed(**db.session.get_one(RegisterLoad, standing_id).stored))
    kept = db.session.scalars(select(EvidenceFile).where(EvidenceFile.status == "committed")).all()
    assert len(kept) == 2 and all(store.exists(evidence.sealed_original(file)) for file in kept)


def test_what_arrives_late_is_swept_however_long_the_portal_stood_still(app: Flask) -> None:
    """A clock that was wrong, or a sweep that did not run for months: the 30 days count from the burial to a sweep."""
    store = app.extensions["store"]
    cast = Cast()
    staged = evidence.stage(a_case(cast, "ready"), cast.registrar, "change_certificate", "中断.jpg")
    staged.expires_at = utcnow() - timedelta(days=60)
    db.session.commit()

    def stays(days: int = 0) -> bool:
        """Whether the sweep leaves what came late, `days` later."""
        late = store.put(f"{staged.store_key}-1-view", BytesIO(b"x"), size_limit=100, media_type="image/jpeg")
        db.session.refresh(staged)
        if staged.expires_at:
            staged.expires_at -= timedelta(days=days)
        db.session.commit()
        evidence_keeping.reap(store)
        return bool(store.exists(late))

    assert evidence_keeping.reap(store) == 1
    assert not stays() and not stays(29)
    assert not stays(300), "the first sweep after the 30 days looks for the last time"
    assert stays()
