"""what is kept of an intake: what a new list of the admitted changed, rows of the province's return, corrections,
files on their way

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
    # Added in place: SQLite would make the table anew for more, and dropping the old one would take the people of every list
    # with it (ON DELETE CASCADE).
    op.add_column(
        "admitted_lists",
        sa.Column("document", sa.String(length=80), nullable=False, server_default=sa.text("''")),
    )
    op.add_column(
        "admitted_lists",
        sa.Column("changes", portal.models.types.Json, nullable=False, server_default="{}"),
    )

    with op.batch_alter_table("register_changes") as batch_op:
        batch_op.add_column(sa.Column("correction", sa.Integer(), nullable=False, server_default="0"))
        batch_op.drop_constraint("uq_register_changes_case_id_pupil_id_column", type_="unique")
        batch_op.create_unique_constraint(
            "uq_register_changes_case_id_pupil_id_column_correction",
            ["case_id", "pupil_id", "column", "correction"],
        )
    with op.batch_alter_table("register_changes") as batch_op:
        batch_op.alter_column("correction", server_default=None)

    op.create_table(
        "province_return_rows",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("secondary_number", sa.String(length=80), nullable=False),
        sa.Column("fault", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=True),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("loaded_at", portal.models.types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["office_id"], ["offices.id"], name=op.f("fk_province_return_rows_office_id_offices")
        ),
        sa.ForeignKeyConstraint(
            ["row_id"], ["roster_rows.id"], name=op.f("fk_province_return_rows_row_id_roster_rows")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_province_return_rows")),
    )
    op.create_index("ix_province_return_rows_number", "province_return_rows", ["office_id", "number"])

    op.create_table(
        "secondary_number_corrections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(length=40), nullable=False),
        sa.Column("after", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document", sa.String(length=80), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", portal.models.types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_secondary_number_corrections_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["row_id"], ["roster_rows.id"], name=op.f("fk_secondary_number_corrections_row_id_roster_rows")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secondary_number_corrections")),
        sa.UniqueConstraint("row_id", "number", name=op.f("uq_secondary_number_corrections_row_id_number")),
    )

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


def downgrade():
    op.drop_table("intake_files")
    op.drop_table("secondary_number_corrections")
    op.drop_table("province_return_rows")
    _fold_corrections()
    with op.batch_alter_table("register_changes") as batch_op:
        batch_op.drop_constraint("uq_register_changes_case_id_pupil_id_column_correction", type_="unique")
        batch_op.drop_column("correction")
        batch_op.create_unique_constraint(
            "uq_register_changes_case_id_pupil_id_column", ["case_id", "pupil_id", "column"]
        )
    op.drop_column("admitted_lists", "changes")
    op.drop_column("admitted_lists", "document")


def _fold_corrections():
    """The older form has one change for a case, pupil and column: it keeps the value that holds and loses those between."""
    keys = ("case_id", "pupil_id", "column")
    change = sa.table("register_changes", *map(sa.column, (*keys, "after", "correction")))
    later = change.alias("later")
    same = [later.c[key] == change.c[key] for key in keys]
    newest = sa.select(later.c.after).where(*same).order_by(later.c.correction.desc()).limit(1)
    corrected = sa.exists().where(*same, later.c.correction > 0)
    op.execute(
        change.update().where(change.c.correction == 0, corrected).values(after=newest.scalar_subquery())
    )
    op.execute(change.delete().where(change.c.correction > 0))
