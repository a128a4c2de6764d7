"""关键信息变更: a pupil's name, identity number, birth date or sex is corrected after the household register.

Sources: 临州教学管发〔2022〕5号 三（一）1; 教办基〔2022〕290号 三; 安阳市北关区中小学学籍管理办法（暂行）第九条.
Which fields are key, which cause explains which of them, which paper proves which change and who decides at which stage are
values of the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import RadioField, SelectMultipleField, TextAreaField
from wtforms.validators import InputRequired, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.forms import ChineseDateField, LineField, VisibleLength, choices
from portal.standards import dates, names
from portal.standards.columns import BY_KEY
from portal.workflows import _guardian, _key_causes
from portal.workflows._key_items import CHANGEABLE, chosen, new_values, one_of, picked, proofs, unchanged
from portal.workflows._key_numbers import NUMBER_RULES
from portal.workflows.evidence_rules import evidence_rules
from portal.workflows.facts import Facts, Office, OtherCase
from portal.workflows.vocabulary import Evidence, Names, Page, Printout, Rule, Step, Workflow

ID = "key_information_change"
REQUIRED = InputRequired("请填写此项")


class KeyInformationForm(_guardian.GuardianForm):
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
        [InputRequired("请写明变更原因"), VisibleLength(4, 300, "请用 4 到 300 个字写明变更原因")],
        description="将印在审批表上，例如：户口簿登记姓名有误，派出所已更正。",
        render_kw={"rows": 3},
    )
    new_name = LineField("新姓名", [REQUIRED], description="与户口簿逐字一致；少数民族姓名间隔号用“·”。")
    new_former_name = RadioField(
        "曾用名", validate_choice=False, description="办理后学籍登记的曾用名；以户口簿上的曾用名为准。"
    )
    new_id_number = LineField(
        "新身份证件号", [REQUIRED], description="18 位居民身份证号，末位 X 大小写均可。"
    )
    new_birth_date = ChineseDateField("新出生日期", [REQUIRED], render_kw={"min": "1990-01-01"})
    new_sex = RadioField("新性别", [InputRequired("请选择性别")], choices=choices([("1", "男"), ("2", "女")]))

    def prepare(self, facts: Facts) -> None:
        self._today = facts.today
        self.fields.choices = choices((key, BY_KEY[key].title) for key in facts.setting("key_fields"))
        cause = self.cause.data or ""
        self.cause.choices = choices(_key_causes.offered(facts, picked(facts, self.fields.data or ()), cause))
        self.new_former_name.choices = choices(_key_causes.former_choices(facts))
        if not self.new_former_name.data:  # what is proposed; it counts once it has been sent
            self.new_former_name.data = _key_causes.usual_former(facts, cause)
        self.prepare_guardian(facts, cause)

    def typed(self) -> dict[str, Any]:
        own = {} if self.new_former_name.raw_data else {_key_causes.FORMER_ANSWER: ""}
        return super().typed() | own

    def validate_new_name(self, field: LineField) -> None:
        if fault := names.name_fault(field.data or ""):
            raise ValidationError(f"{fault.reason}。{fault.remedy}")

    def validate_new_birth_date(self, field: ChineseDateField) -> None:
        if field.data and (fault := dates.fault_of_birth(field.data, self._today)):
            raise ValidationError(f"{fault.reason}。{fault.remedy}")

    def validate_new_former_name(self, field: RadioField) -> None:
        if field.data not in {value for value, *_ in field.iter_choices()}:
            raise ValidationError("请从列出的选项中选择")


def changes(facts: Facts) -> Mapping[str, str]:
    """column -> new stored text, of what was chosen, and of 曾用名 where the old name goes there."""
    return new_values(facts) | _key_causes.new_former(facts)


def asked(facts: Facts) -> frozenset[str]:
    new = {f"new_{key}" for key in chosen(facts)}
    former = {_key_causes.FORMER_ANSWER} if "name" in chosen(facts) else set()
    return frozenset({"fields", "cause", "explanation", *_guardian.FIELDS, *new, *former})


def open_cases(facts: Facts) -> tuple[OtherCase, ...]:
    return tuple(case for case in facts.other_cases if case.workflow == ID)


def problem(facts: Facts) -> str:
    """The kind of problem record that must be settled first, or ""."""
    return next((kind for kind in facts.setting("stopping_problems") if kind in facts.pupil["problem"]), "")


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
    names: Names = "pupil",
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
        names=names,
        one_of=lambda facts: one_of(facts, slot_id),
    )


EVIDENCE = (
    _paper(
        "change_certificate",
        "户籍登记项目变更证明",
        "户籍所在地公安派出所",
        "拍摄原件整张，红章清晰；有多页的全部上传。户籍没有变更、只是学籍登记有误的，上传户籍证明。",
        ("登记项目变更证明", "登记项目变更更正证明", "变更更正证明", "登记项目更正证明", "户籍证明"),
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
        names="household",
    ),
    _paper(
        "identity_card",
        "居民身份证",
        "公安机关",
        "学生本人的居民身份证，人像面和国徽面都要。",
        ("居民身份证",),
        paper="other",
        pages=("人像面", "国徽面"),
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
        "cause_misfit",
        "key_information_change.causes",
        lambda facts: bool(_key_causes.cause_fault(facts)),
        _key_causes.cause_fault,
        "请选择能说明所选全部项目的原因；原因不同的项目，先办结一件再办另一件",
        field="cause",
        cites=_key_causes.cause_article,
    ),
    Rule(
        "value_unchanged",
        "key_information_change.key_fields",
        lambda facts: bool(unchanged(facts)),
        lambda facts: f"新值与学籍登记的原值相同：{'、'.join(unchanged(facts))}",
        "请填写证明上的新值；不需要变更的项目请取消勾选",
    ),
    *NUMBER_RULES,
    *_guardian.guardian_rules(ID),
    *evidence_rules(EVIDENCE),
)


def form_names(facts: Facts) -> Mapping[str, str]:
    """The «names» of 关键信息变更审批表 that only this procedure knows."""
    cause = _key_causes.cause_of(facts)
    return {
        "cause": str(cause["title"]) if cause else "",
        "explanation": str(facts.answer("explanation")),
        **_guardian.guardian_names(facts),
    }


WORKFLOW = Workflow(
    id=ID,
    title="关键信息变更",
    purpose="学生姓名、身份证件号、出生日期、性别以户籍为准作更正，学籍号不变。",
    form=KeyInformationForm,
    pages=(
        Page(
            "what",
            "变更什么",
            ("fields", "cause", "explanation", *_guardian.FIELDS),
            "以公安机关证明上载明的项目为准。",
            steers=("fields", "cause"),
        ),
        Page(
            "values",
            "新旧对照",
            ("new_name", "new_former_name", "new_id_number", "new_birth_date", "new_sex"),
            "左边是学籍现有登记，右边填写证明上的新值。",
        ),
    ),
    evidence=EVIDENCE,
    rules=RULES,
    chain=CHAIN,
    may_change=frozenset({*CHANGEABLE, _key_causes.FORMER}),
    changes=changes,
    printouts=(
        Printout(
            "approval-form",
            "关键信息变更审批表",
            "key_information_change.docx",
            form_names,
            later=frozenset(_guardian.FIELDS),
        ),
    ),
    number_prefix="GJ",
    compare={f"new_{key}": key for key in CHANGEABLE} | {_key_causes.FORMER_ANSWER: _key_causes.FORMER},
    relevant=asked,
    unique=frozenset({"id_number"}),
    asked_by=_guardian.asked_by,
)
