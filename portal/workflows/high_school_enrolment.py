"""普通高中新生学籍注册: a high school registers its new pupils, all on one roster, under the plan and with one range of 学号.

Source: 临州教学管发〔2022〕5号 二, 附表1 and 附件2. Corrections of single data by letter: the same, 二. Who did not report: the same.
Plan, list of the admitted and numbers are the year's; deadlines, ages and the make of a number are values of the policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange

from portal.forms import AnswersForm
from portal.standards import id_number
from portal.standards.alike import alike
from portal.standards.columns import BY_KEY
from portal.standards.school_year import age_on
from portal.workflows import enrolment_forms
from portal.workflows.evidence_rules import evidence_rules
from portal.workflows.facts import Facts, Finding, Office, RosterRow
from portal.workflows.roster import Roster, RosterColumn, RowRule
from portal.workflows.vocabulary import NOT_NEEDED, Evidence, Page, Piece, Printout, Rule, Step, Workflow

ID = "high_school_enrolment"
LETTER = "correction_letter"
STAGE = "高中"
ENROLLED = "01"  # XSDQZT 在读
ROSTER = "roster"  # the place of the page with the rows, for stops about them
MOST_NAMED = 6
TO_WRITE_IN = "　　　　　　"  # where a figure in the middle of a sentence is not known yet
COUNTY_SIGNER = "县(市)教育局负责人(签名)"


class EnrolmentForm(AnswersForm):
    """What the school says of the whole; everything about one person stands on the roster."""

    actual = IntegerField(
        "学校实际招生人数",
        [InputRequired("请填写实际招生人数"), NumberRange(0, 20000, "人数应在 0 到 20000 之间")],
        description="实际报到入学的高一新生人数，将印在审批表上。申请注册的人数按名单计算，不用填写。",
        render_kw={"inputmode": "numeric"},
    )


COLUMNS = (
    RosterColumn("name", "姓名", aliases=("学生姓名",), compared=True),
    RosterColumn("exam_number", "准考证号", aliases=("中考准考证号", "考号"), is_number=True),
    RosterColumn("sex", "性别", compared=True),
    RosterColumn("ethnicity", "民族", compared=True),
    RosterColumn("birth_date", "出生日期", aliases=("出生年月",), compared=True),
    # A pupil without a number is never refused (教办基〔2022〕290号 一); what is missing is pointed at.
    RosterColumn(
        "id_number",
        "身份证号",
        required=False,
        aliases=("身份证件号", "身份证号码", "身份证件号码"),
        compared=True,
        is_number=True,
    ),
    RosterColumn("school", "高中就读学校", required=False, aliases=("就读学校", "录取学校")),
    RosterColumn("exam_score", "中考成绩", aliases=("成绩", "中考总分"), compared=True),
    RosterColumn("class_name", "班级", required=False, aliases=("高一班级",)),
)
TITLES = {column.key: column.title for column in COLUMNS}


def shown(column: str, text: str) -> str:
    """A value as people write it."""
    return BY_KEY[column].shown(text) if column in BY_KEY else text


def difference(row: RosterRow, column: str) -> str:
    """What the list of the admitted says otherwise of a column, "" where it agrees or the cell cannot be read."""
    if column in row.faults or row.admitted is None:
        return ""
    if alike(column, row[column], row.admitted.get(column, ""), {}):
        return ""
    if column == "id_number":  # what is found stands on pages that mask numbers
        return "与录取名单上的号码不同"
    return f"录取名单为“{shown(column, row.admitted.get(column, '')) or '空'}”"


def differs(row: RosterRow) -> bool:
    """Whether roster and list of the admitted disagree in any compared column."""
    return any(difference(row, column.key) for column in COLUMNS if column.compared)


def letter_slot(row: RosterRow) -> str:
    return f"{LETTER}-{row['exam_number']}"


def has_letter(facts: Facts, row: RosterRow) -> bool:
    return bool(facts.in_slot(letter_slot(row)))


# --- what can be wrong with one row ---------------------------------------------------------------------------------


def not_admitted(facts: Facts, row: RosterRow) -> str:
    if not row["exam_number"] or facts.quota is None or facts.quota.admitted is None:
        return ""  # told once, of the cell or of the whole
    # Whether another school has it is not said: the list's other people are not this school's to look up.
    return "" if row.admitted else "本校的录取名单上没有这个准考证号"


def _compared(column: RosterColumn) -> tuple[RowRule, RowRule]:
    """A difference stops until the letter is there; then everybody along the chain is told of it."""

    def without_letter(facts: Facts, row: RosterRow) -> str:
        told = difference(row, column.key)
        return told if told and not has_letter(facts, row) else ""

    def with_letter(facts: Facts, row: RosterRow) -> str:
        told = difference(row, column.key)
        return f"{told}，已附更正便函" if told and has_letter(facts, row) else ""

    remedy = "请核对改正；报到信息正确的，上传中考报名所在县市教育局的信息更正便函"
    article = f"{ID}.letter"
    return (
        RowRule(f"differs_{column.key}", article, without_letter, remedy, column.key, settled_by=LETTER),
        RowRule(f"corrected_{column.key}", article, with_letter, "请对照便函核对", column.key, "ask", LETTER),
    )


def number_fault(facts: Facts, row: RosterRow) -> str:
    number = row["id_number"]
    if not id_number.is_shaped(number):
        return ""
    fault = id_number.fault_in(number, facts.today)
    return fault.reason if fault else ""


def number_unusual(_facts: Facts, row: RosterRow) -> str:
    if not row["id_number"]:
        return "没有填写身份证号"
    return "" if id_number.is_shaped(row["id_number"]) else "不是 18 位居民身份证号"


def birth_date_disagrees(_facts: Facts, row: RosterRow) -> str:
    born = id_number.birth_date(row["id_number"]) if id_number.is_shaped(row["id_number"]) else None
    if born is None or "birth_date" in row.faults or born.isoformat() == row["birth_date"]:
        return ""
    return f"与身份证号中的出生日期 {born} 不一致"


def sex_disagrees(_facts: Facts, row: RosterRow) -> str:
    if not id_number.is_shaped(row["id_number"]) or row["sex"] not in ("1", "2"):
        return ""
    return "" if id_number.sex(row["id_number"]) == row["sex"] else "与身份证号第 17 位不符"


def too_young(facts: Facts, row: RosterRow) -> str:
    if not row["birth_date"] or "birth_date" in row.faults:
        return ""
    rule = facts.setting("usual_age")
    day = date(year(facts), rule["month"], rule["day"])
    age = age_on(date.fromisoformat(row["birth_date"]), day)
    return (
        f"到 {day:%Y-%m-%d} 只满 {age} 周岁（一般应满 {rule['years']} 周岁）" if age < rule["years"] else ""
    )


def stands_twice(_facts: Facts, row: RosterRow) -> str:
    return f"与第 {'、'.join(map(str, row.twice))} 行重复" if row.twice else ""


ROW_RULES = (
    RowRule(
        "not_admitted",
        "plan_only",
        not_admitted,
        "请核对准考证号；确实没有录取到本校的，从名单中删去",
        "exam_number",
    ),
    *(rule for column in COLUMNS if column.compared for rule in _compared(column)),
    RowRule("id_number_wrong", "gb11643", number_fault, "请对照户口簿或身份证逐位核对", "id_number"),
    RowRule(
        "registered_elsewhere",
        "one_pupil_one_record",
        lambda _facts, row: row.elsewhere,
        "请核对号码，并与主管教育局核实；确在本校就读的，先由原校办结，再列入名单",
        "id_number",
    ),
    RowRule(
        "twice", "one_pupil_one_record", stands_twice, "同一名学生只能列一次，请删去重复的行", "exam_number"
    ),
    RowRule(
        "id_number_unusual",
        "gb11643",
        number_unusual,
        "有身份证号的请补填；没有的不影响注册",
        "id_number",
        "ask",
    ),
    RowRule(
        "birth_date_disagrees", "gb11643", birth_date_disagrees, "请对照户口簿核对两项", "birth_date", "ask"
    ),
    RowRule("sex_disagrees", "gb11643", sex_disagrees, "请对照户口簿核对两项", "sex", "ask"),
    RowRule("too_young", f"{ID}.usual_age", too_young, "请核对出生日期", "birth_date", "ask"),
)


def enters(facts: Facts, row: RosterRow) -> Mapping[str, str]:
    """What the register is told of one new pupil."""
    kept = ("name", "sex", "ethnicity", "birth_date", "id_number", "class_name")
    return {
        **{key: row[key] for key in kept},
        "id_type": id_number.RESIDENT_CARD if id_number.is_shaped(row["id_number"]) else "",
        "school_code": facts.school.code,
        "stage": STAGE,
        "grade": facts.setting("grade"),
        "enrolment_status": ENROLLED,
        "school_number": row.number,
    }


ROSTER_LAW = Roster(columns=COLUMNS, rules=ROW_RULES, person="exam_number", stage=STAGE, enters=enters)


# --- what can be wrong with the whole -------------------------------------------------------------------------------


def year(facts: Facts) -> int:
    return facts.quota.year if facts.quota else facts.today.year


def applied(facts: Facts) -> int:
    """申请注册学籍人数: as many as the school asked numbers for; who was struck since was applied for too."""
    return facts.numbers.size if facts.numbers else len(facts.standing_rows)


def stops(facts: Facts) -> list[Finding]:
    return [one for one in ROSTER_LAW.findings(facts) if one.level == "stop"]


def told_rows(facts: Facts) -> str:
    rows = list(dict.fromkeys(one.row.position for one in stops(facts)))
    named = "、".join(map(str, rows[:MOST_NAMED]))
    return f"名单中有 {len(rows)} 行要处理：第 {named} 行" + ("等" if len(rows) > MOST_NAMED else "")


def over_plan(facts: Facts) -> bool:
    left = facts.quota.left if facts.quota else None
    return left is not None and len(facts.standing_rows) > left


def told_over_plan(facts: Facts) -> str:
    quota = facts.quota
    if quota is None or quota.places is None or quota.left is None:
        return ""
    other = f"，本校其他名单已占 {quota.taken} 人" if quota.taken else ""
    excess = len(facts.standing_rows) - quota.left
    return f"名单 {len(facts.standing_rows)} 人，超出招生计划 {excess} 人（计划 {quota.places} 人{other}）"


def actual_over_plan(facts: Facts) -> bool:
    places = facts.quota.places if facts.quota else None
    return places is not None and isinstance(facts.answer("actual"), int) and facts.answer("actual") > places


def applied_over_actual(facts: Facts) -> bool:
    actual = facts.answers.get("actual")
    others = facts.quota.taken if facts.quota else 0
    return isinstance(actual, int) and len(facts.standing_rows) + others > actual


RULES = (
    Rule(
        "not_such_a_school",
        f"{ID}.offered",
        lambda facts: STAGE not in facts.school.stages,
        "本校不是普通高中，不办理高中新生学籍注册",
        "义务教育阶段新生由学校在全国学籍系统办理注册",
        at="start",
    ),
    Rule(
        "no_plan",
        "plan_only",
        lambda facts: facts.quota is None or facts.quota.places is None,
        "州教育局还没有给本校下达今年的普通高中招生计划",
        "请联系州教育局录入招生计划；计划录入后即可办理",
        at="start",
    ),
    Rule(
        "no_list",
        "as_admitted",
        lambda facts: facts.quota is not None and facts.quota.admitted is None,
        "州教育局还没有导入今年的录取名单，名单不能核对",
        "请联系州教育局导入录取名单",
        field=ROSTER,
    ),
    Rule(
        "empty_roster",
        f"{ID}.offered",
        lambda facts: not facts.standing_rows,
        "名单里还没有学生",
        "请导入登记表，或从录取名单中选取",
        field=ROSTER,
    ),
    Rule(
        "over_plan",
        "plan_only",
        over_plan,
        told_over_plan,
        "计划外不能建立学籍。请核对名单；计划有调整的，请州教育局先更新招生计划",
        field=ROSTER,
    ),
    Rule(
        "rows", "as_admitted", lambda facts: bool(stops(facts)), told_rows, "请逐行按提示处理", field=ROSTER
    ),
    Rule(
        "actual_over_plan",
        "plan_only",
        actual_over_plan,
        lambda facts: f"实际招生人数超出招生计划（{facts.quota.places if facts.quota else ''} 人）",
        "计划外不能招生。请核对人数",
        field="actual",
    ),
    Rule(
        "applied_over_actual",
        f"{ID}.offered",
        applied_over_actual,
        "申请注册人数多于实际招生人数",
        "请核对实际招生人数；没有报到的学生请从名单中删去",
        field="actual",
    ),
)


# --- papers, chain, forms -------------------------------------------------------------------------------------------


def letters(facts: Facts) -> Iterator[Piece]:
    """A correction letter for each row that differs, from the county where the examination was sat. Of a struck row the
    letter that came stays to be seen."""
    for row in facts.roster:
        if differs(row) and row["exam_number"].isalnum() and (row.standing or has_letter(facts, row)):
            title = f"信息更正便函（{row['name']}，准考证号 {row['exam_number']}）"
            issuer = f"{row.exam_county}教育局" if row.exam_county else ""
            yield Piece(row["exam_number"], title, issuer, (row.values, row.admitted or {}))


EVIDENCE = (
    Evidence(
        id=LETTER,
        title="信息更正便函",
        issuer="中考报名所在县市教育局",
        help="便函原件，盖章清晰；证明材料的复印件一并上传在这里。",
        article=f"{ID}.letter",
        when=lambda facts: next(letters(facts), None) is not None,
        paper="other",
        titles=("信息更正", "更正便函", "更正函"),
        issuers=("教育局", "教育和科学技术局", "招生办公室"),
        each=letters,
    ),
)

CHAIN = (
    Step("county_review", "县级审核", Office.COUNTY, "reviewer", when=lambda facts: facts.school.has_county),
    Step("state_approval", "州级审批", Office.STATE, "approver"),
)


def place_name(office: str) -> str:
    """An education bureau's county or state, as it stands in a title: 青禾县教育局 -> 青禾县."""
    return office.removesuffix("局").removesuffix("教育") if office.endswith("教育局") else office


