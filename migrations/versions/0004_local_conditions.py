"""local conditions

Revision ID: 0004
Revises: 0003

"""

from alembic import op
import sqlalchemy as sa

import portal.models.types

# revision identifiers, used by Alembic.
revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "local_condition_sets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("conditions", portal.models.types.Json, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", portal.models.types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_local_condition_sets_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["office_id"], ["offices.id"], name=op.f("fk_local_condition_sets_office_id_offices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_local_condition_sets")),
        sa.UniqueConstraint(
            "office_id", "key", "number", name=op.f("uq_local_condition_sets_office_id_key_number")
        ),
    )


def downgrade():
    op.drop_table("local_condition_sets")
