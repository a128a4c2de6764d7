"""Passwords: argon2id, and what a new one must be.

The rule follows GB/T 22239-2019 (complexity), with words that stand too near to the person and with zxcvbn, which knows
30,000 passwords of breaches and the ways in which people vary them. It works without a network.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from portal.accounts.near_words import counts

MIN_LENGTH, MAX_LENGTH, MIN_KINDS = 10, 64, 3
LEAST_GUESSES = 10**10  # zxcvbn's best class: out of reach even for whoever has stolen the hashes
OUR_WORDS = ("xueji", "xuejiguanli", "portal", "xuesheng", "jiaoyuju")
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
    if word := next((one for one in near if counts(one) and one.lower() in lowered), ""):
        return f"密码中不要包含登录名、姓名、单位或电话（这里有“{word}”），拼音也不行"
    if zxcvbn(password, user_inputs=[*near, *OUR_WORDS])["guesses"] < LEAST_GUESSES:
        return "这个密码太常见，或只是常见密码的变形，容易被猜到；可用几个互不相关的词，中间加数字和符号"
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
