"""A server with many users: each has only his own projects, by every route, whatever the names are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from support.channel import Client, Closed
from support.lab import Lab, wait_for
from support.s3 import S3Server
from support.s3_lab import S3Lab

from jupyter_repl_runner.contract.owners import owner_of_name

CONFIG = """
from urllib.parse import unquote
from jupyter_server.auth import IdentityProvider, User

class NameAsToken(IdentityProvider):
    async def get_user(self, handler):
        name = unquote(self.get_token(handler) or "")
        handler._token_authenticated = bool(name)
        return User(username=name) if name else None

c.ServerApp.identity_provider_class = NameAsToken
c.ReplExtension.multi_user = True
"""
NAMES = ["ann", "*", "..", "Ä.b@c", "base", "meta", "x" * 200]


class User:
    """One of the server's users; the same calls as those of Lab."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab, self.name, self.owner = lab, name, owner_of_name(name)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return self.lab.call(method, path, body, token=quote(self.name, safe=""))

    def channel(self, repl_id: str) -> Client:
        return Client(self.lab, repl_id, Authorization=f"token {quote(self.name, safe='')}")

    def make(self, repl_id: str) -> None:
        status, answer = self.call("POST", "project", {"replId": repl_id, "language": "python"})
        assert status == 201, answer

    def start(self, repl_id: str) -> None:
        status, answer = self.call("POST", "start", {"replId": repl_id})
        assert status == 202, answer
        wait_for(lambda: self.call("GET", f"project/{repl_id}")[1]["phase"]["name"] == "running", 20)

    def projects(self) -> list[str]:
        return sorted(each["replId"] for each in self.call("GET", "project")[1])


def configured(lab: Lab) -> Lab:
    config = lab.home / ".jupyter"
    config.mkdir(parents=True)
    (config / "jupyter_server_config.py").write_text(CONFIG)
    return lab.start()


@pytest.fixture(scope="module", params=["directory", "s3"])
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("crowd") / "home"
    if request.param == "s3":
        minio: S3Server = request.getfixturevalue("minio")
        server: Lab = configured(S3Lab(home, minio, "crowd"))
    else:
        server = configured(Lab(home))
    yield server
    server.stop()


def test_each_has_projects_of_his_own_whatever_he_is_called(crowd: Lab) -> None:
    users = [User(crowd, name) for name in NAMES]
    for user in users:
        user.make("mine")
        user.make(f"of-{user.owner}"[:48].rstrip("-"))
    for user in users:
        assert user.projects() == sorted(["mine", f"of-{user.owner}"[:48].rstrip("-")])
    for user in users:
        assert user.call("PUT", "project/mine/file/who.txt", user.name.encode())[0] == 200
    for user in users:
        assert user.call("GET", "project/mine/file/who.txt") == (200, user.name.encode())


def test_nobody_reaches_anothers_by_any_route(crowd: Lab) -> None:
    ann, bob = User(crowd, "ann"), User(crowd, "bob")
    ann.make("secret")
    ann.call("PUT", "project/secret/file/key.txt", b"of ann")
    ann.start("secret")
    routes: list[tuple[str, str, Any]] = [
        ("GET", "project/secret", None),
        ("PATCH", "project/secret", {"title": "stolen"}),
        ("DELETE", "project/secret", None),
        ("GET", "project/secret/events", None),
        ("GET", "project/secret/file/key.txt", None),
        ("PUT", "project/secret/file/key.txt", b"of bob"),
        ("GET", "project/secret/archive", None),
        ("GET", "project/secret/trash", None),
        ("POST", "project/secret/trash", {"item": "x"}),
        ("POST", "start", {"replId": "secret"}),
        ("POST", "stop", {"replId": "secret"}),
        ("GET", "contents/secret/key.txt", None),
        ("PUT", "contents/secret/key.txt", {"type": "file", "format": "text", "content": "of bob"}),
        ("DELETE", "contents/secret/key.txt", None),
        ("POST", "contents/secret/key.txt/checkpoints", None),
    ]
    for method, path, body in routes:
        status, answer = bob.call(method, path, body)
        assert status == 404, (method, path, status, answer)
    tricks = [
        "../ann/secret",
        "%2e%2e%2fann%2fsecret",
        "ann%2Fsecret",
        "secret%00",
        "SECRET",
        "owners",
        "secret/../secret",
    ]
    for trick in tricks:
        for route in (f"project/{trick}", f"project/{trick}/file/key.txt", f"contents/{trick}/key.txt"):
            assert bob.call("GET", route)[0] in (400, 403, 404), route
    assert "secret" not in json.dumps(bob.call("GET", "contents")[1])
    assert "secret" not in bob.projects()
    with pytest.raises(Closed) as closed:
        bob.channel("secret")
    assert closed.value.code == 4404
    assert ann.call("GET", "project/secret/file/key.txt") == (200, b"of ann")
    assert ann.call("GET", "contents/secret/key.txt")[1]["content"] == "of ann"


def test_two_run_repls_of_one_name_at_once(crowd: Lab) -> None:
    users = [User(crowd, name) for name in ("..", "Ä.b@c")]
    for user in users:
        user.make("same")
        user.start("same")
    channels = [user.channel("same") for user in users]
    for user, channel in zip(users, channels, strict=True):
        channel.request("create", path=f"of-{user.owner}.txt", type="file")
    for user, channel in zip(users, channels, strict=True):
        listed = {entry["name"] for entry in channel.request("fetchDir", path="")["content"]}
        assert listed == {"main.py", f"of-{user.owner}.txt"}


def test_a_single_users_store_is_as_it_was(lab: Lab) -> None:
    lab.make("abc", start=False)
    assert {path.name for path in lab.store.iterdir()} >= {"code", "meta", "base"}
    assert not (lab.store / "owners").exists()
    assert Path(lab.project("abc"), "main.py").exists()
