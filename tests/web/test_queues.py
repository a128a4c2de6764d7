"""The boxes over HTTP: where people begin, filters that stay, names that stay out of addresses, one markup on every way."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.cases import claims, queues
from portal.extensions import db
from portal.models import Case, Preference
from tests.builders import Cast, a_case, a_pupil
from tests.cases.forms import enter

pytestmark = pytest.mark.pages


@pytest.fixture
def cast(app: Flask) -> Cast:
    cast = Cast()
    for name in ("马晓光", "杨桂兰", "古丽·巴合提"):
        a_case(cast, "county_review", pupil=a_pupil(cast.school, name=name))
    db.session.commit()
    return cast


def _committed(cast: Cast) -> Cast:
    db.session.commit()
    return cast


def page_of(client: FlaskClient, address: str, status: int = 200, **options: object) -> BeautifulSoup:
    answer = client.get(address, **options)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def names_on(page: BeautifulSoup) -> set[str]:
    return {link.get_text(strip=True) for link in page.select("tbody td[data-label=学生] a")}


@pytest.mark.parametrize(
    ("person", "where"),
    [
        ("head", "/queue/todo"),
        ("reviewer", "/queue/todo"),
        ("approver", "/queue/todo"),
        ("auditor", "/queue/all"),
    ],
)
def test_people_begin_at_their_box(app: Flask, cast: Cast, person: str, where: str) -> None:
    client = enter(app, getattr(cast, person))
    answer = client.get("/")
    assert answer.status_code == 303 and answer.headers["Location"] == where
    assert client.get(where).status_code == 200


def test_a_registrar_begins_with_an_overview(app: Flask, cast: Cast) -> None:
    case = a_case(cast, "returned")
    db.session.commit()
    client = enter(app, cast.registrar)
    page = page_of(client, "/")
    assert [one.get_text(" ", strip=True) for one in page.select("h2")][:3] == [
        "待补正 1",
        "草稿 0",
        "我发起的 4",
    ]
    assert page.select_one(f"a[href='/cases/{case.id}']")


@pytest.mark.both_pairs
def test_every_tab_opens_and_its_count_is_its_rows(app: Flask, cast: Cast) -> None:
    a_case(cast, "returned")
    db.session.commit()
    client = enter(app, cast.reviewer)
    tabs = page_of(client, "/queue/todo").select(".boxes a")
    assert [tab.span.get_text() for tab in tabs] == ["待办", "待补正", "已办", "已超期", "全部业务"]
    for tab in tabs:
        page = page_of(client, tab["href"])
        assert len(page.select("h1")) == 1
        assert int(tab.select_one(".count").get_text()) == len(page.select("tbody tr")), tab["href"]


@pytest.mark.parametrize(
    ("person", "box"),
    [
        ("reviewer", "drafts"),
        ("registrar", "todo"),
        ("auditor", "done"),
        ("administrator", "all"),
        ("reviewer", "nothing"),
    ],
)
def test_a_box_that_is_not_ones_own_is_not_there(app: Flask, cast: Cast, person: str, box: str) -> None:
    client = enter(app, getattr(cast, person))
    assert client.get(f"/queue/{box}").status_code == 404
    assert client.post(f"/queue/{box}/name", data={"name": "x"}).status_code == 404


def test_another_county_sees_none_of_it(app: Flask, cast: Cast) -> None:
    client = enter(app, _committed(Cast()).reviewer)
    for box in ("todo", "all", "returned", "overdue", "done"):
        page = page_of(client, f"/queue/{box}")
        assert not page.select("tbody tr") and page.select_one(".nothing"), box


@pytest.mark.both_pairs
def test_a_name_is_kept_for_the_person_and_stands_in_no_address(app: Flask, cast: Cast) -> None:
    client = enter(app, cast.reviewer)
    answer = client.post("/queue/todo/name?sort=newest&doubtful=", data={"name": " 马晓 "})
    assert answer.status_code == 303 and answer.headers["Location"] == "/queue/todo?sort=newest"
    page = page_of(client, "/queue/todo?sort=newest")
    assert names_on(page) == {"马晓光"} and "共 1 件" in page.get_text()
    addresses = [one.get("href") or one.get("action") for one in page.select("[href], [action]")]
    assert not any("马" in address or "%E9%A9%AC" in address for address in addresses)
    assert len(names_on(page_of(client, "/queue/all"))) == 3, "each box has its own"
    client = enter(app, cast.reviewer2)
    assert len(names_on(page_of(client, "/queue/todo"))) == 3, "and each person"
    client = enter(app, cast.reviewer)
    client.post("/queue/todo/name", data={"name": ""})
    assert len(names_on(page_of(client, "/queue/todo"))) == 3
    assert db.session.scalars(select(Preference.value)).one() == {"name": ""}


@pytest.mark.both_pairs
def test_filters_and_order_stay_on_the_way_to_the_desk_and_the_next_page(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(queues.page.__kwdefaults__, "size", 2)
    client = enter(app, cast.reviewer)
    page = page_of(client, f"/queue/todo?sort=newest&school={cast.school.name}")
    kept = ("sort=newest", "school=", "box=todo")
    for link in page.select("tbody td[data-label=学生] a"):
        assert all(part in link["href"] for part in kept), link["href"]
    following = page.select_one("a[rel=next]")["href"]
    assert "sort=newest" in following and "school=" in following
    last = page_of(client, following)
    assert len(names_on(last)) == 1 and "第 3–3 件，共 3 件" in last.get_text()
    assert names_on(page_of(client, last.select_one("a[rel=prev]")["href"])) == names_on(page)


def test_badges_say_in_words_who_works_on_it_and_what_is_wrong(app: Flask, cast: Cast) -> None:
    first, second, third = db.session.scalars(
        select(Case).where(Case.holder_office_id == cast.county.id).order_by(Case.number)
    )
    claims.claim(first, cast.reviewer2)
    claims.claim(second, cast.reviewer)
    third.doubtful = True
    db.session.commit()
    client = enter(app, cast.reviewer)
    text = page_of(client, "/queue/todo").get_text(" ", strip=True)
    assert (
        f"{cast.reviewer2.name} 正在办理" in text
        and "我 正在办理" in text
        and "质量存疑" in text
        and "剩 10 个工作日" in text
    )


def test_htmx_gets_the_same_markup_without_the_frame(app: Flask, cast: Cast) -> None:
    client = enter(app, cast.reviewer)
    whole = page_of(client, "/queue/todo")
    part = page_of(client, "/queue/todo", headers={"HX-Request": "true"})
    assert part.select_one("h1") is None and names_on(part) == names_on(whole)
    assert part.select_one("#box table").get_text(strip=True) == whole.select_one("#box table").get_text(
        strip=True
    )
