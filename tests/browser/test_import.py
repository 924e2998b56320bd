"""Archives at the tab and at the launcher: a project goes out as a zip and comes in as another."""

import base64
import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.person import Person

pytestmark = pytest.mark.browser

DROP = """async ([node, name, data]) => {
    const bytes = Uint8Array.from(atob(data), char => char.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, {type: 'application/zip'}));
    const tell = type => node.dispatchEvent(
        new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
    tell('dragenter');
    while (tell('dragover')) await new Promise(requestAnimationFrame); // until something would take it
    tell('drop');
}"""


def made_zip(**files: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, text in files.items():
            file.writestr(name.replace("__", "."), text)
    return data.getvalue()


def drop(person: Person, label: str, name: str, data: bytes) -> None:
    card = person.card(label).first.element_handle()
    person.page.evaluate(DROP, [card, name, base64.b64encode(data).decode()])


def test_a_project_goes_out_by_its_menu_and_comes_in_by_a_card(person: Person, tmp_path: Path) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    person.replace("main.py", "print('travelled')\n")
    person.wait_saved()
    with person.page.expect_download() as got:
        person.press_button("more")
        person.choose("Download Project as Zip")
    assert got.value.suggested_filename == f"{name}.zip"
    archive = Path(got.value.path()).read_bytes()
    person.command("launcher:create")
    drop(person, "Python", "My Work (1).zip", archive)
    dialog = person.page.locator(".jp-Repl-createDialog")
    expect(dialog.locator("input")).to_have_value("my-work-1")
    person.look("import")
    dialog.locator("button", has_text="Create").click()
    person.repl = "my-work-1"
    person.wait_running()
    person.wait_editor("main.py")
    assert "travelled" in person.text("main.py")


def test_a_bad_archive_says_why_and_leaves_nothing(person: Person) -> None:
    drop(person, "Python", "evil.zip", made_zip(**{"../evil.py": "x"}))
    dialog = person.page.locator(".jp-Repl-createDialog")
    dialog.locator("button", has_text="Create").click()
    expect(dialog.locator(".jp-Repl-createProblem")).to_contain_text("leaves the project")
    assert person.lab.call("GET", "project/evil")[0] == 404
    dialog.locator("button", has_text="Cancel").click()
    drop(person, "Python", "no.zip", b"this is no zip")
    dialog.locator("button", has_text="Create").click()
    expect(dialog.locator(".jp-Repl-createProblem")).to_contain_text("must be a zip")
    dialog.locator("button", has_text="Cancel").click()


def test_an_archive_by_the_file_menu_shows_its_language(person: Person, tmp_path: Path) -> None:
    (tmp_path / "node-thing.zip").write_bytes(made_zip(index__js="console.log('node')\n"))
    with person.page.expect_file_chooser() as chosen:
        person.begin("jupyter-repl:import")
    chosen.value.set_files(tmp_path / "node-thing.zip")
    dialog = person.page.locator(".jp-Repl-createDialog")
    dialog.locator("button", has_text="Create").click()
    person.repl = "node-thing"
    person.wait_running()
    assert person.lab.call("GET", "project/node-thing")[1]["language"] == "node-js"
