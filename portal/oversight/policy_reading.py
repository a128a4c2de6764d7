"""A policy pack as people read it: every value with its name in Chinese and the clause it rests on.

What never belongs here: HTTP, what a value does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.policies import Article, Policy
from portal.standards import codes
from portal.standards.columns import BY_KEY
from portal.workflows import WORKFLOWS

TITLES = {
    "clock": "办理时限",
    "grades": "学制",
    "register_load": "学校导入的名单",
    "waits": "须由上级确认的内容",
    "evidence": "证明材料",
    "return_reasons": "退回原因",
    "offered": "开办本业务",
    "key_fields": "关键信息项目",
    "open_to_status": "可以办理的学生状态",
    "stopping_problems": "须先处理的问题学籍",
    "head_check": "校内复核",
    "causes": "变更原因",
    "proofs": "各项变更需要的证明",
    "chain": "审批环节（按学段）",
    "stages": "可以办理的学段",
    "grounds": "办理条件",
    "reasons": "异动原因",
    "papers": "需要的证明",
    "guardian": "申请人",
    "relations": "可以提出申请的人",
    "own_request_from": "本人可以提出申请的年龄（周岁）",
    "other_papers": "号码不是居民身份证号的证件",
    "refusals_before_way_out": "拒绝几次后可说明理由继续",
    "likeness_bits": "查重时先比对图片指纹：64 位中最多相差",
    "max_files_per_slot": "每类证明最多文件数",
    "hold_days_submitted": "提交后封存天数",
    "keep_years_decided": "办结后保存年数",
    "keeping": "导入文件的保存",
    "load_days": "学籍名单上传、应用或撤销后保存天数",
    "intake_days": "未确认的录取名单保存天数",
    "deadline": "名单上报截止（月-日）",
    "numbers": "学号的组成",
    "letter": "信息不一致时须附更正便函",
    "year_word": "届次的写法",
    "form_words": "表上的地方用语",
    "usual_age": "一般入学年龄",
    "grade": "入学年级",
    "system": "义务教育学制（小学—初中年数）",
}
COLUMN_TITLES = {
    "title": "名称",
    "target": "针对",
    "field": "项目",
    "cause": "原因",
    "kind": "类别",
    "slot": "证明",
    "required": "必须提交",
    "one_of": "几种中交一种",
    "fields": "能说明的项目",
    "along": "一并说明的项目",
    "record": "学籍须是",
    "former": "原姓名转曾用名",
    "article": "依据",
    "statuses": "学生状态须是",
    "reasons": "相应的异动原因",
    "needed": "必须写明",
    "unless_cause": "不要求的变更原因",
    "mode": "计时方式",
    "days": "工作日",
    "soon": "提前提醒",
    "part": "部分",
    "digits": "位数",
    "text": "文字",
    "years": "周岁",
    "month": "月",
    "day": "日",
}
WORDS = {
    "added": "新增学生",
    "changed": "更改关键信息",
    "missing": "不在名单的学生",
    "landed": "确认落地",
    "*": "全部",
    "county": "县级",
    "state": "州级",
    "province": "省级",
    "school": "学校",
    "district": "学区",
    "per_stage": "每级分别计时",
    "total": "全程合并计时",
    "evidence": "证明",
    "field": "填写项",
    "case": "整件业务",
    "year": "入学年份",
    "fixed": "固定数字",
    "serial": "流水号",
    "no_number": "没有身份证件号",
    "identity": "是",
}

# Values and columns that hold codes, and of which table.
CODES = {
    "open_to_status": codes.ENROLMENT_STATUS,
    "statuses": codes.ENROLMENT_STATUS,
    "reasons": codes.CHANGE_REASON,
    "relations": codes.RELATION,
    "other_papers": codes.ID_TYPE,
}


@dataclass(frozen=True)
class Setting:
    """One value: `shown` is text, a list of texts, or {"columns": [...], "rows": [[...]]}."""

    key: str
    title: str
    shown: Any
    article: Article
    own: bool  # set by this very pack, not inherited


@dataclass(frozen=True)
class Group:
    title: str
    settings: list[Setting]


def groups(policy: Policy, parent: Policy | None) -> list[Group]:
    """Every value of a pack by group; a value counts as its own where the pack it inherits says something else."""
    found: dict[str, list[Setting]] = {}
    words = _words(policy)
    for key in sorted(policy.values):
        head, _, rest = key.partition(".")
        group, name = (head, rest) if rest else ("", head)
        own = parent is None or parent.values.get(key) != policy.values[key]
        shown = _shown(policy.value(key), words, name)
        found.setdefault(group, []).append(Setting(key, _title(name), shown, policy.source(key), own))
    return [Group(_title(group) if group else "其他", settings) for group, settings in found.items()]


def _title(key: str) -> str:
    workflows = {one.id: one.title for one in WORKFLOWS}
    return TITLES.get(key) or workflows.get(key) or key


def _words(policy: Policy) -> dict[str, str]:
    """Codes that stand in values, in the words of the forms."""
    words = dict(WORDS)
    words |= {key: column.title for key, column in BY_KEY.items()}
    words |= {slot.id: slot.title for one in WORKFLOWS for slot in one.evidence}
    words |= {one.id: one.cited for one in policy.articles.values() if one.id not in words}
    for key, (value, _article) in policy.values.items():
        if key.endswith(".causes"):
            words |= {cause["code"]: cause["title"] for cause in value}
    return words


def _shown(value: Any, words: Mapping[str, str], name: str) -> Any:
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        columns = [key for key in dict.fromkeys(key for one in value for key in one) if key != "code"]
        rows = [[_plain(one.get(key, ""), words, key) for key in columns] for one in value]
        return {"columns": [COLUMN_TITLES.get(key, key) for key in columns], "rows": rows}
    if isinstance(value, list):
        return [_word(one, words, name) for one in value]
    if isinstance(value, dict):
        rows = [
            [_plain(key, {**words, **COLUMN_TITLES}), _plain(one, words, name)] for key, one in value.items()
        ]
        return {"columns": [], "rows": rows}
    return _plain(value, words, name)


def _plain(value: Any, words: Mapping[str, str], name: str = "") -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return (" → " if name == "chain" else "、").join(_word(one, words, name) for one in value) or "无"
    return _word(value, words, name)


def _word(value: Any, words: Mapping[str, str], name: str) -> str:
    if name in CODES:
        return codes.label(CODES[name], str(value)) if value else ""
    return words.get(str(value), str(value))
