"""Editors: views of one file, the disk followed, conflicts shown and nothing overwritten, JupyterLab's renderers."""

import base64
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect
from support.lab import wait_for
from support.person import Person

pytestmark = pytest.mark.browser

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PDF = b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
PDF += b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def banner(person: Person, path: str) -> object:
    return person.editor(path).locator(".jp-Repl-banner")


def test_two_views_of_one_file_are_one_text(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.replace("main.py", "one\n")
    person.focus_editor("main.py")
    person.page.keyboard.press("Control+\\")
    views = person.tab.locator('.jp-Repl-editor[data-path="main.py"]')
    expect(views).to_have_count(2)
    expect(views.nth(1)).to_have_attribute("data-ready", "true")
    person.command("jupyter-repl:split-down")
    expect(views).to_have_count(3)
    views.nth(1).locator(".view-lines").click()
    person.page.keyboard.press("Control+End")
    person.type("two")
    for number in range(3):
        expect(views.nth(number).locator(".view-lines")).to_contain_text("two")
    person.wait_on_disk("main.py", "one\ntwo")
    person.look("split")
    person.wait_layout_saved()
    person.reload()
    expect(views).to_have_count(3)
    for number in range(3):
        expect(views.nth(number)).to_have_attribute("data-ready", "true", timeout=20_000)


def test_cursor_and_scroll_come_back(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.open_new("long.txt", "".join(f"line {number}\n" for number in range(1, 400)))
    person.page.keyboard.press("Control+g")
    person.page.keyboard.type("250:3")
    person.page.keyboard.press("Enter")
    status = person.page.locator(".jp-Repl-statusItem")
    expect(status).to_contain_text("Ln 250, Col 3")
    person.wait_layout_saved()
    person.reload()
    person.wait_editor("long.txt")
    expect(status).to_contain_text("Ln 250, Col 3")
    expect(person.editor("long.txt").locator(".view-lines")).to_contain_text("line 250")
    person.page.keyboard.press("Control+2")
    person.command("jupyter-repl:close-file")
    expect(person.editor("long.txt")).to_have_count(0)
    person.open_file("long.txt")
    expect(status).to_contain_text("Ln 250, Col 3")


def test_a_clean_editor_follows_the_disk_and_the_cursor_stays(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.replace("main.py", "one\ntwo\nthree\n")
    person.wait_saved()
    person.page.keyboard.press("ArrowUp")  # on "three"
    status = person.page.locator(".jp-Repl-statusItem")
    expect(status).to_contain_text("Ln 3, Col 1")
    file = person.project / "main.py"
    file.write_text("zero\n" + file.read_text())
    expect(status).to_contain_text("Ln 4, Col 1")
    person.type("the ")
    person.wait_on_disk("main.py", "zero\none\ntwo\nthe three\n")


@pytest.mark.parametrize("choice", ["Keep my text", "Take the text on disk"])
def test_a_conflict_shows_both_and_keeps_both(person: Person, choice: str) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.replace("main.py", "first\n")
    person.wait_saved()
    file = person.project / "main.py"
    person.type("mine")
    file.write_text("theirs\n")
    said = person.editor("main.py").locator(".jp-Repl-banner")
    expect(said).to_contain_text("was changed on disk")
    expect(said).to_contain_text("main (conflict).py")
    person.wait_on_disk("main (conflict).py", "first\nmine")
    said.get_by_text("Compare").click()
    compare = person.tab.locator(".jp-Repl-compare")
    expect(compare).to_have_attribute("data-ready", "true")
    expect(compare.locator(".side-by-side")).to_have_count(0)
    expect(compare.locator(".view-zones .line-delete")).to_contain_text("theirs")
    person.page.set_viewport_size({"width": 2200, "height": 860})  # two columns have room
    expect(compare.locator(".side-by-side")).to_have_count(1)
    expect(compare.locator(".original .view-lines")).to_contain_text("theirs")
    expect(compare.locator(".modified .view-lines")).to_contain_text("mine")
    person.wait_still()
    person.look("compare")
    person.drop("main (conflict).py", compare.locator(".modified .view-lines"))  # it is not written into the text
    person.tab.locator(".jp-Repl-editors .lm-TabBar-tab", has_text=re.compile("^main.py$")).click()
    said.get_by_text(choice).click()
    is_mine = choice == "Keep my text"
    person.wait_on_disk("main.py", "first\nmine" if is_mine else "theirs\n")
    expect(compare).to_have_count(0)
    expect(said).to_contain_text("The other text is in")
    # The copy of what was chosen goes last.
    (copy,) = wait_for(lambda: len(found := [*person.project.glob("main (conflict*).py")]) == 1 and found)
    assert copy.read_text() == ("theirs\n" if is_mine else "first\nmine")
    said.get_by_text("Delete it").click()
    wait_for(lambda: not copy.exists())
    expect(said).to_be_hidden()


def test_a_deleted_file_says_so_and_comes_back(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    text = person.on_disk("main.py")
    (person.project / "main.py").unlink()
    said = person.editor("main.py").locator(".jp-Repl-banner")
    expect(said).to_contain_text("deleted on disk")
    said.get_by_text("Put it back").click()
    person.wait_on_disk("main.py", text)


def test_two_browsers_on_one_file_lose_no_text(
    person: Person, browser: Browser, person_at: Callable[..., Person]
) -> None:
    """Interleaved typing for 10 s: each word is in the file, or in a conflict copy that is shown."""
    name = person.create("Python")
    person.wait_editor("main.py")
    person.replace("main.py", "")
    person.wait_saved()
    other = person_at(person.lab)
    other.visit()
    other.open(name)
    other.wait_editor("main.py")
    words = []
    for someone in (person, other):  # once: the line soon scrolls away from under the pointer
        someone.focus_editor("main.py")
    until = time.monotonic() + 10
    number = 0
    while time.monotonic() < until:
        for who, someone in (("a", person), ("b", other)):
            number += 1
            word = f"{who}{number:03}"
            someone.page.keyboard.press("Control+End")
            someone.page.keyboard.type(word + " ")
            words.append(word)
            someone.pause(0.07 * (number % 5))
    for someone in (person, other):
        wait_for(lambda someone=someone: someone.editor("main.py").get_attribute("data-state") != "saving")

    def lost() -> list[str]:
        texts = [path.read_text() for path in person.project.glob("main*.py")]
        return [word for word in words if not any(word in text for text in texts)]

    wait_for(lambda: not lost())
    copies = sorted(path.name for path in person.project.glob("main (conflict*).py"))
    for copy in copies:
        expect(person.row(copy)).to_be_visible()


@pytest.mark.parametrize(
    ("name", "content", "selector"),
    [
        ("dot.png", PNG, ".jp-ImageViewer img"),
        pytest.param(
            *("paper.pdf", PDF, ".jp-PDFContainer, .jp-PDFViewer, embed, iframe, object"), marks=pytest.mark.windowed
        ),
        ("table.csv", b"name,age\nAda,36\n", ".jp-CSVViewer .lm-DataGrid"),
    ],
)
def test_jupyterlabs_own_renderers(person: Person, name: str, content: bytes, selector: str) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    (person.project / name).write_bytes(content)
    person.row(name).click()
    viewer = person.tab.locator(f'.jp-Repl-viewer[data-path="{name}"]')
    expect(viewer).to_have_attribute("data-ready", "true", timeout=20_000)
    expect(viewer.locator(selector).first).to_be_attached()
    person.look(f"viewer-{name.split('.')[1]}")
    person.wait_layout_saved()
    person.reload()
    expect(viewer).to_have_attribute("data-ready", "true", timeout=20_000)
    assert (person.project / name).read_bytes() == content


def test_markdown_has_a_preview_that_follows_the_text(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.open_new("README.md", "# Hello\n")
    person.command("jupyter-repl:preview")
    viewer = person.tab.locator('.jp-Repl-viewer[data-path="README.md"]')
    expect(viewer.locator("h1")).to_contain_text("Hello", timeout=20_000)
    person.replace("README.md", "# Good bye\n")
    expect(viewer.locator("h1")).to_contain_text("Good bye", timeout=20_000)
    person.look("markdown")


def test_an_open_file_that_is_moved_stays_open(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    (person.project / "lib").mkdir()
    expect(person.row("lib")).to_be_visible()
    person.replace("main.py", "moved = True\n")
    person.drag("main.py", "lib")
    person.wait_editor("lib/main.py")
    expect(person.editor("main.py")).to_have_count(0)
    assert (person.project / "lib/main.py").read_text() == "moved = True\n"
    assert not (person.project / "main.py").exists()


def test_closing_an_editor_beside_its_preview_loses_nothing(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.open_new("README.md", "# Hello\n")
    person.command("jupyter-repl:preview")
    expect(person.tab.locator('.jp-Repl-viewer[data-path="README.md"]')).to_have_attribute("data-ready", "true")
    person.focus_editor("README.md")
    person.page.keyboard.press("Control+End")
    person.type("last words")
    person.command("jupyter-repl:close-file")
    person.wait_on_disk("README.md", "# Hello\nlast words")
    expect(person.editor("README.md")).to_have_count(0)
