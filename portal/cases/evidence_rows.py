"""What the rows of evidence name in the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.models import EvidenceFile
from storage.objects import Sealed


def sealed_original(file: EvidenceFile) -> Sealed:
    return Sealed(file.store_key, file.version_id, file.sha256, file.size)


def sealed_picture(stored: Mapping[str, Any]) -> Sealed:
    return Sealed(**stored)
