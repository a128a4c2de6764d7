"""Who is on the list of the admitted: found again, narrowed, where they stand, as a workbook; each sees their own."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from portal import tasks
from portal.cases import clock
from portal.cases.intake import admitted_people, not_reported, plans
from portal.cases.intake.admitted_people import STATES, Wanted
from portal.cases.intake.scope import Scope, scope_of
from portal.extensions import db
from portal.models import AdmittedList, AuditRecord, Office, Postponement, Preference, RosterRow
from portal.standards.school_year import year_of_entry
from tests.builders import act
from tests.cases.forms import enter
from tests.intakes import a_list, a_roster, people
from tests.web.test_intake import Intake, cells, look, soup
from tests.web.test_query_counts import asked_for

pytestmark = pytest.mark.pages

PAGE = "/intake/admitted/people"


def year() -> int:
    return year_of_entry(clock.today())


def listed(count: int = 6) -> tuple[Intake, list[dict[str, str]]]:
    """The first school with `count` people, the second and that of the other county with two each."""
    cast, ones = Intake(), people(count)
    cast.plan(count, 8, 6, 4, year=year())
    every = {cast.school: ones, cast.second: people(2, 500), cast.third: people(2, 600)}
    a_list(cast.state, cast.approver, every)
    db.session.commit()
    return cast, ones


def numbers(page: Any) -> list[str]:
    return [line[0] for line in cells(page)]


def find(app: Flask, who: Any, text: str, **more: str) -> Any:
    client = enter(app, who)
    answer = client.post(PAGE, data={"q": text, **more})
    assert answer.status_code == 303 and not (text and text in answer.headers["Location"])
    return soup(client.get(answer.headers["Location"]))


def test_each_sees_the_people_of_their_own_schools(app: Flask) -> None:
    cast, ones = listed()
    own = [one["exam_number"] for one in ones]
    second = [one["exam_number"] for one in people(2, 500)]
    third = [one["exam_number"] for one in people(2, 600)]
    assert numbers(look(app, cast.approver, PAGE)) == own + second + third
    assert numbers(look(app, cast.reviewer, PAGE)) == own + second
    assert numbers(look(app, cast.reviewer_2, PAGE)) == third
    page = look(app, cast.registrar, PAGE)
    assert numbers(page) == own and not page.select("#school")
    first = cells(page)[0]
    assert first[:5] == [own[0], ones[0]["name"], "男", "东乡族", ones[0]["birth_date"]]
    assert ones[0]["id_number"] not in page.get_text() and first[5].startswith(ones[0]["id_number"][:6] + "*")
    assert first[6] == ones[0]["exam_score"]
    narrowed = look(app, cast.reviewer, f"{PAGE}?school={cast.second.id}")
    assert numbers(narrowed) == second
    foreign = look(app, cast.registrar, f"{PAGE}?school={cast.second.id}")
    assert numbers(foreign) == own, "a school out of reach is no school"
    assert second[0] not in find(app, cast.registrar, second[0]).get_text().replace(f"查找：{second[0]}", "")
    for who in (cast.administrator, cast.head, cast.junior):
        assert enter(app, who).get(PAGE).status_code == 404
        assert enter(app, who).post(PAGE, data={"q": "马"}).status_code == 404
    assert enter(app, cast.auditor).get(f"{PAGE}/list.xlsx").status_code == 404
    seen = select(AuditRecord).where(AuditRecord.action == "intake.admitted_viewed")
    assert len(list(db.session.scalars(seen))) == 7


@pytest.mark.both_pairs
def test_somebody_is_found_by_number_name_or_identity_number(app: Flask) -> None:
    cast, ones = listed()
    one = ones[2]
    assert numbers(find(app, cast.registrar, one["exam_number"])) == [one["exam_number"]]
    assert len(numbers(find(app, cast.registrar, one["exam_number"][:8]))) == 6
    assert numbers(find(app, cast.registrar, one["name"])) == [one["exam_number"]]
    page = find(app, cast.reviewer, one["id_number"].lower())
    assert numbers(page) == [one["exam_number"]] and one["id_number"] not in str(page)
    assert page.select("main table") and page.select_one("main form button[name=q]")
    part = find(app, cast.reviewer, one["id_number"][:12])
    assert "没有符合条件" in part.get_text() and not part.select("main table")
    assert (
        "或点“查找：…”按钮取消" in part.get_text()
        and "查找：" in part.select_one("button[name=q]").get_text()
    )  # type: ignore[union-attr]
    again = find(app, cast.reviewer, "")
    assert len(numbers(again)) == 8
    kept = select(AuditRecord.body).where(AuditRecord.action == "intake.admitted_searched")
    said = list(db.session.scalars(kept))
    assert {one["by"] for one in said} == {"exam_number", "name", "id_number"}
    assert not any(one["id_number"] in str(body) for body in said for one in ones)


def test_where_somebody_stands_is_shown_as_far_as_the_person_may_see(app: Flask) -> None:
    cast, ones = listed()
    done = cast.approved(ones[:2], 6)
    sent = a_roster(cast.registrar, ones[2:4], 6)
    act(sent, cast.registrar, "submit")
    draft = a_roster(cast.registrar, ones[4:5], 6)
    db.session.commit()
    own = look(app, cast.registrar, PAGE)
    states = [line[-1] for line in cells(own)]
    assert all(one.startswith("已注册") and done.number in one for one in states[:2])
    assert all(one.startswith("已列入名单") and sent.number in one for one in states[2:4])
    assert states[4].startswith("已列入名单") and draft.number in states[4]
    scope = scope_of(cast.registrar)
    assert scope is not None and scope.deadline is not None
    nowhere = "missing" if clock.today() > scope.deadline else "off"
    off = STATES[nowhere]
    assert states[5] == off
    above = look(app, cast.reviewer, PAGE)
    assert cells(above)[4][-1] == off and draft.number not in above.get_text()
    for state, wanted in (("registered", ones[:2]), ("on", ones[2:5])):
        got = numbers(look(app, cast.registrar, f"{PAGE}?state={state}"))
        assert got == [one["exam_number"] for one in wanted]
    newest = plans.list_of(scope.state.id, scope.year)
    assert newest is not None
    counts = admitted_people.count(scope, newest, Wanted())
    assert counts == {"registered": 2, "on": 3, nowhere: 1}


@dataclass(frozen=True)
class Until(Scope):
    """A scope whose rosters are due on `day`: S3 refuses a clock that was moved, so the deadline is."""

    day: date = date.min

    @property
    def deadline(self) -> date:
        return self.day


def everywhere() -> tuple[Intake, list[str]]:
    """Ten people of the first school by exam number: two approved, one struck and one on the same roster, one postponed
    up to today, one whose postponement ended yesterday, one on a roster taken back, one on a draft, two nowhere."""
    cast, ones = listed(10)
    cast.approved(ones[:2], 10)
    sent = a_roster(cast.registrar, ones[2:4], 10)
    act(sent, cast.registrar, "submit")
    rows = select(RosterRow.id).where(RosterRow.case_id == sent.id).order_by(RosterRow.position)
    act(sent, cast.reviewer, "strike", rows=(str(db.session.scalars(rows).first()),), note="录取信息待核")
    back = a_roster(cast.registrar, ones[6:7], 10)
    act(back, cast.registrar, "submit")
    act(back, cast.registrar, "withdraw")
    a_roster(cast.registrar, ones[7:8], 10)
    today, numbers = clock.today(), [one["exam_number"] for one in ones]
    for school, of_year, number, until in (
        (cast.school, year(), numbers[4], today),
        (cast.school, year(), numbers[5], today - timedelta(days=1)),
        (cast.second, year(), numbers[8], today),
        (cast.school, year() - 1, numbers[8], today),
    ):
        db.session.add(
            Postponement(
                school_id=school.id,
                year=of_year,
                exam_number=number,
                reason="因病住院",
                until=until,
                account_id=cast.registrar.id,
            )
        )
    db.session.commit()
    return cast, numbers


@pytest.mark.both_pairs
def test_who_is_missing_on_the_list_is_who_forfeits_at_the_school(app: Flask) -> None:
    """The rule stands twice, in SQL for the list and in Python for the school's page: both sides of the deadline."""
    cast, numbers = everywhere()
    today = clock.today()
    gone = {numbers[place] for place in (5, 6, 8, 9)}
    for who, forfeited in ((cast.registrar, gone), (cast.reviewer, gone | {numbers[7]})):
        own = scope_of(who)
        assert own is not None
        for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
            scope = Until(**vars(own), day=day)
            over = day < today
            listed_as = shown(scope, cast.school)
            absent = not_reported.people(scope, cast.school)
            forfeiting = {one.admitted.exam_number for one in absent if one.forfeits}
            assert listed_as.get("missing", set()) == forfeiting == (forfeited if over else set())
            assert listed_as["off"] == {one.admitted.exam_number for one in absent} - forfeiting
            assert {numbers[2], numbers[4]} <= listed_as["off"], "struck, and postponed up to and with today"


