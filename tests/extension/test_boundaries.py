"""Where frames end, however the stream is cut into chunks."""

from hypothesis import given
from hypothesis import strategies as st

from jupyter_repl_ext.runners.boundaries import Boundaries

SIZES = st.sampled_from([0, 1, 5, 125, 126, 127, 200, 65_535, 65_536, 70_000])


def frame(size: int, is_masked: bool = False) -> bytes:
    mask = b"\xff\xff\xff\xff" if is_masked else b""
    flag = 0x80 if is_masked else 0
    if size < 126:
        head = bytes([0x82, flag | size])
    elif size < 1 << 16:
        head = bytes([0x82, flag | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x82, flag | 127]) + size.to_bytes(8, "big")
    return head + mask + b"\x81" * size  # a payload that looks like heads


STEPS = st.lists(st.integers(1, 20) | st.integers(1, 100_000), max_size=30)


@given(st.lists(st.tuples(SIZES, st.booleans()), min_size=1, max_size=6), STEPS)
def test_it_is_between_frames_exactly_at_their_ends(frames: list[tuple[int, bool]], steps: list[int]) -> None:
    made = [frame(size, is_masked) for size, is_masked in frames]
    ends, total = set(), 0
    for each in made:
        total += len(each)
        ends.add(total)
    stream, boundaries, at = b"".join(made), Boundaries(), 0
    for step in [*steps, total]:
        assert boundaries.feed(stream[at : at + step]) == len(stream[at : at + step])
        at = min(total, at + step)
        assert boundaries.is_between == (at in ends)


@given(st.lists(SIZES, min_size=2, max_size=4), st.data())
def test_it_stops_at_the_end_of_the_first_frame(sizes: list[int], data: st.DataObject) -> None:
    stream = b"".join(frame(size) for size in sizes)
    first = len(frame(sizes[0]))
    cut = data.draw(st.integers(0, first - 1))
    boundaries = Boundaries()
    assert boundaries.feed(stream[:cut]) == cut
    assert boundaries.feed(stream[cut:], first_only=True) == first - cut
    assert boundaries.is_between
