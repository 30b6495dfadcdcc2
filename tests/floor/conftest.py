"""What tests of the student's floor share."""

import pytest

from course_utils import weights


@pytest.fixture
def empty_cache_and_no_network(monkeypatch, tmp_path):
    """Begin with no downloaded weights, and let none come."""
    monkeypatch.delenv("COURSE_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(weights, "can_download", lambda url: False)