def shown(scope: Scope, school: Office) -> dict[str, set[str]]:
    """{state: exam numbers} as the list shows a school's people; narrowed to a state it shows the same."""
    newest = plans.list_of(scope.state.id, scope.year)
    assert newest is not None
    found: dict[str, set[str]] = {}
    for one in admitted_people.page(scope, newest, Wanted(school=school)).people:
        found.setdefault(one.state, set()).add(one.admitted.exam_number)
    for state in STATES:
        narrowed = admitted_people.page(scope, newest, Wanted(school=school, state=state)).people
        assert {one.admitted.exam_number for one in narrowed} == found.get(state, set())
    return found


@pytest.mark.both_pairs
def test_pages_are_walked_by_keys_that_name_nobody(app: Flask) -> None:
    cast, ones = listed(120)
    every = [one["exam_number"] for one in ones]
    client = enter(app, cast.registrar)
    met, address = [], PAGE
    while address:
        page = soup(client.get(address))
        met.append(numbers(page))
        assert not re.search(r"[?&](after|before)=[^&]*(2262|622999)", address)
        link = page.select_one("nav.pager a[rel=next]")
        address = str(link["href"]) if link else ""
    assert [len(one) for one in met] == [50, 50, 20] and list(chain.from_iterable(met)) == every
    assert "第 101–120 名，共 120 名" in page.get_text()
    back = page.select_one("nav.pager a[rel=prev]")
    page = soup(client.get(str(back["href"])))  # type: ignore[index]
    assert numbers(page) == every[50:100] and "第 51–100 名" in page.get_text()
    page = soup(client.get(str(page.select_one("nav.pager a[rel=prev]")["href"])))  # type: ignore[index]
    assert numbers(page) == every[:50] and not page.select("nav.pager a[rel=prev]")
    for key in ("x", f"{cast.school.id.hex}~3", "~", f"{cast.school.id.hex}~x"):
        assert numbers(soup(client.get(f"{PAGE}?after={key}"))) == every[:50]