def form_names(facts: Facts) -> Mapping[str, str]:
    """The «names» of both forms that only this procedure knows."""
    above, quota, numbers = facts.school.supervisors, facts.quota, facts.numbers
    state = place_name(above.get(Office.STATE, ""))
    approved = len(facts.standing_rows)
    by_county = sum(row.strike is None or row.strike.step != "county_review" for row in facts.roster)
    given = numbers.upto(approved) if numbers and approved else None
    county_says = any(one.step == "county_review" and one.verb == "approved" for one in facts.opinions)
    state_says = any(one.step == "state_approval" and one.verb == "approved" for one in facts.opinions)
    in_county, words = facts.school.has_county, facts.setting("form_words")
    return {
        "year_title": f"{year(facts)}{facts.setting('year_word')}",
        "county_title": place_name(above.get(Office.COUNTY, "")) if in_county else state,
        "state_title": state,
        "state_word": words["state"],
        "county_word": words["county"],
        "province": words["province"],
        "places": _figure(quota.places if quota else None),
        "actual": _figure(facts.answers.get("actual")),
        "applied": _figure(applied(facts)),
        "first": numbers.first if numbers else TO_WRITE_IN,
        "last": numbers.last if numbers else TO_WRITE_IN,
        "graduates": _figure(quota.county_graduates if quota and in_county else None),
        "county_places": _figure(quota.county_places if quota and in_county else None),
        "county_agreed": _figure(by_county) if county_says else "",
        "county_signer": COUNTY_SIGNER if in_county else NOT_NEEDED,
        "county_seal": enrolment_forms.SEAL if in_county else "",
        "state_agreed": _figure(approved) if state_says else TO_WRITE_IN,
        "state_first": given.first if given and state_says else TO_WRITE_IN,
        "state_last": given.last if given and state_says else TO_WRITE_IN,
    }


