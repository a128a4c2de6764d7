"""The store for more than one machine: any S3 server with versioning and object lock, through ``minio``.

Reads and deletes always name the version. Whether the server's lock really holds is never assumed:
``prove_lock`` tries it.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE, ENABLED, GOVERNANCE
from minio.deleteobjects import DeleteObject
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from minio.retention import Retention
from minio.versioningconfig import VersioningConfig
from minio.xml import marshal

from storage.objects import (
    CHUNK,
    KeyTaken,
    Locked,
    LockMode,
    LockProof,
    Missing,
    Sealed,
    StoreError,
    StoreUnavailable,
    Tampered,
    TooLarge,
    checked_key,
    checked_moment,
    new_key,
)

CONNECT_SECONDS, READ_SECONDS = 3.0, 30.0
SINGLE_PART = 64 * 1024 * 1024  # below this an object goes up in one request
IN_MEMORY = 8 * 1024 * 1024
PROBES = "probe"
PROBE_LOCK = timedelta(minutes=1)

DETAIL_OK = "S3 存储：已实测对象锁定有效，锁定期内的文件无法删除或替换"
DETAIL_NOT_LOCKED = "S3 存储：锁定的文件仍能被删除，不能保存证明材料，请更换存储或开启对象锁定（Object Lock）"
DETAIL_NO_LOCKING = "S3 存储：存储桶没有开启版本控制和对象锁定（Object Lock），请新建一个开启锁定的存储桶"
DETAIL_UNAVAILABLE = "S3 存储无法连接，请检查网络、地址和密钥"

_MISSING = {"NoSuchKey", "NoSuchVersion", "NoSuchObject", "MethodNotAllowed", "ResourceNotFound"}
_LOCKING_ABSENT = {"InvalidRequest", "NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"}
_REFUSED = {"AccessDenied", "InvalidRequest", "ObjectLocked", "MethodNotAllowed"}


class S3Store:
    """``ObjectStore`` on one bucket, which is made with object lock on first use when it is not there."""

    def __init__(self, client: Minio, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._ready = False

    @classmethod
    def from_url(cls, url: str) -> S3Store:
        """From ``s3+https://KEY:SECRET@host:port/bucket``; ``s3+http`` goes without TLS."""
        parts = urlsplit(url)
        bucket = parts.path.strip("/")
        if not (parts.hostname and parts.username and parts.password and bucket) or "/" in bucket:
            raise ValueError("expected s3+https://KEY:SECRET@host:port/bucket")
        endpoint = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        client = Minio(
            endpoint,
            access_key=unquote(parts.username),
            secret_key=unquote(parts.password),
            secure=parts.scheme == "s3+https",
            region="us-east-1",  # named, so that no request is spent on asking for it
            http_client=_patience(),
        )
        return cls(client, bucket)

    def put(self, key: str, stream: BinaryIO, *, size_limit: int, media_type: str) -> Sealed:
        """See ``ObjectStore.put``. The stream is hashed into a spool first, since S3 wants the length ahead."""
        checked_key(key)
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spool, self._talking():
            digest, size = hashlib.sha256(), 0
            while piece := stream.read(CHUNK):
                size += len(piece)
                if size > size_limit:
                    raise TooLarge(f"more than {size_limit} bytes")
                digest.update(piece)
                spool.write(piece)
            spool.seek(0)
            self._prepare()
            if self._taken(key):
                raise KeyTaken(f"key used before: {key}")
            stored = self._client.put_object(
                self._bucket,
                key,
                cast(BinaryIO, spool),
                size,
                content_type=media_type,
                part_size=SINGLE_PART,
            )
        if not stored.version_id:
            raise StoreUnavailable("the bucket keeps no versions")
        return Sealed(key, stored.version_id, digest.hexdigest(), size)

    @contextmanager
    def open(self, sealed: Sealed) -> Iterator[BinaryIO]:
        """See ``ObjectStore.open``."""
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as verified:
            digest, size = hashlib.sha256(), 0
            with self._talking():
                answer = self._client.get_object(self._bucket, sealed.key, version_id=sealed.version_id)
                try:
                    while size <= sealed.size and (piece := answer.read(CHUNK)):
                        digest.update(piece)
                        size += len(piece)
                        verified.write(piece)
                finally:
                    answer.close()
                    answer.release_conn()
            if size != sealed.size or digest.hexdigest() != sealed.sha256:
                raise Tampered(f"not what was sealed: {sealed.key}")
            verified.seek(0)
            yield verified  # type: ignore[misc]  # it has every method of a binary file

    def read(self, sealed: Sealed) -> bytes:
        """See ``ObjectStore.read``."""
        with self.open(sealed) as source:
            return source.read()

    def exists(self, sealed: Sealed) -> bool:
        """See ``ObjectStore.exists``."""
        try:
            with self._talking():
                found = self._client.stat_object(self._bucket, sealed.key, version_id=sealed.version_id)
        except Missing:
            return False
        return found.size == sealed.size

    def delete(self, key: str, version_id: str) -> None:
        """See ``ObjectStore.delete``. A refusal counts as a lock when the version is there and locked."""
        checked_key(key)
        try:
            with self._talking():
                self._client.remove_object(self._bucket, key, version_id=version_id)
        except Missing:
            return
        except _Forbidden as refused:
            with self._talking():
                until, _ = self._lock_of(key, version_id)
            if until is not None and until > datetime.now(UTC):
                raise Locked(f"locked until {until.isoformat()}: {key}") from None
            raise StoreUnavailable(f"the store refused to delete: {refused}") from refused

    def lock(self, sealed: Sealed, until: datetime, mode: LockMode) -> None:
        """See ``ObjectStore.lock``."""
        until = checked_moment(until).astimezone(UTC)
        with self._talking():
            present, present_mode = self._lock_of(sealed.key, sealed.version_id)
            if present is not None:
                until = max(until, present)
                mode = "COMPLIANCE" if "COMPLIANCE" in (mode, present_mode) else mode
            if (until, mode) == (present, present_mode):
                return
            wanted = Retention(COMPLIANCE if mode == "COMPLIANCE" else GOVERNANCE, until)
            if present is not None and mode != present_mode:
                self._change_mode(sealed, wanted)
            else:
                self._client.set_object_retention(
                    self._bucket, sealed.key, wanted, version_id=sealed.version_id
                )

    def locked_until(self, sealed: Sealed) -> datetime | None:
        """See ``ObjectStore.locked_until``."""
        with self._talking():
            return self._lock_of(sealed.key, sealed.version_id)[0]

    def prove_lock(self) -> LockProof:
        """See ``ObjectStore.prove_lock``. Deletion is tried plainly and with the order to bypass a lock."""
        now = datetime.now(UTC)
        try:
            with self._talking():
                self._prepare()
                if not self._locking_configured():
                    return LockProof(False, "not-locked", DETAIL_NO_LOCKING, now)
            self._forget_old_probes()
            content = b"lock probe"
            probe = self.put(new_key(PROBES), BytesIO(content), size_limit=64, media_type="text/plain")
            self.lock(probe, now + PROBE_LOCK, "COMPLIANCE")
            with suppress(StoreError):
                self.delete(probe.key, probe.version_id)
            self._delete_by_force(probe)
            if self.read(probe) != content:
                return LockProof(False, "not-locked", DETAIL_NOT_LOCKED, now)
        except (Missing, Tampered):
            return LockProof(False, "not-locked", DETAIL_NOT_LOCKED, now)
        except StoreError:
            return LockProof(False, "unavailable", DETAIL_UNAVAILABLE, now)
        return LockProof(True, "ok", DETAIL_OK, now)

    def keys(self, prefix: str) -> Iterator[tuple[str, str]]:
        """See ``ObjectStore.keys``."""
        with self._talking():
            self._prepare()
            found = self._client.list_objects(
                self._bucket, prefix=prefix, recursive=True, include_version=True
            )
            for item in found:
                if not item.is_delete_marker and item.object_name and item.version_id:
                    yield item.object_name, item.version_id

    def _prepare(self) -> None:
        """Make the bucket when it is not there. An existing bucket's configuration is not touched."""
        if self._ready:
            return
        if not self._client.bucket_exists(self._bucket):
            with suppress_code("BucketAlreadyOwnedByYou"):
                self._client.make_bucket(self._bucket, object_lock=True)
            with suppress(S3Error):  # a bucket with object lock keeps versions in any case
                self._client.set_bucket_versioning(self._bucket, VersioningConfig(ENABLED))
        self._ready = True

    def _locking_configured(self) -> bool:
        try:
            self._client.get_object_lock_config(self._bucket)
        except S3Error as error:
            if error.code in _LOCKING_ABSENT:
                return False
            raise
        return True

    def _taken(self, key: str) -> bool:
        try:
            self._client.stat_object(self._bucket, key)
        except S3Error as error:
            if error.code in _MISSING:
                return False
            raise
        return True

    def _lock_of(self, key: str, version_id: str) -> tuple[datetime | None, LockMode]:
        """Read from the headers of the object: some servers write the date of the retention document with
        nanoseconds, which the client's own reader does not take."""
        headers = self._client.stat_object(self._bucket, key, version_id=version_id).metadata or {}
        until = headers.get("x-amz-object-lock-retain-until-date")
        mode = headers.get("x-amz-object-lock-mode")
        return _moment(until) if until else None, "COMPLIANCE" if mode == "COMPLIANCE" else "GOVERNANCE"

    def _change_mode(self, sealed: Sealed, wanted: Retention) -> None:
        """Turn GOVERNANCE into COMPLIANCE. Servers take any change of mode for a bypass and want it ordered,
        which ``set_object_retention`` cannot: this is its request with that header added."""
        body = marshal(wanted)
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        headers: dict[str, str | list[str] | tuple[str]] = {
            "Content-MD5": b64encode(digest).decode("ascii"),
            "x-amz-bypass-governance-retention": "true",
        }
        query: dict[str, str | list[str] | tuple[str]] = {"retention": "", "versionId": sealed.version_id}
        self._client._execute("PUT", self._bucket, sealed.key, body=body, headers=headers, query_params=query)

    def _delete_by_force(self, probe: Sealed) -> None:
        """The order that a holder of our keys could give; what it says does not matter, what is left does."""
        with self._talking(), suppress(S3Error):
            order = [DeleteObject(probe.key, probe.version_id)]
            for _ in self._client.remove_objects(self._bucket, order, bypass_governance_mode=True):
                pass

    def _forget_old_probes(self) -> None:
        """Remove the probes of earlier proofs whose minute is over."""
        for key, version_id in list(self.keys(f"{PROBES}/")):
            with suppress(Locked):
                self.delete(key, version_id)

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Turn what the client raises into our own errors."""
        try:
            yield
        except S3Error as error:
            if error.code in _MISSING:
                raise Missing(f"not in the store: {error.code}") from error
            if error.code in _REFUSED:
                raise _Forbidden(error.code) from error
            raise StoreUnavailable(f"the store answers {error.code}") from error
        except (urllib3.exceptions.HTTPError, ServerError, InvalidResponseError, MinioException) as error:
            raise StoreUnavailable(f"the store does not answer: {type(error).__name__}") from error


class _Forbidden(StoreUnavailable):
    """The store understood and refused."""


@contextmanager
def suppress_code(code: str) -> Iterator[None]:
    """Let an S3 error of this code pass: another process was faster with the same wish."""
    try:
        yield
    except S3Error as error:
        if error.code != code:
            raise


def _patience() -> urllib3.PoolManager:
    """Short timeouts and a single repetition of what may be repeated: a dead store is said to be dead soon."""
    return urllib3.PoolManager(
        maxsize=16,
        timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        cert_reqs="CERT_REQUIRED",
        retries=urllib3.Retry(
            total=1,
            connect=0,
            redirect=0,
            backoff_factor=0.1,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=frozenset({"GET", "HEAD"}),
            raise_on_status=False,
        ),
    )


_FRACTION = re.compile(r"\.(\d{1,6})\d*")


def _moment(text: str) -> datetime:
    """An ISO 8601 moment, with any number of fractional digits."""
    moment = datetime.fromisoformat(_FRACTION.sub(lambda found: "." + found.group(1).ljust(6, "0"), text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
