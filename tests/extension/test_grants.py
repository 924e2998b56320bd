"""Credentials of one project: what they open, and that they are renewed."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from support.faults import FaultyProxy
from support.s3 import CREDENTIALS, S3Server

from jupyter_repl_ext.projects.catalog import Catalog
from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_ext.repls.grant_issuer import GrantIssuer
from jupyter_repl_runner.contract.errors import InvalidRequest, ReplError
from jupyter_repl_runner.contract.grant import S3Settings
from jupyter_repl_runner.contract.ids import MAX_ID_LENGTH
from jupyter_repl_runner.contract.owners import MAX_OWNER_LENGTH
from jupyter_repl_runner.contract.refs import ProjectRef, owner_root
from jupyter_repl_runner.store.port import Store, read_all
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_runner.store.sts import policy_text

OURS = ProjectRef("", "abc")
NEIGHBOURS = {
    "one user": [OURS, ProjectRef("", "other"), ProjectRef("", "abc-pro")],
    "many users": [ProjectRef(owner, "abc") for owner in ("ann", "bob", "ann-lee", "")]
    + [ProjectRef("ann", "abc-pro")],
}
"""A project, and others that its keys must not open."""


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the server's environment has them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CREDENTIALS.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secret_key)


async def granted(
    server: S3Server, prefix: str, refs: Sequence[ProjectRef] = (OURS,)
) -> tuple[Store, S3Store, GrantIssuer, Any]:
    """With a grant for the first of `refs`."""
    store = S3Store(server.settings(prefix))
    projects = Projects(store, Catalog(store, lambda program: True))
    for ref in refs:
        await projects.create(ref, "python")
    grants = GrantIssuer(store, projects, "", 1 << 20)
    grant = await grants.grant(refs[0])
    return store, S3Store(grant.store, grant.credentials), grants, grant


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("refs", NEIGHBOURS.values(), ids=NEIGHBOURS.keys())
def test_they_open_no_other_project(minio: S3Server, refs: list[ProjectRef]) -> None:
    ours, *others = refs

    async def check() -> None:
        store, limited, _, grant = await granted(minio, f"sts-1{ours.owner}/", refs)
        assert grant.credentials.token
        assert (await limited.head(ours.code("main.py"))) is not None
        assert (await limited.head(ours.code("none.py"))) is None
        await limited.put(ours.code("new.py"), b"1")
        await limited.copy(ours.code("new.py"), ours.trash + "x/new.py")
        await limited.delete(ours.code("new.py"))
        assert [entry.key async for entry in limited.list(ours.code())] == [ours.code("main.py")]
        assert await read_all(limited, ours.generation)
        for refused in _refused(limited, ours, others):
            with pytest.raises(ReplError, match="allow"):
                await refused()
        for other in others:
            assert (await read_all(store, other.code("main.py")))[0]

    asyncio.run(check())


def test_the_policy_of_the_longest_names_is_one_that_aws_takes() -> None:
    longest = ProjectRef("o" * MAX_OWNER_LENGTH, "r" * MAX_ID_LENGTH)
    fitting, too_long = (S3Settings("b" * 63, "p" * length + "/") for length in (100, 300))
    assert len(policy_text(fitting, longest)) <= 2048
    with pytest.raises(InvalidRequest, match="prefix of store_url is too long"):
        policy_text(too_long, longest)


def _refused(limited: S3Store, ours: ProjectRef, others: list[ProjectRef]) -> list[Callable[[], Any]]:
    async def list_(prefix: str) -> None:
        async for _ in limited.list(prefix):
            pass

    return [
        *(lambda ref=ref: list_(ref.code()) for ref in others),
        *(lambda ref=ref: limited.get(ref.code("main.py")) for ref in others),
        *(lambda ref=ref: limited.put(ref.code("main.py"), b"x") for ref in others),
        *(lambda ref=ref: limited.delete(ref.code("main.py")) for ref in others),
        *(lambda ref=ref: limited.copy(ref.code("main.py"), ours.code("stolen")) for ref in others),
        *(lambda ref=ref: limited.copy(ours.code("main.py"), ref.code("planted")) for ref in others),
        *(lambda ref=ref: limited.get(ref.meta) for ref in others),
        lambda: limited.put(ours.meta, b"{}"),
        lambda: limited.put(ours.generation, b"{}"),
        *(lambda prefix=prefix: list_(prefix) for prefix in ("", "code/", "meta/", "base/", "owners/")),
        lambda: list_(f"{owner_root(ours.owner)}code/"),
        lambda: list_(f"{owner_root(ours.owner)}meta/"),
        lambda: limited.put("base/python/main.py", b"x"),
    ]


@pytest.mark.usefixtures("keys")
def test_each_grant_raises_the_generation_and_a_renewal_does_not(minio: S3Server) -> None:
    async def check() -> None:
        _, _, grants, first = await granted(minio, "sts-2/")
        second = await grants.grant(OURS)
        renewed = await grants.credentials(OURS)
        third = await grants.grant(OURS)
        assert (first.generation, second.generation, third.generation) == (1, 2, 3)
        assert renewed not in (second.credentials, third.credentials)
        assert renewed.expires > time.time() + 600

    asyncio.run(check())


@pytest.mark.usefixtures("keys")
def test_a_server_without_sts_hands_over_its_own(versitygw: S3Server) -> None:
    async def check() -> None:
        _, _, _, grant = await granted(versitygw, "sts-3/")
        assert grant.credentials == CREDENTIALS

    asyncio.run(check())


@pytest.mark.usefixtures("keys")
def test_an_sts_that_was_not_there_for_a_moment_is_asked_again(
    minio: S3Server, faulty: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What answers 404 may be an ingress whose service is just being replaced."""
    grants = made(faulty, minio, "sts-8/", scoped_only=True)
    faulty.refusal = (404, "NotFound")
    with pytest.raises(ReplError, match="no keys"):
        asyncio.run(grants.credentials(OURS))
    faulty.refusal = None
    with pytest.raises(ReplError, match="no keys"):
        asyncio.run(grants.credentials(OURS))
    monkeypatch.setattr(grants, "_no_sts_until", 0.0)  # as it is after NO_STS_SECONDS
    assert asyncio.run(grants.credentials(OURS)).token


