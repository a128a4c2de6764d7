"""One installation, made once by the portal's own acts; each tampering is done to a copy of it and must be found and named."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from portal import create_app, tasks
from portal.cases import clock, evidence, page_readings, picture_standards
from portal.cases.facts import read_facts
from portal.demo.acts import PAPERS, upload
from portal.extensions import db
from portal.models import Case, PageReading
from portal.models.keyed_rows import values_of
from portal.oversight import walks
from portal.settings import Settings
from portal.standards.school_year import year_of_entry
from tests.builders import NEW_NAME, a_case, a_pupil, act
from tests.conftest import settings_for
from tests.intakes import a_list, people
from tests.services import fresh_bucket_url, fresh_postgres_database
from tests.tampering_table import AUDIT, EVIDENCE, FOLDER, S3, TAMPERINGS, Tampering
from tests.web.test_intake import Intake

DOC = Path(__file__).parent.parent / "docs" / "tampering.md"
SLOTS = (("change_certificate", "certificate"), ("household_book", "household"))


def build(data_dir: Path) -> None:
    """An approved case, one under review, drafts, an approved roster, a standard of the bureau's own; then the daily sweep."""
    cast = Intake()
    before = {name: str(value) for name, value in values_of(cast.pupil).items()}
    (data_dir / "pupil").write_text(json.dumps(before | {"version": cast.pupil.version}))
    approved = with_papers(cast, a_case(cast), "s1")
    act(approved, cast.registrar, "submit")
    act(approved, cast.reviewer, "approve", note="已核对")
    act(approved, cast.approver, "approve", note="同意")
    reviewed = with_papers(cast, a_case(cast, pupil=a_pupil(cast.school)), "s1")
    act(reviewed, cast.registrar, "submit")
    page = evidence.files_of(reviewed)[0].pages[0]
    db.session.add(PageReading(page_id=page.id))
    db.session.commit()
    page_readings.read_page(str(page.id))
    page_readings.correct(reviewed, cast.reviewer, read_facts(reviewed), "name", "马晓明")
    a_case(cast, pupil=a_pupil(cast.school))
    draft = with_papers(cast, a_case(cast, pupil=a_pupil(cast.school)), "s1")
    evidence.remove(draft, cast.registrar, evidence.files_of(draft)[0])
    picture_standards.save(cast.approver, "", {"blur_advise": "0.03"}, "学校的扫描仪较旧", 0)
    year, ones = year_of_entry(clock.today()), people(3)
    cast.plan(10, 8, year=year)
    a_list(cast.state, cast.approver, {cast.school: ones})
    cast.approved(ones, 3)
    db.session.commit()
    tasks.wait()


def with_papers(cast: Intake, case: Case, story: str) -> Case:
    act(case, cast.registrar, "edit", answers=NEW_NAME)
    db.session.commit()
    for slot, paper in SLOTS:
        file = upload(case, cast.registrar, slot, PAPERS / f"{story}-{paper}.jpg")
        if file.verdict == "advise":  # the same paper as of the case before: it saves judging another one
            evidence.override(case, cast.registrar, file, "两名学生的材料在同一页上")
    return case


@contextmanager
def running(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.config["TESTING"] = True
    with app.app_context():
        yield app
        db.session.remove()
        tasks.wait()
        db.engine.dispose()


def make(settings: Settings) -> None:
    with running(settings) as app:
        build(settings.data_dir)
        swept = app.test_cli_runner().invoke(args=["sweep"])
        assert swept.exit_code == 0 and "audit anchor 1:" not in swept.output, swept.output


@pytest.fixture(scope="module")
def pristine(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pristine")
    shutil.copy(migrated_sqlite, folder / "portal.db")
    make(settings_for(folder))
    return folder


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A portal on a folder in which each test finds a fresh copy."""
    with running(settings_for(tmp_path_factory.mktemp("copies") / "copy")) as app:
        yield app


@pytest.fixture
def copied(pristine: Path, beside: Flask) -> Iterator[Flask]:
    folder = beside.extensions["settings"].data_dir
    shutil.rmtree(folder)
    shutil.copytree(pristine, folder)
    yield beside
    db.session.remove()
    db.engine.dispose()


@pytest.fixture(scope="module")
def pristine_services(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """On PostgreSQL and an S3 of its own bucket: what is copied is the database, the store is one for all."""
    server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("migrated_postgres")
    folder = tmp_path_factory.mktemp("pristine")
    with fresh_postgres_database(server, template) as url:
        settings = settings_for(folder, url, fresh_bucket_url(request.getfixturevalue("s3_url")))
        make(settings)
        yield settings


def found_and_named(app: Flask, tampering: Tampering) -> None:
    tampering.act()
    answer = app.test_cli_runner().invoke(args=tampering.command.split()[1:])
    assert answer.exit_code == 1, answer.output
    line = re.compile("✗ " + ".*?".join(re.escape(part) for part in tampering.line.split("…")))
    told = [text for text in answer.output.splitlines() if text.startswith("✗")]
    assert any(line.fullmatch(text) for text in told), told
    kind = walks.EVIDENCE if tampering.command == EVIDENCE else walks.AUDIT
    walk = walks.newest(kind)
    assert walk is not None and walk.faults >= 1


def sound(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    for command in (AUDIT, EVIDENCE):
        answer = run(args=command.split()[1:])
        assert answer.exit_code == 0 and "all sound" in answer.output and "!" not in answer.output, (
            answer.output
        )


def test_an_untouched_copy_is_sound(copied: Flask) -> None:
    sound(copied)


@pytest.mark.parametrize(
    "tampering", [one for one in TAMPERINGS if one.where != S3], ids=lambda one: one.title
)
def test_a_tampering_is_found_and_named(copied: Flask, tampering: Tampering) -> None:
    found_and_named(copied, tampering)


ON_SERVICES = [
    one
    for one in TAMPERINGS
    if one.where == S3
    or one.title
    in (
        "a view replaced together with its row",
        "what a decision had seen blanked",
        "a case given another pupil",
        "what was read on a page edited",
        "a reviewer's reading edited",
        "a paper hidden from its case",
        "a pupil edited",
        "a register change edited",
        "a standard of the picture checks edited",
        "the tail cut, the head moved back",
        "the chain recomputed without the key",
        "all keyed records rewritten as unkeyed",
    )
]


@pytest.mark.services
def test_tampering_on_postgresql_and_s3_is_found_and_named(
    pristine_services: Settings, postgres_url: str
) -> None:
    """One after the other, since building is dear; those of the store last, since it has no copy."""
    with (
        fresh_postgres_database(postgres_url, pristine_services.database_url) as url,
        running(replace(pristine_services, database_url=url)) as app,
    ):
        sound(app)
    order = sorted(ON_SERVICES, key=lambda one: (one.where == S3, one.command == EVIDENCE))
    for tampering in order:
        with (
            fresh_postgres_database(postgres_url, pristine_services.database_url) as url,
            running(replace(pristine_services, database_url=url)) as app,
        ):
            found_and_named(app, tampering)


def test_the_document_lists_every_tampering_with_its_command_and_line() -> None:
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in DOC.read_text("utf-8").splitlines()
        if line.startswith("| ")
    ][1:]
    where = {"": "", FOLDER: "folder", S3: "S3"}
    assert rows == [[one.title, where[one.where], one.command, one.line] for one in TAMPERINGS]
