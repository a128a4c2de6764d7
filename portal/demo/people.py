"""The fictional 云岭州: its offices and the accounts of the demonstration. Nobody and no place here exists."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "Demo-Xueji-2026"  # noqa: S105 - shown on the login page of the demonstration, and only there


@dataclass(frozen=True)
class DemoOffice:
    key: str
    name: str
    level: str
    code: str
    parent: str = ""
    stages: tuple[str, ...] = ()
    policy: str | None = None


OFFICES = (
    DemoOffice("state", "云岭州教育局", "state", "YL", policy="gs-linxia-2022"),
    DemoOffice("qinghe", "青禾县教育局", "county", "YL01", "state"),
    DemoOffice("baishi", "白石县教育局", "county", "YL02", "state"),
    DemoOffice("hewan", "河湾学区中心学校", "district", "YL0101", "qinghe"),
    DemoOffice("state_high", "云岭州第一中学", "school", "3462000001", "state", ("高中",)),
    DemoOffice("qinghe_high", "青禾县第一中学", "school", "3462000002", "qinghe", ("高中",)),
    DemoOffice("qinghe_second", "青禾县第二中学", "school", "3462000006", "qinghe", ("高中",)),
    DemoOffice("qinghe_third", "青禾县第三中学", "school", "3462000007", "qinghe", ("高中",)),
    DemoOffice("qinghe_fourth", "青禾县第四中学", "school", "3462000008", "qinghe", ("高中",)),
    DemoOffice("qinghe_fifth", "青禾县新城高级中学", "school", "3462000009", "qinghe", ("高中",)),
    DemoOffice("qinghe_junior", "青禾县城关初级中学", "school", "3162000003", "qinghe", ("初中",)),
    DemoOffice("hewan_primary", "青禾县河湾小学", "school", "2162000004", "hewan", ("小学",)),
    DemoOffice("baishi_high", "白石县民族中学", "school", "3462000005", "baishi", ("高中",)),
)


@dataclass(frozen=True)
class DemoAccount:
    login: str
    name: str
    role: str
    office: str
    title: str


ACCOUNTS = (
    DemoAccount("xueji", "马秀兰", "registrar", "qinghe_high", "学校学籍管理员"),
    DemoAccount("xiaozhang", "陈守正", "head", "qinghe_high", "学校负责人"),
    DemoAccount("xianji", "李思敏", "reviewer", "qinghe", "县级审核人"),
    DemoAccount("xianji2", "王开明", "reviewer", "qinghe", "县级审核人（另一位）"),
    DemoAccount("zhouji", "杨文华", "approver", "state", "州级审批人"),
    DemoAccount("shenji", "周清", "auditor", "state", "审计员"),
    DemoAccount("guanli", "赵立", "administrator", "state", "管理员"),
    DemoAccount("xiangxiao", "妥晓梅", "registrar", "hewan_primary", "小学学籍管理员"),
    DemoAccount("chuzhong", "韩建国", "registrar", "qinghe_junior", "初中学籍管理员"),
    DemoAccount("zhouzhong", "唐静", "registrar", "state_high", "州直学校学籍管理员"),
    DemoAccount("baishi", "张丽", "registrar", "baishi_high", "另一县学校学籍管理员"),
    DemoAccount("erzhong", "丁文", "registrar", "qinghe_second", "高中学籍管理员（名单超计划）"),
    DemoAccount("sanzhong", "罗海燕", "registrar", "qinghe_third", "高中学籍管理员（有学生被退回）"),
    DemoAccount("sizhong", "高明", "registrar", "qinghe_fourth", "高中学籍管理员（名单有错误）"),
    DemoAccount("xincheng", "宋雅静", "registrar", "qinghe_fifth", "高中学籍管理员（尚未上报）"),
)


def listed() -> list[dict[str, str]]:
    """What the login page of the demonstration shows: one account per role first."""
    names = {office.key: office.name for office in OFFICES}
    return [
        {
            "login": one.login,
            "password": PASSWORD,
            "name": one.name,
            "role": one.title,
            "office": names[one.office],
        }
        for one in ACCOUNTS
    ]
