"""which sheet of a workbook a load reads

Revision ID: 0017
Revises: 0016

"""

from alembic import op
import sqlalchemy as sa

import portal.models.types

# revision identifiers, used by Alembic.
revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "register_loads",
        sa.Column("sheet", portal.models.types.Json, nullable=False, server_default="{}"),
    )


def downgrade():
    op.drop_column("register_loads", "sheet")
