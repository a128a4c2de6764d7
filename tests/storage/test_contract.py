"""What every store must do. The same tests run on the folder and on a real S3 server."""

from __future__ import annotations

import hashlib
import io
import socket
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from storage.objects import (
    KeyTaken,
    Locked,
    Missing,
    ObjectStore,
    Sealed,
    StoreUnavailable,
    Tampered,
    TooLarge,
    new_key,
    open_store,
)

CONTENT = b"a certificate \x00\xff" * 5000


def put(store: ObjectStore, content: bytes = CONTENT, key: str | None = None) -> Sealed:
    return store.put(
        key or new_key("evidence"), io.BytesIO(content), size_limit=1 << 20, media_type="image/jpeg"
    )


def soon(**distance: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(**distance)


def test_what_was_put_comes_back(store: ObjectStore) -> None:
    key = new_key("evidence")
    sealed = put(store, key=key)
    assert sealed.key == key
    assert sealed.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert sealed.size == len(CONTENT)
    assert sealed.version_id
    assert store.exists(sealed)
    assert store.read(sealed) == CONTENT
    with store.open(sealed) as source:
        assert source.read(13) == CONTENT[:13]
        source.seek(0)
        assert source.read() == CONTENT


def test_an_empty_and_a_large_object(store: ObjectStore) -> None:
    assert store.read(put(store, b"")) == b""
    large = bytes(range(256)) * (36 * 4096)  # 36 MB: beyond what is held in memory on the way
    sealed = store.put(new_key("evidence"), io.BytesIO(large), size_limit=40 << 20, media_type="image/tiff")
    assert store.read(sealed) == large


def test_too_large_leaves_nothing(store: ObjectStore) -> None:
    key = new_key("evidence")
    with pytest.raises(TooLarge):
        store.put(key, io.BytesIO(b"x" * 1001), size_limit=1000, media_type="image/jpeg")
    assert list(store.keys("evidence/")) == []
    assert store.read(put(store, b"x" * 1000, key)) == b"x" * 1000


def test_a_stream_that_breaks_leaves_nothing(store: ObjectStore) -> None:
    class Broken(io.RawIOBase):
        reads = 0

        def read(self, size: int = -1) -> bytes:
            self.reads += 1
            if self.reads > 2:
                raise ConnectionResetError("the browser went away")
            return b"y" * 1000

    with pytest.raises((ConnectionResetError, StoreUnavailable)):
        store.put(new_key("evidence"), Broken(), size_limit=1 << 20, media_type="image/jpeg")  # type: ignore[arg-type]
    assert list(store.keys("")) == []


def test_a_key_is_never_used_twice(store: ObjectStore) -> None:
    first = put(store)
    with pytest.raises(KeyTaken):
        put(store, b"something else", first.key)
    assert store.read(first) == CONTENT


@pytest.mark.parametrize(
    "key", ["", "../x", "a/../b", "/etc/passwd", "a//b", ".locks/x", "a b", "户口", "a" * 201]
)
def test_badly_formed_keys_are_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        put(store, key=key or " ")


def test_what_is_missing_is_said_to_be_missing(store: ObjectStore) -> None:
    sealed = put(store)
    elsewhere = replace(sealed, key=new_key("evidence"))
    assert not store.exists(elsewhere)
    with pytest.raises(Missing):
        store.read(elsewhere)
    with pytest.raises(Missing), store.open(elsewhere):
        pytest.fail("opened what is not there")
    with pytest.raises(Missing):
        store.lock(elsewhere, soon(minutes=1), "GOVERNANCE")
    with pytest.raises(Missing):
        store.locked_until(elsewhere)


def test_other_bytes_are_never_handed_out(store: ObjectStore) -> None:
    sealed = put(store)
    for wrong in (
        replace(sealed, sha256="0" * 64),
        replace(sealed, size=sealed.size + 1),
        replace(sealed, size=sealed.size - 1),
    ):
        with pytest.raises(Tampered):
            store.read(wrong)


def test_delete_removes_that_version_only(store: ObjectStore) -> None:
    kept, doomed = put(store), put(store)
    store.delete(doomed.key, doomed.version_id)
    assert not store.exists(doomed)
    store.delete(doomed.key, doomed.version_id)  # a second time is no error
    assert store.read(kept) == CONTENT


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_lock_refuses_deletion_until_its_time(store: ObjectStore, mode: str) -> None:
    sealed = put(store)
    assert store.locked_until(sealed) is None
    until = soon(seconds=3)
    store.lock(sealed, until, mode)  # type: ignore[arg-type]
    assert store.locked_until(sealed) == until
    with pytest.raises(Locked):
        store.delete(sealed.key, sealed.version_id)
    assert store.read(sealed) == CONTENT
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()) + 1.2)
    store.delete(sealed.key, sealed.version_id)
    assert not store.exists(sealed)


def test_a_lock_only_grows(store: ObjectStore) -> None:
    sealed = put(store)
    store.lock(sealed, soon(minutes=2), "GOVERNANCE")
    later = soon(minutes=3)
    store.lock(sealed, later, "COMPLIANCE")
    store.lock(sealed, soon(minutes=1), "GOVERNANCE")
    assert store.locked_until(sealed) == later
    with pytest.raises(Locked):
        store.delete(sealed.key, sealed.version_id)


def test_a_lock_needs_a_time_zone(store: ObjectStore) -> None:
    sealed = put(store)
    with pytest.raises(ValueError, match="time zone"):
        store.lock(sealed, datetime(2030, 1, 1), "GOVERNANCE")


def test_keys_lists_by_prefix(store: ObjectStore) -> None:
    one, two = put(store, key="staged/aa/1"), put(store, key="staged/bb/2")
    put(store, key="evidence/aa/3")
    assert list(store.keys("staged/")) == [(one.key, one.version_id), (two.key, two.version_id)]
    assert len(list(store.keys(""))) == 3


def test_the_lock_is_proved_and_the_proof_is_honest(store: ObjectStore, store_url: str) -> None:
    proof = store.prove_lock()
    assert proof.locks == store_url.startswith("s3")
    assert proof.state == ("ok" if proof.locks else "ok-embedded")
    assert ("已实测" if proof.locks else "不能防止本机管理员") in proof.detail
    assert abs((datetime.now(UTC) - proof.checked_at).total_seconds()) < 60
    assert store.prove_lock().state == proof.state  # an earlier probe does not stand in the way


def test_a_second_opener_reads_what_the_first_wrote(store_url: str) -> None:
    sealed = put(open_store(store_url))
    assert open_store(store_url).read(sealed) == CONTENT


def test_a_dead_store_is_said_to_be_dead_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: every connection is refused
        store = open_store(f"s3+http://KEY:SECRET@127.0.0.1:{taken.getsockname()[1]}/evidence")
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            put(store)
        with pytest.raises(StoreUnavailable):
            store.read(Sealed("evidence/aa/x", "v", "0" * 64, 1))
        assert store.prove_lock().state == "unavailable"
        assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "url",
    ["", "folder:", "/var/evidence", "s3+http://host/bucket", "s3+https://k:s@host/", "ftp://k:s@host/b"],
)
def test_other_urls_are_refused_without_repeating_a_secret(url: str) -> None:
    with pytest.raises(ValueError) as refused:
        open_store(url)
    assert "k:s" not in str(refused.value)
