"""numbers of pupils with their history, and columns that open cases hold

Revision ID: 0019
Revises: 0018

"""

from alembic import op
import sqlalchemy as sa

import portal.models.types
from portal import keyed_digests

# revision identifiers, used by Alembic.
revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

CHUNK = 1000
NATIONAL = 19  # characters of a 学籍号; what stood in its place until there was one is shorter
DIGESTED = (  # what the digest of a row covers, in its order
    "id", "student_number", "school_id", "name", "name_key", "initials", "former_name", "sex", "birth_date",
    "nationality", "overseas", "ethnicity", "id_type", "id_number", "stage", "grade", "class_name",
    "enrolment_status", "problem", "particulars", "version", "load_id", "gone_since",
)  # fmt: skip
TYPES = {
    "id": sa.Uuid(),
    "school_id": sa.Uuid(),
    "load_id": sa.Uuid(),
    "birth_date": sa.Date(),
    "gone_since": sa.Date(),
    "version": sa.Integer(),
    "particulars": portal.models.types.Json,
}
PUPILS = sa.table(
    "pupils",
    *(sa.column(name, TYPES.get(name, sa.String())) for name in DIGESTED),
    sa.column("row_digest", sa.String()),
)
NUMBERS = sa.table(
    "pupil_numbers",
    sa.column("pupil_id", sa.Uuid()),
    sa.column("kind", sa.String()),
    sa.column("scope", sa.String()),
    sa.column("number", sa.String()),
    sa.column("since", sa.Date()),
    sa.column("until", sa.Date()),
    sa.column("source_kind", sa.String()),
)


def upgrade():
    op.create_table(
        "pupil_numbers",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("source_kind", sa.String(length=10), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_pupil_numbers_pupil_id_pupils")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pupil_numbers")),
    )
    nationwide, current = sa.text("scope = ''"), sa.text("until IS NULL")
    op.create_table(
        "holds",
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("column", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_holds_case_id_cases")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_holds_pupil_id_pupils")),
        sa.PrimaryKeyConstraint("pupil_id", "column", name=op.f("pk_holds")),
    )
    # Cases that are open by now come to hold their columns with their next act.
    op.create_index("ix_holds_case_id", "holds", ["case_id"])
    op.add_column(
        "register_load_rows",
        sa.Column("asked", portal.models.types.Json, nullable=False, server_default="{}"),
    )
    op.add_column(
        "register_load_rows", sa.Column("agrees", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.execute(
        """INSERT INTO pupil_numbers (pupil_id, kind, scope, number, source_kind)
        SELECT id, CASE WHEN student_number LIKE 'L%' THEN 'temporary' ELSE 'national' END, '', student_number, ''
        FROM pupils WHERE length(student_number) = 19"""
    )
    _let_be_null("pupils", "student_number VARCHAR(20)")
    _take_local_numbers_out()
    _keep_decided_numbers()
    op.create_index(
        "uq_pupil_numbers_nationwide",
        "pupil_numbers",
        ["kind", "scope", "number"],
        unique=True,
        sqlite_where=nationwide,
        postgresql_where=nationwide,
    )
    op.create_index(
        "uq_pupil_numbers_current",
        "pupil_numbers",
        ["pupil_id", "kind"],
        unique=True,
        sqlite_where=current,
        postgresql_where=current,
    )
    op.create_index("ix_pupil_numbers_number", "pupil_numbers", ["number"])
    op.create_index("ix_pupil_numbers_pupil_id", "pupil_numbers", ["pupil_id"])


def downgrade():
    # A question about a row was never answered by anything written: it is thrown away, and a load may ask again.
    op.execute("DELETE FROM register_load_rows WHERE kind = 'renumber'")
    op.drop_column("register_load_rows", "agrees")
    op.drop_column("register_load_rows", "asked")
    for pupil in _pupils(PUPILS.c.student_number.is_(None)):
        local = pupil["particulars"].get("school_number") or pupil["id"].hex[:20]
        _rewrite(pupil, {"student_number": local})
    _let_be_null("pupils", "student_number VARCHAR(20)", take_back=True)
    op.drop_table("holds")
    op.drop_table("pupil_numbers")


def _take_local_numbers_out():
    """The 学号 that stood in the place of a 学籍号 is a number of its own."""
    for pupil in _pupils(sa.func.length(PUPILS.c.student_number) != NATIONAL):
        particulars = {"school_number": pupil["student_number"]} | pupil["particulars"]
        _rewrite(pupil, {"student_number": None, "particulars": particulars})


def _keep_decided_numbers():
    named = sa.cast(PUPILS.c.particulars, sa.Text())
    for pupil in _pupils(named.contains("school_number") | named.contains("secondary_number")):
        for key, kind, scope in (
            ("school_number", "school", pupil["school_id"].hex),
            ("secondary_number", "secondary", "province"),
        ):
            if number := pupil["particulars"].get(key):
                op.get_bind().execute(sa.insert(NUMBERS).values(_number(pupil["id"], kind, scope, number)))
    corrected = """SELECT r.pupil_id, c.before, c.made_at FROM secondary_number_corrections c
        JOIN roster_rows r ON r.id = c.row_id WHERE r.pupil_id IS NOT NULL AND c.before <> '' ORDER BY c.number"""
    told = sa.text(corrected).columns(pupil_id=sa.Uuid(), made_at=portal.models.types.UtcDateTime())
    for pupil_id, before, made_at in op.get_bind().execute(told).all():
        former = _number(pupil_id, "secondary", "province", before) | {"until": made_at.date()}
        op.get_bind().execute(sa.insert(NUMBERS).values(former))


def _number(pupil_id, kind, scope, number):
    return {"pupil_id": pupil_id, "kind": kind, "scope": scope, "number": number, "source_kind": ""}


def _pupils(condition):
    """The pupils of a condition, read a chunk at a time before any of the chunk is written."""
    last = None
    while True:
        query = sa.select(PUPILS).where(condition).order_by(PUPILS.c.id).limit(CHUNK)
        query = query if last is None else query.where(PUPILS.c.id > last)
        rows = op.get_bind().execute(query).mappings().all()
        if not rows:
            return
        yield from rows
        last = rows[-1]["id"]


def _rewrite(pupil, values):
    """Write values over a pupil, whose digest goes on fitting where it fitted, and stays broken where it did not."""
    made = pupil["row_digest"]
    if made:
        whole = keyed_digests.fits(made, "pupils", DIGESTED, pupil)
        after = keyed_digests.row_digest("pupils", DIGESTED, {**pupil, **values})
        values = {**values, "row_digest": after if whole else "broken"}
    op.get_bind().execute(sa.update(PUPILS).where(PUPILS.c.id == pupil["id"]).values(**values))


def _let_be_null(table, column, *, take_back=False):
    """Take NOT NULL away from a column, or give it back. SQLite does that by the text of the table, as its manual says (ALTER TABLE,
    7): a table made anew would lose what refers to it and take as long as it is large."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(table, column.split()[0], nullable=not take_back)
        return
    run = op.get_bind().exec_driver_sql
    before, after = (column, f"{column} NOT NULL") if take_back else (f"{column} NOT NULL", column)
    version = run("PRAGMA schema_version").scalar()
    run("PRAGMA writable_schema = ON")
    done = run(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ? AND instr(sql, ?) > 0",
        (before, after, table, before),
    )
    if done.rowcount != 1:
        raise RuntimeError(f"{table} is not as this step of the schema expects it")
    run(f"PRAGMA schema_version = {version + 1}")
    run("PRAGMA writable_schema = OFF")
