"""What a form lets a person choose from."""

from __future__ import annotations

from wtforms import Form, RadioField, SelectField, SelectMultipleField


def choices_of(form: Form, name: str) -> dict[str, str]:
    """{value: label} of a field of choices, in their order."""
    field = form[name]
    assert isinstance(field, (RadioField, SelectField, SelectMultipleField)), f"{name} has no choices"
    return {str(value): str(label) for value, label, *_ in field.iter_choices()}
