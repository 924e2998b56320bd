"""Emulates the screen of a terminal with 24 rows and 80 columns."""

import pyte

ROWS, COLUMNS = 24, 80


class _Screen(pyte.Screen):
    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        """Ignore private sequences (`CSI > 4 ; 2 m` is about keys): pyte's own method fails on them."""
        if not private:
            super().select_graphic_rendition(*attributes)


class Screen:
    """The screen after the bytes that were fed to it."""

    def __init__(self) -> None:
        self._screen = _Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, data: bytes) -> None:
        self._stream.feed(data)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    @property
    def looks(self) -> list[tuple[object, ...]]:
        """The characters with their colours, and the position of the cursor."""
        cells = [tuple(self._screen.buffer[row][column] for column in range(COLUMNS)) for row in range(ROWS)]
        return [*cells, (self._screen.cursor.x, self._screen.cursor.y)]
