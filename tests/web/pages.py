"""A page as a person without scripts would send its forms: every field with what stands in it."""

from __future__ import annotations

from typing import Any

from bs4 import BeautifulSoup, Tag


def form_in(html: str, selector: str) -> dict[str, list[str]]:
    """{name: values} of the form that `selector` names, as a browser posts it without any button."""
    page = BeautifulSoup(html, "html.parser")
    form = page.select_one(selector)
    assert isinstance(form, Tag), f"no {selector}"
    outside = page.select(f'[form="{form["id"]}"]') if form.get("id") else []
    found: dict[str, list[str]] = {}
    inside = form.select("input, select, textarea")
    for control in [*inside, *(one for one in outside if not any(one is other for other in inside))]:
        for value in _values(control) if control.get("name") else []:
            found.setdefault(str(control["name"]), []).append(value)
    return found


def _values(control: Any) -> list[str]:
    if control.name == "textarea":
        return [control.get_text().removeprefix("\r").removeprefix("\n")]  # the first line break is none
    if control.name == "select":
        chosen = control.select("option[selected]") or control.select("option")[:1]
        return [str(one.get("value", "")) for one in chosen]
    if control.get("type") in ("checkbox", "radio"):
        return [str(control.get("value", "on"))] if control.has_attr("checked") else []
    return [str(control.get("value", ""))] if control.get("type") not in ("file", "submit") else []
