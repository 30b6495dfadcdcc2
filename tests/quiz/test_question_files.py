"""Files of questions: an instructor adds or replaces some, and a bad file is told what is wrong, and where."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from course_utils.quiz.bank import QUESTIONS, BankError, load_bank
from course_utils.quiz.question import Option
from course_utils.quiz.schema import SCHEMA_FILE, schema_text

BANK = load_bank()  # practice questions
ROOT = Path(__file__).resolve().parents[2]
FILES = [*QUESTIONS.glob("*.yaml"), *(ROOT / "exercises" / "questions").glob("*.yaml")]

GOOD = """\
- id: two-and-two
  covers: [S1]
  difficulty: easy
  prompt: How much is two and two?
  options:
    - text: four
      right: true
      feedback: So it is.
    - text: five
      feedback: One too many.
  hint: Count.
  explanation: Two and two are four.
  proof: assert 2 + 2 == 4
"""


def write(folder, text, name="own.yaml"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_own_folder_adds_a_question(tmp_path):
    bank = load_bank(write(tmp_path, GOOD))
    assert bank["two-and-two"].options[0] == Option(text="four", right=True, feedback="So it is.")
    assert bank["two-and-two"].lesson == "own" and len(bank) == len(BANK) + 1


def test_an_own_folder_may_call_its_files_yml_and_must_hold_a_question(tmp_path):
    with pytest.raises(BankError, match=r"no question in .*end in \.yaml or \.yml"):
        load_bank(tmp_path)
    (tmp_path / "mine.yml").write_text("- id: broken\n", encoding="utf-8")
    with pytest.raises(BankError, match=r"mine\.yml, line 1"):
        load_bank(tmp_path)


def test_own_folder_replaces_a_question(tmp_path):
    bank = load_bank(write(tmp_path, GOOD.replace("two-and-two", "default-weights")))
    assert bank["default-weights"].prompt == "How much is two and two?" and len(bank) == len(BANK)
    assert bank["default-weights"].lesson == BANK["default-weights"].lesson and list(bank) == list(BANK)


def test_words_that_yaml_would_turn_into_other_things_stay_words(tmp_path):
    bank = load_bank(write(tmp_path, GOOD.replace("text: four", "text: no").replace("text: five", "text: 1_000")))
    assert [option.text for option in bank["two-and-two"].options] == ["no", "1_000"]


def test_missing_folder_is_told(tmp_path):
    with pytest.raises(BankError, match="no folder"):
        load_bank(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("hint: Count.", "hint: Count: then", 11, "mapping values are not allowed"),
        ("  hint: Count.\n", "", 1, "`hint` is missing"),
        ("hint: Count.", "hint:", 11, "`hint` is empty"),
        ("hint: Count.", "hint: [Count]", 11, "`hint` must be text"),
        ("hint: Count.", "hints: Count.", 11, "no field `hints`"),
        ("hint: Count.", "prompt: Again?", 11, "`prompt` appears twice"),
        ("difficulty: easy", "difficulty: trivial", 3, "must be one of easy, medium, hard; found 'trivial'"),
        ("difficulty: easy", "kind: many", 3, "must be one of one, several, number, order, line; found 'many'"),
        ("covers: [S1]", "covers: S1", 2, "`covers` must be a list"),
        ("covers: [S1]", "covers: [1]", 2, "`covers` must be a list of fact numbers"),
        ("two-and-two", "Two and two", 1, "`id` must be lower-case words"),
        ("      right: true\n", "", 5, "one option must be `right: true`; found 0"),
        ("feedback: One too many.", "right: true\n      feedback: Oh.", 5, "one option must be `right: true`; found 2"),
        ("right: true", "right: yes", 7, "must be one of true, false; found 'yes'"),
        ("      feedback: One too many.\n", "", 9, "`feedback` is missing"),
        ("text: five", "text: four", 5, "two entries say the same"),
        ("text: five", "text: five\n      code: '5'", 9, "either `text` or `code`"),
        ("text: five", "value: 5", 9, "no field `value`"),
        ("  proof: assert 2 + 2 == 4\n", "", 1, "either `proof` or `no_proof`"),
        ("  options:", "  kind: several\n  options:", 6, "two or more options"),
        ("  options:", "  kind: number\n  answer: four\n  options:", 6, "`answer` must be a number; found 'four'"),
        ("  options:", "  kind: line\n  options:", 1, "`code` is missing"),
        ("- id: two-and-two", "id: two-and-two", 2, "mapping values are not allowed"),
        ("- id", "- just text\n- id", 1, "an entry of the list is not a question"),
        ("covers: [S1]", "covers: [S1, S1]", 2, "each once"),
        ("covers: [S1]", "covers: [S01]", 2, "a list of fact numbers"),
        ("text: four", "text: !important four", 6, "`!important` is a YAML tag"),
        ("covers: [S1]", "covers: !!set [S1]", 2, "is a YAML tag"),
        ("text: four", 'text: "four', 6, "the quote that opens here is never closed"),
        ("hint: Count.", "hint: 'Count.", 11, "the quote that opens here is never closed"),
        ("text: four", "text: four'\n      code: 'x", 7, "the quote that opens here is never closed"),
        (
            "  hint: Count.\n",
            "  hint: 'Count.\n  unit: one' and 'two\n",
            11,
            "the quote that opens here closes only on",
        ),
        ("hint: Count.\n", "hint: 'Count.\n  needs: x'\n", 11, "the quote that opens here closes only on line 12"),
        ("hint: Count.", "hint: Count.\n  tolerance: 1", 12, "a question of kind `one` has no field `tolerance`"),
        ("hint: Count.", "hint: Count.\n  quiz: Quiz 1", 12, "`quiz` must be lower-case words"),
        ("hint: Count.", "hint: Count.\n  needs: a b", 12, "`needs` must be the name of a package"),
        ("hint: Count.", "hint: Count.\n  [a]: b", 12, "a key must be a single word"),
        ("assert 2 + 2 == 4", "assert 2 + 2 ==", 13, "`proof` is not Python"),
        ("text: five", 'text: "four "', 5, "two entries say the same"),
        ("hint: Count.", "hint: Count\x07", 11, "the character U+0007"),
        ("hint: Count.", "hint: " + "[" * 400 + "]" * 400, 11, "`hint` must be text"),
        ("hint: Count.", "hint: Count.\n---\n", 12, "leave `---` out"),
        ("hint: Count.", 'hint: "Count\\e"', 11, "`hint` holds U+001B"),
        ("hint: Count.", "hint: *nowhere", 11, "undefined alias"),
    ],
)
def test_a_bad_question_is_told_with_file_line_and_reason(tmp_path, old, new, line, message):
    assert old in GOOD
    with pytest.raises(BankError) as error:
        load_bank(write(tmp_path, GOOD.replace(old, new, 1)))
    matching = [text for text in str(error.value).splitlines() if message in text]
    assert matching, str(error.value)
    assert f"own.yaml, line {line}:" in matching[0]


def test_a_file_that_is_no_list_is_told(tmp_path):
    with pytest.raises(BankError, match="line 1: a question file is a list"):
        load_bank(write(tmp_path, "id: lonely\n"))


def test_a_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / "own.yaml").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(BankError, match=r"own\.yaml, line 1: this file cannot be read"):
        load_bank(tmp_path)


def test_all_problems_are_listed_together(tmp_path):
    bad = GOOD.replace("hint: Count.", "hint:").replace("difficulty: easy", "difficulty: x")
    write(tmp_path, bad + bad.replace("two-and-two", "three"))
    write(tmp_path, "- id: [", "broken.yaml")
    with pytest.raises(BankError) as error:
        load_bank(tmp_path)
    lines = str(error.value).splitlines()
    assert lines[0] == "5 problems in the question bank:"
    assert sum(line.startswith("own.yaml, line") for line in lines) == 4
    assert sum(line.startswith("broken.yaml, line") for line in lines) == 1


def test_the_same_id_twice_in_a_folder_is_told(tmp_path):
    write(tmp_path, GOOD, "first.yaml")
    write(tmp_path, "# a comment\n" + GOOD, "second.yaml")
    with pytest.raises(BankError, match=r"second\.yaml, line 2: the id `two-and-two` is already used in first"):
        load_bank(tmp_path)


NUMBER = """\
- id: half
  covers: [S1]
  difficulty: easy
  kind: number
  prompt: What is half of seven?
  answer: 3.5
  tolerance: 0.1
  options:
    - value: 3
      feedback: Rounded down on the way.
  hint: Not a whole number.
  explanation: Seven halves are three and a half.
  proof: assert answer == 3.5