def test_the_page_costs_the_same_for_many_people(app: Flask) -> None:
    cast, ones = listed(60)
    cast.approved(ones[:2], 60)
    tasks.wait()
    costs = [asked_for(app, cast.reviewer, f"{PAGE}?state=registered", 2)]
    cast.approved(ones[2:20], 60)
    cast.approved(ones[20:40], 60)
    tasks.wait()
    costs.append(asked_for(app, cast.reviewer, PAGE, 50))
    assert costs[0] == costs[1] <= 25, costs


def test_the_workbook_loads_again_without_a_difference(app: Flask) -> None:
    cast, ones = listed()
    client = enter(app, cast.approver)
    data = client.get(f"{PAGE}/list.xlsx").data
    sheet = load_workbook(io.BytesIO(data)).active
    lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert len(lines) == 11 and lines[0][-2:] == ["录取学校", "中考报名县市"]
    assert ones[0]["id_number"] in lines[1] and cast.school.name in lines[1]
    assert client.post("/intake/admitted", data={"file": (io.BytesIO(data), "名单.xlsx")}).status_code == 303
    page = soup(client.get("/intake/admitted"))
    assert "与第 1 版相比：没有变化。" in page.get_text()
    form = {"seen": page.select_one("input[name=seen]")["value"], "note": "重新来文"}  # type: ignore[index]
    assert client.post("/intake/admitted/confirm", data=form).status_code == 303
    for who, words in ((cast.approver, "与上一版相比：没有变化。"), (cast.registrar, "本单位：没有变化。")):
        first, second = look(app, who, "/intake/admitted").select("ol.history .history-item")[::-1]
        assert words in second.get_text() and "相比" not in first.get_text()
    county = enter(app, cast.reviewer)
    part = load_workbook(io.BytesIO(county.get(f"{PAGE}/list.xlsx?school={cast.second.id}").data)).active
    assert part.max_row == 3
    own = load_workbook(io.BytesIO(enter(app, cast.registrar).get(f"{PAGE}/list.xlsx").data)).active
    assert {row[0].value for row in own.iter_rows(min_row=2)} <= {
        value for one in ones for value in one.values()
    }
    records = select(AuditRecord.body).where(AuditRecord.action == "intake.admitted_exported")
    assert sorted(one["people"] for one in db.session.scalars(records)) == [2, 6, 10]
    assert enter(app, cast.approver).get(f"{PAGE}/list.xlsx?year=2031").status_code == 404


