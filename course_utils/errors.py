"""The one base of all errors that the course raises on purpose, and how their sentences name things."""


class CourseError(Exception):
    """Something that the reader can mend; the message is a sentence that says what, and what to do.

    In a notebook only that sentence is shown: the way to it through the course's own code helps nobody.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of a traceback (a list of lines)."""
        return [f"{type(self).__name__}: {self}"]


def shown(text: object, most: int = 100) -> str:
    """Make a name, an address or another program's words, fit for a sentence: one line of at most ``most`` characters.

    Line breaks, control characters and halves of broken characters are written as Python escapes them; of a longer
    text its beginning and its end remain.
    """
    text = str(text)
    if len(text) > most:  # before escaping too, because that makes a text of megabytes longer still
        text = f"{text[:most]}…{text[-most:]}"
    text = "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
    if len(text) <= most:
        return text
    end = most // 3
    return f"{text[: most - end - 1]}…{text[-end:]}"


def reason_of(error: BaseException) -> str:
    """Why something failed, in another program's words: short, and without the path that the sentence names itself."""
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    return shown(reason or type(error).__name__).rstrip(".")
