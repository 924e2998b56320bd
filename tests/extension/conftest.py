"""A REPL that the tests of a module share, and a client of its channel for each test."""

import pytest
from support.channel import Client
from support.lab import Lab


@pytest.fixture(scope="module")
def repl(shared_lab: Lab) -> Lab:
    """The server; its REPL is `abc`."""
    shared_lab.make("abc")
    return shared_lab


@pytest.fixture
def client(repl: Lab) -> Client:
    return Client(repl, "abc")
