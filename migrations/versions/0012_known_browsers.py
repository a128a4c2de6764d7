"""browsers that an account knows, and failures counted apart for each

Revision ID: 0012
Revises: 0011

"""

from alembic import op
import sqlalchemy as sa

import portal.models.types

# revision identifiers, used by Alembic.
revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "known_browsers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", portal.models.types.UtcDateTime(), nullable=False),
        sa.Column("last_used_at", portal.models.types.UtcDateTime(), nullable=False),
        sa.Column("ended_at", portal.models.types.UtcDateTime(), nullable=True),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_known_browsers_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_browsers")),
    )
    op.create_index("ix_known_browsers_account_id", "known_browsers", ["account_id"])
    op.create_index(
        "uq_known_browsers_token_hash_account_id", "known_browsers", ["token_hash", "account_id"], unique=True
    )
    # The id of a known browser; no foreign key, so that SQLite can add the column in place.
    op.add_column("sign_in_attempts", sa.Column("browser_id", sa.Uuid(), nullable=True))
    op.create_index("ix_sign_in_attempts_address_at", "sign_in_attempts", ["address", "at"])
    op.create_index("ix_sign_in_attempts_browser_id_at", "sign_in_attempts", ["browser_id", "at"])


def downgrade():
    op.drop_index("ix_sign_in_attempts_browser_id_at", table_name="sign_in_attempts")
    op.drop_index("ix_sign_in_attempts_address_at", table_name="sign_in_attempts")
    op.drop_column("sign_in_attempts", "browser_id")
    op.drop_table("known_browsers")
