"""Mutants of our answers: made as told, graded with the real test cells, and none survives without a reason."""

import os

import pytest
from exercise_files import ASSIGNMENTS
from nbformat.v4 import new_code_cell, new_notebook

from course_utils.authoring.answers import is_answer, solution
from course_utils.authoring.mutants import equivalent, main, outcomes, source_notebook
from course_utils.authoring.mutations import mutants

PROBLEM_SETS = [name for name in ASSIGNMENTS if name.startswith("ps")]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this operating system cannot fork")


@pytest.mark.parametrize(
    ("code", "mistake"),
    [
        ("a = b.clone()", "a = b"),
        ("model.eval()", "pass"),
        ("optimizer.zero_grad()", "pass"),
        ("with torch.no_grad():\n    f(x)", "f(x)"),
        ("f(a, b)", "f(b, a)"),
        ("a > b", "a >= b"),
        ("a >= b", "a > b"),
        ("x.softmax(dim=1)", "x.softmax(dim=0)"),
        ("x[n - 1]", "x[n - 2]"),
        ("x[n - 1]", "x[n + 1]"),
        ("fit(train)", "fit(validation)"),
        ("best = {name: tensor.clone() for name, tensor in state}", "best = {name: tensor for name, tensor in state}"),
        ("if a:\n    f()\nelse:\n    g()", "g()"),
        ("if a:\n    f()\nelse:\n    g()", "f()"),
        ("[x for x in y if x > 0]", "[x for x in y]"),
        ("return precision, recall", "return (recall, precision)"),
        ("f(x, weights_only=True)", "f(x, weights_only=False)"),
        ("f(x, weights_only=True)", "f(x)"),
        ("names = ('aux1', 'aux2')", "names = ('aux1',)"),
    ],
)
def test_a_mistake_of_the_course_is_among_the_mutants(code, mistake):
    assert mistake in [mutant.code for mutant in mutants(code)]


def test_a_mutant_is_another_program_and_says_what_changed():
    code = "def f(x):\n    '''Doubles.'''\n    return x * 2\n"
    found = mutants(code)
    assert len({mutant.code for mutant in found}) == len(found)
    assert "return x * 2 -> return x / 2" in [mutant.change for mutant in found]
    assert all("Doubles" in mutant.code for mutant in found)


TEST = """\
from course_utils.grading import Points, expect
points = Points(2)
points.check("two", lambda: expect(double(1) == 2, "no"))
points.total()
"""


@needs_fork
def test_a_mistake_that_costs_nothing_survives_and_an_endless_one_is_stopped(monkeypatch):
    monkeypatch.setattr("course_utils.authoring.mutants.SECONDS", 5.0)
    monkeypatch.setattr("course_utils.authoring.mutants.SECONDS_A_CHECK", 0.5)
    answer = "def double(x):\n    n = 0\n    while n < 2:\n        n += 1\n    return x * 2"
    cells = [new_code_cell(answer, id="double"), new_code_cell(TEST, id="test-double")]
    cells[0].metadata["nbgrader"] = {"solution": True}
    noticed = {outcome.mutant.change: outcome.noticed for outcome in outcomes(new_notebook(cells=cells))}
    assert noticed["return x * 2 -> return x * 3"]
    assert noticed["n += 1 -> pass"]
    assert not noticed["n = 0 -> n = 1"]


@pytest.mark.parametrize("name", PROBLEM_SETS)
def test_there_are_many_mutants_and_each_that_is_excused_is_one_of_them(name):
    cells = [cell for cell in source_notebook(name).cells if is_answer(cell)]
    names = {f"{cell.id}: {mutant.change}" for cell in cells for mutant in mutants(solution(cell.source))}
    assert len(names) >= 40
    excused = equivalent()[name]
    assert excused.keys() - names == set()
    assert all(len(reason) > 10 for reason in excused.values())


def test_an_unknown_assignment_is_told(capsys):
    with pytest.raises(SystemExit):
        main(["ps99"])
    assert "there is no problem set ps99" in capsys.readouterr().err


@needs_fork
@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEM_SETS)
def test_no_mutant_survives_without_a_reason(name, capsys):
    assert main([name]) == 0, capsys.readouterr().out
