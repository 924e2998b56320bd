"""A recording of vim, cut at every byte: who resumes and who comes new sees the screen that vim has drawn."""

from pathlib import Path

import pytest
from support.screen import Screen

from jupyter_repl_runner.terminal.output import Exit, Output

RECORDING = (Path(__file__).parent.parent / "fixtures" / "vim.bin").read_bytes()


class Sink:
    """Collects what a viewer is sent."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.start: int | None = None

    def output(self, terminal: int, offset: int, data: bytes) -> None:
        if self.start is None:
            self.start = offset
        assert offset == self.start + len(self.data), "a gap or a repetition"
        self.data += data

    def input_written(self, terminal: int, offset: int) -> None: ...
    def resized(self, terminal: int, size: tuple[int, int]) -> None: ...
    def exited(self, terminal: int, how: Exit) -> None: ...


def screen_of(data: bytes) -> list[str]:
    screen = Screen()
    screen.feed(data)
    return screen.lines


@pytest.fixture(scope="module")
def whole() -> list[str]:
    return screen_of(RECORDING)


def watch(output: Output, name: str, start: int | None) -> Sink:
    sink = Sink()
    output.show(output.attach(name, sink, (24, 80), start, 0.0), 0.0)
    return sink


def test_the_recording_is_what_it_claims(whole: list[str]) -> None:
    assert b"\x1b[?1049h" in RECORDING
    assert b"\x1b[>c" in RECORDING, "vim asks what the terminal is"
    assert any(byte >= 0x80 for byte in RECORDING)
    assert any("hello" in line for line in whole)


def test_a_connection_that_is_cut_at_any_byte() -> None:
    for cut in range(len(RECORDING) + 1):
        output = Output(1, 8 << 20, 0.0)
        output.append(RECORDING[:cut], 0.0)
        before = watch(output, "a", 0)
        output.detach(output.viewers[0], 1.0)
        output.append(RECORDING[cut:], 1.0)
        after = watch(output, "a", cut)
        assert bytes(before.data + after.data) == RECORDING, cut


def test_somebody_who_comes_new_at_any_byte(whole: list[str]) -> None:
    for cut in range(0, len(RECORDING) + 1, 7):  # pyte takes its time
        output = Output(1, 8 << 20, 0.0)
        output.append(RECORDING[:cut], 0.0)
        sink = watch(output, "new", None)
        output.append(RECORDING[cut:], 1.0)
        assert screen_of(bytes(sink.data)) == whole, cut
        asked = bytes(sink.data[:cut])
        assert b"\x1b[>c" not in asked, "a question is asked again"
