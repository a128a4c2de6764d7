"""The official form: its blank, what stands in it, and how it looks on paper."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from docx import Document
from docx.oxml.ns import qn
from flask import Flask

from portal.cases import docx_forms, printed, printing
from portal.extensions import db
from portal.models import AuditRecord, RegisterChange
from portal.printouts import FOLDER, blanks
from portal.standards import id_number, names
from portal.workflows import WORKFLOWS, _guardian, workflow
from portal.workflows.vocabulary import Printout
from tests.builders import KEY_CHANGE, Cast, a_case, an_id_number
from tests.cases.forms import ALL_FOUR, ONE, facts, files, pdf_of, said, texts
from tests.services import soffice_path

pytestmark = pytest.mark.pages

PRINTOUT = workflow(KEY_CHANGE).printouts[0]
PRINTED_AT = datetime(2026, 9, 3, 14, 5)
ASKED = {"guardian_name": "买买提·吐尔逊", "guardian_relation": "57", "guardian_day": date(2026, 8, 28)}
LONG = ("经核对公安机关出具的证明与户口簿，情况属实，" * 14)[:300]
# ASVS 1.2.10: what a text field may carry and a form must print unchanged.
PAYLOADS = (
    *("=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"http://x.example\")", "{{ 7*7 }}", "{% if x %}", "{{ cycler.__init__ }}"),
    *("«cause»", "«pupil.name»", "«changes:title»", "<w:t>x</w:t>", "A & B", "a]]>b", "&amp;", "\\u0041", "${x}", "#{x}"),
    *("\U00020000\U0002a6a5", "\U00030edd\U000323af", "\ue000\ue863", "\uf900", "مرحبا بالعالم", "שלום", "a\u202eb", "e\u0301"),
    *("买买提·阿卜杜", "第一行\n第二行", "甲\t乙", "  前后空格  ", "'; DROP TABLE pupils; --", "%s%n", "..\\..\\x", "🙂"),
)  # fmt: skip


def form(given: Any, **changes: Any) -> bytes:
    details: dict[str, Any] = {
        "version": 5,
        "anchor": "1024-3f9a0c12be77",
        "qr_text": "X|y|5|z",
        "status": "已同意",
    }
    return printing.render(PRINTOUT, given, **{**details, "printed_at": PRINTED_AT, **changes})


@pytest.mark.parametrize("name", sorted(blanks.BLANKS))
def test_the_blank_in_the_folder_is_the_one_that_is_drawn(name: str) -> None:
    kept, drawn = (
        {n: z.read(n) for n in z.namelist()}
        for z in map(_zip, ((FOLDER / name).read_bytes(), blanks.BLANKS[name]()))
    )
    assert kept == drawn


@pytest.mark.parametrize(
    "printout", [(law, one) for law in WORKFLOWS for one in law.printouts], ids=lambda p: p[1].blank
)
def test_every_name_of_a_blank_is_known(printout: Any) -> None:
    law, one = printout
    plain, in_rows = docx_forms.names_in(FOLDER / one.blank)
    texts_known, groups_known = printing.known_names(law, one)
    assert {"case_number", "version", "anchor", "qr"} <= plain <= texts_known
    assert {group for group, _ in in_rows} <= groups_known
    assert in_rows or plain & one.names(printing.facts_of_nobody(law)).keys()  # it says something of the case


def test_an_unknown_name_is_not_printed_as_nothing() -> None:
    with pytest.raises(KeyError):
        docx_forms.fill(FOLDER / PRINTOUT.blank, docx_forms.Filling({}), docx_forms.About("", "", PRINTED_AT))


def test_east_asian_font_is_named_everywhere() -> None:
    document = Document(io.BytesIO(form(facts())))
    for style in document.styles.element.findall(qn("w:style")):
        if style.get(qn("w:type")) in ("paragraph", "character"):
            assert style.rPr.rFonts.get(qn("w:eastAsia")) == "SimSun", style.get(qn("w:styleId"))
    runs = list(document.element.body.iter(qn("w:r"))) + list(
        document.sections[0].footer._element.iter(qn("w:r"))
    )
    assert len(runs) > 40
    assert {run.rPr.rFonts.get(qn("w:eastAsia")) for run in runs} == {"SimSun", "SimHei"}


def test_the_cells_hold_the_register_and_the_answers() -> None:
    opinions = (said("county_review", note="证明与户口簿一致。"), said("state_approval", day=3))
    found = texts(form(facts(ALL_FOUR, evidence=files(3), opinions=opinions)))
    row = ["姓名", "马小一", "性别", "男", "民族", "回族", "出生日期", "2010-05-06"]
    assert found[found.index("姓名") :][: len(row)] == row
    assert found[found.index("学籍号") + 1] == "L622999201005060001"
    assert found[found.index("身份证件号") + 1] == "62299920100506001X"
    assert found[found.index("学校") + 1] == "青禾县第一高级中学"
    assert found[found.index("年级班级") + 1] == "高一 1班"
    start = found.index("变更后内容") + 1
    changed = [cell for cell in found[start : start + 20] if cell != "变更内容"]
    assert changed[:12] == [
        *("姓名", "马小一", "马晓明"),
        *("性别", "男", "女"),
        *("身份证件号", "62299920100506001X", "622999201006070020"),
        *("出生日期", "2010-05-06", "2010-06-07"),
    ]
    assert "户籍登记有误，公安机关已更正\n户口簿登记姓名有误，派出所已更正。" in found
    sign = "负责人（签名）：\t（盖章）\t年　　月　　日"
    assert f"现提交本表所列事项，请予审核。\n经办人：王敏　2026年9月1日提交\n{sign}" in found
    assert f"同意。证明与户口簿一致。\n经办人：李强　2026年9月2日办理\n{sign}" in found
    assert f"同意。\n经办人：赵芳　2026年9月3日办理\n{sign}" in found
    assert found[-2:] == [
        "依据：临州教学管发〔2022〕5号 三（一）1",
        "版本：第 5 版　打印时间：2026-09-03 14:05　存证码：1024-3f9a0c12be77",
    ]
    assert any("编号：GJ2026000123　　状态：已同意" in cell for cell in found)


def test_who_asked_stands_on_the_form_with_a_place_for_the_signature() -> None:
    found = texts(form(facts({**ONE, **ASKED})))
    row = ["姓名", "买买提·吐尔逊", "关系", "继父或养父", "日期", "2026-08-28", "签名："]
    assert found[found.index("申请人") + 1 :][: len(row)] == row
    empty = texts(form(facts(ONE)))
    assert empty[empty.index("申请人") + 1 :][: len(row)] == ["姓名", "", "关系", "", "日期", "", "签名："]


def test_a_name_that_came_onto_the_blank_later_counts_only_where_it_is_filled_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So a form that was printed before it had the name is still the same form when it comes back stamped."""

    def code(answers: dict[str, Any]) -> str:
        return printing.qr_text(PRINTOUT, facts(answers), version=1, key="k")

    now = code(ONE), code({**ONE, **ASKED})
    monkeypatch.setattr(_guardian, "guardian_names", lambda _facts: {})
    assert now[0] == code(ONE) != now[1]


