"""What people fill in about themselves and others. Pure WTForms.

What never belongs here: a look at the database.
"""

from __future__ import annotations

import re
from typing import Any

from wtforms import (
    Field,
    HiddenField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, Optional, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget, PasswordInput

from portal.accounts import passwords
from portal.forms import AnswersForm, LineField, choices
from portal.standards.school_numbers import school_code_fault

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}")
PHONE = re.compile(r"[0-9+\- ]{5,30}")
OFFICE_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,19}")
STAGES = ("小学", "初中", "高中", "特教")
PASSWORD_RULE = (
    f"{passwords.MIN_LENGTH} 到 {passwords.MAX_LENGTH} 个字符，包含大写字母、小写字母、数字、符号中的至少三种；"
    "不要包含登录名、姓名、单位（也不要用它们的拼音），不要用常见的密码。"
)


def stripped(text: str | None) -> str | None:
    return text.strip() if text else text


class Filled:
    """Required, said in Chinese; spaces alone are not an answer."""

    field_flags = {"required": True}

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: Any, field: Field) -> None:
        if field.process_errors:
            raise StopValidation()  # something was typed that cannot be read; the field says so already
        if not field.data or not str(field.data).strip():
            field.errors = []
            raise StopValidation(self.message)


class SignInForm(AnswersForm):
    login = LineField("登录名", [Filled("请填写登录名")])
    password = PasswordField("密码", [Filled("请填写密码")], widget=PasswordInput(hide_value=False))
    next = HiddenField()


class NewPassword(AnswersForm):
    """A new password typed twice. `near` are words of the person that it must not contain."""

    new = PasswordField("新密码", [Filled("请填写新密码")], description=PASSWORD_RULE)
    again = PasswordField("再输入一次新密码", [Filled("请再输入一次新密码")])
    near: tuple[str, ...] = ()

    def validate_new(self, field: Field) -> None:
        if fault := passwords.fault_in(field.data, self.near):
            raise ValidationError(fault)

    def validate_again(self, field: Field) -> None:
        if field.data != self.new.data:
            raise ValidationError("两次输入的新密码不一致")


class ChangePasswordForm(NewPassword):
    old = PasswordField("现在的密码", [Filled("请填写现在的密码")])
    new = PasswordField("新密码", [Filled("请填写新密码")], description=PASSWORD_RULE)
    again = PasswordField("再输入一次新密码", [Filled("请再输入一次新密码")])

    def validate_new(self, field: Field) -> None:
        super().validate_new(field)
        if field.data == self.old.data:
            raise ValidationError("新密码不能与现在的密码相同")


class PersonForm(AnswersForm):
    name = LineField(
        "姓名", [Filled("请填写姓名"), Length(max=60, message="姓名不超过 60 个字")], filters=[stripped]
    )
    phone = LineField(
        "手机号",
        [Optional()],
        description="选填，便于联系；同一手机号不能登记在两个启用的账号上。",
        filters=[stripped],
    )

    def validate_phone(self, field: Field) -> None:
        if field.data and not PHONE.fullmatch(field.data):
            raise ValidationError("电话号码只能有数字、空格、+ 和 -，5 到 30 位")


class AccountForm(PersonForm):
    """A new account; the choices of `role` are set by the view."""

    role = SelectField("岗位", [InputRequired(message="请选择岗位")], validate_choice=True)
    login = LineField(
        "登录名",
        [Filled("请填写登录名")],
        description="3 到 40 位小写字母、数字、点、横线或下划线。",
        filters=[stripped],
    )

    def validate_login(self, field: Field) -> None:
        if not LOGIN.fullmatch(field.data):
            raise ValidationError("登录名应为 3 到 40 位小写字母、数字、点、横线或下划线，以字母或数字开头")


class FirstAdministratorForm(NewPassword):
    """The first administrator; `office_name` and `policy` are asked only where there is no state office yet."""

    code = LineField(
        "一次性代码",
        [Filled("请填写一次性代码")],
        description="在服务器上运行 flask first-administrator 得到，一小时内有效。",
    )
    office_name = LineField("州（市）教育局名称", filters=[stripped])
    policy = SelectField("执行的政策", validate_choice=True)
    login = LineField(
        "登录名",
        [Filled("请填写登录名")],
        description="3 到 40 位小写字母、数字、点、横线或下划线。",
        filters=[stripped],
    )
    name = LineField(
        "姓名", [Filled("请填写姓名"), Length(max=60, message="姓名不超过 60 个字")], filters=[stripped]
    )

    def validate_login(self, field: Field) -> None:
        if not LOGIN.fullmatch(field.data):
            raise ValidationError("登录名应为 3 到 40 位小写字母、数字、点、横线或下划线，以字母或数字开头")

    def validate_policy(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("请选择本州（市）执行的政策，各项业务按它办理")

    def validate_office_name(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("请填写单位名称")
        if len(field.data) > 120:
            raise ValidationError("单位名称不超过 120 个字")


class OfficeForm(AnswersForm):
    """What can change about an office. Choices of `policy` are set by the view: "" is the supervising office's."""

    name = LineField(
        "单位名称",
        [Filled("请填写单位名称"), Length(max=120, message="单位名称不超过 120 个字")],
        filters=[stripped],
    )
    policy = SelectField("执行的政策", description="不另选时执行上级单位的政策。", validate_choice=True)
    stages = SelectMultipleField(
        "开设学段",
        choices=choices((stage, stage) for stage in STAGES),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )


class NewOfficeForm(OfficeForm):
    """A new office; the choices of `level` are set by the view."""

    level = SelectField("单位类型", [InputRequired(message="请选择单位类型")], validate_choice=True)
    code = LineField(
        "单位代码",
        [Filled("请填写单位代码")],
        description="学校填 10 位学校标识码；其他单位自编，3 到 20 位大写字母、数字或横线。",
        filters=[stripped],
    )

    def validate_code(self, field: Field) -> None:
        if self.level.data == "school":
            if fault := school_code_fault(field.data):
                raise ValidationError(fault.reason)
        elif not OFFICE_CODE.fullmatch(field.data):
            raise ValidationError("单位代码应为 3 到 20 位大写字母、数字或横线")

    def validate_stages(self, field: Field) -> None:
        if self.level.data == "school" and not field.data:
            raise ValidationError("请选择学校开设的学段，审批环节由学段决定")
