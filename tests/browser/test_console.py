"""The console of runs: places in tracebacks, earlier runs, one file, and the project's settings."""

import re

import pytest
from playwright.sync_api import Locator, expect
from support.lab import wait_for
from support.person import Person

pytestmark = pytest.mark.browser


def click_text(person: Person, pane: Locator, text: str) -> None:
    """Click a piece of a terminal's screen, which is drawn: by its row and column."""
    place = pane.locator(".jp-Repl-terminalHost").evaluate(
        """(node, text) => {
            const {left, top, width, height} = node.querySelector('.xterm-screen').getBoundingClientRect();
            const {rows, cols, top: scrolled} = node.terminalView;
            let row = -scrolled;
            for (const line of node.terminalText.split('\\n')) {
                const at = line.indexOf(text);
                if (at >= 0) {
                    const [x, y] = [((at % cols) + 1.5) * width / cols, (row + Math.floor(at / cols) + 0.5)];
                    return {x: left + x, y: top + y * height / rows};
                }
                row += Math.max(1, Math.ceil(line.length / cols));
            }
        }""",
        text,
    )
    assert place, text
    for aside in range(50):  # a link is looked for when the mouse moves, and takes its time
        person.page.mouse.move(place["x"] - aside % 2, place["y"])
        person.pause(0.05)
        if pane.locator(".xterm-cursor-pointer").count():
            break
    person.page.mouse.click(place["x"], place["y"])


@pytest.mark.parametrize(
    ("label", "file", "code", "text", "place"),
    [
        ("Python", "lib.py", "def fail():\n    raise ValueError('x')\n", 'lib.py", line 2', "Ln 2, Col 1"),
        ("Node.js", "lib.js", "exports.fail = () => {\n  throw new Error('x');\n};\n", "lib.js:2:9", "Ln 2, Col 9"),
    ],
)
def test_a_place_in_a_traceback_opens_the_file_there(
    person: Person, label: str, file: str, code: str, text: str, place: str
) -> None:
    person.create(label)
    main = "main.py" if label == "Python" else "index.js"
    (person.project / file).write_text(code)
    person.wait_editor(main)
    call = "import lib\nlib.fail()\n" if label == "Python" else "require('./lib').fail();\n"
    person.replace(main, call)
    person.page.keyboard.press("Control+Enter")
    person.wait_run_end("exit 1")
    person.wait_console(text)
    click_text(person, person.console, text)
    person.wait_editor(file)
    expect(person.page.locator(".jp-Repl-statusItem")).to_contain_text(place)


def test_earlier_runs_are_kept_with_their_output(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    for number in range(3):
        person.replace("main.py", f"import sys\nprint('run', {number})\nsys.exit({number})\n")
        person.page.keyboard.press("Control+Enter")
        person.wait_run_end(f"exit {number}")
        person.wait_console(f"run {number}")
    person.console.locator(".jp-Repl-consoleHistory").click()
    items = person.page.locator(".lm-Menu-item")
    expect(items).to_have_count(3)
    expect(items.first).to_contain_text("exit 2")
    person.look("runs")
    items.filter(has_text="exit 0").click()
    person.wait_console("run 0")
    person.wait_run_end("exit 0")
    person.wait_layout_saved()
    person.reload()
    person.wait_run_end("exit 2")
    person.wait_console("run 2")


def test_run_file_and_run_again(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.open_new("tool.py", "print('tool ran')\n")
    person.page.keyboard.press("Control+Shift+Enter")
    person.wait_console("tool ran")
    person.wait_run_end("exit 0")
    expect(person.console.locator(".jp-Repl-consoleHead")).to_contain_text("tool.py")
    person.open_file("main.py")
    person.console.get_by_label("Run again").click()
    wait_for(lambda: person.console_text().count("tool ran") == 1)
    person.console.locator(".jp-Repl-consoleHistory").click()
    expect(person.page.locator(".lm-Menu-item", has_text="tool.py")).to_have_count(2)
    person.page.keyboard.press("Escape")
    person.menu("tool.py", "Run File")

    def listed() -> int:
        person.console.locator(".jp-Repl-consoleHistory").click()
        count = person.page.locator(".lm-Menu-item", has_text="tool.py").count()
        person.page.keyboard.press("Escape")
        return count

    wait_for(lambda: listed() == 3)


def test_settings_are_completed_and_their_mistakes_shown(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.open_new(".repl.toml", "")
    person.focus_editor(".repl.toml")
    person.page.keyboard.type("ru")
    person.page.keyboard.press("Control+Space")
    suggestion = person.page.locator(".suggest-widget .monaco-list-row", has_text="run")
    expect(suggestion.first).to_be_visible()
    person.page.keyboard.press("Enter")
    person.page.keyboard.type("echo from settings")
    person.wait_on_disk(".repl.toml", 'run = "echo from settings"')
    person.page.keyboard.press("Control+Enter")
    person.wait_console("from settings")
    person.focus_editor(".repl.toml")
    person.page.keyboard.press("Control+End")
    person.page.keyboard.type("\nruns = 7")
    mistake = person.editor(".repl.toml").locator(".squiggly-error")
    expect(mistake.first).to_be_visible()
    person.page.keyboard.press("F8")
    expect(person.page.locator(".zone-widget, .marker-widget").first).to_contain_text("There is no setting runs")
    person.look("settings-file")


def test_a_stopped_run_says_by_what(person: Person) -> None:
    person.create("Python")
    person.wait_editor("main.py")
    person.replace("main.py", "import time\nprint('sleeping', flush=True)\ntime.sleep(99)\n")
    person.page.keyboard.press("Control+Enter")
    person.wait_console("sleeping")
    person.page.keyboard.press("Shift+F5")
    person.wait_run_end(r"exit 130|SIGINT")
    assert re.search("KeyboardInterrupt", person.console_text())
