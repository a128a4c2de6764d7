"""Whether this installation is fit to work: one check a function, each a plain sentence with a colour.

The quick checks answer a load balancer; the full list is for the administrator's page and `flask doctor`.

What never belongs here: HTTP, personal data.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from portal.cases import clock, stored_files
from portal.extensions import db, reading_only
from portal.models import AuditHead, AuditRecord, StoredFile
from portal.models.types import utcnow
from portal.oversight import holidays, judge_check, probes, stored_walk, walk_checks
from portal.oversight.checks import LATE, OK, SOON, Check, Installation
from portal.settings import SECRET_KEY_MIN_BYTES
from storage.objects import LockProof, ObjectStore, Sealed, StoreError

log = logging.getLogger(__name__)
ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
PROOF_LIFE = timedelta(minutes=10)
SKEW_SOON, SKEW_LATE = 2.0, 30.0  # seconds
DISK_SOON, DISK_LATE = 0.2, 0.1  # part of the disk that is free
QUEUE_LATE = timedelta(minutes=15)
# "null" is the one name of a version that every S3 server understands; some answer 400 to any other made-up one
NO_OBJECT = Sealed("probe/nothing", "null", "0" * 64, 1)


def quick(installation: Installation) -> list[Check]:
    """What must hold for a request to be served: database, store, migrations, and that papers can be judged. What is to be
    mended but does not keep anybody from being served (a role with too many rights, a calendar) never takes a node out of
    a load balancer."""
    return [_run(one, installation) for one in QUICK]


def full(installation: Installation) -> list[Check]:
    """Every check. Proving the lock writes to the store; its result is kept for ten minutes."""
    return [_run(one, installation) for one in CHECKS]


def _run(check: Callable[[Installation], Check], installation: Installation) -> Check:
    """A check that breaks is a red check, never an error page. What is red stands in the log with its reason."""
    name = check.__name__.removeprefix("check_")
    try:
        with reading_only():
            found = check(installation)
    except (SQLAlchemyError, StoreError, OSError) as error:
        log.error("readiness: %s did not finish: %s", name, _reason(error))
        return Check(name, TITLES[name], LATE, f"检查没有完成：{type(error).__name__}。请看服务器日志。")
    finally:
        db.session.rollback()
    if found.tone == LATE:
        log.error("readiness: %s is red: %s", name, found.text)
    return found


def _reason(error: Exception) -> str:
    """Class and first line of an error, without statement and values: the driver's own words."""
    first: BaseException = getattr(error, "orig", None) or error
    return f"{type(first).__name__}: {(str(first).splitlines() or [''])[0][:200]}"


def check_database(_installation: Installation) -> Check:
    """A row is really written and committed."""
    dialect = probes.write_database()
    return Check("database", TITLES["database"], OK, f"{ENGINES.get(dialect, dialect)}：可以读写")


def check_store(installation: Installation) -> Check:
    """Something is really written, read back and deleted."""
    installation.store.exists(NO_OBJECT)  # the answer is no; what counts is that there is one
    probes.write_store(installation.store)
    return Check("store", TITLES["store"], OK, "可以写入、读回和删除")


def check_role(_installation: Installation) -> Check:
    """Whom the portal is to the database: a superuser passes every permission, BYPASSRLS every row policy."""
    if db.engine.dialect.name != "postgresql":
        return Check("role", TITLES["role"], OK, "SQLite 没有数据库角色，由文件权限保护")
    query = text(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname IN (current_user, session_user)"
    )
    rows = db.session.execute(query).all()
    bad = [
        f"{row.rolname} 是{'超级用户' if row.rolsuper else '可绕过行级权限（BYPASSRLS）的角色'}"
        for row in rows
        if row.rolsuper or row.rolbypassrls
    ]
    if bad:
        words = "；".join(bad) + "：数据库不再拦得住程序的任何操作，请换用只拥有本系统数据库的普通角色"
        return Check("role", TITLES["role"], LATE, words)
    return Check("role", TITLES["role"], OK, "普通角色，没有超级用户权限")


def check_lock(installation: Installation) -> Check:
    proof = proven_lock(installation.store)
    tones = {"ok": OK, "ok-embedded": SOON}
    tone = tones.get(proof.state, LATE)
    at = clock.local(proof.checked_at).strftime("%H:%M")
    return Check("lock", TITLES["lock"], tone, f"{proof.detail}（{at} 实测）")


