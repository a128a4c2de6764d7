"""Draw the pictures of portal/demo/papers: `python -m tests.draw_demo_papers`. Needs a Chinese font."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from portal.demo.pupils import STORIES, Story
from portal.standards.columns import BY_KEY
from tests import papers

FOLDER = Path(__file__).parent.parent / "portal" / "demo" / "papers"


def save(image: Image.Image, name: str, quality: int = 62) -> None:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    (FOLDER / name).write_bytes(out.getvalue())


def draw(story: Story, seed: int) -> None:
    old, new = before_and_after(story)
    name, number = story.new.get("name", story.name), story.new.get("id_number", story.identity)
    certificate = papers.police_certificate(name, number, old, new, seed, width=1654)
    save(certificate, f"{story.key}-certificate.jpg")
    save(papers.household_page(name, number, seed, width=1300), f"{story.key}-household.jpg")


def before_and_after(story: Story) -> tuple[str, str]:
    column = next(iter(story.new))
    old = story.name if column == "name" else story.identity
    return f"{BY_KEY[column].title} {old}", f"{BY_KEY[column].title} {story.new[column]}"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for seed, story in enumerate(STORIES, start=1):
        draw(story, seed)
    good = papers.police_certificate(
        "马晓东", STORIES[0].identity, "姓名 马小东", "姓名 马晓东", 77, width=1654
    )
    save(papers.blurred(good, 9), "try-blurred.jpg")
    save(papers.rotated(good, 8), "try-rotated.jpg")


if __name__ == "__main__":
    main()
