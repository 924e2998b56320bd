"""Several views of one terminal, and one after another: sizes, places, and what somebody new is shown."""

import time

from support.channel import Client
from support.lab import Lab


def size_of(client: Client, terminal: int) -> str:
    """As the program in it sees it."""
    client.output[terminal].clear()
    client.type(terminal, b'echo "size <$(stty size)"">"\n')
    seen = client.read_until(terminal, b">\r\n")
    return seen.split(b"size <")[-1].split(b">")[0].decode()


def test_a_terminal_has_the_size_of_who_typed_last(repl: Lab, client: Client) -> None:
    terminal = client.terminal(rows=30, cols=100)
    assert size_of(client, terminal) == "30 100"
    other = Client(repl, "abc")
    other.terminal(terminal=terminal, rows=20, cols=60)
    assert other.wait_event("terminalSize", terminal=terminal) == {"terminal": terminal, "rows": 30, "cols": 100}
    client.request("resizeTerminal", terminal=terminal, rows=31, cols=101)
    assert other.wait_event("terminalSize")["rows"] == 31
    other.request("resizeTerminal", terminal=terminal, rows=21, cols=61)
    assert other.wait_event("terminalSize")["rows"] == 31, "who looks on only has no say"
    assert size_of(other, terminal) == "21 61"
    assert client.wait_event("terminalSize")["cols"] == 61
    other.close()
    assert client.wait_event("terminalSize")["cols"] == 101, "the other has left"


def test_a_new_terminal_begins_where_the_other_is(repl: Lab, client: Client) -> None:
    first = client.terminal()
    client.type(first, b"mkdir -p deep/er; cd deep/er; echo he''re\n")
    client.read_until(first, b"here")
    second = client.terminal(beside=first)
    client.type(second, b'echo "at <$PWD>"\n')
    seen = client.read_until(second, b"deep/er>")
    assert str(repl.project("abc") / "deep/er").encode() in seen
    client.type(first, b"rm -r ../er; echo go''ne\n")
    client.read_until(first, b"gone")
    third = client.terminal(beside=first)
    client.type(third, b'echo "at <$PWD>"\n')
    client.read_until(third, f"at <{repl.project('abc')}>".encode())
    assert client.error("requestTerminal", rows=24, cols=80, beside=999)["code"] == "FileNotFound"


def test_what_was_cleared_is_not_shown_again(repl: Lab, client: Client) -> None:
    terminal = client.terminal()
    client.type(terminal, b"echo be''fore\n")
    client.read_until(terminal, b"before\r\n\x1b[?2004h$ ")
    client.type(terminal, b"half a line")
    client.read_until(terminal, b"half a line")
    client.request("clearTerminal", terminal=terminal)
    other = Client(repl, "abc")
    other.terminal(terminal=terminal)
    assert b"before" not in other.read_until(terminal, b"$ half a line")
    client.type(terminal, b"\x15")


def test_a_view_that_comes_back_takes_the_place_of_its_dead_connection(repl: Lab, client: Client) -> None:
    terminal = client.terminal(viewer="me")
    again = Client(repl, "abc")
    again.terminal(terminal=terminal, viewer="me", **{"from": client.next[terminal]})
    again.type(terminal, b"echo a''gain\n")
    again.read_until(terminal, b"again")
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        client.pump(0.1)
    assert b"again" not in client.output[terminal]


def test_questions_are_answered_once(repl: Lab, client: Client) -> None:
    """A program has asked where the cursor is, and somebody new is shown its past."""
    terminal = client.terminal()
    client.type(terminal, b"printf '\\033[6n'; echo as''ked\n")
    assert b"\x1b[6n" in client.read_until(terminal, b"asked")
    other = Client(repl, "abc")
    other.terminal(terminal=terminal)
    assert b"\x1b[6n" not in other.read_until(terminal, b"asked")