_proofs: dict[int, tuple[ObjectStore, LockProof]] = {}
_proving = threading.Lock()


def proven_lock(store: ObjectStore, now: datetime | None = None) -> LockProof:
    """The store's own proof of its lock, at most ten minutes old."""
    with _proving:
        kept = _proofs.get(id(store))
        if kept and kept[0] is store and (now or utcnow()) - kept[1].checked_at < PROOF_LIFE:
            return kept[1]
        proof = store.prove_lock()
        _proofs.clear()  # one store a process
        _proofs[id(store)] = (store, proof)
        return proof


def check_judge(_installation: Installation) -> Check:
    found = judge_check.tried()
    if not found.works:
        log.error("the picture checks do not work: %s", found.why)
    return Check("judge", TITLES["judge"], OK if found.works else LATE, found.text)


def check_migrations(installation: Installation) -> Check:
    wanted = set(ScriptDirectory(installation.migrations).get_heads())
    with db.engine.connect() as connection:
        present = set(MigrationContext.configure(connection).get_current_heads())
    if wanted == present:
        return Check(
            "migrations", TITLES["migrations"], OK, f"数据库结构是最新的（{'、'.join(sorted(wanted))}）"
        )
    text_ = f"数据库结构是 {'、'.join(sorted(present)) or '空'}，程序需要 {'、'.join(sorted(wanted))}：请运行 flask db upgrade"
    return Check("migrations", TITLES["migrations"], LATE, text_)


