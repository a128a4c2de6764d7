"""Environment -> one typed, validated Settings value. Nothing else reads the environment but faults.py, for tests."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SECRET_KEY_MIN_BYTES = 32
AUDIT_KEY_LABEL = b"xueji audit key 1"
WEAK_KEYS = frozenset({"dev", "secret", "changeme", "change-me", "default", "xueji", "password"})


class SettingsError(Exception):
    """A setting that the portal refuses to start with; the text is for the operator."""


@dataclass(frozen=True)
class Settings:
    """All that an installation can choose. Durations in minutes, hours or seconds as the name says."""

    secret_key: str
    database_url: str
    store_url: str
    data_dir: Path
    secure_cookies: bool = True
    demo: bool = False
    worker: str = "inline"  # "inline": tasks run in this process after commit; "procrastinate": flask worker
    session_idle_minutes: int = 30
    session_max_hours: int = 12
    claim_minutes: int = 30
    lock_minutes: int = 30  # how long a login is closed to strangers after twenty failures in a day, at first
    trusted_proxies: int = 0
    public_url: str = ""  # how phones reach the portal, e.g. https://xueji.example; "": as the browser asked
    reading: bool = True  # read the print on papers in the background, where the extra is installed
    audit_key: str = ""  # of the digests in the audit chain; "": derived from the secret key
    audit_old_keys: tuple[str, ...] = ()  # earlier ones, by which older records are still verified

    @property
    def audit_keys(self) -> tuple[str, ...]:
        """The audit key in use, then the earlier ones."""
        return (self.audit_key or derived_audit_key(self.secret_key), *self.audit_old_keys)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read XUEJI_* variables.

        Raises SettingsError on a missing, default or short key, or a value out of range.
        """
        env = os.environ if environ is None else environ
        data_dir = Path(env.get("XUEJI_DATA_DIR", "instance")).resolve()
        settings = cls(
            secret_key=_secret_key(env),
            database_url=_database_url(env.get("XUEJI_DATABASE_URL", f"sqlite:///{data_dir / 'portal.db'}")),
            store_url=env.get("XUEJI_STORE_URL", f"folder:{data_dir / 'evidence'}"),
            data_dir=data_dir,
            secure_cookies=_flag(env, "XUEJI_SECURE_COOKIES", True),
            demo=_flag(env, "XUEJI_DEMO", False),
            worker=env.get("XUEJI_WORKER", "inline"),
            session_idle_minutes=_number(env, "XUEJI_SESSION_IDLE_MINUTES", 30, 1, 30),
            session_max_hours=_number(env, "XUEJI_SESSION_MAX_HOURS", 12, 1, 12),
            claim_minutes=_number(env, "XUEJI_CLAIM_MINUTES", 30, 5, 24 * 60),
            lock_minutes=_number(env, "XUEJI_LOCK_MINUTES", 30, 5, 4 * 60),
            trusted_proxies=_number(env, "XUEJI_TRUSTED_PROXIES", 0, 0, 5),
            public_url=_public_url(env.get("XUEJI_PUBLIC_URL", "")),
            reading=_flag(env, "XUEJI_READING", True),
            audit_key=_audit_key(env),
            audit_old_keys=tuple(_text(env, "XUEJI_AUDIT_OLD_KEYS").split()),
        )
        if settings.worker not in ("inline", "procrastinate"):
            raise SettingsError("XUEJI_WORKER must be 'inline' or 'procrastinate'.")
        if settings.worker == "procrastinate" and not settings.database_url.startswith("postgresql"):
            raise SettingsError("XUEJI_WORKER=procrastinate needs PostgreSQL in XUEJI_DATABASE_URL.")
        return settings


def derived_audit_key(secret: str) -> str:
    """The audit key of an installation that names none: another key than the secret, which it does not give away."""
    return hmac.new(secret.encode(), AUDIT_KEY_LABEL, hashlib.sha256).hexdigest()


def _text(env: Mapping[str, str], name: str) -> str:
    """The variable, else what the file holds that NAME_FILE names. Raises SettingsError for a file that cannot be read."""
    text, file = env.get(name, ""), env.get(f"{name}_FILE", "")
    if text or not file:
        return text
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}_FILE cannot be read: {type(error).__name__}.") from error


def _audit_key(env: Mapping[str, str]) -> str:
    key = _text(env, "XUEJI_AUDIT_KEY")
    if key and (len(key.encode()) < SECRET_KEY_MIN_BYTES or len(set(key)) < 8 or len(key.split()) != 1):
        raise SettingsError(
            "XUEJI_AUDIT_KEY is short or repetitive, or has spaces; use 32 random bytes or more."
        )
    if key and key == _text(env, "XUEJI_SECRET_KEY"):
        raise SettingsError("XUEJI_AUDIT_KEY must be another key than XUEJI_SECRET_KEY.")
    return key


def _secret_key(env: Mapping[str, str]) -> str:
    key = _text(env, "XUEJI_SECRET_KEY")
    if not key:
        raise SettingsError(
            "Set XUEJI_SECRET_KEY (or XUEJI_SECRET_KEY_FILE) to at least 32 random bytes, "
            'for example from: python3 -c "import secrets; print(secrets.token_hex(32))"'
        )
    if key.lower() in WEAK_KEYS or len(key.encode()) < SECRET_KEY_MIN_BYTES or len(set(key)) < 8:
        raise SettingsError(
            "XUEJI_SECRET_KEY is a default, short or repetitive key; use 32 random bytes or more."
        )
    return key


def _database_url(url: str) -> str:
    """Name the driver that the portal ships, so that a plain postgresql:// works."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _public_url(url: str) -> str:
    """Scheme and host only: what follows is the portal's own."""
    if url and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+/?", url):
        raise SettingsError("XUEJI_PUBLIC_URL must be a scheme and a host, e.g. https://xueji.example.")
    return url.rstrip("/")


def _flag(env: Mapping[str, str], name: str, default: bool) -> bool:
    value = env.get(name, "").strip().lower()
    if value in ("", "1", "true", "yes", "0", "false", "no"):
        return default if not value else value in ("1", "true", "yes")
    raise SettingsError(f"{name} must be 1 or 0, not {value!r}.")


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, "")
    if not text:
        return default
    if not text.isdigit() or not low <= int(text) <= high:
        raise SettingsError(f"{name} must be a whole number from {low} to {high}, not {text!r}.")
    return int(text)
