"""What the portal's own user may do on a MinIO server, and what not. Collected by `make test-minio` only (TEST_MINIO=1): the
server takes ten minutes to build."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from minio import Minio
from minio.credentials import StaticProvider
from minio.deleteobjects import DeleteObject
from minio.error import MinioAdminException, S3Error
from minio.minioadmin import MinioAdmin

from portal.oversight.readiness import NO_OBJECT
from storage.objects import new_key, open_store
from tests.services import fresh_bucket_url

ROOT = Path(__file__).resolve().parents[2]
MAKER = ROOT / "deploy" / "minio_user.py"
KEYS = ("xueji-portal-only", "a-secret-of-the-portal-0001")


@pytest.fixture
def place(s3_url: str) -> tuple[str, str]:
    """Host with port, and a bucket of this test's own, made with its user as deploy/README.md says."""
    parts = urlsplit(fresh_bucket_url(s3_url))
    host, bucket = f"{parts.hostname}:{parts.port}", parts.path.strip("/")
    make(host, bucket)
    return host, bucket


def make(host: str, bucket: str, **more: str) -> subprocess.CompletedProcess[str]:
    script = (ROOT / ".ci" / "services" / "minio.sh").read_text("utf-8")
    root = dict(
        one.split("=", 1) for one in script.split() if one.startswith(("root_user=", "root_password="))
    )
    environment = {
        "PATH": os.environ["PATH"],
        "MINIO_ROOT_USER": root["root_user"],
        "MINIO_ROOT_PASSWORD": root["root_password"],
        "S3_ACCESS_KEY": KEYS[0],
        "S3_SECRET_KEY": KEYS[1],
        "S3_BUCKET": bucket,
        **more,
    }
    call = [sys.executable, str(MAKER), host, "--insecure"]
    return subprocess.run(call, env=environment, capture_output=True, text=True, check=not more)


def test_the_store_works_with_the_rights_of_the_policy(place: tuple[str, str]) -> None:
    host, bucket = place
    store = open_store(f"s3+http://{KEYS[0]}:{KEYS[1]}@{host}/{bucket}")
    assert store.prove_lock().state == "ok"
    assert not store.exists(NO_OBJECT)
    sealed = store.put(new_key("e"), io.BytesIO(b"paper"), size_limit=99, media_type="image/png")
    store.lock(sealed, datetime.now(UTC) + timedelta(minutes=1), "GOVERNANCE")
    store.lock(sealed, datetime.now(UTC) + timedelta(minutes=2), "COMPLIANCE")
    assert store.read(sealed) == b"paper" and list(store.keys("e/")) == [(sealed.key, sealed.version_id)]


def test_the_portals_keys_cannot_get_round_a_lock_or_beyond_their_bucket(
    place: tuple[str, str], s3_url: str
) -> None:
    host, bucket = place
    store = open_store(f"s3+http://{KEYS[0]}:{KEYS[1]}@{host}/{bucket}")
    sealed = store.put(new_key("e"), io.BytesIO(b"paper"), size_limit=99, media_type="image/png")
    store.lock(sealed, datetime.now(UTC) + timedelta(minutes=1), "GOVERNANCE")
    client = Minio(host, access_key=KEYS[0], secret_key=KEYS[1], secure=False, region="us-east-1")
    list(
        client.remove_objects(
            bucket, [DeleteObject(sealed.key, sealed.version_id)], bypass_governance_mode=True
        )
    )
    assert store.read(sealed) == b"paper"
    with pytest.raises(S3Error, match="AccessDenied"):
        client.make_bucket("anothers-bucket")
    elsewhere = urlsplit(fresh_bucket_url(s3_url))
    open_store(elsewhere.geturl()).put("e/00/x", io.BytesIO(b"y"), size_limit=9, media_type="image/png")
    with pytest.raises(S3Error, match="AccessDenied"):
        list(client.list_objects(elsewhere.path.strip("/")))
    admin = MinioAdmin(endpoint=host, credentials=StaticProvider(*KEYS), secure=False)
    with pytest.raises(MinioAdminException):
        admin.user_list()


def test_root_is_never_the_portals_user(place: tuple[str, str]) -> None:
    done = make(*place, S3_ACCESS_KEY="xueji-root")
    assert done.returncode == 2 and "root" in done.stderr
