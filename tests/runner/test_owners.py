"""The owner that a user's name becomes: always usable as key, label and folder, and never that of another name."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_repl_runner.contract.errors import InvalidRequest
from jupyter_repl_runner.contract.owners import MAX_OWNER_LENGTH, check_owner, owner_of_name
from jupyter_repl_runner.contract.refs import ProjectRef, owner_root

ODD = [
    "*",
    "..",
    "Ä.b@c",
    "base",
    "meta",
    "x" * 200,
    "a--b",
    "-a",
    "a-",
    "Ann",
    "ann",
    "a/b",
    "a\0b",
    "\udc80",
    " ",
    "owners",
]
NAMES = st.text(min_size=1, max_size=80) | st.from_regex(r"[a-z0-9-]{1,60}", fullmatch=True) | st.sampled_from(ODD)


@given(NAMES)
def test_an_owner_can_be_a_label_a_key_and_a_folder(name: str) -> None:
    owner = owner_of_name(name)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", owner)
    assert len(owner) <= MAX_OWNER_LENGTH
    assert check_owner(owner) == owner
    assert ProjectRef(owner, "abc").code().startswith(f"owners/{owner}/code/abc/")


@given(NAMES, NAMES)
def test_two_names_never_share_an_owner(one: str, other: str) -> None:
    assert (owner_of_name(one) == owner_of_name(other)) == (one == other)


@pytest.mark.parametrize("name", ODD)
def test_nobody_can_take_the_owner_of_another_as_a_name(name: str) -> None:
    """A hub's user may choose a name: the escaped form of somebody else's is escaped again."""
    owner = owner_of_name(name)
    assert owner == name or owner_of_name(owner) != owner


def test_a_name_stays_itself_where_it_fits() -> None:
    for name in ("ann", "a-b-c", "base", "meta", "0", "x" * MAX_OWNER_LENGTH):
        assert owner_of_name(name) == name
    digest = hashlib.sha256(b"Ann.Lee@example.org").hexdigest()[:20]
    assert owner_of_name("Ann.Lee@example.org") == f"ann-lee-example-org-{digest}"
    assert re.fullmatch(r"[0-9a-f]{20}", owner_of_name("*"))


@pytest.mark.parametrize("bad", ["..", "a/b", "Ä", "A", "-", "a--b", "x" * (MAX_OWNER_LENGTH + 1), None, 1])
def test_whatever_makes_a_ref_an_owner_is_checked(bad: str) -> None:
    with pytest.raises(InvalidRequest):
        ProjectRef(bad, "abc")


def test_nobody_is_a_single_user_by_name() -> None:
    with pytest.raises(InvalidRequest):
        owner_of_name("")
    assert owner_root("") == ""
    assert owner_root("base") == "owners/base/"
