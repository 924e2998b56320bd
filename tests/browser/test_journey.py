"""The journey of a person on a laptop, for each language: from the launcher to a program that runs, and back again."""

import copy
import os
import re
import signal
from dataclasses import dataclass

import pytest
from browser.conftest import Errors, visitor
from playwright.sync_api import Page, expect
from support.browsers import INSECURE
from support.lab import Lab, wait_for
from support.person import POWER, RUN, STOP, Person
from support.processes import pids


@dataclass(frozen=True)
class Language:
    card: str
    main: str
    greeting: str
    loop: str
    script: str


LANGUAGES = {
    "python": Language("Python", "main.py", 'print("hi " + str(6 * 7))\n', "while True: pass\n", "python3 main.py"),
    "node-js": Language("Node.js", "index.js", 'console.log("hi " + 6 * 7);\n', "for (;;) {}\n", "node index.js"),
}


@pytest.fixture(params=LANGUAGES.values(), ids=LANGUAGES.keys())
def language(request: pytest.FixtureRequest) -> Language:
    return request.param


@pytest.mark.windowed
def test_create_type_run_and_find_it_again(person: Person, language: Language) -> None:
    name = person.create(language.card)
    assert re.fullmatch(r"[a-z]+-[a-z]+-[a-z]+", name)
    person.wait_editor(language.main)
    person.look(f"{language.main}-created")
    assert language.main in person.tree
    # the prompt is there and answers
    person.shell("echo $((6*7))-from-the-shell", "42-from-the-shell")
    # typing saves by itself, and the shell sees it
    person.replace(language.main, language.greeting)
    person.wait_saved()
    person.wait_on_disk(language.main, language.greeting)
    person.shell(language.script, "hi 42")
    # Run
    person.press_button(RUN)
    person.wait_console("hi 42")
    person.wait_run_end(r"^✓ exit 0 · \d+\.\d s$")
    person.look(f"{language.main}-ran")
    # a reload: same shell, same files, same layout
    person.shell("marker=still-the-same-shell")
    person.reload()
    person.wait_editor(language.main)
    person.shell("echo $marker", "\nstill-the-same-shell")
    assert "42-from-the-shell" in person.terminal_text()
    assert person.text(language.main).rstrip("\n") == language.greeting.rstrip("\n")
    person.wait_console("hi 42")


def test_a_program_that_asks_gets_its_input_and_its_exit_code_is_shown(person: Person, language: Language) -> None:
    person.create(language.card)
    person.wait_editor(language.main)
    person.press_button(RUN)
    person.wait_console("name?")
    person.page.keyboard.insert_text("Ada Löffel 🥄")
    person.page.keyboard.press("Enter")
    person.wait_console("Hello, Ada Löffel 🥄!")
    person.wait_run_end("exit 0")
    person.replace(language.main, "this is no program, (")
    person.press_button(RUN)
    person.wait_run_end(r"^✗ exit 1 ")


def test_stop_ends_a_program_that_never_would(person: Person, language: Language) -> None:
    person.create(language.card)
    person.wait_editor(language.main)
    person.replace(language.main, language.loop)
    person.press_button(RUN)
    expect(person.console.locator(".jp-Repl-consoleFoot")).to_have_text("Running…")
    person.press_button(STOP)
    person.wait_run_end(r"exit 130|SIGINT|exit 1 ")
    person.replace(language.main, language.greeting)
    person.press_button(RUN)
    person.wait_console("hi 42")


def test_stop_and_start_keep_every_file_with_its_mode(person: Person, language: Language) -> None:
    person.create(language.card)
    person.wait_editor(language.main)
    person.shell("printf 'echo run me' > tool.sh; chmod 751 tool.sh; mkdir -p a/b; echo deep > a/b/c.txt; ls a", "b")
    person.press_button(POWER)
    person.wait_state("stopped")
    expect(person.banner).to_contain_text("Stopped. Every file is kept.")
    person.look(f"{language.main}-stopped")
    person.banner.locator("button", has_text="Start").click()
    person.wait_running()
    project = person.lab.project(person.repl)
    assert (project / "tool.sh").stat().st_mode & 0o777 == 0o751
    assert (project / "a/b/c.txt").read_text() == "deep\n"
    person.wait_prompt()
    person.shell("./tool.sh", "run me")


def test_closing_the_tab_leaves_the_repl_running(person: Person) -> None:
    name = person.create("Python")
    person.shell("sleep 1000 & echo pid-$!", "pid-")
    (number,) = wait_for(lambda: set(re.findall(r"pid-(\d+)", person.terminal_text())))
    person.page.locator(f'.lm-TabBar-tab[data-id="jupyter-repl-{name}"] .lm-TabBar-tabCloseIcon').click()
    expect(person.tab).to_have_count(0)
    assert person.lab.phase(name) == {"name": "running"}
    person.open(name)
    person.wait_prompt()
    person.shell(f"kill -0 {number} && echo ali''ve", "alive")


def test_a_killed_server_comes_back_and_the_repl_with_it(own: Person, errors: Errors) -> None:
    errors.expect_network = True
    person = own
    person.create("Python")
    person.wait_editor("main.py")
    person.shell("echo from-before > kept.txt; gone=yes; ls", "kept.txt")
    person.put_lost_dialog_away()
    person.lab.kill()
    person.wait_state("lost")
    expect(person.banner).to_contain_text("Connection lost")
    person.look("server-gone")
    person.replace("main.py", "print('typed while the server was gone')\n")
    person.lab.start()
    person.wait_running(40)
    expect(person.banner).to_contain_text("The server was restarted, and this REPL with it: new shells, same files.")
    person.look("server-back")
    person.wait_on_disk("main.py", "print('typed while the server was gone')\n")
    person.wait_prompt()
    text = person.shell("echo gone=[$gone]; cat kept.txt", "from-before")
    assert "gone=[]" in text


def test_a_killed_runner_is_said_and_start_is_offered(person: Person) -> None:
    name = person.create("Python")
    person.wait_editor("main.py")
    (runner,) = pids("serve", person.lab, name)
    os.kill(runner, signal.SIGKILL)
    person.wait_state("failed")
    expect(person.banner).to_contain_text("The runner was killed by SIGKILL. Your files are kept. Start it again.")
    person.look("runner-gone")
    person.replace("main.py", "print('typed while it was off')\n")
    person.banner.locator("button", has_text="Retry").click()
    person.wait_running()
    person.wait_on_disk("main.py", "print('typed while it was off')\n")
    person.wait_prompt()


def test_a_normal_shutdown_flushes_and_stops_the_runners(own: Person, errors: Errors) -> None:
    errors.expect_network = True
    own.create("Python")
    own.shell(
        "(trap 'echo flushed > flushed.txt; exit' HUP TERM; while :; do sleep 0.05; done) & echo st''arted", "started"
    )
    own.lab.stop()
    wait_for(lambda: (own.lab.project(own.repl) / "flushed.txt").exists(), 5)


def test_at_an_address_that_is_not_secure(page: Page, shared_lab: Lab) -> None:
    """A hub without a certificate: the browser gives its pages less."""
    lab = copy.copy(shared_lab)
    lab.url = shared_lab.url.replace("127.0.0.1", INSECURE)
    person = visitor(page, lab)
    assert not page.evaluate("isSecureContext")
    person.create("Python")
    person.wait_editor("main.py")
    person.shell("echo $((6*7))-from-the-shell", "42-from-the-shell")
    person.replace("main.py", "print(6 * 7)\n")
    person.page.keyboard.press("Control+Enter")
    person.wait_run_end("exit 0")
    person.wait_console("42")
