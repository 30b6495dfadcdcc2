"""On a CI machine a test that is skipped fails, unless its reason is on the short list.

A skip is easily overlooked, and a check that nobody runs is none. ``tests/conftest.py`` takes the hooks from here.
"""

import os
import re
from collections.abc import Generator
from pathlib import Path

import pytest

LIST = Path(__file__).resolve().parents[1] / "skips_allowed_in_ci.txt"


def allowed_reasons(text: str) -> list[str]:
    """Return the regular expressions of the list, one a line; what follows ``  # `` says why."""
    lines = (line.partition("  # ")[0].strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def fail_where_unlisted(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn the report of a skip into a failure where ``CI`` is set and the reason is not on the list."""
    if not report.skipped or hasattr(report, "wasxfail") or os.environ.get("CI", "").lower() not in {"1", "true"}:
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not any(re.fullmatch(allowed, reason) for allowed in allowed_reasons(LIST.read_text(encoding="utf-8"))):
        report.outcome = "failed"
        report.longrepr = f"skipped on a CI machine, with a reason that is not in tests/{LIST.name}: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """For a test that skips itself, or carries a mark."""
    report = yield
    fail_where_unlisted(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """For a whole file."""
    report = yield
    fail_where_unlisted(report)
    return report
