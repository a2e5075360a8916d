"""An exercise takes its solution, and refuses what looks like it."""

import re
import runpy
from pathlib import Path

import pytest

from xception_np import exercises
from xception_np.errors import InputError

WRONG = {
    name: attempts
    for file in sorted(Path(__file__).parent.glob("wrong/*.py"))
    for name, attempts in runpy.run_path(file)["WRONG"].items()
}
NAMES = sorted(exercises.known_exercises())


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_is_right(name, capsys):
    exercise = exercises.find(name)
    assert exercises.check(name, exercise.solve)
    assert capsys.readouterr().out.startswith(f"{name}: right, on ")


@pytest.mark.parametrize("name", NAMES)
def test_three_wrong_answers_are_refused(name, capsys):
    attempts = WRONG[name]
    assert len(attempts) >= 3
    for attempt in attempts:
        assert not exercises.check(name, attempt)
        assert (said := capsys.readouterr().out).startswith(f"{name}, case ")
        assert not re.match(rf"{name}, case \d+: (Name|Attribute|Syntax|Import)Error", said), said  # wrong, not misspelt


@pytest.mark.parametrize("name", NAMES)
def test_an_open_hole_is_no_answer(name, capsys):
    assert not exercises.check(name, lambda *arguments: ...)
    assert "still a hole" in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_keeps_to_its_budget_of_lines(name):
    text = exercises.solution(name)
    body = text.split('"""')[2] if '"""' in text else text.split("\n", 1)[1]
    assert len(body.strip().splitlines()) <= exercises.find(name).lines


def test_the_worst_element_is_named(capsys):
    def attempt(dy):
        result = dy.sum(axis=(0, 1, 2))
        result[2] += 1
        return result

    exercises.check("bias_gradient", attempt)
    assert "case 1, dbias: worst error" in (line := capsys.readouterr().out)
    assert "at (2,)" in line


def test_what_an_attempt_does_to_its_arguments_does_not_help(capsys):
    def attempt(dy):
        dy *= 0
        return dy.sum(axis=(0, 1, 2))

    assert not exercises.check("bias_gradient", attempt)
    assert "bias_gradient, case 1: dy has changed" in capsys.readouterr().out


def test_a_docstring_is_not_counted(capsys):
    def attempt(dy):
        """dbias of y = x + bias,

        in a line.
        """
        return dy.sum(axis=(0, 1, 2))

    def longer(dy):
        images = dy.sum(axis=0)
        return images.sum(axis=(0, 1))

    assert exercises.check("bias_gradient", attempt)
    assert "lines" not in capsys.readouterr().out
    assert exercises.check("bias_gradient", longer)
    assert "in 2 lines; 1 will do" in capsys.readouterr().out


def test_what_an_attempt_raises_is_a_sentence(capsys):
    assert not exercises.check("bias_gradient", lambda dy: dy.nonsense)
    assert "AttributeError" in capsys.readouterr().out


def test_several_results_may_come_in_a_list(capsys):
    name = next(name for name in NAMES if len(exercises.find(name).results) > 1)
    assert exercises.check(name, lambda *arguments: list(exercises.find(name).solve(*arguments)))


def test_lists_that_are_no_array_are_a_sentence(capsys):
    assert not exercises.check("bias_gradient", lambda dy: [[1.0, 2.0], [3.0]])
    assert "bias_gradient, case 1: no array: " in capsys.readouterr().out


def test_an_exercise_that_there_is_not():
    with pytest.raises(InputError, match=r"exercise is 'nothing'; expected one of .*bias_gradient"):
        exercises.find("nothing")


def test_a_whole_number_may_be_a_float(capsys):
    def attempt(positions, channels, segments):
        parameters = 9 * channels**2 / segments + channels**2
        return parameters, positions * parameters

    assert exercises.check("segment_cost", attempt)
    assert not exercises.check("segment_cost", lambda *arguments: tuple(value + 0.5 for value in attempt(*arguments)))
