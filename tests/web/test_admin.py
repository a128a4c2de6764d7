"""Administrators: which offices and accounts they reach, what they may do there, and what they never see."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select

from portal import audit
from portal.accounts import attempts, passwords
from portal.cases import clock
from portal.extensions import db, limiter
from portal.models import Account, AuditRecord, Case, Level, Office, Role, SignInAttempt
from portal.oversight import audit_reading, policy_reading
from portal.policies import all_policies
from tests.builders import Cast, a_case, a_county, a_pupil, a_school, an_account, an_office, sign_in
from tests.services import bucket_of_its_own  # noqa: F401 - a fixture

pytestmark = pytest.mark.pages


class Tree:
    """A state with two counties; each office with an administrator where it may have one."""

    def __init__(self) -> None:
        self.cast = Cast()
        self.state, self.county, self.school = self.cast.state, self.cast.county, self.cast.school
        self.other_county = a_county(self.state)
        self.other_school = a_school(self.other_county)
        self.foreign = a_county()  # of another state
        self.top = an_account(Role.ADMINISTRATOR, self.state)
        self.middle = an_account(Role.ADMINISTRATOR, self.county)
        self.sideways = an_account(Role.ADMINISTRATOR, self.other_county)
        self.registrar = an_account(Role.REGISTRAR, self.school)
        self.other_registrar = an_account(Role.REGISTRAR, self.other_school)
        self.stranger = an_account(Role.ADMINISTRATOR, self.foreign)
        db.session.commit()


@pytest.fixture
def tree(app: Flask) -> Tree:
    limiter.reset()
    return Tree()


def as_(app: Flask, account: Account) -> FlaskClient:
    client = app.test_client()
    sign_in(client, account)
    return client


def office_rules(app: Flask) -> list[tuple[str, str]]:
    """(method, path) of every administrator's route with an office or an account in it."""
    return [
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in ("GET", "POST")
        if rule.rule.startswith("/admin/") and rule.arguments and method in (rule.methods or ())
    ]


def test_nobody_reaches_offices_or_accounts_above_beside_or_outside(app: Flask, tree: Tree) -> None:
    client = as_(app, tree.middle)
    unreachable: dict[str, tuple[Office | Account, ...]] = {
        "<uuid:office_id>": (tree.state, tree.other_county, tree.other_school, tree.foreign),
        "<uuid:account_id>": (tree.top, tree.sideways, tree.other_registrar, tree.stranger),
    }
    tried = 0
    for method, path in office_rules(app):
        for part, targets in unreachable.items():
            for target in targets if part in path else ():
                answer = client.open(path.replace(part, str(target.id)), method=method, data={"name": "夺取"})
                assert answer.status_code == 404, (method, path)
                tried += 1
    assert tried >= 4 * 13
    assert db.session.scalar(select(AuditRecord.seq).where(AuditRecord.action == "access.denied"))
    assert not db.session.scalar(select(Office.id).where(Office.name == "夺取"))


@pytest.mark.parametrize("role", ["registrar", "head", "reviewer", "approver", "auditor"])
def test_only_administrators_reach_administration(app: Flask, tree: Tree, role: str) -> None:
    person = getattr(tree.cast, role)
    client = app.test_client()
    sign_in(client, person)
    open_to_auditors = {"/admin/readiness"} if role == "auditor" else set()
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/admin") or rule.rule in open_to_auditors:
            continue
        for method in {"GET", "POST"} & (rule.methods or set()):
            path = rule.rule.replace("<uuid:office_id>", str(tree.school.id))
            path = path.replace("<uuid:account_id>", str(tree.registrar.id))
            assert client.open(path, method=method).status_code == 404, (role, method, path)


def test_an_administrator_sees_no_case_and_no_pupil(app: Flask, tree: Tree) -> None:
    case = a_case(tree.cast, "county_review")
    pupil = a_pupil(tree.school, name="马小真")
    db.session.commit()
    client = as_(app, tree.top)
    for rule in app.url_map.iter_rules():
        if rule.arguments & {"case_id", "pupil_id"} and "GET" in (rule.methods or ()):
            path = rule.rule.replace("<uuid:case_id>", str(case.id)).replace("<uuid:pupil_id>", str(pupil.id))
            if "<" not in path:
                answer = client.get(path)
                assert answer.status_code == 404 and "马小真" not in answer.text, path
    assert db.session.get(Case, case.id) is not None


def test_the_menu_of_each_role(app: Flask, tree: Tree) -> None:
    menus = {
        "administrator": ("单位与账号", "放假安排", "系统状态"),
        "auditor": ("审计记录", "系统状态"),
        "registrar": (),
    }
    for role, titles in menus.items():
        client = app.test_client()
        sign_in(client, getattr(tree.cast, role))
        page = client.get("/my/sessions").text
        for title in ("单位与账号", "放假安排", "系统状态", "审计记录"):
            assert (f"<span>{title}</span>" in page) == (title in titles), (role, title)
        assert "<span>政策依据</span>" in page and "退出" in page


