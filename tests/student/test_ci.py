"""What a CI machine does otherwise: a skip that nobody has allowed is a failure there."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from ci_skips import LIST, allowed_reasons

from course_utils.__main__ import COMMANDS
from course_utils.files import ROOT

pytest_plugins = ["pytester"]

TESTS = Path(__file__).resolve().parents[1]
SKIPPING = """
import pytest

@pytest.mark.skip(reason="a Mac always has a browser, and this would open it")
def test_listed(): ...

@pytest.mark.skip(reason="there was no time")
def test_unlisted(): ...

def test_from_inside():
    pytest.skip("it rained")

@pytest.mark.xfail(reason="known")
def test_expected_to_fail():
    assert False
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch) -> pytest.Pytester:
    monkeypatch.syspath_prepend(TESTS / "helpers")
    monkeypatch.setenv("PYTHONPATH", str(TESTS / "helpers"))
    pytester.makeconftest("from ci_skips import pytest_make_collect_report, pytest_runtest_makereport")
    pytester.makepyfile(
        test_skips=SKIPPING, test_file="import pytest\npytest.skip('a whole file', allow_module_level=True)"
    )
    return pytester


def test_in_ci_every_skip_fails_that_is_not_on_the_list(suite, monkeypatch):
    monkeypatch.setenv("CI", "true")
    result = suite.runpytest_subprocess("-p", "no:cacheprovider", "--continue-on-collection-errors")
    result.assert_outcomes(failed=1, errors=2, skipped=1, xfailed=1)
    assert set(re.findall(r"skips_allowed_in_ci.txt: (.+)", result.stdout.str())) == {
        "there was no time",
        "it rained",
        "a whole file",
    }


@pytest.mark.slow
def test_with_several_processes_as_well(suite, monkeypatch):
    monkeypatch.setenv("CI", "true")
    (suite.path / "test_file.py").unlink()
    result = suite.runpytest_subprocess("-p", "no:cacheprovider", "-n", "2")
    result.assert_outcomes(failed=1, errors=1, skipped=1, xfailed=1)


def test_at_home_a_skip_is_a_skip(suite, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    suite.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(skipped=4, xfailed=1)


def test_every_line_of_the_list_says_why_and_belongs_to_a_test():
    text = LIST.read_text(encoding="utf-8")
    assert all("  # " in line for line in text.splitlines() if line and not line.startswith("#"))
    others = [path for path in TESTS.rglob("test_*.py") if path.name != Path(__file__).name]
    source = "\n".join(path.read_text(encoding="utf-8") for path in others)
    assert [reason for reason in allowed_reasons(text) if reason.removesuffix(" .*") not in source] == []


def test_every_supported_python_and_system_is_tried():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))
    jobs = workflow["jobs"]
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    pythons = jobs["linux"]["strategy"]["matrix"]["python"]
    assert pythons[0] == oldest.removeprefix(">=")
    assert [step["run"] for step in jobs["linux"]["steps"] if "run" in step][-1] == ".ci/run"
    assert jobs["other-systems"]["strategy"]["matrix"]["system"] == ["macos-latest", "windows-latest"]
    for name in ("other-systems", "oldest-packages", "newest-packages"):
        last = jobs[name]["steps"][-1]["run"].splitlines()[-1]
        assert last.split("course_utils ")[1].split()[0] in COMMANDS
