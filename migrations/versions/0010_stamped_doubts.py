"""why a page of stamped forms did not land by itself

Revision ID: 0010
Revises: 0005

"""

from alembic import op
import sqlalchemy as sa

import portal.models.types

# revision identifiers, used by Alembic.
revision = "0010"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "stamped_pages",
        sa.Column("doubts", portal.models.types.Json, nullable=False, server_default="{}"),
    )
    # Until now a page in the tray named no case, whatever its code said: it is placed by its number, as before.
    op.execute("UPDATE stamped_pages SET case_id = NULL WHERE outcome = 'tray'")


def downgrade():
    op.execute(
        "UPDATE stamped_pages SET case_id = NULL, printout = '', version = NULL WHERE outcome = 'tray'"
    )
    op.drop_column("stamped_pages", "doubts")
