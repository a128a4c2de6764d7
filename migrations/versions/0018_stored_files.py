"""one table for files in the store that are no evidence

Revision ID: 0018
Revises: 0017

"""

import json
import uuid

from alembic import op
import sqlalchemy as sa

import portal.models.types

# revision identifiers, used by Alembic.
revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

COLUMNS = "id, office_id, account_id, status, expires_at, begun_at"
# What a step back left for the sweep stands among the files of intake, whatever it is.
KIND = (
    "CASE WHEN store_key LIKE 'loads/%' THEN 'load' WHEN store_key LIKE 'evidence/%' THEN 'evidence'"
    " WHEN store_key LIKE 'stamped/%' THEN 'stamped' ELSE 'intake' END"
)


def upgrade():
    op.create_table(
        "stored_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("expires_at", portal.models.types.UtcDateTime(), nullable=True),
        sa.Column("begun_at", portal.models.types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_stored_files_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["office_id"], ["offices.id"], name=op.f("fk_stored_files_office_id_offices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_files")),
        sa.UniqueConstraint("key", name=op.f("uq_stored_files_key")),
    )
    op.create_index("ix_stored_files_status", "stored_files", ["status", "expires_at"])
    op.execute(
        f"INSERT INTO stored_files (kind, key, {COLUMNS}) SELECT {KIND}, store_key, {COLUMNS} FROM intake_files"  # noqa: S608
    )
    _enter_loads()
    op.drop_table("intake_files")


def _enter_loads():
    """A row for the file of every load that has one; a discarded one is to be deleted."""
    loads = sa.table(
        "register_loads",
        sa.column("office_id", sa.Uuid()),
        sa.column("account_id", sa.Uuid()),
        sa.column("status", sa.String()),
        sa.column("stored", portal.models.types.Json),
        sa.column("created_at", portal.models.types.UtcDateTime()),
    )
    files = sa.table(
        "stored_files",
        sa.column("id", sa.Uuid()),
        *(sa.column(name, loads.c[name].type) for name in ("office_id", "account_id")),
        *(sa.column(name, sa.String()) for name in ("kind", "status", "key")),
        *(sa.column(name, portal.models.types.UtcDateTime()) for name in ("expires_at", "begun_at")),
    )
    rows, known = [], set(op.get_bind().execute(sa.select(files.c.key)).scalars())
    for load in op.get_bind().execute(sa.select(loads)):
        stored = json.loads(load.stored) if isinstance(load.stored, str) else load.stored
        if not stored or stored["key"] in known:
            continue
        gone = load.status == "discarded"
        rows.append(
            {
                "id": uuid.uuid4(),
                "office_id": load.office_id,
                "account_id": load.account_id,
                "kind": "load",
                "status": "dropped" if gone else "waiting",
                "key": stored["key"],
                "expires_at": load.created_at if gone else None,
                "begun_at": load.created_at,
            }
        )
    if rows:
        op.bulk_insert(files, rows)


def downgrade():
    op.create_table(
        "intake_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("store_key", sa.String(length=200), nullable=False),
        sa.Column("expires_at", portal.models.types.UtcDateTime(), nullable=True),
        sa.Column("begun_at", portal.models.types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_intake_files_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["office_id"], ["offices.id"], name=op.f("fk_intake_files_office_id_offices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_files")),
        sa.UniqueConstraint("store_key", name=op.f("uq_intake_files_store_key")),
    )
    # Files of other kinds that wait stand in rows of their own; what is to be deleted stays known to the sweep.
    op.execute(
        f"INSERT INTO intake_files (store_key, {COLUMNS}) SELECT key, {COLUMNS} FROM stored_files"  # noqa: S608
        " WHERE kind = 'intake' OR status <> 'waiting'"
    )
    op.drop_table("stored_files")
