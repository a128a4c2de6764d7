"""Settings: what the portal refuses to start with."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.settings import Settings, SettingsError

GOOD = "0123456789abcdefghijklmnopqrstuv"


def read(**env: str) -> Settings:
    return Settings.from_environment({"XUEJI_SECRET_KEY": GOOD, **env})


@pytest.mark.parametrize(
    "key", ["", "dev", "secret", "changeme", "password", GOOD[:31], "a" * 64, "abc" * 20, "CHANGE-ME"]
)
def test_a_default_short_or_repetitive_key_is_refused(key: str) -> None:
    with pytest.raises(SettingsError):
        Settings.from_environment({"XUEJI_SECRET_KEY": key})


def test_no_key_at_all_is_refused_and_says_how_to_make_one() -> None:
    with pytest.raises(SettingsError, match="token_hex"):
        Settings.from_environment({})


def test_a_key_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(GOOD + "\n", "utf-8")
    settings = Settings.from_environment({"XUEJI_SECRET_KEY_FILE": str(tmp_path / "key")})
    assert settings.secret_key == GOOD


def test_the_refusal_does_not_repeat_the_key() -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment({"XUEJI_SECRET_KEY": "tooshortbutsecret"})
    assert "tooshortbutsecret" not in str(refusal.value)


@pytest.mark.parametrize(
    "name, value",
    [
        ("XUEJI_SESSION_IDLE_MINUTES", "31"),
        ("XUEJI_SESSION_IDLE_MINUTES", "0"),
        ("XUEJI_SESSION_MAX_HOURS", "13"),
        ("XUEJI_CLAIM_MINUTES", "x"),
        ("XUEJI_TRUSTED_PROXIES", "-1"),
        ("XUEJI_SECURE_COOKIES", "maybe"),
        ("XUEJI_WORKER", "celery"),
        ("XUEJI_PUBLIC_URL", "xueji.example"),
        ("XUEJI_PUBLIC_URL", "https://xueji.example/portal"),
        ("XUEJI_WORKER", "procrastinate"),
    ],
)
def test_values_out_of_range_are_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError):
        read(**{name: value})


def test_the_defaults_are_the_safe_ones() -> None:
    settings = read()
    assert settings.secure_cookies and not settings.demo
    assert (settings.session_idle_minutes, settings.session_max_hours) == (30, 12)
    assert settings.worker == "inline"
    assert (
        settings.public_url == ""
        and read(XUEJI_PUBLIC_URL="https://x.example/").public_url == "https://x.example"
    )


@pytest.mark.parametrize("prefix", ["postgres://", "postgresql://", "postgresql+psycopg://"])
def test_a_plain_postgresql_address_names_our_driver(prefix: str) -> None:
    assert read(XUEJI_DATABASE_URL=f"{prefix}u@h/db").database_url == "postgresql+psycopg://u@h/db"
