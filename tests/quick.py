"""What makes all tests of a process cheap without changing what the portal does: passwords with the smallest cost.

What a subprocess runs (gunicorn, the crash tests) is the portal as in service.
"""

from __future__ import annotations

from argon2 import PasswordHasher

from portal.accounts import passwords

REAL_HASHER, REAL_NOBODY = passwords._hasher, passwords._nobody


def hash_cheaply() -> None:
    """64 MiB and three rounds a password are for thieves; tests/web/test_auth.py holds the portal to them."""
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords._nobody = passwords._hasher.hash("nobody signs in with this")
