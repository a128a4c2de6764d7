"""what is kept of an intake: what a new list of the admitted changed

Revision ID: 0005
Revises: 0004

"""

from alembic import op
import sqlalchemy as sa

import portal.models.types

# revision identifiers, used by Alembic.
revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("admitted_lists") as batch_op:
        batch_op.add_column(sa.Column("document", sa.String(length=80), nullable=False, server_default=""))
        batch_op.add_column(
            sa.Column("changes", portal.models.types.Json, nullable=False, server_default="{}")
        )
    with op.batch_alter_table("admitted_lists") as batch_op:
        batch_op.alter_column("document", server_default=None)
        batch_op.alter_column("changes", server_default=None)


def downgrade():
    with op.batch_alter_table("admitted_lists") as batch_op:
        batch_op.drop_column("changes")
        batch_op.drop_column("document")
