"""The one base of all errors that the course raises on purpose."""


class CourseError(Exception):
    """Something that the reader can mend; the message is a sentence that says what, and what to do.

    In a notebook only that sentence is shown: the way to it through the course's own code helps nobody.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of a traceback (a list of lines)."""
        return [f"{type(self).__name__}: {self}"]
