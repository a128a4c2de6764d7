"""Draw the pictures of portal/demo/papers: `python -m tests.draw_demo_papers`. Needs a Chinese font."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

from PIL import Image

from portal.demo import intake
from portal.demo.people import OFFICES
from portal.demo.pupils import LEAVING, STORIES, Leaving, Story
from portal.standards.columns import BY_KEY
from portal.standards.school_year import year_of_entry
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


def draw_leaving(story: Leaving, seed: int) -> None:
    school = next(one.name for one in OFFICES if one.key == story.office)
    application, report = leaving_papers(story.name, school, story.grade)
    save(application, f"{story.key}-application.jpg")
    save(report, f"{story.key}-report.jpg")
    save(papers.household_page(story.name, story.identity, seed, width=1300), f"{story.key}-household.jpg")


def leaving_papers(name: str, school: str, grade: str) -> tuple[Image.Image, Image.Image]:
    """退学申请书 of pupil and guardian, and the school's report."""
    application = papers.letter(
        "退学申请书",
        (
            f"{school}：",
            f"　　我是{grade}学生{name}，因家庭原因不能继续上学，",
            "现申请退学。学校老师多次谈话、家访，我和家长都知道退学后",
            "不得复学，仍然决定退学，今后责任自负。",
            "　　家长意见：同意孩子退学。",
            "　　此致",
            "敬礼",
        ),
        f"学生：{name}　监护人：{name[0]}建设",
        width=1654,
    )
    report = papers.letter(
        "关于学生退学的报告",
        (
            "县教育局：",
            f"　　我校{grade}学生{name}及其监护人书面提出退学。学校先后",
            "三次谈话、两次家访，说明可以休学，并告知退学后不得复学，",
            "学生和监护人仍坚持申请。经学校研究，同意上报。",
            "　　特此报告。",
        ),
        school,
        seal=school,
        width=1654,
    )
    return application, report


def correction_letters() -> list[Image.Image]:
    """信息更正便函 of the county for the people of the first school whose data differ from the list."""
    year = year_of_entry(date.today())
    drawn = []
    for person, row in intake.differing(intake.newcomers(year)["qinghe_high"]):
        key = next(key for key, text in row.items() if text != person.row[key])
        title = {"name": "姓名", "ethnicity": "民族", "exam_score": "中考成绩"}[key]
        lines = (
            "青禾县第一中学：",
            f"　　你校录取学生{person.name}（准考证号 {person.exam_number}），",
            f"中考报名登记的{title}“{person.row[key]}”有误，经查对户籍和考务",
            f"资料，应为“{row[key]}”。请按更正后的信息办理学籍注册。",
            "　　特此函告。",
        )
        drawn.append(papers.letter("信息更正便函", lines, "青禾县教育局", seal="青禾县教育局", width=1654))
    return drawn


def before_and_after(story: Story) -> tuple[str, str]:
    column = next(iter(story.new))
    old = story.name if column == "name" else story.identity
    return f"{BY_KEY[column].title} {old}", f"{BY_KEY[column].title} {story.new[column]}"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for seed, story in enumerate(STORIES, start=1):
        draw(story, seed)
    for seed, leaving in enumerate(LEAVING, start=31):
        draw_leaving(leaving, seed)
    for number, letter in enumerate(correction_letters(), start=1):
        save(letter, f"letter-{number}.jpg")
    good = papers.police_certificate(
        "马晓东", STORIES[0].identity, "姓名 马小东", "姓名 马晓东", 77, width=1654
    )
    save(papers.blurred(good, 9), "try-blurred.jpg")
    save(papers.rotated(good, 8), "try-rotated.jpg")


if __name__ == "__main__":
    main()
