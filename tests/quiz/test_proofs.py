"""Whether every stated answer is true, shown by programs, and whether these programs could show the contrary."""

import importlib.util
import re
from dataclasses import replace

import pytest
import torch

from course_utils.quiz.bank import whole_bank
from course_utils.quiz.proofs import printed, raises, run_proof, weights_asked_for

BANK = whole_bank()
QUESTIONS = list(BANK.values())
LETTERED = [question for question in QUESTIONS if question.kind in ("one", "several", "order")]

PROOFS = [pytest.param(question, None, id=question.id) for question in QUESTIONS if question.proof] + [
    pytest.param(question, option, id=f"{question.id}-not-{place}")
    for question in QUESTIONS
    for place, option in enumerate(question.options)
    if option.proof
]


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
