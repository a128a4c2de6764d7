"""the index by which names are found

Revision ID: 0016
Revises: 0014

"""

from alembic import op
import sqlalchemy as sa

from portal.cases import name_index

# revision identifiers, used by Alembic.
revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

CHUNK = 5000


def upgrade():
    def text(length):
        return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")

    op.create_table(
        "name_grams",
        sa.Column("gram", text(4), nullable=False),
        sa.Column("county_id", sa.Uuid(), nullable=False),
        sa.Column("name", text(600), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("gram", "county_id", "name", "pupil_id", name=op.f("pk_name_grams")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pupils_school_id_id", "pupils", ["school_id", "id"])
    # What is kept of a name is the program's present knowledge of names, so it is asked for it, whichever release that is.
    pupils = sa.table(
        "pupils",
        sa.column("id", sa.Uuid()),
        sa.column("name", sa.String()),
        sa.column("school_id", sa.Uuid()),
    )
    last = None
    while True:
        query = sa.select(pupils).order_by(pupils.c.id).limit(CHUNK)
        rows = (
            op.get_bind().execute(query if last is None else query.where(pupils.c.id > last)).mappings().all()
        )
        if not rows:
            return
        name_index.enter(rows, op.get_bind())
        last = rows[-1]["id"]


def downgrade():
    op.drop_index("ix_pupils_school_id_id", table_name="pupils")
    op.drop_table("name_grams")