def test_the_old_name_that_is_kept_stands_among_the_changes() -> None:
    found = texts(form(facts({**ONE, "new_former_name": "old"})))
    start = found.index("变更后内容") + 1
    cells = [cell for cell in found[start : start + 9] if cell != "变更内容"]
    assert cells[:6] == [*("姓名", "马小一", "马晓明"), *("曾用名", "（空）", "马小一")]


def test_files_are_listed_with_their_fingerprints_and_unused_rows_struck_through() -> None:
    found = texts(form(facts(ONE, evidence=files(2))))
    start = found.index("文件指纹（前 12 位）") + 1
    listed = [cell for cell in found[start : start + 16] if not cell.startswith("证明材料")][:12]
    assert listed == [
        *("1", "户籍注销证明", "1 页", "020202020202"),
        *("2", "户口簿（首页和本人页）", "2 页", "010101010101"),
        *("—", "—", "—", "—"),
    ]
    assert found.count("—") == 3 * 3 + 4


def test_many_files_are_listed_by_kind_of_paper_with_every_fingerprint() -> None:
    given = files(8, slot="household_book") + files(1, slot="change_certificate")
    found = texts(form(facts(ONE, evidence=given)))
    assert "户口簿（首页和本人页）（8 份）" in found
    assert " ".join(file.sha256[:12] for file in given[:8]) in found


def test_an_office_that_need_not_approve_says_so_and_has_no_place_to_sign() -> None:
    compulsory = texts(form(facts(ONE, pupil={"stage": "初中"})))
    assert [cell for cell in compulsory if "无需本级审批" in cell] == ["按规定无需本级审批。\n"]
    state_run = texts(form(facts(ONE, above={"state": "云岭州教育局"})))
    assert [cell for cell in state_run if "无需本级审批" in cell] == ["按规定无需本级审批。\n"]
    both = texts(form(facts(ONE)))
    assert not any("无需本级审批" in cell for cell in both)
    assert sum("负责人（签名）" in cell for cell in both) == 3


def test_opinions_before_a_return_are_void_and_a_rejection_is_printed() -> None:
    history = (said("county_review", note="初次同意"), said("state_approval", "returned"))
    assert not any("初次同意" in cell for cell in texts(form(facts(ONE, opinions=history))))
    again = (*history, said("county_review", "rejected", "证明与本人不符"))
    assert any(
        cell.startswith("不同意。证明与本人不符\n") for cell in texts(form(facts(ONE, opinions=again)))
    )


