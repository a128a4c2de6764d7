"""关键信息变更: a pupil's name, identity number, birth date or sex is corrected after the household register.

Sources: 临州教学管发〔2022〕5号 三（一）1; 教办基〔2022〕290号 三; 安阳市北关区中小学学籍管理办法（暂行）第九条.
Which fields are key, which paper proves which change and who decides at which stage are values of the policy.
"""

from __future__ import annotations

from collections.abc import Mapping

from wtforms import RadioField, SelectMultipleField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.forms import AnswersForm, ChineseDateField, LineField, choices
from portal.standards import id_number, names
from portal.standards.columns import BY_KEY
from portal.workflows.evidence_rules import evidence_rules
from portal.workflows.facts import ANOTHER, Facts, Office, OtherCase
from portal.workflows.vocabulary import Evidence, Page, Printout, Rule, Step, Workflow

ID = "key_information_change"
CHANGEABLE = ("name", "id_number", "birth_date", "sex")
REQUIRED = InputRequired("请填写此项")


class KeyInformationForm(AnswersForm):
    """Fields `new_*` are named after the column they replace."""

    fields = SelectMultipleField(
        "变更哪几项",
        [InputRequired("请至少选择一项")],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    cause = RadioField("变更原因", [InputRequired("请选择变更原因")])
    explanation = TextAreaField(
        "变更原因说明",
        [InputRequired("请写明变更原因"), Length(4, 300, "请用 4 到 300 个字写明变更原因")],
        description="将印在审批表上，例如：户口簿登记姓名有误，派出所已更正。",
        render_kw={"rows": 3},
    )
    new_name = LineField("新姓名", [REQUIRED], description="与户口簿逐字一致；少数民族姓名间隔号用“·”。")
    new_id_number = LineField(
        "新身份证件号", [REQUIRED], description="18 位居民身份证号，末位 X 大小写均可。"
    )
    new_birth_date = ChineseDateField("新出生日期", [REQUIRED], render_kw={"min": "1990-01-01"})
    new_sex = RadioField("新性别", [InputRequired("请选择性别")], choices=choices([("1", "男"), ("2", "女")]))

    def prepare(self, facts: Facts) -> None:
        self.fields.choices = choices((key, BY_KEY[key].title) for key in facts.setting("key_fields"))
        self.cause.choices = choices((row["code"], row["title"]) for row in facts.setting("causes"))

    def validate_new_name(self, field: LineField) -> None:
        if fault := names.name_fault(field.data or ""):
            raise ValidationError(f"{fault.reason}。{fault.remedy}")


def chosen(facts: Facts) -> tuple[str, ...]:
    """The columns to be changed, in the order of the register."""
    picked = facts.answer("fields") or ()
    return tuple(key for key in CHANGEABLE if key in picked and key in facts.setting("key_fields"))


def changes(facts: Facts) -> Mapping[str, str]:
    """column -> new stored text, of the chosen columns that have been answered."""
    new: dict[str, str] = {}
    for key in chosen(facts):
        value = facts.answer(f"new_{key}")
        if value:
            text = value if isinstance(value, str) else value.isoformat()
            new[key] = id_number.tidy(text) if key == "id_number" else text
    return new


def asked(facts: Facts) -> frozenset[str]:
    return frozenset({"fields", "cause", "explanation", *(f"new_{key}" for key in chosen(facts))})


def after(facts: Facts, column: str) -> str:
    """The value that the column will hold: the new one, or the register's."""
    return changes(facts).get(column, facts.pupil[column])


def number_follows_gb11643(facts: Facts) -> bool:
    return facts.pupil["id_type"] in ("", id_number.RESIDENT_CARD)


def new_number_fault(facts: Facts) -> id_number.Fault | None:
    number = changes(facts).get("id_number", "")
    return id_number.fault_in(number, facts.today) if number and number_follows_gb11643(facts) else None


def _number_fault_text(facts: Facts) -> str:
    fault = new_number_fault(facts)
    return fault.reason if fault else ""


def _number_taken_text(facts: Facts) -> str:
    named = [str(one) for one in facts.held_elsewhere["id_number"] if one.school]
    told = [f"新身份证件号已登记在{'、'.join(named)}名下"] if named else []
    return "；".join([*told, *([ANOTHER] if len(named) < len(facts.held_elsewhere["id_number"]) else [])])


def resulting_number_is_sound(facts: Facts) -> bool:
    """The number that will stand can be compared with birth date and sex, and this case touches one of the three."""
    touched = {"id_number", "birth_date", "sex"} & changes(facts).keys()
    number = after(facts, "id_number")
    return bool(
        touched and number_follows_gb11643(facts) and number and not id_number.fault_in(number, facts.today)
    )


def birth_date_disagrees(facts: Facts) -> bool:
    if not resulting_number_is_sound(facts):
        return False
    born, written = id_number.birth_date(after(facts, "id_number")), after(facts, "birth_date")
    return bool(born and written and born.isoformat() != written)


def sex_disagrees(facts: Facts) -> bool:
    if not resulting_number_is_sound(facts):
        return False
    return after(facts, "sex") in ("1", "2") and id_number.sex(after(facts, "id_number")) != after(
        facts, "sex"
    )


def open_cases(facts: Facts) -> tuple[OtherCase, ...]:
    return tuple(case for case in facts.other_cases if case.workflow == ID)


def unchanged(facts: Facts) -> list[str]:
    return [BY_KEY[key].title for key, new in changes(facts).items() if new == facts.pupil[key]]


def problem(facts: Facts) -> str:
    """The kind of problem record that must be settled first, or ""."""
    return next((kind for kind in facts.setting("stopping_problems") if kind in facts.pupil["problem"]), "")


def proofs(facts: Facts) -> dict[str, bool]:
    """slot -> required, by what is changed and why, from the policy's table of proofs."""
    found: dict[str, bool] = {}
    for row in facts.setting("proofs"):
        if row["field"] in chosen(facts) and row["cause"] in ("*", facts.answer("cause")):
            found[row["slot"]] = found.get(row["slot"], False) or row["required"]
    return found


def _paper(
    slot_id: str,
    title: str,
    issuer: str,
    help_text: str,
    titles: tuple[str, ...],
    *,
    paper: str = "police-certificate",
    pages: tuple[str, ...] = (),
    shows_new: bool = True,
) -> Evidence:
    return Evidence(
        id=slot_id,
        title=title,
        issuer=issuer,
        help=help_text,
        article=f"{ID}.proofs",
        when=lambda facts: slot_id in proofs(facts),
        required=lambda facts: proofs(facts).get(slot_id, False),
        paper=paper,
        pages=pages,
        titles=titles,
        issuers=("派出所", "公安局", "公安分局", "公安厅"),
        shows_new=shows_new,
    )


EVIDENCE = (
    _paper(
        "change_certificate",
        "户籍登记项目变更证明",
        "户籍所在地公安派出所",
        "拍摄原件整张，红章清晰；有多页的全部上传。",
        ("登记项目变更证明", "登记项目变更更正证明", "变更更正证明", "登记项目更正证明"),
    ),
    _paper(
        "cancellation_certificate",
        "户籍注销证明",
        "户籍所在地公安派出所",
        "重复户口已注销的，上传注销证明原件照片。",
        ("户籍注销证明", "户口注销证明", "注销户口证明"),
        shows_new=False,
    ),
    _paper(
        "household_book",
        "户口簿（首页和本人页）",
        "公安机关",
        "首页和学生本人页各一张，或展开在同一张照片里。",
        ("常住人口登记卡", "常住人口登记表", "居民户口簿", "户口簿"),
        paper="household-page",
        pages=("首页", "本人页"),
    ),
)


def _wants_state(facts: Facts) -> bool:
    """The state decides where the policy says so for this stage, and for schools that no county supervises."""
    chain = facts.setting("chain")
    return "state" in chain.get(facts.pupil["stage"], chain["*"]) or not facts.school.has_county


CHAIN = (
    Step(
        "school_check",
        "学校负责人复核",
        Office.SCHOOL,
        "head",
        when=lambda facts: bool(facts.setting("head_check")),
    ),
    Step(
        "county_review",
        "县级审核",
        Office.COUNTY,
        "reviewer",
        when=lambda facts: facts.school.has_county,
    ),
    Step("state_approval", "州级审批", Office.STATE, "approver", when=_wants_state),
)

RULES = (
    Rule(
        "not_enrolled",
        "key_information_change.open_to_status",
        lambda facts: facts.pupil["enrolment_status"] not in facts.setting("open_to_status"),
        lambda facts: (
            f"该生当前学籍状态为“{BY_KEY['enrolment_status'].shown(facts.pupil['enrolment_status'])}”，不能变更关键信息"
        ),
        "请核对学生状态；状态有误的，先在全国学籍系统更正后重新导入",
        at="start",
    ),
    Rule(
        "open_case",
        "one_change_at_a_time",
        lambda facts: bool(open_cases(facts)),
        lambda facts: (
            f"该生已有未办结的业务：{'、'.join(f'{c.number}（{c.status_text}）' for c in open_cases(facts))}"
        ),
        "请先办结或撤回原有业务",
        at="start",
    ),
    Rule(
        "problem_record",
        "key_information_change.stopping_problems",
        lambda facts: bool(problem(facts)),
        lambda facts: f"该生属于问题学籍（{problem(facts)}），须先处理问题学籍",
        "请先按问题学籍处理办法认定保留哪一份学籍，处理后重新导入",
        at="start",
    ),
    Rule(
        "value_unchanged",
        "key_information_change.key_fields",
        lambda facts: bool(unchanged(facts)),
        lambda facts: f"新值与学籍登记的原值相同：{'、'.join(unchanged(facts))}",
        "请填写证明上的新值；不需要变更的项目请取消勾选",
    ),
    Rule(
        "id_number_wrong",
        "gb11643",
        lambda facts: new_number_fault(facts) is not None,
        _number_fault_text,
        "请对照户口簿逐位核对",
        field="new_id_number",
    ),
    Rule(
        "id_number_taken",
        "one_pupil_one_record",
        lambda facts: bool(facts.held_elsewhere.get("id_number")),
        _number_taken_text,
        "请核对号码；号码无误的，请联系主管教育局查明是否一人多籍",
        field="new_id_number",
    ),
    Rule(
        "birth_date_disagrees",
        "gb11643",
        birth_date_disagrees,
        lambda facts: (
            f"变更后的出生日期 {after(facts, 'birth_date')} 与身份证号中的出生日期"
            f" {id_number.birth_date(after(facts, 'id_number'))} 不一致"
        ),
        "请核对两项；应当一并变更的，请把身份证件号和出生日期都选上",
        field="new_birth_date",
    ),
    Rule(
        "sex_disagrees",
        "gb11643",
        sex_disagrees,
        lambda facts: f"变更后的性别“{BY_KEY['sex'].shown(after(facts, 'sex'))}”与身份证号第 17 位不符",
        "请核对两项；应当一并变更的，请把身份证件号和性别都选上",
        field="new_sex",
    ),
    *evidence_rules(EVIDENCE),
)


def form_names(facts: Facts) -> Mapping[str, str]:
    """The «names» of 关键信息变更审批表 that only this procedure knows."""
    cause = next(
        (row["title"] for row in facts.setting("causes") if row["code"] == facts.answer("cause")), ""
    )
    return {"cause": cause, "explanation": str(facts.answer("explanation"))}


WORKFLOW = Workflow(
    id=ID,
    title="关键信息变更",
    purpose="学生姓名、身份证件号、出生日期、性别以户籍为准作更正，学籍号不变。",
    form=KeyInformationForm,
    pages=(
        Page("what", "变更什么", ("fields", "cause", "explanation"), "以公安机关证明上载明的项目为准。"),
        Page(
            "values",
            "新旧对照",
            tuple(f"new_{key}" for key in CHANGEABLE),
            "左边是学籍现有登记，右边填写证明上的新值。",
        ),
    ),
    evidence=EVIDENCE,
    rules=RULES,
    chain=CHAIN,
    may_change=frozenset(CHANGEABLE),
    changes=changes,
    printouts=(Printout("approval-form", "关键信息变更审批表", "key_information_change.docx", form_names),),
    number_prefix="GJ",
    compare={f"new_{key}": key for key in CHANGEABLE},
    relevant=asked,
    unique=frozenset({"id_number"}),
)
