"""Both sides of the storage port, for the tests that must hold on each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage.objects import ObjectStore, open_store
from tests.services import fresh_bucket_url


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.services)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store: a folder, then a bucket of its own on a real S3 server."""
    if request.param == "folder":
        return f"folder:{tmp_path / 'evidence'}"
    return fresh_bucket_url(request.getfixturevalue("s3_url"))


@pytest.fixture
def store(store_url: str) -> ObjectStore:
    """An empty store."""
    return open_store(store_url)


# A server that takes ten minutes to build: not part of every run, and so not skipped in it either.
collect_ignore = [] if os.environ.get("TEST_MINIO") == "1" else ["test_minio.py"]