def test_a_draft_says_that_it_is_none_of_the_office_s_business_yet() -> None:
    found = texts(form(facts(ONE, submitted_on=None), status="草稿"))
    assert any("状态：草稿，未提交" in cell for cell in found)
    assert not any("经办人" in cell for cell in found)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_texts_are_printed_unchanged_and_never_read_as_anything_else(payload: str) -> None:
    given = facts(
        {**ONE, "explanation": payload, "new_name": payload}, pupil={"name": payload}, applicant=payload
    )
    found = texts(form(given, status=payload))
    assert found[found.index("姓名") + 1] == payload
    assert f"依法更改姓名\n{payload}" in found
    assert found.count(payload) >= 2  # particulars, before
    assert names.tidy(payload) in found  # what is asked for is read as a name
    assert any(f"经办人：{payload}　2026年9月1日提交" in cell for cell in found)


def test_what_xml_cannot_hold_is_left_out_and_nothing_fails() -> None:
    bad = "马\x00小\x0b一\x1f\ufffe\ud800\x7f"
    found = texts(form(facts({**ONE, "explanation": bad}, pupil={"name": bad})))
    assert found[found.index("姓名") + 1] == "马小一\x7f"


def test_a_name_split_over_runs_is_found_and_keeps_its_format(tmp_path: Path) -> None:
    blank, document = tmp_path / "blank.docx", Document()
    paragraph = document.add_paragraph()
    for piece, bold in (("编号 «ca", None), ("se_num", True), ("ber», 状态 «sta", True), ("tus»", None)):
        paragraph.add_run(piece).bold = bold
    document.save(str(blank))
    made = docx_forms.fill(
        blank,
        docx_forms.Filling({"case_number": "«status»", "status": "已同意"}),
        docx_forms.About("", "", PRINTED_AT),
    )
    runs = Document(io.BytesIO(made)).paragraphs[0].runs
    assert [(run.text, run.bold) for run in runs] == [
        ("编号 «status»", None),
        ("", True),
        (", 状态 已同意", True),
        ("", None),
    ]


def test_rows_are_copied_where_the_blank_has_too_few() -> None:
    found = texts(form(facts(ONE, evidence=files(6))))
    assert [cell for cell in found if cell in "123456" and cell] == list("123456")


def test_the_same_arguments_give_the_same_bytes() -> None:
    first, second = form(facts(ALL_FOUR)), form(facts(ALL_FOUR))
    assert first == second
    assert {info.date_time for info in _zip(first).infolist()} == {(1980, 1, 1, 0, 0, 0)}
    about = Document(io.BytesIO(first)).core_properties
    assert (about.title, about.subject, about.created.replace(tzinfo=None)) == (
        "关键信息变更审批表",
        "GJ2026000123",
        PRINTED_AT,
    )


def test_the_qr_code_is_readable_and_names_nobody() -> None:
    given = facts(ALL_FOUR)
    text = printing.qr_text(PRINTOUT, given, version=5, key="k")
    assert text.rsplit("|", 1)[0] == "GJ2026000123|approval-form|5" and len(text.rsplit("|", 1)[1]) == 12
    package = _zip(form(given, qr_text=text))
    (picture,) = [name for name in package.namelist() if name.startswith("word/media/")]
    image = cv2.imdecode(np.frombuffer(package.read(picture), np.uint8), cv2.IMREAD_GRAYSCALE)
    bordered = cv2.copyMakeBorder(image, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=255)
    assert cv2.QRCodeDetector().detectAndDecode(bordered)[0] == text


def test_other_contents_or_another_key_give_another_digest() -> None:
    def text(given: Any, key: str = "k") -> str:
        return printing.qr_text(PRINTOUT, given, version=5, key=key)

    assert text(facts()) == text(facts())
    assert (
        len(
            {
                text(facts()),
                text(facts(), "other"),
                text(facts(ALL_FOUR)),
                text(facts(pupil={"name": "马小二"})),
            }
        )
        == 4
    )