@pytest.mark.both_pairs
def test_versions_tell_each_office_what_changed_for_its_schools(app: Flask) -> None:
    cast, ones = listed()
    client = enter(app, cast.approver)
    sheet = load_workbook(io.BytesIO(client.get(f"{PAGE}/list.xlsx").data))
    page = sheet.active
    head = [cell.value for cell in page[1]]
    name, school = head.index("姓名") + 1, head.index("录取学校") + 1
    page.cell(2, name).value = "马改名"
    page.cell(3, school).value = cast.third.code
    page.delete_rows(4)
    out = io.BytesIO()
    sheet.save(out)
    out.seek(0)
    client.post("/intake/admitted", data={"file": (out, "补录.xlsx")})
    preview = soup(client.get("/intake/admitted"))
    words = "减少 1 人，信息有变 1 人，改录进来 1 人，改录出去 1 人"
    assert f"与第 1 版相比：{words}。" in preview.get_text()
    seen = preview.select_one("input[name=seen]")["value"]  # type: ignore[index]
    form = {"seen": seen, "note": "补录后更换", "document": "云招函〔2026〕7号"}
    wrong = client.post("/intake/admitted/confirm", data=form | {"document": "号" * 81})
    assert wrong.status_code == 422 and "最多 80 个字" in wrong.text and "号" * 81 in wrong.text
    assert client.post("/intake/admitted/confirm", data=form).status_code == 303
    told = look(app, cast.approver, "/intake/admitted").get_text()
    assert f"与上一版相比：{words}。" in told and "云招函〔2026〕7号" in told
    county = look(app, cast.reviewer_2, "/intake/admitted").get_text()
    assert "本单位：改录进来 1 人。" in county
    other = look(app, cast.registrar_2, "/intake/admitted").get_text()
    assert "本单位：没有变化。" in other
    now = look(app, cast.reviewer_2, PAGE)
    assert ones[1]["exam_number"] in numbers(now) and "第 2 版" in now.get_text()
    assert len(list(db.session.scalars(select(AdmittedList)))) == 2


def test_a_file_that_waits_since_another_version_of_the_portal_is_still_shown(app: Flask) -> None:
    cast, _ones = listed()
    client = enter(app, cast.approver)
    data = client.get(f"{PAGE}/list.xlsx").data
    client.post("/intake/admitted", data={"file": (io.BytesIO(data), "名单.xlsx")})
    held = db.session.scalars(select(Preference).where(Preference.key == f"intake.list:{year()}")).one()
    held.value = {key: kept for key, kept in held.value.items() if key != "changes"} | {"added": 0}
    db.session.commit()
    page = soup(client.get("/intake/admitted"))
    assert "名单.xlsx" in page.get_text() and "与第 1 版相比" not in page.get_text()
    form = {"seen": page.select_one("input[name=seen]")["value"], "note": "重新来文"}  # type: ignore[index]
    assert client.post("/intake/admitted/confirm", data=form).status_code == 303
