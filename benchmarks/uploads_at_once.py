"""Eight schools send a photograph of 5 MB in the same moment: how long until each reads "received", over HTTP on loopback.

    python -m benchmarks.uploads_at_once [--at-once 8] [--rounds 5] [--megabytes 5] [--small]

A portal with 2 workers x 4 threads, SQLite and a folder. The time is that of the whole request: sending, sealing, the checks, the
view, the thumbnail and the commit. Reading the print happens afterwards and is switched off here.
"""

from __future__ import annotations

import argparse
import os
import statistics
import threading
import time
from dataclasses import replace

import numpy as np
from PIL import Image

from benchmarks._installation import installation
from portal.extensions import db
from portal.models import EvidenceFile, Role
from tests import papers
from tests.builders import NEW_NAME, Cast, a_case, a_pupil, act, an_actor
from tests.web.dying import Sender
from tests.web.live import serving

SLOT = "household_book"


def photograph(megabytes: float, number: int, size: tuple[int, int]) -> bytes:
    """A JPEG of about that size, each number another picture."""
    page = papers.household_page("林小雨", "622999201305060023")
    grain = np.random.default_rng(number).normal(0, 6, (size[1], size[0], 1))
    noisy = np.clip(np.asarray(papers.on_desk(page, number, size=size)) + grain, 0, 255).astype(np.uint8)
    image = Image.fromarray(noisy)
    for quality in (75, 82, 88, 92, 95, 98):
        data = papers.as_jpeg(image, quality)
        if len(data) >= megabytes * 1e6:
            break
    return data


def measure(at_once: int, rounds: int, pictures: list[bytes]) -> list[float]:
    """Seconds of each request, in the order in which they ended."""
    taken: list[float] = []
    with installation() as app:
        cast = Cast()
        cases, people = [], [an_actor(Role.REGISTRAR, cast.school) for _ in range(at_once)]
        for who in people:
            case = a_case(cast, pupil=a_pupil(cast.school))
            act(case, who, "edit", answers=NEW_NAME)
            cases.append(case.id)
        db.session.commit()
        settings = replace(app.extensions["settings"], reading=False)
        os.environ["XUEJI_READING"] = "0"  # the server is a process of its own and reads its environment
        with serving(settings) as port:
            senders = [Sender.signed_in(app, port, who) for who in people]
            db.session.remove()
            for sender, case_id in zip(senders, cases, strict=True):
                sender.get(f"/cases/{case_id}/papers")
            for number in range(rounds + 1):
                gate = threading.Barrier(at_once)
                seconds: list[float] = []

                def send(
                    which: int,
                    gate: threading.Barrier = gate,
                    seconds: list[float] = seconds,
                    number: int = number,
                ) -> None:
                    sender = senders[which]
                    assert isinstance(sender, Sender)
                    data = pictures[which] + b" " * number  # other bytes, or it would be the same file again
                    gate.wait()
                    began = time.perf_counter()
                    status = sender.send(f"/cases/{cases[which]}/evidence/{SLOT}", data)
                    seconds.append(time.perf_counter() - began)
                    assert status == 303, status

                threads = [threading.Thread(target=send, args=(which,)) for which in range(at_once)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                assert len(seconds) == at_once, "an upload was not taken"
                if number:  # the first round starts the processes that judge
                    taken += seconds
        received = db.session.query(EvidenceFile).filter_by(status="committed").count()
        assert received == at_once * (rounds + 1), f"{received} files were received"
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description="uploads in the same moment")
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--megabytes", type=float, default=5.0)
    parser.add_argument(
        "--small", action="store_true", help="two small pictures, one round: only shows that it works"
    )
    arguments = parser.parse_args()
    at_once, rounds, megabytes = arguments.at_once, arguments.rounds, arguments.megabytes
    size = (3000, 4000)
    if arguments.small:
        at_once, rounds, megabytes, size = 2, 1, 0.3, (1200, 1600)
    pictures = [photograph(megabytes, number, size) for number in range(at_once)]
    taken = measure(at_once, rounds, pictures)
    sizes = ", ".join(f"{len(data) / 1e6:.1f}" for data in pictures)
    print(f"{at_once} at once, {rounds} rounds; MB: {sizes}")
    print(f"answered after {statistics.median(taken):.2f} s in the median, {max(taken):.2f} s at most")


if __name__ == "__main__":
    main()