SHAPES = {
    "full": facts(
        {**ALL_FOUR, "explanation": LONG},
        evidence=files(6),
        pupil={"name": "买买提·阿卜杜热合曼"},
        opinions=(said("county_review", note=LONG), said("state_approval", note=LONG, day=3)),
    ),
    "asked for, with the old name kept": facts(
        {**ALL_FOUR, **ASKED, "new_former_name": "old"},
        evidence=files(3),
        opinions=(said("county_review", note="证明与户口簿一致。"), said("state_approval", day=3)),
    ),
    "minimal": facts(ONE, evidence=files(1), above={"state": "云岭州教育局"}, submitted_on=None),
    "thirty files": facts(
        ALL_FOUR, evidence=files(30), opinions=(said("county_review"), said("state_approval", day=3))
    ),
}


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_it_is_one_a4_page_with_all_its_text(shape: str, tmp_path: Path) -> None:
    given = SHAPES[shape]
    pdf = pdf_of(form(given), tmp_path, soffice_path())
    assert len(pdf) == 1
    width, height = pdf[0].get_size()
    assert (round(width * 25.4 / 72), round(height * 25.4 / 72)) == (210, 297)
    text = "".join(pdf[0].get_textpage().get_text_range().split())
    for expected in (
        given.pupil["id_number"],
        "马晓明",
        "州(市)级教育行政部门意见",
        "存证码：1024-3f9a0c12be77",
    ):
        assert expected in text
    if shape == "full":
        assert text.count("情况属实，经核对公安机关") >= 30


def test_a_printout_can_bring_names_and_rows_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank, document = tmp_path / "own.docx", Document()
    document.add_paragraph("«case_number» «motto» «qr»")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "«pupils:name»", "«pupils:grade»"
    document.save(str(blank))
    monkeypatch.setattr(printing, "FOLDER", tmp_path)
    own = Printout(
        "own",
        "花名册",
        "own.docx",
        lambda _facts: {"motto": "勤学"},
        lambda _facts: {"pupils": ({"name": "甲", "grade": "高一"}, {"name": "乙", "grade": "高二"})},
    )
    made = Document(io.BytesIO(printing.render(own, facts(), version=1, anchor="", qr_text="x")))
    assert made.paragraphs[0].text == "GJ2026000123 勤学 "
    assert [[cell.text for cell in row.cells] for row in made.tables[0].rows] == [
        ["甲", "高一"],
        ["乙", "高二"],
    ]


# --- with a real case ---------------------------------------------------------------------------------------------


def test_an_approved_case_prints_what_the_register_held_before(app: Flask) -> None:
    cast = Cast()
    old_name, old_number = cast.pupil.name, cast.pupil.id_number
    number = an_id_number()
    answers = {
        **ONE,
        "fields": ["name", "id_number"],
        "cause": "household_corrected",
        "new_id_number": number,
    }
    first = a_case(cast, "approved", answers=answers)
    a_case(cast, "approved", answers={**ONE, "new_name": "马晓光"})
    db.session.commit()
    (order,) = printed.orders(first)
    found = texts(printed.make(order, printed.record([order], "k")[0], "k"))
    changes = db.session.query(RegisterChange).filter_by(case_id=first.id).all()
    assert {(one.before, one.after) for one in changes} == {(old_name, "马晓明"), (old_number, number)}
    for change in changes:
        assert found[found.index(change.after) - 1] == change.before
    assert found[found.index("姓名") + 1] == old_name
    assert id_number.fault_in(found[found.index("身份证件号") + 1], order.facts.today) is None
    assert any("状态：已同意" in cell for cell in found)
    assert sum(cell.startswith("同意。\n经办人：测试") for cell in found) == 2


def test_each_printing_leaves_a_record_and_the_form_names_it(app: Flask) -> None:
    cast = Cast()
    case = a_case(cast, "county_review")
    db.session.commit()
    orders = printed.orders(case)
    (anchor,) = printed.record(orders, "k")
    record = db.session.query(AuditRecord).order_by(AuditRecord.seq.desc()).first()
    assert record is not None and record.action == "case.printed" and record.object_id == str(case.id)
    assert anchor == f"{record.seq}-{record.digest[:12]}"
    said = printing.qr_text(orders[0].printout, orders[0].facts, version=case.version, key="k")
    assert f"{case.number}|{record.body['printout']}|{record.body['version']}|{record.body['digits']}" == said
    assert not any(
        text in str(record.body["parts"]) for text in (cast.pupil.name, cast.pupil.id_number, "马晓明")
    )
    assert any(f"存证码：{anchor}" in cell for cell in texts(printed.make(orders[0], anchor, "k")))
    db.session.rollback()
    assert orders[0].file_name == f"{case.number}_关键信息变更审批表_{cast.pupil.name}.docx"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("GJ1_a/b\\c:d", "GJ1_a_b_c_d"),
        ("../../etc", "_.._etc"),
        ("买买提·阿卜杜 \U00030edd\ue863", "买买提·阿卜杜 \U00030edd\ue863"),
        ("a\x00\u202eb\n.", "ab"),
        ("\u202e", "未命名"),
    ],
)
def test_file_names_are_safe_everywhere(name: str, safe: str) -> None:
    assert printed.safe_file_name(name) == safe


def _zip(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(data))
