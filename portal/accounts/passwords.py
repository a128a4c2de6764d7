"""Passwords: argon2id, and what a new one must be.

The rule follows GB/T 22239-2019 (complexity) with a list of words that stand too near.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH, MAX_LENGTH, MIN_KINDS = 10, 64, 3
_hasher = PasswordHasher()  # argon2id, t=3, m=64 MiB, p=4
_slots = threading.BoundedSemaphore(
    2
)  # each check takes 64 MiB: more at once would let a flood exhaust the memory
_nobody = _hasher.hash("nobody signs in with this")


def hash_password(password: str) -> str:
    with _slots:
        return _hasher.hash(password)


def verify(password_hash: str | None, password: str) -> bool:
    """Whether the password fits. None takes the same time, so that unknown logins cannot be told from known ones."""
    with _slots:
        try:
            _hasher.verify(password_hash or _nobody, password)
            return password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


def fault_in(password: str, near: Iterable[str] = ()) -> str:
    """Why a new password is refused, in Chinese; "" when it is good. `near` are words of the person."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return f"密码应为 {MIN_LENGTH} 到 {MAX_LENGTH} 个字符"
    kinds = (
        any(c.islower() for c in password),
        any(c.isupper() for c in password),
        any(c.isdigit() for c in password),
        any(not c.isalnum() for c in password),
    )
    if sum(kinds) < MIN_KINDS:
        return "密码应包含大写字母、小写字母、数字、符号中的至少三种"
    lowered = password.lower()
    if any(word and len(word) > 2 and word.lower() in lowered for word in near):
        return "密码中不要包含登录名、姓名或单位代码"
    if any(common in lowered for common in ("password", "123456", "qwerty", "abcdef", "xueji")):
        return "这个密码过于常见，请换一个"
    return ""


LETTERS_LOW, LETTERS_HIGH, DIGITS = "abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"


def initial() -> str:
    """A random initial password, about 70 bits, in groups that can be read out: tkm4-Wqp7-..."""
    while True:
        groups = [
            "".join(secrets.choice(LETTERS_LOW + LETTERS_HIGH + DIGITS) for _ in range(4)) for _ in range(3)
        ]
        password = "-".join(groups)
        if not fault_in(password):
            return password
