"""The house rules that no linter knows: who may name what, who may write what, and what templates never hold."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from docx import Document
from flask import Flask

from portal.cases import docx_forms, printing
from portal.extensions import db
from portal.printouts import FOLDER as BLANKS
from portal.workflows import WORKFLOWS

ROOT = Path(__file__).resolve().parent.parent
PORTAL, TESTS = ROOT / "portal", ROOT / "tests"
TEMPLATES = sorted((PORTAL / "templates").rglob("*.html"))
IDS = tuple(law.id for law in WORKFLOWS)
LAW = PORTAL / "workflows"
GENERAL_ROOMS = ("cases", "blueprints", "templates", "models", "accounts", "oversight", "cli")


def python_files(*rooms: Path) -> list[Path]:
    return sorted(path for room in rooms for path in room.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    """A file parsed once for all tests; they read it and change nothing."""
    return ast.parse(path.read_text("utf-8"), str(path))


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


# --- the law is written once ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", GENERAL_ROOMS)
def test_no_room_but_the_law_names_a_procedure(room: str) -> None:
    files = [*(PORTAL / room).rglob("*.py"), *(PORTAL / room).rglob("*.html")]
    assert files
    named = [
        f"{path.relative_to(ROOT)} names {word}"
        for path in files
        for word in (*IDS, *(law.title for law in WORKFLOWS))
        if word in path.read_text("utf-8")
    ]
    assert named == []


NAMED = ("workflow.id", "law.id", "case.workflow", "facts.workflow")


def test_nothing_is_decided_by_the_name_of_a_procedure() -> None:
    """A procedure's id may be held against another value, as a list's filter does; never against a name written down."""
    compared = [
        place(path, node)
        for path in python_files(*(PORTAL / room for room in GENERAL_ROOMS if room != "templates"))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Compare)
        and {ast.unparse(side) for side in (node.left, *node.comparators)} & set(NAMED)
        and any(isinstance(part, ast.Constant) for side in node.comparators for part in ast.walk(side))
    ]
    assert compared == []
    named = "|".join(re.escape(name) for name in NAMED)
    for template in TEMPLATES:
        assert not re.search(rf"\b({named}) *([!=]=|in) *[\"'(\[]", template.read_text("utf-8")), (
            template.name
        )


@pytest.mark.parametrize("law", WORKFLOWS, ids=IDS)
def test_every_procedure_has_its_file_and_its_test(law: object) -> None:
    name = str(law.id)  # type: ignore[attr-defined]
    assert (LAW / f"{name}.py").is_file()
    test = TESTS / "workflows" / f"test_{name}.py"
    assert test.is_file() and "def test_" in test.read_text("utf-8")


@pytest.mark.parametrize("blank", sorted(BLANKS.glob("*.docx")), ids=lambda path: path.name)
def test_every_name_of_every_blank_is_known(blank: Path) -> None:
    users = [(law, one) for law in WORKFLOWS for one in law.printouts if one.blank == blank.name]
    assert users, "a blank that no procedure prints"
    plain, in_rows = docx_forms.names_in(blank)
    assert plain and Document(str(blank)).tables
    for law, printout in users:
        texts, groups = printing.known_names(law, printout)
        assert plain <= texts
        assert {group for group, _ in in_rows} <= groups


# --- one door to the status and to the register ---------------------------------------------------------------------

DOORS = ("portal/cases/", "portal/demo/")  # the demonstration only moves dates of what the engine has made
PUPIL_COLUMNS = ("id_number", "student_number", "name_key", "enrolment_status", "birth_date")


def writes(module: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Assignments to attributes of things called case or pupil, and update/insert/delete statements on their tables."""
    for node in ast.walk(module):
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            for target in targets:
                for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                    if isinstance(one, ast.Attribute):
                        yield node, ast.unparse(one)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] in (
            "update",
            "insert",
            "delete",
        ):
            yield from ((node, f"write({ast.unparse(one)})") for one in node.args[:1])
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "Pupil",
            "Case",
            "RegisterChange",
            "Decision",
        ):
            yield node, f"write({ast.unparse(node.func)})"


