"""The two forms of 普通高中新生学籍注册, cell for cell as 临州教学管发〔2022〕5号 prints them (附表1, 附件2), half-width marks and all.

What the source fixes to a place or a year is a «name»: year and its word, county, state, the words 州 and 县, the province.

What never belongs here: what a «name» stands for, see high_school_enrolment.form_names.
"""

from __future__ import annotations

from portal.workflows.vocabulary import Sheet

SEAL = "单位盖章　　　年　　月　　日"

APPROVAL = Sheet(
    mark="附表1:",
    title="«year_title»«county_title»普通高中新生学籍注册审批表",
    above=("学校名称: «school»",),
    widths=(42, 66, 66),
    rows=(
        ("学校呈报意见", "«state_word»、«county_word»下达普通高中招生计划: «places»"),
        ("", "学校实际招生人数: «actual»"),
        ("", "学校申请注册学籍人数: «applied»"),
        ("", "申请注册学号: 自 «first» 号起, 至 «last» 号终"),
        ("", "学校负责人(签名)", SEAL),
        ("县(市)教育局\n审批意见", "初中毕业生总人数: «graduates»"),
        ("", "教育局下达普通高中招生计划: «county_places»"),
        ("", "同意申请注册学籍人数: «county_agreed»"),
        ("", "«county_signer»", "«county_seal»"),
        (
            "«state_word»教育局审批意见",
            "经审核, 同意 «state_agreed» 名学生注册«province»普通高中学籍, 学号自 «state_first» 号起, 至 «state_last» 号终。",
        ),
        ("", "负责人(签字)", SEAL),
    ),
)

REGISTER = Sheet(
    mark="附件2",
    title="«year_title»«state_title»普通高中学生学籍注册登记表",
    above=("填表单位（盖章）　«school»",),
    widths=(29, 32, 33, 13, 22, 24, 43, 52, 19),
    headings=(
        *("学号", "姓名", "准考证号", "性别", "民族", "出生日期", "身份证号"),
        *("高中就读学校", "中考成绩"),
    ),
    group="pupils",
    keys=(
        *("number", "name", "exam_number", "sex", "ethnicity", "birth_date", "id_number"),
        *("school", "exam_score"),
    ),
    notes=("说明：按学号顺序由小到大排列。",),
    landscape=True,
)

# What people call the «names» of both forms, where a stamped copy says something else than its case.
LABELS = {
    "year_title": "年份",
    "county_title": "县（市）",
    "state_title": "市（州）",
    "places": "普通高中招生计划",
    "applied": "学校申请注册学籍人数",
    "first": "申请注册的起始学号",
    "last": "申请注册的终止学号",
    "graduates": "初中毕业生总人数",
    "county_places": "教育局下达普通高中招生计划",
    "county_agreed": "县（市）同意注册人数",
    "state_agreed": "州（市）同意注册人数",
    "state_first": "同意注册的起始学号",
    "state_last": "同意注册的终止学号",
    "pupils": "名单",
}
