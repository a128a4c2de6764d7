"""Reading the audit trail: who may read which records, filters, pages by key, and a sheet for a period.

What never belongs here: HTTP, writing a record (portal.audit does that).
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

import xlsxwriter  # type: ignore[import-untyped]
from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from portal.accounts.titles import ROLE_TITLES
from portal.cases import clock
from portal.cases.access import Actor, offices_under
from portal.extensions import db
from portal.models import Account, AuditRecord, Case, EvidenceFile, Level, Office, RegisterLoad, Role

PAGE = 50
SHEET_LIMIT = 100_000
BATCH = 2000
LAST_SEQ = 2**31 - 1

ACTIONS = {
    "signed_in": "登录",
    "sign_in_refused": "登录被拒",
    "signed_out": "退出",
    "password.changed": "修改密码",
    "password.refused": "修改密码被拒",
    "password.reset": "重置密码",
    "first_administrator.code_issued": "生成一次性代码",
    "account.created": "建立账号",
    "account.changed": "修改账号",
    "account.opened": "启用账号",
    "account.closed": "停用账号",
    "account.unlocked": "解锁账号",
    "sessions.ended": "结束他人登录",
    "browser.forgotten": "移除登录过的浏览器",
    "office.created": "建立单位",
    "office.changed": "修改单位",
    "office.opened": "启用单位",
    "office.closed": "停用单位",
    "holidays.changed": "修改本地放假",
    "holidays.notice_entered": "录入放假通知",
    "holidays.notice_withdrawn": "撤回放假通知",
    "access.denied": "越权访问被拒",
    "pupil.viewed": "查看学生",
    "pupil.revealed": "显示证件号",
    "register.searched": "查询学生",
    "case.started": "发起业务",
    "case.viewed": "查看业务",
    "case.claimed": "领取业务",
    "case.released": "放回业务",
    "case.taken_over": "接手业务",
    "case.edited": "修改业务",
    "case.submitted": "提交业务",
    "case.approved": "同意",
    "case.returned": "退回",
    "case.rejected": "不同意",
    "case.withdrawn": "撤回业务",
    "case.struck": "退回名单中的行",
    "case.put_back": "恢复名单中的行",
    "case.revealed": "显示业务中的证件号",
    "case.backdated": "演示：日期前移",
    "case.printed": "打印审批表",
    "case.entry_pack": "下载录入包",
    "case.entered": "登记已录入全国系统",
    "case.entry_corrected": "更正录入登记",
    "case.landed": "全国系统已生效",
    "load.uploaded": "上传名册",
    "load.check_asked": "要求核对名册",
    "load.checked": "名册核对完成",
    "load.refused": "名册未通过核对",
    "load.apply_asked": "要求导入名册",
    "load.applied": "名册已导入",
    "load.undo_asked": "要求撤销导入",
    "load.undone": "导入已撤销",
    "load.discarded": "放弃名册",
    "load.forgotten": "删除不再保留的导入文件",
    "load.failed": "名册处理失败",
    "load.emptied_confirmed": "确认清空证件号",
    "load.sheet_chosen": "改读名册的另一张工作表",
    "load.renumbered": "确认名册中的换号",
    "load.accepted": "写入上级接受的名册内容",
    "item.opened": "提出待确认的数据",
    "item.accepted": "接受待确认的数据",
    "item.refused": "不接受待确认的数据",
    "item.withdrawn": "撤回待确认的数据",
    "item.written": "待确认的数据已写入",
    "load.faults_exported": "下载名册错误清单",
    "evidence.received": "上传证明",
    "evidence.refused": "证明未通过检查",
    "evidence.removed": "移除证明",
    "evidence.overridden": "说明理由后采用证明",
    "evidence.read": "识读证明材料",
    "reading.corrected": "更正材料识读",
    "evidence.viewed": "查看证明",
    "evidence.downloaded": "下载证明原件",
    "evidence.shown": "选择摆正后的图或原图",
    "quality.viewed": "查看材料质量",
    "quality.exported": "下载材料质量表",
    "thresholds.changed": "修改图片检查标准",
    "intake.plan_set": "录入招生计划",
    "intake.list_loaded": "导入录取名单待确认",
    "intake.list_set": "确认录取名单",
    "intake.list_discarded": "放弃导入的录取名单",
    "intake.admitted_viewed": "查看录取名单上的学生",
    "intake.admitted_searched": "在录取名单中查找",
    "intake.admitted_exported": "下载录取名单",
    "intake.list_faults_exported": "下载录取名单错误清单",
    "intake.ledger_exported": "下载高中招生台账",
    "intake.reminded": "催报新生名单",
    "intake.not_reported_viewed": "查看未报到学生",
    "intake.postponed": "登记延期注册",
    "intake.postponement_withdrawn": "撤销延期注册",
    "intake.sent_to_province": "登记名单报省",
    "intake.province_exported": "下载报省登记表",
    "intake.province_returned": "导入省厅返回表",
    "intake.return_viewed": "查看返回表没有用上的行和更正记录",
    "intake.return_rows_exported": "下载返回表没有用上的行",
    "intake.return_row_set_aside": "不再列出返回表的一行",
    "intake.secondary_corrected": "更正学籍辅号",
    "local_conditions.changed": "修改本地条件",
    "capture.opened": "把一栏材料交给手机拍照",
    "capture.taken": "手机开始拍照",
    "capture.received": "收到手机拍的证明",
    "capture.ended": "结束手机拍照",
    "stamped.received": "上传盖章表扫描",
    "stamped.unreadable": "盖章表扫描未能读取",
    "stamped.sorted": "盖章表分拣完成",
    "stamped.landed": "盖章表归入业务",
    "stamped.refused": "盖章表未归入",
    "stamped.tray": "盖章表等待归入",
    "stamped.placed": "人工归入盖章表",
    "stamped.accepted": "看过图片后放进盖章表",
    "stamped.discarded": "弃置盖章表",
    "stamped.taken_back": "取回盖章表",
    "stamped.listed": "查看盖章表分拣结果",
    "stamped.viewed": "查看盖章表",
    "stamped.downloaded": "下载盖章表扫描原件",
    "evidence.unreadable": "打不开与收到时不符的材料",
    "evidence.spoilt": "材料与收到时不符",
    "register.noted": "补记学籍辅号",
    "audit.sealed": "审计链开始用密钥封存",
    "audit.rows_sealed": "登记逐行封存",
    "audit.accepted": "认可改动并重新封存",
    "audit.verified": "校验审计链",
    "audit.exported": "导出审计记录",
}
KINDS = {
    "account": "账号",
    "admitted_list": "录取名单",
    "audit": "审计记录",
    "calendar": "放假安排",
    "capture": "手机拍照",
    "case": "业务",
    "evidence": "证明",
    "intake_plan": "招生计划",
    "item": "待确认的数据",
    "load": "名册",
    "login": "登录名",
    "office": "单位",
    "page": "页面",
    "postponement": "延期注册",
    "pupil": "学生",
    "stamped_batch": "盖章表扫描",
    "stamped_page": "盖章表",
    "threshold_set": "图片检查标准",
    "local_conditions": "本地条件",
}
RESULTS = {"ok": "成功", "denied": "被拒", "refused": "未通过", "failed": "失败"}
HEADINGS = (
    "序号",
    "时间（北京）",
    "单位",
    "人员",
    "岗位",
    "操作",
    "结果",
    "对象",
    "对象编号",
    "网络地址",
    "请求编号",
    "摘要",
)
# How people call the objects of a record: {kind: (model, row -> words)}. A pupil is not named here: to see one is an act
# of its own, with its own record.
NAMED: dict[str, tuple[Any, Callable[[Any], str]]] = {
    "account": (Account, lambda row: f"{row.name}（{row.login}）"),
    "case": (Case, lambda row: row.number),
    "evidence": (EvidenceFile, lambda row: row.name),
    "load": (RegisterLoad, lambda row: row.filename),
    "office": (Office, lambda row: row.name),
}
PURPOSES = {"routine": "例行检查", "complaint": "投诉核查", "incident": "事件处置", "compliance": "合规审计"}


@dataclass(frozen=True)
class Filters:
    """What the auditor narrowed the trail to; None for no narrowing."""

    action: str = ""
    login: str = ""
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Line:
    """A record with the names that its ids stand for today."""

    record: AuditRecord
    action: str
    result: str
    person: str
    role: str
    office: str
    kind: str
    object: str  # what the id stands for, in the words people use; "" when nothing is there


def readable_by(actor: Actor) -> ColumnElement[bool]:
    """Records of acts from the auditor's own office and the offices below it; for the auditor of a state also those that
    belong to no office: refused sign-ins and commands on the server."""
    below = AuditRecord.office_id.in_(offices_under(actor.office_path))
    return or_(below, AuditRecord.office_id.is_(None)) if actor.office_level is Level.STATE else below


def page(actor: Actor, filters: Filters, before: int | None) -> tuple[list[Line], int | None]:
    """One page, newest first, of records older than `before`; and the key of the next page or None."""
    query = _query(actor, filters)
    if before is not None:
        query = query.where(AuditRecord.seq < min(max(before, 0), LAST_SEQ))
    rows = list(db.session.scalars(query.order_by(AuditRecord.seq.desc()).limit(PAGE + 1)))
    following = rows[PAGE - 1].seq if len(rows) > PAGE else None
    return lines(rows[:PAGE]), following


def count(actor: Actor, filters: Filters) -> int:
    return db.session.execute(
        select(func.count()).select_from(_query(actor, filters).subquery())
    ).scalar_one()


def _query(actor: Actor, filters: Filters) -> Select[AuditRecord]:
    query = select(AuditRecord).where(readable_by(actor))
    if filters.action:
        query = query.where(AuditRecord.action == filters.action)
    if filters.login:
        people = select(Account.id).where(Account.login == filters.login)
        query = query.where(AuditRecord.actor_id.in_(people))
    if filters.first:
        query = query.where(AuditRecord.at >= _midnight(filters.first))
    if filters.last:
        query = query.where(AuditRecord.at < _midnight(filters.last + timedelta(days=1)))
    return query


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.ZONE)


def lines(records: list[AuditRecord]) -> list[Line]:
    """Names for the ids of some records, a query a table for all of them."""
    people = _by_id(Account, {one.actor_id for one in records})
    offices = _by_id(Office, {one.office_id for one in records})
    objects = _objects(records)
    return [_line(one, people, offices, objects) for one in records]


def _objects(records: list[AuditRecord]) -> dict[tuple[str, str], str]:
    """{(kind, id): what people call it} for the objects that still are in the database."""
    found: dict[tuple[str, str], str] = {}
    for kind, (model, called) in NAMED.items():
        ids = {one.object_id: _uuid(one.object_id) for one in records if one.object_kind == kind}
        rows = _by_id(model, set(ids.values())) if ids else {}
        found |= {(kind, text): called(rows[key]) for text, key in ids.items() if key in rows}
    return found


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _by_id(model: Any, ids: set[uuid.UUID | None]) -> dict[uuid.UUID, Any]:
    wanted = [one for one in ids if one]
    return {row.id: row for row in db.session.scalars(select(model).where(model.id.in_(wanted)))}


def _line(
    record: AuditRecord,
    people: dict[uuid.UUID, Any],
    offices: dict[uuid.UUID, Any],
    objects: dict[tuple[str, str], str],
) -> Line:
    person = people.get(record.actor_id) if record.actor_id else None
    office = offices.get(record.office_id) if record.office_id else None
    return Line(
        record,
        ACTIONS.get(record.action, record.action),
        RESULTS.get(record.result, record.result),
        person.name if person else "",
        ROLE_TITLES[Role(person.role)] if person else "",
        office.name if office else "",
        KINDS.get(record.object_kind, record.object_kind),
        objects.get((record.object_kind, record.object_id), ""),
    )


def write_sheet(actor: Actor, filters: Filters) -> BinaryIO:
    """An XLSX of the records, oldest first. Every cell is written as text, so that none can be a formula."""
    target: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - handed to the answer, which closes it
    book = xlsxwriter.Workbook(target, {"constant_memory": True, "in_memory": False})
    sheet = book.add_worksheet("审计记录")
    for column, heading in enumerate(HEADINGS):
        sheet.write_string(0, column, heading)
    for row, line in enumerate(_all(actor, filters), start=1):
        for column, cell in enumerate(_cells(line)):
            sheet.write_string(row, column, cell)
    book.close()
    target.seek(0)
    return target


def _all(actor: Actor, filters: Filters) -> Iterable[Line]:
    seq = 0
    while True:
        query = _query(actor, filters).where(AuditRecord.seq > seq)
        rows = list(db.session.scalars(query.order_by(AuditRecord.seq).limit(BATCH)))
        if not rows:
            return
        yield from lines(rows)
        seq = rows[-1].seq


def _cells(line: Line) -> tuple[str, ...]:
    one = line.record
    return (
        str(one.seq),
        f"{clock.local(one.at):%Y-%m-%d %H:%M:%S}",
        line.office,
        line.person,
        line.role,
        line.action,
        line.result,
        line.kind,
        one.object_id,
        one.address,
        one.request_id,
        one.digest,
    )


def action_choices(actor: Actor) -> list[tuple[str, str]]:
    """The actions that occur in what the actor may read, by their titles."""
    there = db.session.scalars(select(AuditRecord.action).where(and_(readable_by(actor))).distinct())
    return sorted(((action, ACTIONS.get(action, action)) for action in there), key=lambda pair: pair[1])