def forbidden(written: str) -> bool:
    thing, _, attribute = written.rpartition(".")
    name = thing.rsplit(".", 1)[-1]
    return (
        (name == "case" and attribute in ("status", "step", "version", "round"))
        or name == "pupil"
        or attribute in PUPIL_COLUMNS
        or written
        in ("write(Pupil)", "write(Case)", "write(RegisterChange)", "write(Decision)", "write(PUPILS)")
    )


def test_only_the_engine_writes_a_status_or_the_register() -> None:
    found = [
        f"{place(path, node)} {written}"
        for path in python_files(PORTAL)
        if not str(path.relative_to(ROOT)).startswith(DOORS)
        for node, written in writes(tree(path))
        if forbidden(written)
    ]
    assert found == []


def test_the_demonstration_moves_dates_only() -> None:
    found = [
        f"{place(path, node)} {written}"
        for path in python_files(PORTAL / "demo")
        for node, written in writes(tree(path))
        if forbidden(written) and written != "write(Pupil)"
    ]
    assert found == []


def test_the_status_is_written_in_one_place() -> None:
    """Inside the engine too: the draft that starting.py makes, and the conditional UPDATE of writing.py."""
    kept = {"status", "step", "version", "round"}
    calls = [
        (path, node)
        for path in python_files(PORTAL / "cases")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
    ]
    assert {path.name for path, node in calls if ast.unparse(node.func) == "Case"} == {"starting.py"}
    # values(**values) may hold anything, so that stands in one place too
    updates = {
        path.name
        for path, node in calls
        if ast.unparse(node.func).endswith(".values") and "update(Case)" in ast.unparse(node.func)
        if {given.arg for given in node.keywords} & {*kept, None}
    }
    assert updates == {"writing.py"}
    direct = [
        f"{place(path, node)} {written}"
        for path in python_files(PORTAL / "cases")
        for node, written in writes(tree(path))
        if written in {f"case.{name}" for name in kept}
        or (written == "write(Case)" and path.name == "register.py")
    ]
    assert direct == []


def test_only_perform_writes_what_was_done() -> None:
    """write_case() and write_decision() are public to be called from another file, and called from one place."""
    kept = {"write_case", "write_decision"}
    naming = [
        path
        for path in python_files(PORTAL)
        if path.name != "writing.py"
        for node in ast.walk(tree(path))
        if {getattr(node, "id", None), getattr(node, "attr", None), getattr(node, "name", None)} & kept
    ]
    engine = PORTAL / "cases" / "actions.py"
    assert set(naming) == {engine}
    (perform,) = (one for one in tree(engine).body if getattr(one, "name", "") == "perform")
    called = {ast.unparse(node.func) for node in ast.walk(perform) if isinstance(node, ast.Call)}
    assert kept <= called
    # two imports and two calls, all the calls in perform()
    assert len(naming) == 4


def test_the_writes_are_seen_where_they_are() -> None:
    """The walker is not blind: it finds the engine's own writes."""
    assert any(w == "write(Case)" for _, w in writes(tree(PORTAL / "cases" / "writing.py")))
    assert any(w == "write(Case)" for _, w in writes(tree(PORTAL / "cases" / "starting.py")))
    assert any(w == "write(Pupil)" for _, w in writes(tree(PORTAL / "cases" / "register.py")))
    sample = ast.parse("case.status = 1\nx.pupil.name = 2\na.id_number, b = 1, 2\nupdate(Pupil).values()\n")
    assert sum(forbidden(written) for _, written in writes(sample)) == 4


@pytest.mark.parametrize("verb", ["enter", "move", "leave"])
def test_every_door_to_pupils_keeps_their_names_and_their_numbers_alike(verb: str) -> None:
    """Both indexes follow the rows of a statement: where one is told, the other is, as often."""

    def told(index: str) -> Counter[Path]:
        wanted = f"{index}.{verb}"
        return Counter(
            path
            for path in python_files(PORTAL)
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call) and ast.unparse(node.func) == wanted
        )

    assert told("name_index") == told("pupil_numbers") != Counter()


