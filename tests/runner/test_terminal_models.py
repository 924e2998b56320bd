"""Ring, credit, replay and inputs: pure, so time is a number and programs are bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_repl_runner.contract.errors import InvalidRequest, Unavailable
from jupyter_repl_runner.terminal.credit import FIRST_WINDOW, MAX_WINDOW, MIN_WINDOW, Credit
from jupyter_repl_runner.terminal.inputs import MAX_QUEUED, Inputs
from jupyter_repl_runner.terminal.replay import clean_start, silence_queries
from jupyter_repl_runner.terminal.ring import BLOCK, Ring


@given(st.lists(st.binary(max_size=3000), max_size=60), st.integers(0, 1000), st.integers(0, 100_000))
def test_a_ring_gives_back_what_it_was_given(chunks: list[bytes], start: int, limit: int) -> None:
    ring, whole = Ring(1 << 20), b"".join(chunks)
    for chunk in chunks:
        ring.append(chunk)
    start = min(start, len(whole))
    assert ring.read(start, limit) == whole[start : start + limit]
    assert (ring.start, ring.end) == (0, len(whole))


def test_a_ring_keeps_the_newest_and_knows_where_they_begin() -> None:
    ring = Ring(4 * BLOCK)
    data = bytes(range(256)) * (BLOCK // 256)
    for _ in range(10):
        ring.append(data)
    assert ring.end == 10 * BLOCK
    assert 4 * BLOCK <= ring.end - ring.start <= 5 * BLOCK
    assert ring.read(ring.start, 10 * BLOCK) == data * ((ring.end - ring.start) // BLOCK)
    with pytest.raises(ValueError, match="outside"):
        ring.read(ring.start - 1, 1)


def test_credit_stops_at_the_window() -> None:
    credit = Credit(0, now=0.0)
    assert credit.room(10 * FIRST_WINDOW) == FIRST_WINDOW
    credit.spend(FIRST_WINDOW, now=0.0)
    assert credit.room(10 * FIRST_WINDOW) == 0
    assert credit.is_behind(10 * FIRST_WINDOW)


def test_credit_follows_a_pace_however_its_acknowledgements_are_bundled() -> None:
    for bundle in (1, 7):
        credit, pace, end = Credit(0, now=0.0), 2_000_000, 100 << 20
        credit.spend(credit.room(end), now=0.0)
        for step in range(1, 1000):
            now = step * 0.01
            if step % bundle == 0:
                for _ in range(bundle):  # at the same time
                    credit.acknowledge(min(credit.acked + pace // 100, credit.sent), now)
            credit.spend(credit.room(end), now)
        assert 0.8 * pace < credit.window * 10 < 1.2 * pace, bundle


def test_little_output_does_not_tell_of_a_slow_viewer() -> None:
    credit = Credit(0, now=0.0)
    for key in range(100):
        credit.spend(1, now=float(key))
        credit.acknowledge(credit.sent, now=key + 0.06)
    assert credit.window == FIRST_WINDOW


@given(st.lists(st.integers(-10, 1 << 40)))
def test_no_acknowledgement_makes_credit_out_of_nothing(offsets: list[int]) -> None:
    credit = Credit(100, now=0.0)
    credit.spend(4900, now=0.0)
    for number, offset in enumerate(offsets):
        credit.acknowledge(offset, now=float(number))
        assert 100 <= credit.acked <= credit.sent
        assert MIN_WINDOW <= credit.window <= MAX_WINDOW


def test_a_gap_costs_no_credit() -> None:
    credit = Credit(0, now=0.0)
    credit.spend(1000, now=0.0)
    credit.skip_to(50_000)
    assert (credit.sent, credit.sent - credit.acked) == (50_000, 1000)


def test_what_was_in_flight_before_a_gap_gives_its_credit_back() -> None:
    credit = Credit(0, now=0.0)
    credit.spend(FIRST_WINDOW, now=0.0)
    credit.skip_to(10 * FIRST_WINDOW)
    assert credit.room(20 * FIRST_WINDOW) == 0
    credit.acknowledge(FIRST_WINDOW // 2, now=0.001)
    assert credit.sent - credit.acked == FIRST_WINDOW // 2
    credit.acknowledge(FIRST_WINDOW, now=0.002)
    assert credit.sent == credit.acked
    assert credit.room(20 * FIRST_WINDOW) > 0


QUERIES = [
    b"\x1b[6n",
    b"\x1b[c",
    b"\x1b[>c",
    b"\x1b[?6n",
    b"\x1b]11;?\x07",
    b"\x1b]4;1;?\x1b\\",
    b"\x1b[?2026$p",
    b"\x1bZ",
]
QUERIES += [b"\x1b[>0q", b"\x1bP+q544e\x1b\\", b"\x1b[18t", b"\x1b[?u", b"\x05"]


@pytest.mark.parametrize("query", QUERIES)
def test_queries_are_silenced_and_bytes_stay_as_many(query: bytes) -> None:
    data = b"before" + query + b"after"
    assert silence_queries(data) == b"before" + b"\0" * len(query) + b"after"


@pytest.mark.parametrize(
    "kept", [b"\x1b[31m", b"\x1b[2J", b"\x1b[?2004h", b"\x1b]0;title\x07", b"\x1b[4 q", b"c n q", "ü€😀".encode()]
)
def test_what_is_no_query_stays(kept: bytes) -> None:
    assert silence_queries(kept) == kept


def test_a_replay_begins_at_a_line_else_at_a_character() -> None:
    assert clean_start(b"1mred\nnext") == 6
    assert clean_start("😀abc".encode()[1:]) == 3
    assert clean_start(b"") == 0


def test_input_that_comes_twice_is_written_once() -> None:
    inputs = Inputs()
    inputs.add("a", 0, b"hello")
    inputs.add("a", 3, b"lo world")
    written = b""
    while (first := inputs.first()) is not None:
        written += bytes(first)
        inputs.advance(len(first))
    assert written == b"hello world"
    assert inputs.received("a") == inputs.written("a") == 11


def test_a_hole_in_the_input_is_refused_and_changes_nothing() -> None:
    inputs = Inputs()
    with pytest.raises(InvalidRequest):
        inputs.add("a", 5, b"x")
    assert inputs.first() is None


def test_the_input_queue_is_bounded() -> None:
    inputs = Inputs()
    inputs.add("a", None, b"x" * MAX_QUEUED)
    with pytest.raises(Unavailable):
        inputs.add("b", None, b"y")
    assert inputs.received("b") == 0


def test_an_interrupt_drops_only_its_own_viewers_input_and_counts_it() -> None:
    inputs = Inputs()
    inputs.add("a", 0, b"aaaa")
    inputs.add("b", 0, b"bb")
    inputs.advance(1)
    inputs.interrupt("a", 10)
    assert (inputs.received("a"), inputs.written("a")) == (10, 10)
    assert bytes(inputs.first() or b"") == b"bb"
    inputs.add("a", 10, b"c")
    inputs.advance(2)
    assert bytes(inputs.first() or b"") == b"c"