NEW_SCHOOL = {"level": "school", "code": "3462009001", "name": "青禾新校", "stages": ["小学"], "policy": ""}


def test_a_county_adds_a_school_and_its_registrar(app: Flask, tree: Tree) -> None:
    client = as_(app, tree.middle)
    answer = client.post(f"/admin/offices/{tree.county.id}/add", data=NEW_SCHOOL)
    school = db.session.scalars(select(Office).where(Office.code == "3462009001")).one()
    assert answer.headers["Location"].endswith(str(school.id))
    assert school.parent_id == tree.county.id and school.path.startswith(tree.county.path)
    person = {"role": "registrar", "login": "new.one", "name": "石磊", "phone": "13800000001"}
    shown = client.post(f"/admin/offices/{school.id}/accounts/add", data=person)
    assert shown.status_code == 201 and shown.headers["Cache-Control"] == "no-store"
    made = db.session.scalars(select(Account).where(Account.login == "new.one")).one()
    password = re.search(r"<dt>初始密码</dt><dd>([^<]+)</dd>", shown.text)
    assert password and passwords.verify(made.password_hash, password[1])
    assert made.must_change_password and made.created_by_id == tree.middle.id
    assert password[1] not in client.get(f"/admin/accounts/{made.id}").text
    newcomer = app.test_client()
    entered = newcomer.post("/sign-in", data={"login": "new.one", "password": password[1]})
    assert entered.status_code == 303
    assert newcomer.get("/my/sessions").headers["Location"] == "/password"
    assert [row.action for row in db.session.scalars(select(AuditRecord).order_by(AuditRecord.seq))][:2] == [
        "office.created",
        "account.created",
    ]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"code": "12345"}, "学校标识码应为 10 位数字"),
        ({"code": "9962009001"}, "学校标识码应为 10 位数字"),
        ({"code": ""}, "请填写单位代码"),
        ({"name": "  "}, "请填写单位名称"),
        ({"name": "坏\x07名"}, "控制字符"),
        ({"stages": []}, "请选择学校开设的学段"),
        ({"level": "state"}, "请从列出的选项中选择"),
        ({"policy": "no-such-pack"}, "请从列出的选项中选择"),
    ],
)
def test_a_faulty_office_is_refused_at_the_field(app: Flask, tree: Tree, change: dict, message: str) -> None:
    answer = as_(app, tree.middle).post(f"/admin/offices/{tree.county.id}/add", data={**NEW_SCHOOL, **change})
    assert answer.status_code == 422 and message in answer.text
    if "name" not in change:
        assert "青禾新校" in answer.text  # what was typed stays
    assert db.session.scalar(select(Office.id).where(Office.code == change.get("code", "3462009001"))) is None


def test_a_code_is_used_once(app: Flask, tree: Tree) -> None:
    data = {**NEW_SCHOOL, "code": tree.other_school.code}
    answer = as_(app, tree.middle).post(f"/admin/offices/{tree.county.id}/add", data=data)
    assert answer.status_code == 422 and "已被使用" in answer.text


def test_offices_hang_only_where_supervision_allows(app: Flask, tree: Tree) -> None:
    client = as_(app, tree.top)
    assert client.get(f"/admin/offices/{tree.school.id}/add").status_code == 404
    wrong = {**NEW_SCHOOL, "level": "district"}
    assert client.post(f"/admin/offices/{tree.state.id}/add", data=wrong).status_code == 422
    district = {"level": "district", "code": "XQ-01", "name": "东乡学区", "policy": ""}
    assert client.post(f"/admin/offices/{tree.county.id}/add", data=district).status_code == 303
    run_by_state = {**NEW_SCHOOL, "code": "3462009002"}
    assert client.post(f"/admin/offices/{tree.state.id}/add", data=run_by_state).status_code == 303


def test_who_appoints_whom(app: Flask, tree: Tree) -> None:
    district = an_office(Level.DISTRICT, tree.county)
    db.session.commit()
    offered = {
        (tree.top, tree.state): {"approver", "auditor", "administrator"},
        (tree.top, tree.county): {"reviewer", "auditor", "administrator"},
        (tree.middle, tree.county): {"reviewer"},
        (tree.middle, tree.school): {"registrar", "head"},
    }
    for (account, office), roles in offered.items():
        page = as_(app, account).get(f"/admin/offices/{office.id}/accounts/add").text
        assert set(re.findall(r'<option[^>]*value="(\w+)"', page)) == roles
    person = {"role": "administrator", "login": "grab.it", "name": "越权"}
    refused = as_(app, tree.middle).post(f"/admin/offices/{tree.county.id}/accounts/add", data=person)
    assert refused.status_code == 422
    assert as_(app, tree.middle).get(f"/admin/offices/{district.id}/accounts/add").status_code == 404


