"""What the words of the declared matrix stand for in an estate: ids, texts, things made for one request."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from portal import keeping
from portal.cases import clock, unsent
from portal.cases.actions import stamp
from portal.cases.unsent import Place, Sheet
from portal.models import Case
from tests.exports import as_csv, rows_of
from tests.web.world import PEOPLE, Estate, World


def things(world: World, estate: Estate, spec: str, person: str | None) -> list[str]:
    """Every id in an estate that `spec` can name, the named one first; a literal is itself."""
    kind, _, which = spec.partition(":")
    if spec.startswith("="):
        return [spec[1:]]
    if kind == "case":
        every = [estate.cases[which], *(case for place, case in estate.cases.items() if place != which)]
        return [str(case.id) for case in every]
    if kind == "file":
        every_file = [
            *estate.files[which],
            *(file for place, files in estate.files.items() if place != which for file in files),
        ]
        return [str(file.id) for file in every_file]
    if kind == "pupil":
        return [str(pupil.id) for pupil in reversed(estate.pupils)]
    if kind == "office":
        offices = sorted(estate.own_offices, key=lambda one: (one.level != "school") if which else False)
        if not which and person and estate is world.home:
            return [str(estate.people[person].office_id)]
        return [str(one.id) for one in offices]
    if kind == "account":
        return [str(one.id) for one in estate.own_people]
    if kind == "load":
        level = PEOPLE[person][1] if person and estate is world.home else ""
        loads = [
            load for name, load in estate.loads.items() if name.startswith(level) and name.endswith(which)
        ]
        return [str(load.id) for load in loads or estate.loads.values()]
    if kind == "item":
        own = _of_level(estate.items, world, estate, person)
        return [str(item.id) for item in own or estate.items.values()]
    if kind == "roster":
        return [str(estate.rosters[which].id)]
    if kind == "row":
        return estate.roster_rows[which]
    if kind == "return_row":
        return estate.return_rows
    if kind == "postponement":
        return [str(one.id) for one in estate.postponements]
    if kind == "batch":
        own = _of_level(estate.batches, world, estate, person)
        return [str(batch.id) for batch in own or estate.batches.values()]
    if kind == "sheet":
        own = [one for one in _of_level(estate.sheets, world, estate, person) if one.outcome == which]
        return [str(page.id) for page in own or estate.sheets.values()]
    if kind == "copy":
        landed = sorted(estate.sheets.values(), key=lambda page: page.outcome != "landed")
        if estate is world.home:
            landed = [page for page in landed if page.outcome == "landed"]
        return [str(page.id) for page in landed]
    raise KeyError(spec)


def _of_level(made: dict[str, Any], world: World, estate: Estate, person: str | None) -> list[Any]:
    """Of what each level has made, that of the person's own."""
    level = PEOPLE[person][1] if person and estate is world.home else ""
    return [one for name, one in made.items() if level and name.startswith(level)]


def value_of(world: World, estate: Estate, spec: str, person: str | None, target: str | None) -> Any:
    """What stands in a field: an id, a text, or something made for the target of the request."""
    if spec == "@stamp":
        return stamp(_cases(world)[target]) if target in _cases(world) else "1.0"
    if spec == "@kept":
        of = estate.people[person or "registrar"]
        return keeping.sign(
            keeping.Form(of.id, Place(unsent.OFFICE, of.office_id, "probe"), Sheet("0", 0, ""), "/queue/all")
        )
    if spec == "@picture":
        return estate.canaries.picture()
    if spec == "@sheet":
        return as_csv(rows_of(3, [estate.school.code]))
    if spec == "@class":
        return estate.pupils[0].class_name
    if spec == "@name":
        return estate.pupils[0].name
    if spec == "@login":
        return estate.own_people[0].login
    if spec == "@case_number":
        return estate.cases["county_review"].number
    if spec == "@today":
        return clock.today().isoformat()
    return things(world, estate, spec, person)[0]


def _cases(world: World) -> dict[str, Case]:
    return {
        str(case.id): case
        for estate in world.estates
        for case in (*estate.cases.values(), *estate.rosters.values())
    }


def extras(estate: Estate, turn: int) -> dict[str, str]:
    """Fields that name things of an estate under every name that a view might read, whatever it is for."""
    case, pupil, file = (
        estate.cases["county_review"],
        estate.pupils[turn],
        estate.files["county_review"][0],
    )
    office, account = estate.own_offices[-1], estate.own_people[0]
    load = next(iter(estate.loads.values()))
    text = (pupil.name, pupil.id_number, pupil.student_number, office.name)[turn % 4]
    key = f"{clock.today() + timedelta(days=1):%Y-%m-%dT00:00:00+00:00}~{case.id.hex}~1"
    names = {
        "pupil": pupil.id,
        "case": case.id,
        "file": file.id,
        "office": office.id,
        "parent": office.id,
        "account": account.id,
        "load": load.id,
    }
    found = {name: str(value) for name, value in names.items()}
    found |= {f"{name}_id": value for name, value in found.items()}
    return found | {
        "school": office.name if turn % 4 == 3 else str(office.id),
        "q": text,
        "name": text,
        "number": pupil.id_number,
        "id_number": pupil.id_number,
        "student_number": pupil.student_number,
        "login": account.login,
        "after": key,
        "before": "",
        "class_name": estate.pupils[-1].class_name,  # of another pupil: a class that shows up was not echoed
    }
