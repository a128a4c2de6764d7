"""what people have typed and not sent

Revision ID: 0007
Revises: 0005

"""

from alembic import op
import sqlalchemy as sa

import portal.models.types

# revision identifiers, used by Alembic.
revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "unsent_texts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("about", sa.String(length=10), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.String(length=60), nullable=False),
        sa.Column("page", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.String(length=40), nullable=False),
        sa.Column("fields", portal.models.types.Json, nullable=False),
        sa.Column("others", portal.models.types.Json, nullable=False),
        sa.Column("saved_at", portal.models.types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_unsent_texts_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsent_texts")),
        sa.UniqueConstraint(
            "account_id",
            "about",
            "about_id",
            "form",
            name=op.f("uq_unsent_texts_account_id_about_about_id_form"),
        ),
    )
    op.create_index("ix_unsent_texts_saved_at", "unsent_texts", ["saved_at"])


def downgrade():
    op.drop_table("unsent_texts")
