"""One hostile submission: what it does, and what it must come to.

A cheat has wrong answers, or none, and must earn nothing by its trick. A crash or a hang has right answers, and keeps
what it earned before. ``code`` runs in a cell of its own before all answers, unless ``into`` names the answer cell
whose end it goes to.
"""

from dataclasses import dataclass

from course_utils.marking.results import Status

GRADED, ERROR = Status.GRADED, Status.STUDENT_ERROR
TIMED_OUT, CRASHED, LOOK = Status.TIMED_OUT, Status.CRASHED, Status.NEEDS_A_LOOK


@dataclass(frozen=True)
class Case:
    """``base`` is the answer in exercises/answers/ that is handed in, ``score`` the points, None for "no score".

    ``says`` stands in the reason, in what the cells printed or in the feedback.
    """

    name: str
    code: str
    assignment: str = "quiz-1"
    base: str = "wrong_everywhere"
    into: str = ""
    score: float | None = 0.0
    statuses: tuple[Status, ...] = (GRADED, ERROR)
    says: str = ""
