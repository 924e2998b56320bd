"""The house in order: one version, no secrets, no addresses, no machine's paths, cheap imports, honest tests."""

import ast
import io
import json
import os
import random
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support import scheduling

ROOT = Path(__file__).parent.parent


def tracked() -> list[Path]:
    """Files under version control, or all of an unpacked archive."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_there_is_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    package = re.search(r'__version__ = "(.+)"', (ROOT / "jupyter_repl_ext/__init__.py").read_text())
    assert package
    versions = {
        "pyproject.toml": project["version"],
        "runner/pyproject.toml": tomllib.loads((ROOT / "runner/pyproject.toml").read_text())["project"]["version"],
        "jupyter_repl_ext": package[1],
        "package.json": json.loads((ROOT / "labextension/package.json").read_text())["version"],
        "openapi.yaml": yaml.safe_load((ROOT / "jupyter_repl_ext/openapi.yaml").read_text())["info"]["version"],
        "CHANGELOG.md": re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[1],
    }
    assert set(versions.values()) == {package[1]}, versions


def test_the_frontends_rule_for_ids_is_the_contracts() -> None:
    from jupyter_repl_runner.contract import ids

    text = (ROOT / "labextension/src/model/ids.ts").read_text()
    assert f"/{ids.ID_PATTERN}/" in text
    assert f"MAX_ID_LENGTH = {ids.MAX_ID_LENGTH}" in text


FORBIDDEN = {
    "the address of a package host": re.compile(
        r"https?://[\w.-]*(?:registry|pypi|pythonhosted|npmjs|artifact|nexus)", re.I
    ),
    "a private key": re.compile("-----BEGIN [A-Z ]*PRIVATE KEY"),
    "an access key": re.compile(r"\bAKIA[0-9A-Z]{16}\b|\bghp_\w{30,}"),
    "a path of somebody's machine": re.compile(r"/(?:home|Users)/(?!jovyan\b|\.\.\.)[a-z]\w+/|/root/|/work/"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_is_in_the_tree_that_must_not_be(what: str) -> None:
    found = []
    for path in tracked():
        if path.name == "test_house.py" or path.suffix in {".png", ".zst"}:
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            if FORBIDDEN[what].search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not found


@pytest.mark.parametrize("lock", ["requirements/dev.txt", "requirements/uv.txt", "labextension/yarn.lock"])
def test_locks_hold_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "checksum:" in text or "--hash=sha256:" in text
    assert "://" not in text


PACKAGES = tuple(ROOT / name for name in ("jupyter_repl_ext", "runner", "spawner"))
MOST_LINES, MOST_OF_TESTS, MOST_OF_A_FUNCTION = 300, 400, 50


def test_no_file_is_a_giant() -> None:
    def most(path: Path) -> int:
        is_test = path.suffix == ".py" and ROOT / "tests" in path.parents
        return MOST_OF_TESTS if is_test else MOST_LINES

    sources = [path for path in tracked() if path.suffix in {".py", ".ts"}]
    assert not [path for path in sources if path.read_text().count("\n") > most(path)]


def test_no_function_is_a_giant() -> None:
    found = []
    for path in tracked():
        if path.suffix == ".py" and any(package in path.parents for package in PACKAGES):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    lines = (node.end_lineno or 0) - node.lineno + 1
                    found += [f"{path.name}: {node.name}"] * (lines > MOST_OF_A_FUNCTION)
    assert not found


def test_the_map_names_every_module() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    words = set(re.findall(r"\w+", page[page.index("## The map") : page.index("## The words")]))
    modules = {path.stem for path in tracked() if path.suffix == ".py" and any(at in path.parents for at in PACKAGES)}
    assert modules - words == {"__init__", "__main__", "main"}, "main is the file of a template"


UNCLEAR = re.compile(
    r"\bwhoever\b|\bwhomever\b|\btold\b|\bleaves? to (?:write|work)\b|\bin vain\b"
    r"|\b(?:a|the|each|next|last|later|whole|more|two) looks?\b|\blook(?:s|ed) at\b|\b(?:it|that|this) is said\b",
    re.I,
)
"""Words that a reader must read twice; write "a client that", "reported", "scan" or "check", "refused"."""


def prose(path: Path) -> Iterator[str]:
    """The lines for people: docstrings, comments and messages, and all of a page."""
    text = path.read_text()
    if path.suffix == ".md":
        yield from text.splitlines()
    elif path.suffix == ".ts":
        yield from re.findall(r"//.*|/\*\*?[\s\S]*?\*/|__\([\s\S]*?\)", text)
    else:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in (tokenize.COMMENT, tokenize.STRING):
                yield token.string


def test_the_english_is_read_once() -> None:
    """Decisions and the changelog are older than the list; what is added to them keeps to it."""
    found = []
    for path in tracked():
        is_ours = path.parts[len(ROOT.parts)] in ("jupyter_repl_ext", "runner", "spawner", "labextension")
        is_page = path.suffix == ".md" and path.name not in ("CHANGELOG.md", "decisions.md")
        if is_page or (is_ours and path.suffix in (".py", ".ts")):
            found += [f"{path.relative_to(ROOT)}: {line.strip()}" for line in prose(path) if UNCLEAR.search(line)]
    assert not found


def test_links_between_pages_lead_somewhere() -> None:
    for page in (path for path in tracked() if path.suffix == ".md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


HEAVY = ("boto3", "s3contents", "kubernetes", "watchfiles", "terminado", "jupyterlab")


def test_the_extension_imports_nothing_heavy() -> None:
    code = (
        "import sys, jupyter_repl_ext, jupyter_repl_spawner.local.spawner\n"
        "jupyter_repl_ext._jupyter_server_extension_points()\n"
        "from jupyter_repl_ext import handlers, services\n"
        "from jupyter_repl_ext.projects import catalog, projects\n"
        "from jupyter_repl_ext.repls import activity, lifecycle\n"
        "from jupyter_repl_ext.settings import stores\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_the_guard_starts_with_next_to_nothing() -> None:
    code = "import sys, jupyter_repl_runner.cli, jupyter_repl_runner.guard.guard; print(sorted(sys.modules))"
    output = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"asyncio", "subprocess", "dataclasses", "psutil", "tornado", "json"} & set(
        json.loads(output.replace("'", '"'))
    )


@pytest.mark.parametrize("verb", ["serve", "sync"])
def test_the_ports_of_a_pod_are_open_before_the_imports_that_take_long(verb: str) -> None:
    """Each time that a server asks in vain, it waits longer before it asks again."""
    code = (
        "import socket, sys\n"
        "def create_server(*_, **options): sys.exit(sum(name in sys.modules for name in ('asyncio', 'tornado')))\n"
        "socket.create_server = create_server\n"
        "from jupyter_repl_runner.cli import main\n"
        f"main(['{verb}', '--pod'])\n"
        "sys.exit('nothing has listened')"
    )
    assert subprocess.run([sys.executable, "-P", "-c", code], timeout=10, check=False).returncode == 0


def test_the_runner_comes_without_jupyter() -> None:
    code = "import sys, jupyter_repl_runner.serve.app; print([n for n in sys.modules if n.startswith('jupyter')])"
    output = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout
    foreign = [name for name in json.loads(output.replace("'", '"')) if not name.startswith("jupyter_repl_runner")]
    assert not foreign


def test_background_tasks_are_made_in_one_place() -> None:
    """`tasks` logs how they end."""
    makes = re.compile(r"\bcreate_task\(")
    ours = [path for path in tracked() if path.suffix == ".py" and "tests" not in path.relative_to(ROOT).parts]
    found = [path.name for path in ours if makes.search(path.read_text())]
    assert found == ["tasks.py"]


SLEEPS = {"sleep", "wait_for_timeout"}


def sleeps(node: ast.AST, in_loop: bool = False) -> list[int]:
    """Lines that sleep once: a loop looks again, or sets a pace."""
    found = []
    for child in ast.iter_child_nodes(node):
        called = child.func if isinstance(child, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr in SLEEPS and not in_loop:
            found.append(child.lineno)
        found += sleeps(child, in_loop or isinstance(child, (ast.For, ast.While, ast.AsyncFor)))
    return found


def test_json_of_others_is_read_by_one_function() -> None:
    """`json.loads` raises an error of its own for deep nesting, which nobody expects."""
    packages = [ROOT / name for name in ("jupyter_repl_ext", "runner", "spawner")]
    files = [path for path in tracked() if path.suffix == ".py" and any(each in path.parents for each in packages)]
    found = [path.name for path in files if re.search(r"\bjson\.loads?\(", path.read_text())]
    assert found == ["json_text.py"]


def test_no_test_sleeps_and_hopes() -> None:
    """`wait_for`, `stays` and `elapse` say what for."""
    found = {}
    for path in (path for path in tracked() if path.name.startswith("test_") and path.suffix == ".py"):
        if lines := sleeps(ast.parse(path.read_text())):
            found[path.name] = lines
    assert not found


SAMPLE = os.environ.get("REPL_TEST_ALONE", "4")
"""So many tests run in a pytest of their own; `all`: every one."""
ALONE_SECONDS = 300


@pytest.mark.node
@pytest.mark.timeout(0 if SAMPLE == "all" else 4 * ALONE_SECONDS)
def test_a_random_sample_of_tests_passes_alone(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    names = sorted({name_of(item) for item in request.config.stash[scheduling.COLLECTED] if may_be_sampled(item)})
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chosen = names if SAMPLE == "all" else random.Random(seed).sample(names, min(int(SAMPLE), len(names)))
    assert chosen
    failed = []
    environment = {name: value for name, value in os.environ.items() if name != "REPL_TEST_TIMES"}
    for number, name in enumerate(chosen):
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", f"--basetemp={tmp_path / str(number)}", name]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=ALONE_SECONDS, check=False
        )
        if done.returncode:
            failed.append(f"{name}:\n{done.stdout[-4000:]}")
    assert not failed, "\n".join(failed)


def name_of(item: pytest.Item) -> str:
    """What selects it; a case of schemathesis has no name of its own."""
    is_case = "[" in item.name and not hasattr(item, "callspec")
    return item.nodeid.partition("[")[0] if is_case else item.nodeid


def may_be_sampled(item: pytest.Item) -> bool:
    """Not this test itself, those that nothing may run beside, nor those that take minutes."""
    minutes = any(mark.args and mark.args[0] > 120 for mark in item.iter_markers("timeout"))
    return "sample" not in item.name and not scheduling.is_alone(item) and (SAMPLE == "all" or not minutes)
