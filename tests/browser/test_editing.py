"""Typing is never lost, files never cross, and nothing that is opened is damaged."""

import random
import re
import time
from collections.abc import Iterator

import pytest
from browser.conftest import Waiting, at_launcher, delete_repls
from playwright.sync_api import expect
from support.lab import Lab, stays, wait_for
from support.person import Person

SIZES = {"10 kB": 10_000, "2 MB": 2_000_000, "5 MB": 4_990_000}


def big_text(size: int) -> str:
    line = "x" * 72 + "\n"
    return line * (size // len(line))


@pytest.fixture(scope="module")
def mortal_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One that may be killed, if it is started again."""
    server = Lab(tmp_path_factory.mktemp("mortal") / "home", "jupyterlab").start()
    yield server
    server.stop()


@pytest.fixture
def leaver(request: pytest.FixtureRequest, is_up: bool, waiting: Waiting) -> Iterator[Person]:
    """Somebody who leaves the page in the midst of everything, at a server that stays up or does not."""
    lab = request.getfixturevalue("shared_lab" if is_up else "mortal_lab")
    with at_launcher(request, lab, waiting) as (person, errors):
        errors.expect_network = True
        yield person
    delete_repls(lab)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("is_up", [True, False], ids=["server up", "server gone"])
@pytest.mark.parametrize("pause", [0.05, 0.32], ids=["at once", "while a save is on its way"])
def test_leaving_the_page_after_a_key_loses_nothing(leaver: Person, size: int, is_up: bool, pause: float) -> None:
    person, lab, text = leaver, leaver.lab, big_text(size)
    name = person.create("Python")
    (lab.project(name) / "big.txt").write_text(text)
    expect(person.tab.locator('[data-path="big.txt"]').first).to_be_visible()
    person.open_file("big.txt")
    person.focus_editor("big.txt")
    person.page.keyboard.press("ControlOrMeta+Home")
    person.page.keyboard.press("a")
    person.wait_saved()
    if not is_up:
        lab.kill()
        person.wait_state("lost")
    person.page.keyboard.press("b")
    person.pause(pause)
    person.page.keyboard.press("c")
    # The browser gives a page half a second for what it does when it is left: on a machine that is overloaded by other
    # tests it may be busy with the text for longer.
    person.page.evaluate("0")
    person.page.goto("about:blank")
    if not is_up:
        lab.start()
    person.page.goto(f"{lab.url}/lab")
    person.wait_lab()
    person.open(name)
    person.open_file("big.txt")
    person.wait_saved()
    person.wait_on_disk("big.txt", "abc" + text)
    assert person.text("big.txt").startswith("abcxxx")
    expect(person.editor("big.txt").locator(".jp-Repl-banner")).to_be_hidden()


def test_undo_never_crosses_files(person: Person) -> None:
    name = person.create("Python")
    person.shell("printf one > one.txt; printf two > two.txt; ls", "two.txt")
    person.open_file("one.txt")
    person.replace("one.txt", "ONE")
    person.open_file("two.txt")
    person.focus_editor("two.txt")
    for _ in range(5):
        person.page.keyboard.press("ControlOrMeta+z")
    person.wait_saved()
    assert (person.text("one.txt"), person.text("two.txt")) == ("ONE", "two")
    assert [(person.lab.project(name) / file).read_text() for file in ("one.txt", "two.txt")] == ["ONE", "two"]
    person.open_file("one.txt")
    person.focus_editor("one.txt")
    person.page.keyboard.press("ControlOrMeta+z")
    person.wait_on_disk("one.txt", "one")


@pytest.mark.alone
def test_a_save_that_waits_is_marked(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.focus_editor("main.py")
    person.page.keyboard.press("#")
    status = person.tab.locator(".jp-Repl-status")
    expect(status).to_contain_text("saving…", timeout=300)
    started = time.monotonic()
    expect(status).to_contain_text("· saved")
    assert time.monotonic() - started < 5


def test_a_large_save_shows_how_much_was_sent(person: Person) -> None:
    person.create("Python")
    text = big_text(SIZES["5 MB"])
    person.open_new("big.txt", text)
    person.focus_editor("big.txt")
    person.slow_uploads(1_000_000)
    person.page.keyboard.press("ControlOrMeta+Home")
    person.type("a")
    shares = set()

    def saved() -> bool:
        style = "e => e.classList.contains('jp-mod-sending') && e.style.getPropertyValue('--jp-repl-progress')"
        shares.add(person.editor("big.txt").evaluate(style) or None)
        return person.on_disk("big.txt") == "a" + text

    wait_for(saved, 30)
    assert len(shares - {None}) >= 3, "the bar moves"
    person.wait_saved()
    expect(person.editor("big.txt")).not_to_have_class(re.compile("jp-mod-sending"))


def test_an_open_file_follows_the_disk(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.shell("echo 'print(1)' > main.py; echo made > made.txt")
    wait_for(lambda: person.text("main.py").startswith("print(1)"))
    wait_for(lambda: "made.txt" in person.tree)
    person.shell("rm made.txt")
    wait_for(lambda: "made.txt" not in person.tree)


def test_a_change_on_disk_while_one_types_is_asked_about(person: Person) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    file = person.lab.project(name) / "main.py"
    # The disk changes at the moment between the key and its save: the condition of the save must find it.
    person.focus_editor("main.py")
    person.page.keyboard.press("ControlOrMeta+a")
    person.type("mine\n")
    file.write_text("theirs\n")
    banner = person.editor("main.py").locator(".jp-Repl-banner")
    expect(banner).to_contain_text("main.py was changed on disk while you typed.")
    person.look("conflict")
    assert file.read_text() == "theirs\n"
    banner.locator("button", has_text="Keep my text").click()
    person.wait_on_disk("main.py", "mine\n")
    expect(banner).to_contain_text("The other text is in main (conflict")
    banner.locator("button", has_text="Keep both").click()
    expect(banner).to_be_hidden()
    assert "theirs\n" in [copy.read_text() for copy in file.parent.glob("main (conflict*).py")]
    person.page.keyboard.press("ControlOrMeta+a")
    person.type("mine again\n")
    file.write_text("theirs again\n")
    banner.locator("button", has_text="Take the text on disk").click()
    wait_for(lambda: person.text("main.py").startswith("theirs again"))
    person.wait_saved()
    assert file.read_text() == "theirs again\n"


REFUSED = {
    "binary.bin": (random.Random(1).randbytes(5000), "is not a text file"),
    "huge.txt": (b"x" * 20_000_001, "is larger than 20 MB"),
}


@pytest.mark.parametrize("file", REFUSED)
def test_a_file_that_is_no_text_is_not_damaged_by_opening_it(person: Person, file: str) -> None:
    content, reason = REFUSED[file]
    name = person.create("Python")
    path = person.lab.project(name) / file
    path.write_bytes(content)
    person.tab.locator(f'.jp-Repl-treeRow[data-path="{file}"]').click()
    person.wait_editor(file, "refused")
    expect(person.editor(file)).to_contain_text(reason)
    person.page.keyboard.type("oops")
    with person.page.expect_download() as download:
        person.editor(file).locator("a", has_text="Download").click()
    assert download.value.path().read_bytes() == content
    person.wait_saved()
    assert path.read_bytes() == content


KEPT = {
    "crlf.txt": b"one\r\ntwo\r\n",
    "mixed.txt": b"one\r\ntwo\nthree\r\n",
    "bom.txt": "\ufeffone\n".encode(),
    "no-newline.txt": b"one",
    "empty.txt": b"",
}


def test_opening_and_closing_changes_no_byte(person: Person) -> None:
    name = person.create("Python")
    for file, content in KEPT.items():
        (person.lab.project(name) / file).write_bytes(content)
    for file in KEPT:
        person.open_file(file)
        person.focus_editor(file)
    stays(lambda: {file: (person.lab.project(name) / file).read_bytes() for file in KEPT} == KEPT, 0.8)
    for file in KEPT:
        person.page.locator(".jp-Repl-editors .lm-TabBar-tab", has_text=file).locator(".lm-TabBar-tabCloseIcon").click()
        expect(person.editor(file)).to_have_count(0)
    assert {file: (person.lab.project(name) / file).read_bytes() for file in KEPT} == KEPT


def test_only_the_edited_line_of_a_file_with_mixed_line_ends_changes(person: Person) -> None:
    name = person.create("Python")
    path = person.lab.project(name) / "mixed.txt"
    path.write_bytes(b"one\r\ntwo\nthree\rfour\r\nfive")
    person.open_file("mixed.txt")
    person.focus_editor("mixed.txt")
    person.page.keyboard.press("Control+End")
    person.page.keyboard.type("!")
    wait_for(lambda: path.read_bytes() == b"one\r\ntwo\nthree\rfour\r\nfive!")
    person.page.keyboard.press("Control+Home")
    person.page.keyboard.type("zero\n")
    wait_for(lambda: path.read_bytes().startswith(b"zero"))
    assert path.read_bytes().endswith(b"one\r\ntwo\nthree\rfour\r\nfive!")
    person.wait_saved()


def test_a_file_with_an_emoji_in_its_name(person: Person) -> None:
    name = person.create("Python")
    person.shell("echo 'print(\"🦦\")' > 'otter 🦦.py'; ls", "otter")
    person.open_file("otter 🦦.py")
    person.replace("otter 🦦.py", "print('🦦🦦')\n")
    person.wait_on_disk("otter 🦦.py", "print('🦦🦦')\n")
    person.shell("python3 'otter 🦦.py'", "\n🦦🦦")
    assert (person.lab.project(name) / "otter 🦦.py").exists()


def test_a_save_that_fails_says_why_and_is_saved_later(person: Person) -> None:
    """A folder in the way: saving fails for root too, as it would on a full disk."""
    name = person.create("Python")
    person.shell("mkdir d; echo x > d/file.txt; ls d", "file.txt")
    person.tab.locator('.jp-Repl-treeRow[data-path="d"]').click()
    person.open_file("d/file.txt")
    person.shell("rm -r d && echo blocked > d && echo do''ne", "done")
    person.replace("d/file.txt", "still here\n")
    banner = person.editor("d/file.txt").locator(".jp-Repl-banner")
    expect(banner).to_contain_text("is not saved")
    person.look("save-failed")
    person.shell("rm d; mkdir d")
    banner.locator("button", has_text="Save again").click()
    person.wait_on_disk("d/file.txt", "still here\n")
    assert name


def test_a_latin1_file_is_shown_edited_and_stays_latin1(person: Person) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    path = person.lab.project(name) / "alt.txt"
    path.write_bytes("Löffel\r\nGröße\r\n".encode("latin-1"))
    person.open_file("alt.txt")
    assert person.text("alt.txt") == "Löffel\nGröße\n"
    expect(person.page.locator(".jp-Repl-statusItem")).to_contain_text("Latin-1")
    person.focus_editor("alt.txt")
    person.page.keyboard.press("Control+End")
    person.type("Übung")
    wait_for(lambda: path.read_bytes() == "Löffel\r\nGröße\r\nÜbung".encode("latin-1"))
    person.type(" 5 €")
    banner = person.editor("alt.txt").locator(".jp-Repl-banner")
    expect(banner).to_contain_text("can’t hold all of these characters")
    person.page.keyboard.press("Backspace")
    expect(banner).to_be_hidden()
    wait_for(lambda: path.read_bytes() == "Löffel\r\nGröße\r\nÜbung 5 ".encode("latin-1"))
