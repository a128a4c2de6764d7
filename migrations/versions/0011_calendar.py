"""a calendar for each tree of offices: whole notices of a year, their days, and local days with their own document

Revision ID: 0011
Revises: 0010

"""

import uuid
from collections import Counter
from datetime import UTC, date, datetime

from alembic import op
import sqlalchemy as sa

import portal.models.types

# revision identifiers, used by Alembic.
revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NO_DOCUMENT = "（未注明文号）"
NOTICES = sa.table(
    "calendar_notices",
    sa.column("id", sa.Uuid()),
    sa.column("office_id", sa.Uuid()),
    sa.column("year", sa.Integer()),
    sa.column("document", sa.String()),
    sa.column("entered_at", portal.models.types.UtcDateTime()),
)
DAYS = sa.table(
    "calendar_days",
    sa.column("id", sa.Uuid()),
    sa.column("office_id", sa.Uuid()),
    sa.column("notice_id", sa.Uuid()),
    sa.column("day", sa.Date()),
    sa.column("kind", sa.String()),
    sa.column("name", sa.String()),
    sa.column("notice", sa.String()),
    sa.column("yearly", sa.Boolean()),
    sa.column("moves", sa.Boolean()),
)
HOLIDAYS = sa.table(
    "holidays",
    sa.column("day", sa.Date()),
    sa.column("kind", sa.String()),
    sa.column("name", sa.String()),
    sa.column("notice", sa.String()),
)


def upgrade():
    op.create_table(
        "calendar_notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("document", sa.String(length=200), nullable=False),
        sa.Column("entered_by_id", sa.Uuid(), nullable=True),
        sa.Column("entered_at", portal.models.types.UtcDateTime(), nullable=False),
        sa.Column("withdrawn_by_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", portal.models.types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["office_id"], ["offices.id"], name=op.f("fk_calendar_notices_office_id_offices")
        ),
        sa.ForeignKeyConstraint(
            ["entered_by_id"], ["accounts.id"], name=op.f("fk_calendar_notices_entered_by_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by_id"], ["accounts.id"], name=op.f("fk_calendar_notices_withdrawn_by_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_notices")),
    )
    _only("uq_calendar_notices_standing", "calendar_notices", ["office_id", "year"], "withdrawn_at IS NULL")
    op.create_table(
        "calendar_days",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("notice", sa.String(length=200), nullable=False),
        sa.Column("yearly", sa.Boolean(), nullable=False),
        sa.Column("moves", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind in ('off', 'work')", name=op.f("ck_calendar_days_kind")),
        sa.ForeignKeyConstraint(
            ["office_id"], ["offices.id"], name=op.f("fk_calendar_days_office_id_offices")
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["calendar_notices.id"], name=op.f("fk_calendar_days_notice_id_calendar_notices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_days")),
    )
    _only("uq_calendar_days_national", "calendar_days", ["office_id", "day"], "notice_id IS NOT NULL")
    _only("uq_calendar_days_local", "calendar_days", ["office_id", "day"], "notice_id IS NULL")
    _carry_over(op.get_bind())
    op.drop_table("holidays")


def _only(name, table, columns, where):
    op.create_index(
        name, table, columns, unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def _carry_over(bind):
    """Every topmost office gets what was one table for all. A year is known only where its days can be a whole notice; the
    days of another stay as single days."""
    rows = bind.execute(sa.select(HOLIDAYS.c.day, HOLIDAYS.c.kind, HOLIDAYS.c.name, HOLIDAYS.c.notice)).all()
    tops = bind.execute(sa.text("SELECT id FROM offices WHERE parent_id IS NULL")).scalars().all()
    years = {row.day.year for row in rows}
    for top in [one if isinstance(one, uuid.UUID) else uuid.UUID(str(one)) for one in tops]:
        notices = {}
        for year in sorted(years):
            own = [row for row in rows if row.day.year == year]
            if whole(year, {row.day for row in own if row.kind == "off"}):
                notices[year] = uuid.uuid4()
                named = Counter(row.notice for row in own if row.notice).most_common(1)
                bind.execute(
                    NOTICES.insert().values(
                        id=notices[year],
                        office_id=top,
                        year=year,
                        document=named[0][0] if named else NO_DOCUMENT,
                        entered_at=datetime.now(UTC),
                    )
                )
        for row in rows:
            bind.execute(
                DAYS.insert().values(
                    id=uuid.uuid4(),
                    office_id=top,
                    notice_id=notices.get(row.day.year),
                    day=row.day,
                    kind=row.kind,
                    name=row.name,
                    notice=row.notice,
                    yearly=False,
                    moves=False,
                )
            )


def whole(year, off):
    """Whether days off can be a year's notice: the holidays with a fixed day, and some off where the others can lie."""
    fixed = {date(year, 1, 1), date(year, 5, 1), *(date(year, 10, n) for n in (1, 2, 3))}
    spans = (  # 春节 (three days), 清明, 端午, 中秋
        (date(year, 1, 20), date(year, 2, 25), 3),
        (date(year, 4, 4), date(year, 4, 6), 1),
        (date(year, 5, 25), date(year, 6, 27), 1),
        (date(year, 9, 5), date(year, 10, 10), 1),
    )
    return fixed <= off and all(
        sum(first <= day <= last for day in off) >= least for first, last, least in spans
    )


def downgrade():
    op.create_table(
        "holidays",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("notice", sa.String(length=200), nullable=False),
        sa.CheckConstraint("kind in ('off', 'work')", name=op.f("ck_holidays_kind")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_holidays")),
    )
    # One table for all again: of the topmost offices, a notice's word before a local one; days that come back each year
    # are kept for the year in which they were entered.
    bind = op.get_bind()
    rows = bind.execute(
        sa.text(
            "SELECT d.day, d.kind, d.name, COALESCE(n.document, d.notice) AS notice FROM calendar_days d "
            "JOIN offices o ON o.id = d.office_id LEFT JOIN calendar_notices n ON n.id = d.notice_id "
            "WHERE o.parent_id IS NULL ORDER BY CASE WHEN d.notice_id IS NULL THEN 1 ELSE 0 END, o.code"
        ).columns(day=sa.Date())
    ).all()
    seen = set()
    for row in rows:
        if row.day not in seen:
            seen.add(row.day)
            bind.execute(
                HOLIDAYS.insert().values(day=row.day, kind=row.kind, name=row.name, notice=row.notice)
            )
    op.drop_table("calendar_days")
    op.drop_table("calendar_notices")
