"""The embedded store: a folder on this machine.

A file is written beside its place, flushed to disk, linked to its name only when it is whole, and made
read-only; a key that exists is never overwritten. The version of a file is its content hash. Locks are
kept in a file beside the objects and respected by this program; the machine's administrator can undo
them, and ``prove_lock`` says so.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from storage.objects import (
    CHUNK,
    KeyTaken,
    Locked,
    LockMode,
    LockProof,
    Missing,
    Sealed,
    StoreUnavailable,
    Tampered,
    TooLarge,
    checked_key,
    checked_moment,
    new_key,
)

DETAIL_EMBEDDED = (
    "本机文件夹：封存的文件由本程序和文件权限（只读）保护，本程序不会删除或改写；"
    "但不能防止本机管理员改动，如需防止请改用带对象锁定的 S3 存储"
)
DETAIL_BROKEN = "本机文件夹：封存的文件在锁定期内被删除了，请联系技术人员检查存储"
DETAIL_UNAVAILABLE = "本机文件夹无法读写，请检查磁盘空间和文件夹权限"

_LOCKS = ".locks"
_INCOMING = ".incoming-"


class FolderStore:
    """``ObjectStore`` on a folder, which is made on first use."""

    def __init__(self, folder: str | Path) -> None:
        self._root = Path(folder).absolute()

    def put(self, key: str, stream: BinaryIO, *, size_limit: int, media_type: str) -> Sealed:
        """See ``ObjectStore.put``; ``media_type`` is not kept, since the database holds it."""
        place = self._root / checked_key(key)
        with _as_unavailable():
            _make_folder(place.parent)
            draft = place.parent / f"{_INCOMING}{uuid.uuid4().hex}"
            try:
                digest, size = _write(draft, stream, size_limit)
                try:
                    os.link(draft, place)  # fails when the name exists, where a rename would replace it
                except FileExistsError:
                    raise KeyTaken(f"key used before: {key}") from None
            finally:
                draft.unlink(missing_ok=True)
            _sync_folder(place.parent)
        return Sealed(key, digest, digest, size)

    @contextmanager
    def open(self, sealed: Sealed) -> Iterator[BinaryIO]:
        """See ``ObjectStore.open``."""
        with tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024) as verified:
            with _as_unavailable(), self._opened(sealed) as source:
                digest, size = hashlib.sha256(), 0
                while size <= sealed.size and (piece := source.read(CHUNK)):
                    digest.update(piece)
                    size += len(piece)
                    verified.write(piece)
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
        with _as_unavailable():
            try:
                found = self._place(sealed.key).stat()
            except (FileNotFoundError, NotADirectoryError):
                return False
        return found.st_size == sealed.size and sealed.version_id == sealed.sha256

    def delete(self, key: str, version_id: str) -> None:
        """See ``ObjectStore.delete``. A file that is not that version is left alone."""
        place = self._place(key)
        with _as_unavailable():
            try:
                with place.open("rb") as source:
                    present = hashlib.file_digest(source, "sha256").hexdigest()
            except (FileNotFoundError, NotADirectoryError):
                return
            if present != version_id:
                return
            lock = self._lock_of(key)
            if lock is not None and lock[0] > datetime.now(UTC):
                raise Locked(f"locked until {lock[0].isoformat()}: {key}")
            place.unlink(missing_ok=True)
            self._lock_file(key).unlink(missing_ok=True)
            _sync_folder(place.parent)

    def lock(self, sealed: Sealed, until: datetime, mode: LockMode) -> None:
        """See ``ObjectStore.lock``."""
        until = checked_moment(until).astimezone(UTC)
        with _as_unavailable():
            if not self.exists(sealed):
                raise Missing(f"nothing to lock: {sealed.key}")
            present = self._lock_of(sealed.key)
            if present is not None:
                until = max(until, present[0])
                mode = "COMPLIANCE" if "COMPLIANCE" in (mode, present[1]) else mode
            self._write_lock(sealed.key, {"until": until.isoformat(), "mode": mode})

    def locked_until(self, sealed: Sealed) -> datetime | None:
        """See ``ObjectStore.locked_until``."""
        with _as_unavailable():
            if not self.exists(sealed):
                raise Missing(f"no such version: {sealed.key}")
            lock = self._lock_of(sealed.key)
        return None if lock is None else lock[0]

    def prove_lock(self) -> LockProof:
        """See ``ObjectStore.prove_lock``: at best ``ok-embedded``, because a folder has a master."""
        now = datetime.now(UTC)
        try:
            probe = self.put(new_key("probe"), BytesIO(b"lock probe"), size_limit=64, media_type="text/plain")
            self.lock(probe, now + timedelta(minutes=1), "COMPLIANCE")
            refused = False
            try:
                self.delete(probe.key, probe.version_id)
            except Locked:
                refused = True
            if not refused or self.read(probe) != b"lock probe":
                return LockProof(False, "not-locked", DETAIL_BROKEN, now)
            self._lock_file(probe.key).unlink()
            self.delete(probe.key, probe.version_id)
        except (Missing, Tampered):
            return LockProof(False, "not-locked", DETAIL_BROKEN, now)
        except (StoreUnavailable, OSError):
            return LockProof(False, "unavailable", DETAIL_UNAVAILABLE, now)
        return LockProof(False, "ok-embedded", DETAIL_EMBEDDED, now)

    def keys(self, prefix: str) -> Iterator[tuple[str, str]]:
        """See ``ObjectStore.keys``. Reads every file to know its version: meant for small prefixes.

        Drafts of uploads that were cut off are not objects; ``sweep`` removes them.
        """
        folder, _, _ = prefix.rpartition("/")  # only there can a key begin so
        with _as_unavailable():
            found = sorted(
                key
                for place in (self._root / folder).rglob("*")
                if place.is_file()
                and not any(part.startswith(".") for part in place.relative_to(self._root).parts)
                and (key := place.relative_to(self._root).as_posix()).startswith(prefix)
            )
        for key in found:
            with _as_unavailable(), suppress(FileNotFoundError), self._place(key).open("rb") as source:
                yield key, hashlib.file_digest(source, "sha256").hexdigest()

    def sweep(self, older_than: timedelta = timedelta(hours=1)) -> int:
        """Remove drafts that a crash left behind; how many. A younger draft may still be being written."""
        limit = datetime.now(UTC).timestamp() - older_than.total_seconds()
        swept = 0
        with _as_unavailable():
            for draft in self._root.rglob(f"{_INCOMING}*"):
                if draft.stat().st_mtime < limit:
                    draft.unlink(missing_ok=True)
                    swept += 1
        return swept

    def _place(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _lock_file(self, key: str) -> Path:
        return self._root / _LOCKS / f"{checked_key(key)}.json"

    @contextmanager
    def _opened(self, sealed: Sealed) -> Iterator[BinaryIO]:
        try:
            source = self._place(sealed.key).open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise Missing(f"not in the store: {sealed.key}") from None
        with source:
            yield source

    def _lock_of(self, key: str) -> tuple[datetime, LockMode] | None:
        try:
            kept: dict[str, Any] = json.loads(self._lock_file(key).read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        mode: LockMode = "COMPLIANCE" if kept["mode"] == "COMPLIANCE" else "GOVERNANCE"
        return datetime.fromisoformat(kept["until"]), mode

    def _write_lock(self, key: str, lock: dict[str, str]) -> None:
        place = self._lock_file(key)
        _make_folder(place.parent)
        draft = place.parent / f"{_INCOMING}{uuid.uuid4().hex}"
        try:
            _write(draft, BytesIO(json.dumps(lock).encode("ascii")), 1024)
            os.replace(draft, place)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(place.parent)


@contextmanager
def _as_unavailable() -> Iterator[None]:
    """Turn what the operating system says (full, read-only, not permitted) into ``StoreUnavailable``."""
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        raise StoreUnavailable(f"the evidence folder cannot be used: {name}") from error


def _write(draft: Path, stream: BinaryIO, size_limit: int) -> tuple[str, int]:
    """Write the stream to a new read-only file and flush it to disk; its SHA-256 and size."""
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as out:
        while piece := stream.read(CHUNK):
            size += len(piece)
            if size > size_limit:
                raise TooLarge(f"more than {size_limit} bytes")
            digest.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest(), size


def _make_folder(folder: Path) -> None:
    """Make the folder and its parents (only we may look inside), and flush each new name to disk."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