"""


def test_a_mistaken_value_that_would_count_as_right_is_told(tmp_path):
    with pytest.raises(BankError, match="line 8: `half`: the mistaken value 3.45 would count as right"):
        load_bank(write(tmp_path, NUMBER.replace("value: 3\n", "value: 3.45\n")))


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("tolerance: 0.1", "tolerance: -0.1", 7, "`tolerance` must be 0 or more; found '-0.1'"),
        ("tolerance: 0.1", "tolerance: .nan", 7, "`tolerance` must be a number"),
        ("answer: 3.5", "answer: 1e400", 6, "`answer` must be a number; found '1e400'"),
        ("answer: 3.5", "answer: [3.5]", 6, "`answer` must be a number"),
        ("  answer: 3.5\n", "", 1, "`answer` is missing"),
        ("value: 3\n", "value: 3\n      feedback: One.\n    - value: 3.0\n", 8, "the mistaken value 3 appears twice"),
        ("value: 3\n", "value: 3\n      right: true\n", 10, "no field `right`"),
    ],
)
def test_a_bad_number_is_told(tmp_path, old, new, line, message):
    assert old in NUMBER
    with pytest.raises(BankError) as error:
        load_bank(write(tmp_path, NUMBER.replace(old, new, 1)))
    assert [text for text in str(error.value).splitlines() if message in text and f"line {line}:" in text], error.value


def test_there_are_no_more_options_than_letters(tmp_path):
    more = "".join(f"    - text: {number}\n      feedback: Not {number}.\n" for number in range(7))
    with pytest.raises(BankError, match="2 to 8 entries; found 9"):
        load_bank(write(tmp_path, GOOD.replace("  hint: Count.", more + "  hint: Count.")))
    values = "".join(f"    - value: {number}\n      feedback: Not {number}.\n" for number in range(10, 18))
    with pytest.raises(BankError, match="at most 8 mistaken values; found 9"):
        load_bank(write(tmp_path, NUMBER.replace("  hint: Not", values + "  hint: Not")))


@pytest.mark.parametrize("line", ["2.5", "0", "-1", "two", "1e1", "99999"])
def test_a_line_is_a_whole_number(tmp_path, line):
    text = GOOD.replace("  options:", "  kind: line\n  code: one()\n  options:")
    with pytest.raises(BankError, match="`line` must be the number of a line, such as 2"):
        load_bank(write(tmp_path, text.replace("text: four", f"line: {line}")))


def test_where_all_options_are_right_nothing_is_asked(tmp_path):
    text = GOOD.replace("  options:", "  kind: several\n  options:").replace(
        "text: five", "text: five\n      right: true"
    )
    with pytest.raises(BankError, match="one option at least must be wrong"):
        load_bank(write(tmp_path, text))


def test_lists_that_are_too_deep_are_told(tmp_path):
    with pytest.raises(BankError, match=r"own\.yaml, line \d+: .*(nesting|too deep)"):
        load_bank(write(tmp_path, GOOD.replace("Count.", "[" * 5000 + "]" * 5000)))


def test_a_folder_with_the_name_of_a_file_is_told(tmp_path):
    (tmp_path / "own.yaml").mkdir()
    with pytest.raises(BankError, match=r"own\.yaml, line 1: this file cannot be read"):
        load_bank(tmp_path)


# The schema, with which an editor says much of this while the file is written


SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def faults(text: str) -> list:
    return list(jsonschema.Draft7Validator(SCHEMA).iter_errors(yaml.safe_load(text)))


def test_the_schema_is_what_the_tables_give():
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_every_file_of_the_course_fits_the_schema_and_names_it(path):
    text = path.read_text(encoding="utf-8")
    assert faults(text) == []
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)[1]
    assert (path.parent / named).resolve() == SCHEMA_FILE


@pytest.mark.parametrize(
    ("good", "old", "new"),
    [
        (GOOD, "hint: Count.", "hints: Count."),
        (GOOD, "  hint: Count.\n", ""),
        (GOOD, "difficulty: easy", "difficulty: trivial"),
        (GOOD, "difficulty: easy", "difficulty: easy\n  kind: many"),
        (GOOD, "covers: [S1]", "covers: [1]"),
        (GOOD, "two-and-two", "Two and two"),
        (GOOD, "right: true", "right: perhaps"),
        (GOOD, "text: five", "text: five\n      code: '5'"),
        (GOOD, "  proof: assert 2 + 2 == 4\n", ""),
        (GOOD, "text: five", "value: 5"),
        (GOOD, "hint: Count.", "hint: Count.\n  tolerance: 1"),
        (NUMBER, "tolerance: 0.1", "tolerance: -0.1"),
        (NUMBER, "answer: 3.5", "answer: many"),
        (NUMBER, "  answer: 3.5\n", ""),
    ],
)
def test_the_schema_refuses_what_the_bank_refuses(tmp_path, good, old, new):
    assert faults(good) == [] and old in good
    bad = good.replace(old, new, 1)
    assert faults(bad)
    with pytest.raises(BankError):
        load_bank(write(tmp_path, bad))


def test_a_line_question_needs_an_option_for_each_line(tmp_path):
    text = GOOD.replace("  options:", "  kind: line\n  code: |\n    one()\n\n    two()\n  options:")
    text = text.replace("text: four", "line: 1").replace("text: five", "line: 2")
    with pytest.raises(BankError, match=r"one option for each line of the code that is not blank: \[1, 3\]"):
        load_bank(write(tmp_path, text))
    assert load_bank(write(tmp_path, text.replace("line: 2", "line: 3")))["two-and-two"].options[1].line == 3
