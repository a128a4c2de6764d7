"""every file in the store has a row with what lies there and how long it is kept

Revision ID: 0020
Revises: 0019

"""

import json
from datetime import timedelta

from alembic import op
import sqlalchemy as sa

import portal.models.types

# revision identifiers, used by Alembic.
revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MOMENT = portal.models.types.UtcDateTime()
KEPT_FOR = timedelta(days=30)  # as it was when this was made
FILES = sa.table(
    "stored_files",
    sa.column("id", sa.Uuid()),
    sa.column("office_id", sa.Uuid()),
    sa.column("account_id", sa.Uuid()),
    *(sa.column(name, sa.String()) for name in ("kind", "status", "key", "version_id", "sha256")),
    sa.column("size", sa.Integer()),
    sa.column("lock_mode", sa.String()),
    *(sa.column(name, MOMENT) for name in ("expires_at", "begun_at", "retain_until")),
)
ADDED = ("version_id", "sha256", "size", "lock_mode", "retain_until")


def upgrade():
    for name, length in (("version_id", 100), ("sha256", 64), ("lock_mode", 12)):
        op.add_column(
            "stored_files",
            sa.Column(name, sa.String(length=length), nullable=False, server_default=sa.text("''")),
        )
    op.add_column(
        "stored_files", sa.Column("size", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("stored_files", sa.Column("retain_until", MOMENT, nullable=True))
    op.create_index("ix_stored_files_sha256", "stored_files", ["sha256"])
    op.create_index("ix_stored_files_retain_until", "stored_files", ["retain_until"])
    op.execute("UPDATE stored_files SET status = 'kept' WHERE status = 'waiting'")
    op.create_index("ix_stored_files_lock_mode", "stored_files", ["lock_mode"])
    _fill_loads()
    _fill_lists()
    _enter_evidence()
    _enter_batches()


def _enter_evidence():
    """The row of a paper's file takes over how far its upload came and its lock; until when the store holds it, the store is
    asked by the next sweep. What the sweep of a former version was to look after may have a row already."""
    op.execute(
        "INSERT INTO stored_files (id, kind, office_id, account_id, status, key, version_id, sha256, size, expires_at,"
        " begun_at, lock_mode) SELECT f.id, 'evidence', c.owner_office_id, f.uploaded_by_id,"
        " CASE f.status WHEN 'committed' THEN 'kept' WHEN 'refused' THEN 'gone' ELSE f.status END,"
        " f.store_key, f.version_id, f.sha256, f.size, f.expires_at, f.uploaded_at, f.lock_mode"
        " FROM evidence_files f JOIN cases c ON c.id = f.case_id"
        " WHERE f.store_key NOT IN (SELECT key FROM stored_files)"
    )
    op.execute("UPDATE evidence_files SET status = 'gone' WHERE status IN ('staged', 'reaping')")
    op.drop_index("ix_evidence_files_lock_mode", "evidence_files")
    op.drop_index("ix_evidence_files_status_expires", "evidence_files")
    op.drop_column("evidence_files", "lock_mode")
    op.drop_column("evidence_files", "expires_at")


def _enter_batches():
    """Batches had no term of their own: those that never arrived, or were refused, are looked at once more."""
    op.execute(
        "INSERT INTO stored_files (id, kind, office_id, account_id, status, key, version_id, sha256, size, expires_at,"
        " begun_at, lock_mode) SELECT id, 'stamped', office_id, account_id,"
        " CASE WHEN status IN ('sorting', 'sorted') THEN 'kept' WHEN status = 'staged' THEN 'staged' ELSE 'gone' END,"
        " store_key, version_id, sha256, size,"
        " CASE WHEN status IN ('sorting', 'sorted') THEN NULL ELSE created_at END,"
        " created_at, CASE WHEN status = 'sorted' THEN 'GOVERNANCE' ELSE '' END FROM stamped_batches"
        " WHERE store_key NOT IN (SELECT key FROM stored_files)"
    )
    op.execute("UPDATE stamped_batches SET status = 'gone' WHERE status = 'staged'")


def _fill_loads():
    """The term of an export runs since it was uploaded, applied or taken back."""
    loads = sa.table(
        "register_loads",
        sa.column("stored", portal.models.types.Json),
        *(sa.column(name, MOMENT) for name in ("created_at", "applied_at", "undone_at")),
    )
    for load in op.get_bind().execute(sa.select(loads)).all():
        since = load.undone_at or load.applied_at or load.created_at
        _fill(_read(load.stored), since)


def _fill_lists():
    """The lists of the admitted that wait to be confirmed."""
    preferences = sa.table(
        "preferences", sa.column("key", sa.String()), sa.column("value", portal.models.types.Json)
    )
    held = sa.select(preferences.c.value).where(preferences.c.key.like("intake.list:%"))
    for value in op.get_bind().execute(held).scalars().all():
        _fill(_read(value).get("sealed"))


def _fill(sealed, since=None):
    if not sealed:
        return
    kept = sa.update(FILES).where(FILES.c.key == sealed["key"], FILES.c.status == "kept")
    values = {name: sealed.get(name, FILES.c[name]) for name in ("version_id", "sha256", "size")}
    begun = op.get_bind().execute(sa.select(FILES.c.begun_at).where(FILES.c.key == sealed["key"])).scalar()
    if since or begun:
        op.get_bind().execute(kept.values(**values, expires_at=(since or begun) + KEPT_FOR))


def _read(value):
    return (json.loads(value) if isinstance(value, str) else value) or {}


def downgrade():
    """Papers and batches keep what their own rows say; what is still to be deleted stays in the table, whose former sweep
    asks for no kind."""
    op.add_column("evidence_files", sa.Column("expires_at", MOMENT, nullable=True))
    op.add_column(
        "evidence_files",
        sa.Column("lock_mode", sa.String(length=12), nullable=False, server_default=sa.text("''")),
    )
    op.create_index("ix_evidence_files_lock_mode", "evidence_files", ["lock_mode"])
    op.create_index("ix_evidence_files_status_expires", "evidence_files", ["status", "expires_at"])
    op.execute(
        "UPDATE evidence_files SET lock_mode = COALESCE((SELECT s.lock_mode FROM stored_files s"
        " WHERE s.key = evidence_files.store_key), '')"
    )
    op.execute("DELETE FROM stored_files WHERE kind IN ('evidence', 'stamped') AND status = 'kept'")
    op.drop_index("ix_stored_files_lock_mode", "stored_files")
    op.execute("UPDATE stored_files SET status = 'waiting', expires_at = NULL WHERE status = 'kept'")
    op.drop_index("ix_stored_files_retain_until", "stored_files")
    op.drop_index("ix_stored_files_sha256", "stored_files")
    for name in ADDED:
        op.drop_column("stored_files", name)
