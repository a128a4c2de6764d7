"""What holds for S3 alone: substitution through the plain key, and buckets that do not lock."""

from __future__ import annotations

import io
from urllib.parse import unquote, urlsplit

import pytest
from minio import Minio

from storage.objects import Sealed, new_key, open_store
from tests.services import fresh_bucket_url

pytestmark = pytest.mark.services


@pytest.fixture
def url(s3_url: str) -> str:
    return fresh_bucket_url(s3_url)


def administrator(url: str) -> tuple[Minio, str]:
    """The bare client and the bucket: what somebody with the store's own keys can do."""
    parts = urlsplit(url)
    client = Minio(
        parts.netloc.rpartition("@")[2],
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        secure=False,
    )
    return client, parts.path.strip("/")


def put(url: str, content: bytes) -> Sealed:
    return open_store(url).put(new_key("e"), io.BytesIO(content), size_limit=1000, media_type="image/png")


def test_overwriting_or_deleting_the_plain_key_does_not_reach_the_sealed_bytes(url: str) -> None:
    sealed = put(url, b"the certificate")
    client, bucket = administrator(url)
    client.put_object(bucket, sealed.key, io.BytesIO(b"a forgery"), 9)
    assert client.get_object(bucket, sealed.key).read() == b"a forgery"
    assert open_store(url).read(sealed) == b"the certificate"
    client.remove_object(bucket, sealed.key)
    assert open_store(url).read(sealed) == b"the certificate"
    assert open_store(url).exists(sealed)


def test_a_bucket_without_object_lock_is_named_as_such(url: str) -> None:
    client, bucket = administrator(url)
    client.make_bucket(bucket)
    proof = open_store(url).prove_lock()
    assert (proof.locks, proof.state) == (False, "not-locked")
    assert "对象锁定" in proof.detail


def test_wrong_keys_are_unavailable_and_the_secret_is_not_repeated(url: str) -> None:
    parts = urlsplit(url)
    wrong = url.replace(parts.password or "", "not-the-secret")
    proof = open_store(wrong).prove_lock()
    assert proof.state == "unavailable"
    assert "not-the-secret" not in proof.detail
