"""The texts of a question as HTML that every format can carry."""

from html import escape

from course_utils.quiz.markdown import code_html, inline_html, is_paragraph, to_html
from course_utils.quiz.question import Option, Question, lettered


def stem(question: Question) -> str:
    """Everything above the options: the prompt, the code, and the unit of a number."""
    html = to_html(question.prompt)
    if question.code:
        html += code_html(question.code, numbered=question.kind == "line")
    if question.unit:
        html += f"<p>Unit: {inline_html(question.unit)}</p>"
    return html


def shown(question: Question) -> list[Option]:
    """The options in the order in which they are shown. Platforms number them by themselves."""
    return [option for _, option in lettered(question)] or list(question.options)


def option_html(question: Question, option: Option) -> str:
    """What an option says, without a <p> where it is one paragraph; for a line of code, its number and the line."""
    if option.line is not None:
        line = question.code.splitlines()[option.line - 1].strip()
        return f"Line {option.line}: <code>{escape(line)}</code>"
    if "\n" in option.code:
        return code_html(option.code)
    return f"<code>{escape(option.code)}</code>" if option.code else inline_html(option.text)


def option_block(question: Question, option: Option) -> str:
    """What an option says as a block of its own, in a <p> where it is no list, table or code block."""
    html = option_html(question, option)
    in_a_line = option.line is not None or (is_paragraph(option.text) if option.text else "\n" not in option.code)
    return f"<p>{html}</p>" if in_a_line else html


def reasons(question: Question) -> str:
    """The feedback of every step, for formats that cannot tie it to a step of an order."""
    return "".join(
        option_block(question, option) + to_html(option.feedback) for option in question.options if option.feedback
    )


def number(value: float) -> str:
    """A number without an exponent and without a needless ".0"."""
    text = f"{value:.10f}".rstrip("0").rstrip(".")
    return text if text != "-0" else "0"
