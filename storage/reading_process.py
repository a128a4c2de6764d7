"""The other side of ``storage.reading``: loads the engine once, then reads page after page until it is idle.

Started as ``python -I`` with an almost empty environment and its socket as standard input. It opens the models
that came with the wheel, leaves the network and gives up its rights before the first page. It ends when the
portal's side closes, when nothing has come for a while, or when it is killed for being slow.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import socket
import struct
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from storage.allowance import address_space
from storage.confinement import NOBODY, _leave_the_network
from storage.intake import JPEG
from storage.known_page import known_pages

IDLE_SECONDS = 180.0
MEMORY = (
    768 * 1024 * 1024
)  # bytes of address space above the loaded engine; a page has been seen to take 330 MB
DETECTOR_SIDE = (
    640  # pixels: in the red channel the lines of an A4 page are found as well as at 960, in half the time
)
# Long lines are cut close to their print, which the model then sees larger than that of short ones; its time goes with the
# width in heights. Paper above and below costs no character and a tenth less time.
LONG_LINE = 8  # heights
ROOM = 0.1  # of the height, above and below
OPEN_FILES = 32

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38

Answer = dict[str, Any]


def main() -> None:
    """Entry of the process: load, confine, say ``+``, serve."""
    channel = socket.socket(fileno=os.dup(0))
    reader = load()
    # What is opened on first use is opened now, while the rights are there: models, characters, modules for a page with print
    if not answer_for(known_pages()[JPEG], reader).get("lines"):
        raise RuntimeError("the engine does not read the known page")
    _leave_the_network()
    _confine()
    channel.sendall(b"+")
    _serve(channel, reader)


def _serve(channel: socket.socket, reader: Callable[[np.ndarray], Answer]) -> None:
    while select.select([channel], [], [], IDLE_SECONDS)[0]:
        head = _take(channel, 4)
        if not head:
            return
        jpeg = _take(channel, struct.unpack("!I", head)[0])
        body = json.dumps(answer_for(jpeg, reader)).encode()
        channel.sendall(struct.pack("!I", len(body)) + body)


def answer_for(jpeg: bytes, reader: Callable[[np.ndarray], Answer]) -> Answer:
    """The lines of a JPEG, or the kind of error in place of them; never an exception for what a picture holds."""
    try:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            return {"error": "not a picture"}
        return reader(picture)
    except Exception as error:
        return {"error": type(error).__name__}


def load() -> Callable[[np.ndarray], Answer]:
    """The engine as a function from a picture (height x width x BGR) to its lines."""
    import rapidocr

    cv2.setNumThreads(1)

    class Engine(rapidocr.RapidOCR):
        """With room around long lines."""

        def recognize_txt(self, img: list[np.ndarray]) -> Any:
            return super().recognize_txt([with_room(line) for line in img])

    models = Path(rapidocr.__file__).parent / "models"
    engine = Engine(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,  # a rendition is upright
            # Named files, so that nothing is ever looked for elsewhere.
            "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
            "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
            "Det.limit_side_len": DETECTOR_SIDE,
            "Det.limit_type": "max",
            # A line at a time at its own width: a batch is padded to its longest line.
            "Rec.rec_batch_num": 1,
            "Rec.rec_img_shape": [3, 48, 64],
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    name = f"rapidocr {version('rapidocr')}"

    def read(picture: np.ndarray) -> Answer:
        # In the red channel a red seal over the text almost vanishes; black ink stays.
        red = cv2.cvtColor(np.ascontiguousarray(picture[:, :, 2]), cv2.COLOR_GRAY2BGR)
        found: Any = engine(red)  # one of several kinds of answer, by what was asked for
        high, wide = picture.shape[:2]
        boxes = [] if found.boxes is None else found.boxes.tolist()
        lines = [
            (text, [[x / wide, y / high] for x, y in box], float(score))
            for text, box, score in zip(found.txts or (), boxes, found.scores or (), strict=True)
        ]
        return {"engine": name, "lines": lines}

    return read


def with_room(line: np.ndarray) -> np.ndarray:
    """A long line (height x width x BGR) with more paper above and below it: its own outermost pixels, so that no neighbouring
    line comes in."""
    high, wide = line.shape[:2]
    if wide < LONG_LINE * high:
        return line
    room = max(1, round(ROOM * high))
    return cv2.copyMakeBorder(line, room, room, 0, 0, cv2.BORDER_REPLICATE)


def _confine() -> None:
    """Give up what reading does not need: rights, other users' files, memory without end."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    memory = address_space() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # after setuid, which clears it
    with contextlib.suppress(OSError):
        os.chdir("/")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # an engine's words about a page are not for our log


def _take(source: socket.socket, size: int) -> bytes:
    """That many bytes, or b"" when the other side has closed."""
    got = bytearray()
    while len(got) < size:
        piece = source.recv(min(1 << 18, size - len(got)))
        if not piece:
            return b""
        got += piece
    return bytes(got)


if __name__ == "__main__":
    main()
