"""Waiting and finding in a page."""

import time
from collections.abc import Callable

import pytest


def wait(condition: Callable, seconds: float = 60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.1)
    pytest.fail("waited too long")


def one(browser, selector: str):
    return browser.find_element("css selector", selector)