@pytest.fixture
def faulty(minio: S3Server) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(minio.port)
    yield proxy
    proxy.close()


def made(proxy: FaultyProxy, minio: S3Server, prefix: str, **options: bool) -> GrantIssuer:
    store = S3Store(replace(minio.settings(prefix), endpoint=proxy.endpoint))
    return GrantIssuer(store, Projects(store, Catalog(store, lambda program: True)), "", 1 << 20, **options)


PASSING = [
    (400, "Throttling"),
    (429, "TooManyRequestsException"),
    (503, "ServiceUnavailable"),
    (500, "InternalFailure"),
]


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("scoped_only", [False, True], ids=["here", "in pods"])
@pytest.mark.parametrize("refusal", PASSING, ids=lambda refusal: refusal[1])
def test_an_sts_that_is_busy_gives_nothing_away(
    minio: S3Server, faulty: FaultyProxy, refusal: tuple[int, str], scoped_only: bool
) -> None:
    grants = made(faulty, minio, "sts-4/", scoped_only=scoped_only)
    faulty.refusal = refusal
    with pytest.raises(ReplError, match="busy"):
        asyncio.run(grants.credentials(OURS))
    faulty.refusal = None
    assert asyncio.run(grants.credentials(OURS)).token


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("refusal", [(403, "AccessDenied"), (405, "MethodNotAllowed"), (501, "NotImplemented")])
def test_without_keys_for_one_project_a_pod_gets_none(
    minio: S3Server, faulty: FaultyProxy, refusal: tuple[int, str]
) -> None:
    faulty.refusal = refusal
    with pytest.raises(ReplError, match="no keys for this project alone") as refused:
        asyncio.run(made(faulty, minio, "sts-5/", scoped_only=True).credentials(OURS))
    assert "s3_runner_keys" in refused.value.hint
    assert asyncio.run(made(faulty, minio, "sts-5/").credentials(OURS)) == CREDENTIALS


@pytest.mark.usefixtures("keys")
def test_other_answers_of_an_sts_are_errors(minio: S3Server, faulty: FaultyProxy) -> None:
    faulty.refusal = (400, "MalformedPolicyDocument")
    for scoped_only in (False, True):
        with pytest.raises(ReplError, match="S3 says"):
            asyncio.run(made(faulty, minio, "sts-6/", scoped_only=scoped_only).credentials(OURS))


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("role", ["", "arn:aws:iam::123456789012:role/repl"])
def test_on_aws_keys_are_for_one_project(moto: S3Server, monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    """With a role it is taken on; without one the server's own user is limited."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.endpoint)  # boto3's own setting: for us it is AWS

    async def check() -> None:
        store = S3Store(S3Settings(moto.bucket, f"sts-{bool(role)}/", path_style=True))
        projects = Projects(store, Catalog(store, lambda program: True))
        await projects.create(OURS, "python")
        grant = await GrantIssuer(store, projects, role, 1 << 20).grant(OURS)
        assert grant.credentials is not None
        assert grant.credentials.token
        assert 600 < grant.credentials.expires - time.time() < 3700
        limited = S3Store(grant.store, grant.credentials)
        assert (await read_all(limited, OURS.code("main.py")))[0]

    asyncio.run(check())


def test_secrets_are_not_printed() -> None:
    assert CREDENTIALS.secret_key not in repr(CREDENTIALS)
