"""A lesson that needs a package of its own says so in one sentence, and stops."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from course_utils.packages import PackageMissing, require


def test_a_package_that_is_there_is_no_matter():
    require("torch")


def test_a_missing_package_is_named_with_the_way_to_get_it():
    with pytest.raises(PackageMissing, match="needs the package no_such_package.+`%pip install no-such`"):
        require("no_such_package", install="no-such")


def test_a_notebook_shows_the_sentence_without_a_traceback_and_stops(capsys):
    cell = "from course_utils.packages import require\nrequire('no_such_package')\nprint('went on')"
    result = InteractiveShell().run_cell(cell)
    shown = capsys.readouterr().out
    assert isinstance(result.error_in_exec, PackageMissing)
    assert shown.strip().startswith("This lesson needs the package no_such_package")
    assert "Traceback" not in shown and "went on" not in shown
