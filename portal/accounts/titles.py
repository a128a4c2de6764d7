"""Roles and levels in the words of the interface, and which roles an office of a level may have."""

from __future__ import annotations

import re

from portal.accounts.sessions import EXPIRED
from portal.models import ROLE_LEVELS, Level, Role

ROLE_TITLES: dict[Role, str] = {
    Role.REGISTRAR: "学籍管理员",
    Role.HEAD: "校内复核人",
    Role.REVIEWER: "县级审核人",
    Role.APPROVER: "州级审批人",
    Role.AUDITOR: "审计员",
    Role.ADMINISTRATOR: "管理员",
}
ROLE_DUTIES: dict[Role, str] = {
    Role.REGISTRAR: "发起业务、上传证明、导入本校名册",
    Role.HEAD: "政策要求校内复核时，在提交县级前复核",
    Role.REVIEWER: "审核本县学校提交的业务",
    Role.APPROVER: "审批需要州级决定的业务",
    Role.AUDITOR: "只查看业务和审计记录，不办理",
    Role.ADMINISTRATOR: "管理单位、账号和设置，看不到学生和业务",
}
LEVEL_TITLES: dict[Level, str] = {
    Level.SCHOOL: "学校",
    Level.DISTRICT: "学区中心学校",
    Level.COUNTY: "县级",
    Level.STATE: "州级",
}


def roles_at(level: Level) -> list[Role]:
    """The roles that an office of this level may have, in the order of the titles."""
    return [role for role in ROLE_TITLES if level in ROLE_LEVELS[role]]


SESSION_ENDS: dict[str, str] = {
    "signed_out": "本人退出",
    "replaced": "在别处登录，自动退出",
    "password_changed": "修改密码",
    "password_reset": "上级单位重置密码",
    "account_closed": "账号停用",
    "office_closed": "单位停用",
    "ended_by_superior": "上级单位结束登录",
    "clock": "服务器时间有变动，自动退出",
}

# What the sign-in page says to a browser whose session is over, and what to do: (title, text).
SESSION_NOTICES: dict[str, tuple[str, str]] = {
    "replaced": (
        "您的账号已在另一处登录，本处已退出",
        "一个账号同时只能在一处使用。如果是您本人，在这里重新登录即可，那一处会退出。如果不是您本人，请马上登录，"
        "在“我的账号”里修改密码并查看登录记录，再告知上级单位的管理员。",
    ),
    EXPIRED: (
        "登录已超时，请重新登录",
        "为了安全，长时间没有操作或登录时间过长会自动退出。页面上写着“已暂存”或“已保存”的内容都在，本人登录后放回原处。",
    ),
    "password_changed": ("密码已修改，请用新密码登录", "如果不是您本人修改的，请马上联系上级单位的管理员。"),
    "password_reset": (
        "上级单位已重置您的密码，请用新密码登录",
        "没有收到新密码的，请联系上级单位的管理员。",
    ),
    "clock": ("服务器时间有变动，请重新登录", "登录时间对不上，为了安全已自动退出。"),
    "ended_by_superior": (
        "上级单位的管理员已结束您的登录",
        "可以重新登录；不清楚原因的，请联系上级单位的管理员。",
    ),
}

BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Version", "Safari"))
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "安卓"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser(agent: str) -> str:
    """What a browser says of itself, in a few words: Chrome 156，Windows. Unknown ones are shown as they are, cut."""
    found = (re.search(rf"{mark}/(\d+)", agent) for mark, _name in BROWSERS)
    name = next((f"{BROWSERS[at][1]} {match[1]}" for at, match in enumerate(found) if match), "")
    system = next((name_ for mark, name_ in SYSTEMS if mark in agent), "")
    return "，".join(part for part in (name, system) if part) or agent[:40] or "—"
