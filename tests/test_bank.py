"""The question bank: what a file must hold, what a bad one is told, and whether every stated answer is true."""

import importlib.util
import re
from collections import Counter
from dataclasses import replace

import pytest
import torch

from course_utils.bank import BankError, Option, Question, answer_key, lettered, load_bank
from course_utils.proofs import printed, raises, run_proof, weights_asked_for

BANK = load_bank()
QUESTIONS = list(BANK.values())
LETTERED = [question for question in QUESTIONS if question.kind in ("one", "several", "order")]

PROOFS = [pytest.param(question, None, id=question.id) for question in QUESTIONS if question.proof] + [
    pytest.param(question, option, id=f"{question.id}-not-{place}")
    for question in QUESTIONS
    for place, option in enumerate(question.options)
    if option.proof
]

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


def skip_without(question):
    if question.needs and importlib.util.find_spec(question.needs) is None:
        pytest.skip(f"{question.needs} is not installed")


@pytest.fixture
def proving_ground(monkeypatch, tmp_path):
    """An empty folder, no weights that happen to be on this machine, one thread, the same random numbers."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


# The answers


@pytest.mark.filterwarnings("ignore")  # some proofs are about deprecated calls
@pytest.mark.parametrize(("question", "option"), PROOFS)
def test_proof_holds(question, option, proving_ground):
    skip_without(question)
    run_proof(question, option)


def with_right(question, marked):
    """The question as it would be if somebody had marked this option as right."""
    return replace(question, options=tuple(replace(option, right=option is marked) for option in question.options))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("question", [q for q in QUESTIONS if re.search(r"\bright\b", q.proof)], ids=lambda q: q.id)
def test_proof_fails_when_another_option_is_marked_right(question, proving_ground):
    """A proof that holds whatever is marked right would prove nothing."""
    skip_without(question)
    wrong = [option for option in question.options if not option.right]
    literals = re.findall(r"""(?<!f)["']([^"']+)["'] in right""", question.proof)
    # An option without the words that the proof asks for makes it fail for sure; only the others have to be run.
    to_run = [option for option in wrong if all(text in option.words for text in literals)]
    for marked in to_run if literals else wrong[:1]:
        torch.manual_seed(0)
        with pytest.raises(Exception):  # noqa: B017  (a proof may fail in any way, as long as it fails)
            run_proof(with_right(question, marked))


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q.kind == "number"], ids=lambda q: q.id)
def test_proof_of_a_number_fails_for_another_number(question, proving_ground):
    for change in (2 * question.tolerance + 0.1, -2 * question.tolerance - 0.1):
        with pytest.raises(AssertionError):
            run_proof(replace(question, answer=question.answer + change * max(1, abs(question.answer) / 100)))


@pytest.mark.parametrize(
    "question", [q for q in QUESTIONS if q.kind == "order" and q.proof], ids=lambda question: question.id
)
def test_proof_of_an_order_fails_when_two_neighbours_change_places(question, proving_ground):
    for first in range(len(question.options) - 1):
        options = list(question.options)
        options[first : first + 2] = reversed(options[first : first + 2])
        with pytest.raises(Exception):  # noqa: B017  (a proof may fail in any way, as long as it fails)
            run_proof(replace(question, options=tuple(options)))


def test_each_proof_can_fail():
    for question in QUESTIONS:
        for proof in [question.proof, *(option.proof for option in question.options)]:
            assert not proof or "assert" in proof or "raises" in proof, question.id


def test_proof_names_the_exact_exception():
    with raises(ValueError, "no"):
        raise ValueError("no")
    for kind, text in [(LookupError, "no"), (KeyError, "yes")]:
        with pytest.raises(AssertionError), raises(kind, text):
            raise KeyError("no")
    with pytest.raises(AssertionError, match="nothing was raised"), raises(ValueError):
        pass


def test_printed_returns_what_a_cell_prints():
    assert printed("print(nn.Linear(2, 3).weight.shape[0])") == "3"


def test_weights_asked_for_loads_nothing():
    from torchvision.models import ResNet18_Weights

    assert weights_asked_for("models.resnet18(weights='DEFAULT')") is ResNet18_Weights.IMAGENET1K_V1
    assert weights_asked_for("models.resnet18()") is None


# The questions


def test_the_bank_is_large_enough_and_uses_every_kind():
    assert len(QUESTIONS) >= 80
    assert {question.kind for question in QUESTIONS} == {"one", "several", "number", "order", "line"}
    assert {question.difficulty for question in QUESTIONS} == {"easy", "medium", "hard"}


def test_each_lesson_has_three_questions():
    lessons = Counter(question.lesson for question in QUESTIONS)
    assert len(lessons) == 11 and min(lessons.values()) >= 3


def test_quiz_1_asks_the_fifteen_practice_questions():
    quiz = [question for question in QUESTIONS if question.quiz == "quiz-1"]
    assert len(quiz) == 15
    mirrored = Counter(number for question in quiz for number in question.covers if 72 <= int(number[1:]) <= 86)
    assert mirrored == Counter(f"S{number}" for number in range(72, 87))


def test_a_question_without_proof_says_why():
    for question in QUESTIONS:
        assert bool(question.proof) != bool(question.no_proof), question.id
        assert not question.no_proof or len(question.no_proof.split()) >= 5, question.id
    assert sum(bool(question.proof) for question in QUESTIONS) >= 0.85 * len(QUESTIONS)


def test_no_text_speaks_of_letters():
    """Letters are dealt at build time, so "option B" would point anywhere."""
    for question in QUESTIONS:
        texts = [question.prompt, question.hint, question.explanation]
        texts += [text for option in question.options for text in (option.text, option.feedback)]
        for text in texts:
            found = re.search(r"\b([Oo]ption|[Aa]nswer|[Cc]hoice|[Ll]etter)s? \(?[A-Ha-h]\b(?! )", text)
            assert not found, (question.id, found)
            assert not re.search(r"\b(all|none|both) of the above\b", text, re.IGNORECASE), question.id


def test_no_two_questions_say_the_same():
    prompts = [(question.prompt, question.code) for question in QUESTIONS]
    assert len(set(prompts)) == len(prompts)


def test_feedback_is_own_to_each_option():
    for question in QUESTIONS:
        said = [option.feedback for option in question.options if option.feedback]
        assert len(set(said)) == len(said), question.id
        assert all(len(text.split()) >= 4 for text in said), question.id


def test_the_right_option_does_not_stand_out_by_length():
    """With three or four options, chance makes the right one the longest in 25 to 33 % of the questions."""
    choices = [question for question in QUESTIONS if question.kind == "one"]
    longest = shortest = 0
    for question in choices:
        right = next(len(option.words) for option in question.options if option.right)
        others = [len(option.words) for option in question.options if not option.right]
        longest += right > max(others)
        shortest += right < min(others)
        assert right <= 1.6 * max(others) and right >= 0.4 * min(others), question.id
    assert longest <= 0.4 * len(choices), f"{longest} of {len(choices)}"
    assert shortest <= 0.4 * len(choices), f"{shortest} of {len(choices)}"


def test_right_and_wrong_statements_are_equally_long():
    """Where several are right, the careful and long ones must not be the right ones by habit, nor the short ones."""
    length = {True: [], False: []}
    for question in QUESTIONS:
        if question.kind == "several":
            for option in question.options:
                length[option.right].append(len(option.words))
    right, wrong = (sum(found) / len(found) for found in (length[True], length[False]))
    assert 0.75 < right / wrong < 1.33, (right, wrong)


def test_strong_words_do_not_give_wrong_options_away():
    """ "Always" and "never" tempt writers of wrong options; a reader learns to avoid them without knowing anything."""
    strong = re.compile(r"\b(always|never|all|none|only|every|cannot|must)\b", re.IGNORECASE)
    found = {True: [], False: []}
    for question in QUESTIONS:
        if question.kind in ("one", "several"):
            for option in question.options:
                found[option.right].append(bool(strong.search(option.text)))
    right, wrong = (sum(hits) / len(hits) for hits in (found[True], found[False]))
    assert abs(right - wrong) < 0.08, (right, wrong)


def test_the_feedback_to_the_right_option_does_not_stand_out_by_length():
    choices = [question for question in QUESTIONS if question.kind == "one"]
    longest = 0
    for question in choices:
        said = {right: max(len(o.feedback) for o in question.options if o.right is right) for right in (True, False)}
        longest += said[True] > said[False]
    assert longest <= 0.4 * len(choices), f"{longest} of {len(choices)}"


def test_the_line_with_the_bug_is_not_always_the_same():
    places = Counter(answer_key(question) for question in QUESTIONS if question.kind == "line")
    assert len(places) >= 4 and max(places.values()) <= 0.6 * sum(places.values()), places


def test_prompts_and_options_stay_short():
    for question in QUESTIONS:
        assert len(question.prompt) <= 420, question.id
        assert all(len(line) <= 88 for line in question.code.splitlines()), question.id
        assert all(len(option.words) <= 100 for option in question.options if option.text), question.id


# The letters


def test_letters_are_the_same_on_every_machine():
    letters = {option.words: letter for letter, option in lettered(BANK["load-resnet50"])}
    assert sorted(letters.values()) == ["a", "b", "c", "d"]
    options = tuple(Option(text=text, feedback="", right=text == "first") for text in ("first", "second", "third"))
    question = Question("a-fixed-id", "own", "one", "easy", (), "?", options, "", "")
    assert [option.text for _, option in lettered(question)] == ["second", "first", "third"]


def test_editing_words_moves_no_letter():
    question = BANK["load-resnet50"]
    edited = replace(question, options=tuple(replace(option, code="x " + option.code) for option in question.options))
    assert answer_key(edited) == answer_key(question)


def test_the_right_letters_are_spread():
    keys = Counter(answer_key(question) for question in QUESTIONS if question.kind == "one")
    total = sum(keys.values())
    assert set(keys) == set("abcd")
    assert all(0.12 * total <= keys[letter] <= 0.4 * total for letter in "abcd"), keys


def test_steps_are_never_shown_in_their_right_order():
    for question in QUESTIONS:
        if question.kind == "order":
            assert [option for _, option in lettered(question)] != list(question.options), question.id


def test_answer_key_fits_the_letters():
    for question in LETTERED:
        options = dict(lettered(question))
        if question.kind == "order":
            assert tuple(options[letter] for letter in answer_key(question)) == question.options
        else:
            assert {letter for letter, option in options.items() if option.right} == set(answer_key(question))


# Files of an instructor


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
    bank = load_bank(write(tmp_path, GOOD.replace("two-and-two", "load-resnet50")))
    assert bank["load-resnet50"].prompt == "How much is two and two?" and len(bank) == len(BANK)
    assert bank["load-resnet50"].lesson == BANK["load-resnet50"].lesson and list(bank) == list(BANK)


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


def test_a_line_question_needs_an_option_for_each_line(tmp_path):
    text = GOOD.replace("  options:", "  kind: line\n  code: |\n    one()\n\n    two()\n  options:")
    text = text.replace("text: four", "line: 1").replace("text: five", "line: 2")
    with pytest.raises(BankError, match=r"one option for each line of the code that is not blank: \[1, 3\]"):
        load_bank(write(tmp_path, text))
    assert load_bank(write(tmp_path, text.replace("line: 2", "line: 3")))["two-and-two"].options[1].line == 3
