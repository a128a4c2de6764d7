"""keyed audit records, rows with a keyed digest of their own, walks

Revision ID: 0006
Revises: 0005

"""

from alembic import op
import sqlalchemy as sa

import portal.models.types

# revision identifiers, used by Alembic.
revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SEALED = (
    "accounts",
    "evidence_files",
    "evidence_pages",
    "offices",
    "pupils",
    "stamped_batches",
    "stamped_pages",
)


def upgrade():
    # Added in place everywhere: a batch would make a table anew, and audit_records would lose its guards.
    if "key_id" not in {one["name"] for one in sa.inspect(op.get_bind()).get_columns("audit_records")}:
        _name_the_keys()
    op.add_column(
        "audit_head", sa.Column("rows_sealed", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("audit_head", sa.Column("anchored_seq", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("audit_head", sa.Column("anchor_due", portal.models.types.UtcDateTime(), nullable=True))
    for table in SEALED:
        op.add_column(
            table, sa.Column("row_digest", sa.String(length=80), nullable=False, server_default=sa.text("''"))
        )

    op.create_table(
        "walks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("at", portal.models.types.UtcDateTime(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("row_digest", sa.String(length=80), nullable=False, server_default=sa.text("''")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_walks")),
    )
    op.create_index("ix_walks_kind_at", "walks", ["kind", "at"])


def _name_the_keys():
    op.add_column(
        "audit_records",
        sa.Column("key_id", sa.String(length=12), nullable=False, server_default=sa.text("''")),
    )
    op.add_column(
        "audit_records", sa.Column("stream", sa.String(length=20), nullable=False, server_default="main")
    )
    op.create_index("uq_audit_records_stream_seq", "audit_records", ["stream", "seq"], unique=True)
    op.add_column("audit_head", sa.Column("keyed_since", sa.Integer(), nullable=False, server_default="0"))


def downgrade():
    # The keys' names stay in the chain, which the older program does not mind: no record may be altered, and without them
    # none written since could be verified again.
    op.drop_index("ix_walks_kind_at", "walks")
    op.drop_table("walks")
    for table in SEALED:
        op.drop_column(table, "row_digest")
    for column in ("anchor_due", "anchored_seq", "rows_sealed"):
        op.drop_column("audit_head", column)