def test_nobody_manages_themselves_or_their_equals(app: Flask, tree: Tree) -> None:
    equal = an_account(Role.ADMINISTRATOR, tree.county)
    watcher = an_account(Role.AUDITOR, tree.county)
    db.session.commit()
    client = as_(app, tree.middle)
    for target in (tree.middle, equal, watcher):
        assert client.get(f"/admin/accounts/{target.id}").status_code == 200
        for act in ("close", "open", "reset-password", "end-sessions", "unlock", "edit"):
            assert client.post(f"/admin/accounts/{target.id}/{act}").status_code == 404, act
    assert client.post(f"/admin/offices/{tree.county.id}/close").status_code == 404
    assert client.get(f"/admin/offices/{tree.county.id}/edit").status_code == 404
    assert as_(app, tree.top).post(f"/admin/accounts/{watcher.id}/close").status_code == 303


@pytest.mark.parametrize("act", ["close", "reset-password", "end-sessions"])
def test_the_superior_ends_a_session_at_once(app: Flask, tree: Tree, act: str) -> None:
    person = as_(app, tree.registrar)
    assert person.get("/my/sessions").status_code == 200
    answer = as_(app, tree.middle).post(f"/admin/accounts/{tree.registrar.id}/{act}")
    assert answer.status_code == (201 if act == "reset-password" else 303)
    assert person.get("/my/sessions").status_code == 303


def test_a_lock_shows_and_the_superior_unlocks(app: Flask, tree: Tree) -> None:
    key = attempts.login_key(app.extensions["settings"].secret_key, tree.registrar.login)
    for number in range(attempts.LOCK_FAILURES):
        db.session.add(SignInAttempt(login_hash=key, address=f"10.0.0.{number}", at=datetime.now(UTC)))
    db.session.commit()
    client = as_(app, tree.middle)
    assert "已锁定" in client.get("/admin/accounts").text
    assert "登录名暂时锁定" in client.get(f"/admin/accounts/{tree.registrar.id}").text
    assert client.post(f"/admin/accounts/{tree.registrar.id}/unlock").status_code == 303
    assert "登录名暂时锁定" not in client.get(f"/admin/accounts/{tree.registrar.id}").text
    assert attempts.locked([key], timedelta(minutes=30)) == {}


def test_one_person_one_account(app: Flask, tree: Tree) -> None:
    tree.registrar.phone = "13800000009"
    db.session.commit()
    client = as_(app, tree.middle)
    twice = {"role": "registrar", "login": "twice.one", "name": "石磊", "phone": "13800000009"}
    answer = client.post(f"/admin/offices/{tree.school.id}/accounts/add", data=twice)
    assert answer.status_code == 422 and "一人只能有一个账号" in answer.text
    taken = {**twice, "phone": "", "login": tree.registrar.login}
    answer = client.post(f"/admin/offices/{tree.school.id}/accounts/add", data=taken)
    assert answer.status_code == 422 and "已被使用" in answer.text
    client.post(f"/admin/accounts/{tree.registrar.id}/close")
    assert client.post(f"/admin/offices/{tree.school.id}/accounts/add", data=twice).status_code == 201
    again = client.post(f"/admin/accounts/{tree.registrar.id}/open")
    assert again.status_code == 409 and "一人只能有一个账号" in again.text


def test_an_office_with_offices_below_is_not_closed(app: Flask, tree: Tree) -> None:
    client = as_(app, tree.top)
    refused = client.post(f"/admin/offices/{tree.other_county.id}/close")
    assert refused.status_code == 409 and "下级单位" in refused.text
    assert client.post(f"/admin/offices/{tree.other_school.id}/close").status_code == 303
    assert client.post(f"/admin/offices/{tree.other_county.id}/close").status_code == 303
    assert client.post(f"/admin/offices/{tree.other_school.id}/open").status_code == 409


def test_an_office_is_renamed_and_given_a_policy(app: Flask, tree: Tree) -> None:
    client = as_(app, tree.top)
    data = {"name": "青禾县教育局（更名）", "policy": "ha-2022"}
    assert client.post(f"/admin/offices/{tree.county.id}/edit", data=data).status_code == 303
    page = client.get(f"/admin/offices/{tree.school.id}").text
    assert "青禾县教育局（更名）" in page and all_policies()["ha-2022"].title in page


def test_the_list_of_accounts_pages_and_filters(app: Flask, tree: Tree) -> None:
    for number in range(55):
        an_account(Role.HEAD, tree.school, login=f"zz{number:03d}")
    db.session.commit()
    client = as_(app, tree.middle)
    first = client.get("/admin/accounts?role=head").text
    assert len(set(re.findall(r"zz\d{3}", first))) >= 45 and tree.registrar.login not in first
    assert tree.other_registrar.login not in client.get("/admin/accounts").text
    following = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert following and "zz054" in client.get(following[1].replace("&amp;", "&")).text


