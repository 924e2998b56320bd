"""Names are always valid, and no two REPLs share one."""

import re

from hypothesis import given
from hypothesis import strategies as st

from jupyter_repl_runner.contract.owners import owner_of_name
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes import names

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
IDS = st.from_regex(r"[a-z0-9]{1,12}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
OWNERS = st.just("") | st.text(min_size=1, max_size=80).map(owner_of_name)
REFS = st.builds(ProjectRef, OWNERS, IDS)


@given(REFS)
def test_a_name_is_a_label(ref: ProjectRef) -> None:
    name = names.slug(ref)
    assert LABEL.fullmatch(name)
    assert len(name) <= 63
    assert names.ref_of({names.OWNER: ref.owner, names.REPL: ref.repl_id}) == ref


@given(REFS, REFS)
def test_two_never_share_one(one: ProjectRef, other: ProjectRef) -> None:
    assert (names.slug(one) == names.slug(other)) == (one == other)


def test_owner_and_id_are_told_apart() -> None:
    assert names.slug(ProjectRef("a-b", "c")) != names.slug(ProjectRef("a", "b-c"))
    assert names.slug(ProjectRef(owner_of_name("Ann"), "c")) != names.slug(ProjectRef("ann", "c"))


def test_what_is_not_ours_has_no_ref() -> None:
    assert names.ref_of({}) is None
    assert names.ref_of({names.REPL: "Not an id"}) is None


@given(st.text(max_size=80))
def test_a_pools_name_is_a_label_too(template: str) -> None:
    assert LABEL.fullmatch(names.pool(template, "0123456789abcdef"))
    assert len(names.pool(template, "0123456789abcdef")) <= 63
