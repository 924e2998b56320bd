"""`make version TO=x.y.z`: set one version everywhere; tests/test_house.py checks that all places agree."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PLACES = {
    "pyproject.toml": r'(?m)^(version = ")[^"]+',
    "runner/pyproject.toml": r'(?m)^(version = ")[^"]+',
    "jupyter_repl_ext/__init__.py": r'(__version__ = ")[^"]+',
    "labextension/package.json": r'("version": ")[^"]+',
    "jupyter_repl_ext/openapi.yaml": r"(?m)^(  version: ).+$",
    "CHANGELOG.md": r"(?m)^(## )\S+(?= \(unreleased\))",
}


def main() -> None:
    if len(sys.argv) != 2 or not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", sys.argv[1]):
        sys.exit("Which version? For example: make version TO=0.2.0")
    for name, pattern in PLACES.items():
        path = ROOT / name
        text, count = re.subn(pattern, rf"\g<1>{sys.argv[1]}", path.read_text(), count=1)
        if not count:
            sys.exit(f"{name}: no version was found in it")
        path.write_text(text)
        print(f"{name}: {sys.argv[1]}")


main()
