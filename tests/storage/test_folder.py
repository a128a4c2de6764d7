"""What holds for the folder alone: its files, its permissions, and a disk that fails."""

from __future__ import annotations

import io
import os
import stat
import threading
from pathlib import Path

import pytest

from storage.filesystem import FolderStore
from storage.objects import KeyTaken, Sealed, StoreUnavailable, Tampered, new_key


def put(store: FolderStore, content: bytes = b"paper", key: str | None = None) -> Sealed:
    return store.put(key or new_key("e"), io.BytesIO(content), size_limit=100, media_type="image/png")


def test_files_are_read_only_and_folders_private(tmp_path: Path) -> None:
    sealed = put(FolderStore(tmp_path / "store"))
    place = tmp_path / "store" / sealed.key
    assert stat.S_IMODE(place.stat().st_mode) == 0o400
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert [p.name for p in place.parent.iterdir()] == [place.name]


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    sealed = put(store)
    place = tmp_path / sealed.key
    place.chmod(0o600)
    place.write_bytes(b"p4per")
    with pytest.raises(Tampered):
        store.read(sealed)
    store.delete(sealed.key, sealed.version_id)  # that version is not there any more: nothing is removed
    assert place.exists()


def test_of_two_writers_of_one_key_one_wins(tmp_path: Path) -> None:
    store, key = FolderStore(tmp_path), new_key("e")
    results: list[str] = []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        try:
            results.append(put(store, bytes([number]) * 50, key).sha256)
        except KeyTaken:
            results.append("taken")

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("taken") == 7
    (winner,) = (r for r in results if r != "taken")
    assert list(store.keys("e/")) == [(key, winner)]


def test_a_draft_left_by_a_crash_is_no_object_and_is_swept(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    sealed = put(store)
    old, new = tmp_path / "e" / ".incoming-old", tmp_path / "e" / ".incoming-new"
    old.write_bytes(b"half")
    new.write_bytes(b"being written")
    os.utime(old, (1, 1))
    assert list(store.keys("")) == [(sealed.key, sealed.version_id)]
    assert store.sweep() == 1
    assert not old.exists()
    assert new.exists()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = FolderStore(tmp_path / "file" / "store")
    with pytest.raises(StoreUnavailable):
        put(store)
    proof = store.prove_lock()
    assert (proof.locks, proof.state) == (False, "unavailable")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_open = os.open

    def onto_a_full_disk(path: os.PathLike[str], flags: int, mode: int = 0o777) -> int:
        return real_open("/dev/full", os.O_WRONLY) if flags & os.O_CREAT else real_open(path, flags, mode)

    store = FolderStore(tmp_path)
    monkeypatch.setattr(os, "open", onto_a_full_disk)
    with pytest.raises(StoreUnavailable, match="ENOSPC"):
        put(store)
