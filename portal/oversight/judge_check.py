"""Whether papers can be judged here now: the known page is judged in each format, as an uploaded file would be.

What never belongs here: HTTP, a verdict on anybody's paper.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from storage import sandbox

GOOD_FOR, BAD_FOR = 60.0, 5.0  # seconds that an answer is kept: a balancer asks every few seconds
NAMES = {
    "image/jpeg": "JPG",
    "image/png": "PNG",
    "image/tiff": "TIFF",
    "image/heic": "HEIC",
    "application/pdf": "PDF",
}


@dataclass(frozen=True)
class Trial:
    """What came of it: the sentence for the administrator, and what the server's log is told ("" where all is well)."""

    works: bool
    text: str
    why: str = ""


_guard = threading.Lock()
_kept: tuple[float, Trial] | None = None


def tried() -> Trial:
    """The newest trial of this process, made anew when it is too old."""
    global _kept
    with _guard:
        if _kept is not None:
            age = time.monotonic() - _kept[0]
            if age < (GOOD_FOR if _kept[1].works else BAD_FOR):
                return _kept[1]
        found = try_now()
        _kept = (time.monotonic(), found)
        return found


def try_now() -> Trial:
    """Judge the known page in every format."""
    try:
        wrong = sandbox.trial()
    except sandbox.Unavailable:
        text = "图片检查的进程启动不了：上传的材料现在收不下。请看服务器日志，修好后重新启动"
        return Trial(False, text, "no process could be started that opens files")
    if wrong:
        kinds = "、".join(NAMES.get(kind, kind) for kind in wrong)
        text = f"已知完好的图片也打不开（{kinds}）：上传的材料现在收不下。请看服务器日志，修好后重新启动"
        return Trial(False, text, "; ".join(f"{kind}: {why}" for kind, why in wrong.items()))
    return Trial(True, f"已用 {len(NAMES)} 种格式的已知图片试过，都能打开和判定")
