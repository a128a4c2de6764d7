"""Forms as plain WTForms: an answers form knows how answers travel between a page, JSON and typed values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import DateField, Field, Form, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the published types
from wtforms.validators import Length, ValidationError

from portal.standards.dates import fault_in, read_date
from portal.standards.words import plain, visible_in

MESSAGES = {
    "This field is required.": "请填写此项",
    "Not a valid date value.": "日期格式应为 2012-09-01",
    "Not a valid choice.": "请从列出的选项中选择",
    "Invalid Choice: could not coerce.": "请从列出的选项中选择",
}


class ChineseMessages:
    """WTForms' own messages in the words of this portal."""

    def gettext(self, string: str) -> str:
        return MESSAGES.get(string, string)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return MESSAGES.get(singular, plural if n > 1 else singular)


class VisibleLength(Length):
    """A length of which blanks and characters that nobody sees are no part; at most as many characters of any kind."""

    def __call__(self, form: Any, field: StringField) -> None:
        super().__call__(form, field)
        if visible_in(field.data or "") < self.min:
            raise ValidationError(str(self.message))


class AnswersForm(Form):
    """What a procedure asks. Raw answers are what was typed, {field: text or list of texts}, valid or not, so that a
    half-finished draft keeps everything; typed answers are what the fields make of it, None where they cannot."""

    class Meta:
        def get_translations(self, form: Form) -> ChineseMessages:
            return ChineseMessages()

    def prepare(self, facts: Any) -> None:
        """Set choices and defaults that depend on the facts (policy, pupil). Called before any processing is shown."""

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any], facts: Any = None) -> AnswersForm:
        """The form holding raw answers, as if they had just been posted."""
        posted: MultiDict[str, str] = MultiDict()
        for name, value in raw.items():
            for one in value if isinstance(value, list) else [value]:
                posted.add(name, one)
        form = cls(formdata=posted)
        if facts is not None:
            form.prepare(facts)
        return form

    def typed(self) -> dict[str, Any]:
        """{field: value}; a field whose text cannot be read gives None, an empty text ""."""
        return {field.name: None if field.process_errors else _tidy(field.data) for field in self}

    def errors_in(self, names: Collection[str]) -> dict[str, list[str]]:
        """Validate these fields only. {field: [Chinese messages]}; the form's fields keep their errors for display."""
        found = {}
        for field in self:
            if field.name in names and not field.validate(self, _inline_validators(self, field)):
                found[field.name] = [str(error) for error in field.errors]
        return found


def raw_answers(
    form_class: type[AnswersForm], posted: MultiDict[str, str], names: Iterable[str]
) -> dict[str, Any]:
    """What was posted for the named fields, as it was typed. A field that was not posted is left out, except lists
    and check boxes, which browsers leave out when empty."""
    raw: dict[str, Any] = {}
    blank = form_class()
    for name in names:
        if name not in blank:
            continue
        if isinstance(blank[name], SelectMultipleField):
            raw[name] = posted.getlist(name)
        elif name in posted:
            raw[name] = posted[name]
    return raw


def _inline_validators(form: Form, field: Field) -> list[Any]:
    inline = getattr(type(form), f"validate_{field.name}", None)
    return [inline] if inline else []


def _tidy(value: Any) -> Any:
    return "" if value is None else value


def choices(titles: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Options of a field from (value, title)."""
    return [SelectChoice(value, title) for value, title in titles]


class ChineseDateField(DateField):
    """A date as the browser's date field sends it, or as people type it: 2012-09-01, 2012/9/1, 20120901, 2012年9月1日."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        self.data = read_date(valuelist[0])
        if self.data is None:
            fault = fault_in(valuelist[0])
            raise ValueError(f"{fault.reason}。{fault.remedy}")


class LineField(StringField):
    """One line of text; control characters, which no form and no DOCX can hold, are an error rather than a crash."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed without what nobody sees: copied from a page, it comes along unnoticed."""
        if valuelist:
            self.data = plain(valuelist[0])

    def pre_validate(self, form: Any) -> None:
        if any(ord(character) < 32 or 0xD800 <= ord(character) <= 0xDFFF for character in self.data or ""):
            raise ValidationError("有不能使用的控制字符，请删去后重新输入")
