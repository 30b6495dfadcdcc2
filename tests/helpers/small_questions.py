"""Five questions, one of each kind, with little to read."""

from course_utils.quiz.question import Option, Question, answer_key, lettered

ONE = Question(
    "one-right", "01_first_lesson", "one", "easy", ("S1",), "Which **one**?",
    (
        Option(text="this", right=True, feedback="This it is."),
        Option(code="that()", feedback="That is <not> it."),
        Option(code="a = 1\nb = 2", feedback="Two lines, both wrong."),
    ),
    hint="Not that.", explanation="It was this.",
)  # fmt: skip
SEVERAL = Question(
    "two-right", "01_first_lesson", "several", "easy", ("S1",), "Which ones?",
    (
        Option(text="odd", right=True, feedback="Odd belongs."),
        Option(text="even", feedback="Even does not."),
        Option(text="prime", right=True, feedback="Prime belongs."),
        Option(text="zero", feedback="Zero does not."),
    ),
    hint="Two of them.", explanation="Odd and prime.",
)  # fmt: skip
NUMBER = Question(
    "a-number", "02_second_lesson", "number", "easy", ("S1",), "How much?",
    (Option(value=90, feedback="Rounded too early."),),
    hint="Between 80 and 90.", explanation="Seven eighths.", answer=87.5, tolerance=0.1, unit="per cent",
)  # fmt: skip
ORDER = Question(
    "in-order", "02_second_lesson", "order", "easy", ("S1",), "In which order?",
    (
        Option(text="load", feedback=""),
        Option(text="train", feedback="Nothing is loaded that could be trained."),
        Option(text="test", feedback="Nothing is trained that could be tested."),
    ),
    hint="Test last.", explanation="Load, train, test.",
)  # fmt: skip
LINE = Question(
    "the-line", "02_second_lesson", "line", "easy", ("S1",), "Where is the bug?",
    (
        Option(line=1, feedback="This line is fine."),
        Option(line=3, right=True, feedback="Here it is."),
    ),
    hint="Not the first.", explanation="The third line.", code="x = 1\n\ny = x / 0",
)  # fmt: skip
SMALL_BANK = {question.id: question for question in (ONE, SEVERAL, NUMBER, ORDER, LINE)}

RIGHT, WRONG = answer_key(ONE), next(letter for letter, option in lettered(ONE) if option.code == "that()")
