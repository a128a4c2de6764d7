"""关键信息变更: whether the new number is one, whose it is, and whether number, birth date and sex agree afterwards."""

from __future__ import annotations

from portal.standards import id_number
from portal.standards.columns import BY_KEY
from portal.workflows._key_items import after, new_values
from portal.workflows.facts import ANOTHER, Facts
from portal.workflows.vocabulary import Rule


def number_follows_gb11643(facts: Facts) -> bool:
    return facts.pupil["id_type"] in ("", id_number.RESIDENT_CARD)


def new_number_fault(facts: Facts) -> id_number.Fault | None:
    number = new_values(facts).get("id_number", "")
    return id_number.fault_in(number, facts.today) if number and number_follows_gb11643(facts) else None


def _number_taken_text(facts: Facts) -> str:
    named = [str(one) for one in facts.held_elsewhere["id_number"] if one.school]
    told = [f"新身份证件号已登记在{'、'.join(named)}名下"] if named else []
    return "；".join([*told, *([ANOTHER] if len(named) < len(facts.held_elsewhere["id_number"]) else [])])


def is_of_another_paper(facts: Facts) -> bool:
    """Whether the new number is a resident's, while the register says that the pupil's paper is one without such a number."""
    number = new_values(facts).get("id_number", "")
    return (
        facts.pupil["id_type"] in facts.setting("other_papers")
        and bool(number)
        and id_number.fault_in(number, facts.today) is None
    )


def resulting_number_is_sound(facts: Facts) -> bool:
    """The number that will stand can be compared with birth date and sex, and this case touches one of the three."""
    touched = {"id_number", "birth_date", "sex"} & new_values(facts).keys()
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
    written = after(facts, "sex")
    return written in ("1", "2") and id_number.sex(after(facts, "id_number")) != written


def _number_fault_text(facts: Facts) -> str:
    fault = new_number_fault(facts)
    return fault.reason if fault else ""


NUMBER_RULES = (
    Rule(
        "id_number_wrong",
        "gb11643",
        lambda facts: new_number_fault(facts) is not None,
        _number_fault_text,
        "请对照户口簿逐位核对",
        field="new_id_number",
    ),
    Rule(
        "number_of_another_paper",
        "key_information_change.other_papers",
        is_of_another_paper,
        lambda facts: (
            f"该生登记的身份证件类型是“{BY_KEY['id_type'].shown(facts.pupil['id_type'])}”，新号码却是居民身份证号"
        ),
        "号码抄自居民身份证的，先在全国学籍系统更正身份证件类型后重新导入；不是的，请照该证件填写",
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
)
