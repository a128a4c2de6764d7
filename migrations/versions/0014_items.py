"""items that wait for a person's answer, and rows of a load among them

Revision ID: 0014
Revises: 0012

"""

from alembic import op
import sqlalchemy as sa

import portal.models.types
from portal.models.items import ITEM_GUARDS

# revision identifiers, used by Alembic.
revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("source_kind", sa.String(length=20), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("scope_office_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("owner_office_id", sa.Uuid(), nullable=False),
        sa.Column("district_id", sa.Uuid(), nullable=True),
        sa.Column("county_id", sa.Uuid(), nullable=True),
        sa.Column("state_id", sa.Uuid(), nullable=True),
        sa.Column("pupil_id", sa.Uuid(), nullable=True),
        sa.Column("other_pupil_id", sa.Uuid(), nullable=True),
        sa.Column("before", portal.models.types.Json, nullable=False),
        sa.Column("after", portal.models.types.Json, nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("first_run", portal.models.types.UtcDateTime(), nullable=False),
        sa.Column("last_run", portal.models.types.UtcDateTime(), nullable=False),
        sa.Column("closed_by_case", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status in ('open', 'answered', 'accepted', 'closed')", name=op.f("ck_items_status")
        ),
        sa.ForeignKeyConstraint(
            ["owner_office_id"], ["offices.id"], name=op.f("fk_items_owner_office_id_offices")
        ),
        sa.ForeignKeyConstraint(
            ["scope_office_id"], ["offices.id"], name=op.f("fk_items_scope_office_id_offices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("kind", "scope_office_id", "key", name=op.f("uq_items_kind_scope_office_id_key")),
    )
    op.create_index("ix_items_owner", "items", ["owner_office_id", "status", "due_on", "id"])
    op.create_index("ix_items_county", "items", ["county_id", "status", "due_on", "id"])
    op.create_index("ix_items_state", "items", ["state_id", "status", "due_on", "id"])
    op.create_index("ix_items_source", "items", ["source_kind", "source_id"])
    op.create_index("ix_items_pupil_id", "items", ["pupil_id"])
    op.create_table(
        "item_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("at", portal.models.types.UtcDateTime(), nullable=False),
        sa.Column("verb", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["accounts.id"], name=op.f("fk_item_events_actor_id_accounts")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_item_events_item_id_items")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_events")),
    )
    op.create_index("ix_item_events_item_id", "item_events", ["item_id"])
    for statement in ITEM_GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)
    op.add_column(
        "register_load_rows",
        sa.Column("waits_as", sa.String(length=8), nullable=False, server_default=sa.text("''")),
    )


def downgrade():
    # What waits was never written: without the queue it is thrown away with its rows, and a load may bring it again.
    op.execute("DELETE FROM register_load_rows WHERE kind IN ('waiting', 'moved')")
    op.drop_column("register_load_rows", "waits_as")
    op.drop_table("item_events")
    op.drop_table("items")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_item_change()")
