"""The tree of files, by mouse and by keyboard, and what the shell does seen in it."""

import io
import os
import subprocess
import time
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.lab import wait_for
from support.person import Person

pytestmark = pytest.mark.browser

DROP = """([selector, entries]) => {
    const transfer = new DataTransfer();
    for (const [name, text] of entries) transfer.items.add(new File([text], name));
    const options = {dataTransfer: transfer, bubbles: true, cancelable: true};
    for (const type of ['dragover', 'drop']) // rows are drawn anew whenever something changes
        document.querySelector(selector).dispatchEvent(new DragEvent(type, options));
}"""


@pytest.fixture
def files(person: Person) -> Person:
    """A REPL with some files."""
    person.create("Python")
    folder = person.project
    (folder / "src/deep").mkdir(parents=True)
    (folder / "src/app.py").write_text("app\n")
    (folder / "src/deep/end.txt").write_text("end\n")
    (folder / "notes.txt").write_text("notes\n")
    person.wait_tree("src", "main.py", "notes.txt")
    return person


def test_create_rename_duplicate_delete_and_undo_by_menu(files: Person) -> None:
    person, folder = files, files.project
    person.menu("src", "New File…")
    person.name("new.py")
    person.wait_editor("src/new.py")
    person.type("print('new')")
    person.wait_on_disk("src/new.py", "print('new')")
    person.menu("src", "New Folder…")
    person.name("inner/most")
    wait_for(lambda: (folder / "src/inner/most").is_dir())
    person.menu("src/new.py", "Rename…")
    person.name("renamed.py")
    wait_for(lambda: (folder / "src/renamed.py").exists() and not (folder / "src/new.py").exists())
    person.wait_editor("src/renamed.py")
    assert "print" in person.text("src/renamed.py")
    person.menu("src/renamed.py", "Duplicate")
    wait_for(lambda: (folder / "src/renamed (copy).py").exists())
    person.look("tree-menu-done")
    person.menu("src", "Delete")
    wait_for(lambda: not (folder / "src").exists())
    expect(person.editor("src/renamed.py")).to_have_count(0)
    person.notification("Deleted src").get_by_text("Undo").click()
    wait_for(lambda: (folder / "src/deep/end.txt").exists())
    assert (folder / "src/renamed.py").read_text() == "print('new')"


def test_all_of_it_by_keyboard(files: Person) -> None:
    person, folder, keys = files, files.project, files.page.keyboard
    keys.press("Control+1")
    keys.press("Home")
    keys.press("ArrowRight")  # open src
    person.wait_tree("src", "deep", "app.py", "main.py", "notes.txt")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("Shift+ArrowDown")
    expect(person.tab.locator(".jp-Repl-treeRow[aria-selected=true]")).to_have_count(2)
    keys.press("Control+c")
    keys.press("Home")
    keys.press("ArrowDown")  # deep
    keys.press("Control+v")
    wait_for(lambda: sorted(os.listdir(folder / "src/deep")) == ["app.py", "end.txt", "main.py"])
    expect(person.row("src/deep/main.py")).to_have_attribute("aria-selected", "true")
    keys.type("not")  # typed names are found
    keys.press("F2")
    person.name("notes.md")
    expect(person.row("notes.md")).to_have_attribute("aria-selected", "true")
    keys.press("Control+x")
    keys.press("Home")
    keys.press("Control+v")
    expect(person.row("src/notes.md")).to_have_attribute("aria-selected", "true")
    assert (folder / "src/notes.md").exists()
    assert not (folder / "notes.md").exists()
    keys.press("Delete")
    expect(person.row("src/notes.md")).to_have_count(0)
    wait_for(lambda: not (folder / "src/notes.md").exists())
    keys.press("Control+z")
    expect(person.row("src/notes.md")).to_be_visible()
    assert (folder / "src/notes.md").exists()
    keys.press("Alt+n")
    person.name("typed.py")
    person.wait_editor("src/typed.py")
    expect(person.row("src/typed.py")).to_have_attribute("aria-selected", "true")
    keys.press("Control+1")
    keys.press("Control+d")
    expect(person.row("src/typed (copy).py")).to_have_attribute("aria-selected", "true")
    keys.press("Enter")
    person.wait_editor("src/typed (copy).py")


def test_a_name_that_cannot_be_says_why_and_escape_leaves_all_as_it_was(files: Person) -> None:
    person, folder = files, files.project
    person.menu("notes.txt", "Rename…")
    field = person.tab.locator(".jp-Repl-nameField")
    for bad in ("a/b", "..", " "):
        field.fill(bad)
        field.press("Enter")
        expect(field).to_have_attribute("aria-invalid", "true") if bad.strip() else None
    field.press("Escape")
    expect(field).to_have_count(0)
    person.menu("notes.txt", "Rename…")
    person.name("main.py")
    expect(person.notification("exists already")).to_be_visible()
    assert (folder / "notes.txt").read_text() == "notes\n"


def test_drag_moves_and_drop_from_outside_uploads(files: Person) -> None:
    person, folder = files, files.project
    person.drag("notes.txt", "src")
    wait_for(lambda: (folder / "src/notes.txt").exists() and not (folder / "notes.txt").exists())
    person.page.evaluate(
        DROP, [f"#{person.tab.get_attribute('id')} [data-path=src]", [["one.txt", "1"], ["two.txt", "2"]]]
    )
    wait_for(lambda: (folder / "src/one.txt").exists() and (folder / "src/two.txt").exists())
    assert (folder / "src/two.txt").read_text() == "2"
    person.page.evaluate(DROP, [f"#{person.tab.get_attribute('id')} .jp-Repl-treeList", [["main.py", "mine"]]])
    person.page.locator(".jp-Dialog").get_by_text("Keep both").click()
    wait_for(lambda: (folder / "main (1).py").exists())
    assert "name" in (folder / "main.py").read_text()


