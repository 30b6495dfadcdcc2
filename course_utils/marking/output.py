"""What is printed, as far as it is kept: endless printing must cost no memory."""

import io


class FirstCharacters(io.StringIO):
    """Keeps the first characters that are written to it."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most

    def write(self, text: str) -> int:
        if self._left > 0:
            self._left -= super().write(text[: self._left])
        return len(text)

    def close(self) -> None:
        """Stay open: what is printed by others is not theirs to end."""