# Policy packs


def test_every_pack_is_shown_with_documents_clauses_and_texts(app: Flask, tree: Tree) -> None:
    client = as_(app, tree.registrar)
    assert all_policies()["gs-linxia-2022"].title in client.get("/policy").text
    for code, pack in all_policies().items():
        page = client.get(f"/policy?pack={code}")
        assert page.status_code == 200
        for _value, article_id in pack.values.values():
            article = pack.articles[article_id]
            assert article.document in page.text and article.text in page.text
    assert client.get("/policy?pack=../../etc/passwd").status_code == 404


def test_every_value_of_every_pack_has_a_chinese_name() -> None:
    for pack in all_policies().values():
        for group in policy_reading.groups(pack, None):
            for one in group.settings:
                assert not one.title.isascii() and not group.title.isascii(), one.key


# The audit trail


@pytest.fixture
def trail(app: Flask, tree: Tree) -> Tree:
    for person in (tree.registrar, tree.other_registrar, tree.stranger, tree.top):
        audit.set_origin(actor_id=person.id, office_id=person.office_id)
        audit.append("pupil.viewed", "pupil", person.login)
    audit.set_origin(actor_id=None, office_id=None)
    audit.append("sign_in_refused", "login", result="denied", login="x")
    db.session.commit()
    return tree


def test_a_county_auditor_sees_the_acts_of_the_own_subtree(app: Flask, trail: Tree) -> None:
    county_auditor = an_account(Role.AUDITOR, trail.county)
    page = as_(app, county_auditor).get("/audit").text
    assert trail.registrar.login in page
    for hidden in (trail.other_registrar, trail.stranger, trail.top):
        assert hidden.login not in page
    whole = app.test_client()
    sign_in(whole, trail.cast.auditor)
    assert all(
        one.login in whole.get("/audit").text for one in (trail.registrar, trail.other_registrar, trail.top)
    )


def test_the_trail_filters_and_pages(app: Flask, trail: Tree) -> None:
    for number in range(120):
        audit.append("case.viewed", "case", f"case-{number:03d}")
    db.session.commit()
    client = app.test_client()
    sign_in(client, trail.cast.auditor)
    seen: list[str] = []
    path = "/audit?action=case.viewed"
    while path:
        page = client.get(path).text
        seen += re.findall(r"case-\d{3}", page)
        link = re.search(r'href="([^"]*before=[^"]*)"[^>]*rel="next"', page)
        path = link[1].replace("&amp;", "&") if link else ""
    assert seen == [f"case-{number:03d}" for number in reversed(range(120))]
    mine = client.get(f"/audit?login={trail.registrar.login}").text
    assert mine.count("查看学生</td>") == 1
    assert "没有符合的记录" in client.get("/audit?day=2020-01-01").text
    assert client.get("/audit?day=nonsense&before=x&action=%27").status_code == 200


def test_verifying_is_a_button_and_is_itself_recorded(app: Flask, trail: Tree) -> None:
    client = app.test_client()
    sign_in(client, trail.cast.auditor)
    answer = client.post("/audit/verify")
    assert "审计链完好" in answer.text and "共 5 条" in answer.text
    last = db.session.scalars(select(AuditRecord).order_by(AuditRecord.seq.desc())).first()
    assert last and (last.action, last.actor_id) == ("audit.verified", trail.cast.auditor.id)


def test_the_export_holds_text_only_and_is_recorded(app: Flask, trail: Tree) -> None:
    audit.append("case.viewed", "case", "=1+1")
    db.session.commit()
    client = app.test_client()
    sign_in(client, trail.cast.auditor)
    today = clock.today().isoformat()
    period = {"first": today, "last": today, "purpose": "routine"}
    answer = client.post("/audit/export", data=period)
    assert answer.status_code == 200
    rows = list(load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True))
    assert rows[0] == audit_reading.HEADINGS
    cells = [cell for row in rows[1:] for cell in row if cell is not None]
    assert len(rows) > 1 and "=1+1" in cells and all(isinstance(cell, str) for cell in cells)
    last = db.session.scalars(select(AuditRecord).order_by(AuditRecord.seq.desc())).first()
    assert last and last.action == "audit.exported" and last.body["purpose"] == "routine"
    for change, message in (
        ({"first": ""}, "请填写起始日期"),
        ({"last": "2020-01-01"}, "早于起始日期"),
        ({"first": "2020-01-01"}, "最多导出一年"),
        ({"purpose": ""}, "请选择用途"),
    ):
        faulty = client.post("/audit/export", data={**period, **change})
        assert faulty.status_code == 422 and message in faulty.text