# --- packages, code and templates -----------------------------------------------------------------------------------

PACKAGES = [path for room in (PORTAL, ROOT / "storage") for path in room.rglob("__init__.py")]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_every_package_says_what_never_belongs_there(package: Path) -> None:
    text = ast.get_docstring(tree(package)) or ""
    assert text.splitlines()[-1].strip() and "What never belongs here: " in text
    assert text.rstrip().endswith(".")


CALLS = (
    "render_template_string",
    "Markup",
    "yaml.load",
    "yaml.unsafe_load",
    "eval",
    "exec",
    "os.system",
    "os.popen",
)
MODULES = ("pickle", "marshal", "shelve", "dill")


def dangers(module: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in CALLS or name.rsplit(".", 1)[-1] in ("render_template_string", "Markup"):
                yield node, name
            for given in node.keywords:
                if (given.arg, ast.unparse(given.value)) in (("shell", "True"), ("verify", "False")):
                    yield node, f"{given.arg}={ast.unparse(given.value)}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            source = getattr(node, "module", None)
            names = [source] if source else [one.name for one in node.names]
            yield from ((node, name) for name in names if name.split(".")[0] in MODULES)


def test_no_dangerous_call_stands_in_the_code() -> None:
    code = [
        *python_files(PORTAL, ROOT / "storage", ROOT / "benchmarks", ROOT / "migrations"),
        ROOT / "wsgi.py",
    ]
    assert [f"{place(path, node)} {what}" for path in code for node, what in dangers(tree(path))] == []
    sample = "import pickle\nrun(x, shell=True)\nget(u, verify=False)\nmarkupsafe.Markup(x)\nyaml.load(f)\n"
    assert len(list(dangers(ast.parse(sample)))) == 5


class Attributes(HTMLParser):
    """Collects what a template may not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        values = dict(attrs)
        if tag in ("style", "iframe", "object", "embed", "base") or (
            tag == "script" and not values.get("src")
        ):
            self.found.append(f"<{tag}>")
        self.found += [
            name for name in names if name == "style" or re.fullmatch(r"on\w+|(data-)?hx-on.*", name)
        ]
        self.found += [f"{name}={text}" for name, text in attrs if "javascript:" in (text or "").lower()]
        self.found += [
            f"{n}={t}" for n, t in attrs if n in ("hx-vals", "hx-headers") and (t or "").startswith("js:")
        ]


def markup_of(template: str) -> str:
    """The HTML of a template: comments and statements gone, each expression a word."""
    return re.sub(r"\{\{.*?\}\}", "x", re.sub(r"\{#.*?#\}|\{%.*?%\}", "", template, flags=re.S), flags=re.S)


def unfit(template: str) -> list[str]:
    parser = Attributes()
    parser.feed(markup_of(template))
    bare = re.sub(r"\{#.*?#\}", "", template, flags=re.S)
    return parser.found + re.findall(r"\|\s*safe\b|autoescape\s+false|\bMarkup\b", bare)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(PORTAL / "templates")))
def test_templates_hold_no_script_no_style_and_trust_no_text(template: Path) -> None:
    assert unfit(template.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "bad",
    (
        "<p style='color:red'>",
        "<script>1</script>",
        '<a onclick="x()">',
        '<p hx-on:click="x">',
        "{{ name | safe }}",
        "{{ name|safe }}",
        '<a href="javascript:x">',
        "{% autoescape false %}",
        '<i hx-vals="js:x">',
    ),
)
def test_the_template_check_can_fail(bad: str) -> None:
    assert unfit(bad)
    assert unfit('{# no |safe, no style= #}<p class="x" data-on="y">{{ conf("onx=") }}</p>') == []


# --- tables ---------------------------------------------------------------------------------------------------------


def test_the_migrations_make_exactly_the_models(app: Flask) -> None:
    """On a database made by the migrations alone, Alembic finds nothing to change."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "include_object": ours}
        )
        assert compare_metadata(context, db.metadata) == []


def ours(_thing: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """Procrastinate keeps its own tables in the same database."""
    return not (kind == "table" and (name or "").startswith("procrastinate"))
