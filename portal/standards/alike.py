"""Whether two texts of a column say the same: by the one guard of names, numbers, classes and grades.

What is the same is no change, whatever sheet, form or roster it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping

from portal.standards import classes, grades, id_number, names

NAMES = frozenset({"name", "former_name", "guardian1_name", "guardian2_name"})
NUMBERS = frozenset(
    {
        "student_number",
        "id_number",
        "guardian1_id_number",
        "guardian2_id_number",
        "school_number",
        "secondary_number",
    }
)


def alike(
    column: str, one: str, other: str, row: Mapping[str, str | None], system: str = grades.USUAL
) -> bool:
    """Whether a column's two texts are one value. `row` is the record that they belong to: its stage and grade say what
    一年级 and （2）班 are."""
    if one == other:
        return True
    if not one or not other:
        return False
    if column in NAMES:
        return names.spelling(one) == names.spelling(other)
    if column in NUMBERS:
        return id_number.tidy(one) == id_number.tidy(other)
    stage = row.get("stage") or ""
    if column == "grade":
        return grades.same(one, other, stage, system)
    if column == "class_name":
        return classes.same(one, other, stage, row.get("grade") or "", system)
    return False