def check_clock(_installation: Installation) -> Check:
    before = time.time()
    if db.engine.dialect.name == "postgresql":
        there = float(db.session.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    else:
        there = float(
            db.session.execute(text("SELECT (julianday('now') - 2440587.5) * 86400.0")).scalar_one()
        )
    skew = abs(there - (before + time.time()) / 2)
    tone = LATE if skew > SKEW_LATE else SOON if skew > SKEW_SOON else OK
    now = clock.local(utcnow())
    advice = "" if tone == OK else "。办理时限以此为准，请校正服务器时间"
    words = f"北京时间 {now:%Y-%m-%d %H:%M}；程序与数据库相差 {skew:.1f} 秒{advice}"
    return Check("clock", TITLES["clock"], tone, words)


def check_keys(installation: Installation) -> Check:
    length = len(installation.settings.secret_key.encode())
    tone = OK if length >= SECRET_KEY_MIN_BYTES else LATE
    cookies = (
        ""
        if installation.settings.secure_cookies
        else "；登录凭据允许不加密传输（XUEJI_SECURE_COOKIES=0），仅限本机演示"
    )
    if cookies and tone == OK:
        tone = SOON
    return Check("keys", TITLES["keys"], tone, f"密钥 {length} 字节{cookies}")


def check_holidays(_installation: Installation) -> Check:
    """Each topmost office enters its own notices; of several it is said how many lack one, and not which."""
    today, tops = clock.today(), holidays.tops()
    lacking = Counter(year for top in tops for year in holidays.missing_years(today, top))
    if lacking:
        words = "；".join(
            holidays.unknown_text(year) + (f"（{count} 个州级单位）" if len(tops) > 1 else "")
            for year, count in sorted(lacking.items())
        )
        return Check("holidays", TITLES["holidays"], LATE if today.year in lacking else SOON, words)
    following = today.year + 1
    all_known = bool(tops) and all(holidays.known(top, following) for top in tops)
    note = f"，{following} 年已录入" if all_known else f"，{following} 年待国务院通知发布后录入"
    return Check("holidays", TITLES["holidays"], OK, f"{today.year} 年已录入{note}")


def check_audit(_installation: Installation) -> Check:
    head = db.session.get(AuditHead, 1)
    newest = db.session.scalars(select(AuditRecord).order_by(AuditRecord.seq.desc()).limit(1)).first()
    if head is None and newest is None:
        return Check("audit", TITLES["audit"], OK, "还没有审计记录")
    if head is None or newest is None or (head.seq, head.digest) != (newest.seq, newest.digest):
        return Check(
            "audit", TITLES["audit"], LATE, "审计链链尾与最后一条记录不符：请运行 flask audit verify"
        )
    at = clock.local(newest.at).strftime("%Y-%m-%d %H:%M")
    words = f"共 {head.seq} 条，最后一条 {at}，链尾 {head.digest[:12]}…"
    return Check("audit", TITLES["audit"], OK, words)


def check_staged(_installation: Installation) -> Check:
    limit = utcnow() - stored_files.STAGED_FOR
    left = select(StoredFile.kind, func.count()).where(
        StoredFile.status == "staged", StoredFile.begun_at < limit
    )
    found = db.session.execute(left.group_by(StoredFile.kind).order_by(StoredFile.kind)).all()
    if found:
        hours = stored_files.STAGED_FOR // timedelta(hours=1)
        each = "、".join(f"{stored_walk.KINDS[kind]} {count}" for kind, count in found)
        number = sum(count for _kind, count in found)
        words = (
            f"{number} 个没有完成的上传（{each}）已超过 {hours} 小时，尚未清理：请每天运行一次 flask sweep"
        )
        return Check("staged", TITLES["staged"], SOON, words)
    return Check("staged", TITLES["staged"], OK, "没有遗留的未完成上传")


def check_disk(installation: Installation) -> Check:
    """Every disk that the portal fills: of its data, of an embedded database, of a store that is a folder."""
    disks: dict[int, tuple[str, float, int]] = {}
    for title, folder in _folders(installation):
        device, free, size = probes.free_space(folder)
        named = f"{disks[device][0]}、{title}" if device in disks else title
        disks[device] = (named, free, size)
    least = min(free for _named, free, _size in disks.values())
    tone = LATE if least < DISK_LATE else SOON if least < DISK_SOON else OK
    words = "；".join(
        f"{named}所在磁盘剩余 {free:.0%}（{size / 2**30:.1f} GB）" for named, free, size in disks.values()
    )
    return Check("disk", TITLES["disk"], tone, words)


def _folders(installation: Installation) -> list[tuple[str, Path]]:
    found = [("数据目录", installation.settings.data_dir)]
    if db.engine.dialect.name == "sqlite" and db.engine.url.database:
        found.append(("数据库", Path(db.engine.url.database).parent))
    kind, _, rest = installation.settings.store_url.partition(":")
    if kind == "folder":
        found.append(("证据文件夹", Path(rest)))
    return found


def check_tasks(installation: Installation) -> Check:
    if installation.settings.worker == "inline":
        return Check("tasks", TITLES["tasks"], OK, "在门户进程内执行，不需要另开后台进程")
    if db.session.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar_one() is None:
        return Check("tasks", TITLES["tasks"], LATE, "任务队列还没有建立：请运行 flask worker --setup")
    waiting = db.session.execute(
        text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")
    ).scalar_one()
    stale = text(
        "SELECT count(*) FROM procrastinate_jobs j JOIN procrastinate_events e ON e.job_id = j.id "
        "WHERE j.status = 'todo' AND e.type = 'deferred' AND e.at < :limit"
    )
    late = db.session.execute(stale, {"limit": utcnow() - QUEUE_LATE}).scalar_one()
    if late:
        words = f"{late} 个任务等待超过 15 分钟：请检查后台进程 flask worker 是否在运行"
        return Check("tasks", TITLES["tasks"], LATE, words)
    return Check("tasks", TITLES["tasks"], OK, f"由 flask worker 执行，等待中 {waiting} 个")


TITLES = {
    "database": "数据库",
    "role": "数据库角色",
    "migrations": "数据库结构",
    "store": "证据存储",
    "lock": "证据锁定",
    "judge": "图片检查",
    "disk": "磁盘",
    "clock": "时钟",
    "keys": "密钥",
    "holidays": "放假安排",
    "audit": "审计链",
    "staged": "未完成的上传",
    "tasks": "后台任务",
    **walk_checks.TITLES,
}
CHECKS: tuple[Callable[[Installation], Check], ...] = (
    check_database,
    check_role,
    check_migrations,
    check_store,
    check_lock,
    check_judge,
    check_disk,
    check_clock,
    check_keys,
    check_holidays,
    check_audit,
    check_staged,
    check_tasks,
    *walk_checks.CHECKS,
)
QUICK = (check_database, check_store, check_migrations, check_judge)
