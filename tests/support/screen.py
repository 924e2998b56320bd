"""What a terminal of 24 rows and 80 columns shows."""

import pyte

ROWS, COLUMNS = 24, 80


class _Screen(pyte.Screen):
    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        """pyte's own fails at a private sequence (`CSI > 4 ; 2 m`, which is about keys)."""
        if not private:
            super().select_graphic_rendition(*attributes)


class Screen:
    """What a terminal shows of the bytes that it was sent."""

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
        """Characters with their colours, and where the cursor is."""
        cells = [tuple(self._screen.buffer[row][column] for column in range(COLUMNS)) for row in range(ROWS)]
        return [*cells, (self._screen.cursor.x, self._screen.cursor.y)]