def test_upload_of_a_folder_by_button_with_progress(files: Person, tmp_path: Path) -> None:
    person, folder = files, files.project
    (tmp_path / "pack/inner").mkdir(parents=True)
    (tmp_path / "pack/a.txt").write_text("a")
    (tmp_path / "pack/inner/big.bin").write_bytes(os.urandom(8_000_000))
    with person.page.expect_file_chooser() as chosen:
        person.tab.locator(".jp-Repl-treeList").click(button="right", position={"x": 60, "y": 300})
        person.choose("Upload a Folder…")
    chosen.value.set_files(tmp_path / "pack")
    wait_for(lambda: (folder / "pack/inner/big.bin").exists(), 20)
    wait_for(lambda: (folder / "pack/inner/big.bin").stat().st_size == 8_000_000)
    expect(person.notification("Uploaded 2 files")).to_be_visible()


def test_an_upload_that_is_cancelled_leaves_no_half_file(files: Person, tmp_path: Path) -> None:
    person, folder = files, files.project
    (tmp_path / "huge.bin").write_bytes(bytes(200_000_000))
    person.slow_uploads(2_000_000)
    with person.page.expect_file_chooser() as chosen:
        person.tab.locator(".jp-Repl-treeList").click(button="right", position={"x": 60, "y": 300})
        person.choose("Upload Files…")
    chosen.value.set_files(tmp_path / "huge.bin")
    person.notification("Uploading huge.bin").get_by_text("Cancel").click()
    expect(person.notification("was cancelled")).to_be_visible()
    wait_for(lambda: [name for name in os.listdir(folder) if "huge" in name or "tmp" in name] == [])


def test_download_of_a_file_and_of_a_folder(files: Person) -> None:
    person = files
    with person.page.expect_download() as got:
        person.menu("notes.txt", "Download")
    assert Path(got.value.path()).read_text() == "notes\n"
    with person.page.expect_download() as got:
        person.menu("src", "Download")
    assert got.value.suggested_filename == "src.zip"
    assert sorted(zipfile.ZipFile(io.BytesIO(Path(got.value.path()).read_bytes())).namelist()) == [
        "app.py",
        "deep/",
        "deep/end.txt",
    ]


def test_copy_path_and_terminal_here(files: Person) -> None:
    person = files
    person.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    person.menu("src", "Copy Path")
    wait_for(lambda: person.page.evaluate("navigator.clipboard.readText()") == "src")
    person.menu("src", "New Terminal Here")
    person.wait_prompt()
    wait_for(lambda: "src" in person.shell("basename $PWD"))


@pytest.mark.alone
def test_what_the_shell_does_shows_within_a_second(files: Person) -> None:
    person, folder = files, files.project
    took = []
    for number in range(20):
        begun = time.monotonic()
        (folder / f"made-{number:02}.txt").write_text("x")
        expect(person.row(f"made-{number:02}.txt")).to_be_visible(timeout=5000)
        took.append(time.monotonic() - begun)
    (folder / "made-00.txt").rename(folder / "renamed.txt")
    expect(person.row("renamed.txt")).to_be_visible(timeout=5000)
    (folder / "renamed.txt").unlink()
    expect(person.row("renamed.txt")).to_have_count(0, timeout=5000)
    assert sorted(took)[18] < 1.0, took


def test_a_git_checkout_of_2000_files_is_no_storm(files: Person) -> None:
    person, folder = files, files.project

    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=folder, check=True)

    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "other")
    (folder / "many").mkdir()
    for number in range(2000):
        (folder / f"many/{number:04}.txt").write_text(str(number))
    (folder / "main.py").write_text("print('other')\n")
    git("add", ".")
    git("commit", "-qm", "two")
    git("checkout", "-q", "main")
    wait_for(lambda: "many" not in person.tree)
    frames: list[str] = []
    person.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))))
    person.reload()
    person.wait_editor("main.py")
    wait_for(lambda: person.row("notes.txt").count() == 1)
    before = len(frames)
    git("checkout", "-q", "other")
    expect(person.row("many")).to_be_visible(timeout=2000)
    wait_for(lambda: "other" in person.text("main.py"))
    person.row("many").click()
    expect(person.row("many/0000.txt")).to_be_visible()
    changed = [frame for frame in frames[before:] if '"changed"' in frame]
    assert 0 < len(changed) < 40
    assert max(map(len, changed)) < 60_000


def test_fifty_thousand_files_are_no_trouble(files: Person) -> None:
    person, folder = files, files.project
    (folder / "huge").mkdir()
    for number in range(50_000):
        (folder / f"huge/{number:05}.txt").touch()
    expect(person.row("huge")).to_be_visible()
    person.row("huge").click()
    expect(person.row("huge/00000.txt")).to_be_visible()
    assert person.tab.locator(".jp-Repl-treeRow").count() < 100
    list_ = person.tab.locator(".jp-Repl-treeList")
    list_.evaluate("node => node.scrollTop = 24 * 40000")
    expect(person.row("huge/40000.txt")).to_be_visible()
    person.page.keyboard.press("Control+1")
    person.page.keyboard.press("End")
    expect(person.row("notes.txt")).to_be_visible()
    (folder / "huge/00000.txt").unlink()
    list_.evaluate("node => node.scrollTop = 0")
    expect(person.row("huge/00001.txt")).to_be_visible()
    expect(person.row("huge/00000.txt")).to_have_count(0)