def _figure(value: object) -> str:
    return str(value) if isinstance(value, int) else ""


def register_rows(facts: Facts) -> Mapping[str, tuple[Mapping[str, str], ...]]:
    """The rows of the 登记表, by 学号 ascending."""
    rows = sorted(facts.standing_rows, key=lambda row: (row.number, row.position))
    return {"pupils": tuple(_register_row(facts, row) for row in rows)}


def _register_row(facts: Facts, row: RosterRow) -> Mapping[str, str]:
    cells = {column.key: shown(column.key, row[column.key]) for column in COLUMNS}
    return {**cells, "number": row.number, "school": facts.school.name}


WORKFLOW = Workflow(
    id=ID,
    title="普通高中新生学籍注册",
    purpose="按招生计划和录取名单为高一新生注册学籍，一所学校一份名单，学号连续编排。",
    form=EnrolmentForm,
    pages=(Page("figures", "招生人数", ("actual",), "申请注册人数、学号和招生计划由系统按名单和计划填写。"),),
    evidence=EVIDENCE,
    rules=(*RULES, *evidence_rules(EVIDENCE)),
    chain=CHAIN,
    may_change=frozenset(
        {
            "name",
            "sex",
            "ethnicity",
            "birth_date",
            "id_type",
            "id_number",
            "school_code",
            "stage",
            "grade",
            "class_name",
            "enrolment_status",
            "school_number",
        }
    ),
    changes=lambda _facts: {},  # of no single pupil; what becomes of the rows, Roster.enters says
    printouts=(
        Printout(
            "approval-form",
            "普通高中新生学籍注册审批表",
            "enrolment_approval.docx",
            form_names,
            labels=enrolment_forms.LABELS,
            sheet=enrolment_forms.APPROVAL,
        ),
        Printout(
            "register-form",
            "普通高中学生学籍注册登记表",
            "enrolment_register.docx",
            form_names,
            register_rows,
            enrolment_forms.LABELS,
            enrolment_forms.REGISTER,
            seal="copy",  # 附件2 has one place for it, 填表单位（盖章） above the list
        ),
    ),
    number_prefix="XS",
    roster=ROSTER_LAW,
)
