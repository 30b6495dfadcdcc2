"""A student's path in a real browser: `make lab`, run a lesson, answer a question by keyboard, and nothing goes wrong.

Chromium and its driver are the system's (Debian: chromium, chromium-driver). They note every request and every
message of the page, so a request to another host, a failed one and a script error are all seen.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: make setup-test installs it")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the browser test knows Linux's names of browsers"),
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER and shutil.which("make")),
        reason="needs make, Chromium and its driver (on Debian: apt install chromium chromium-driver)",
    ),
]

# What a browser says to its makers on its own is switched off; what remains, the page asked for, and it cannot get out.
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
    "--window-size=1400,1000",
]

# In the cell that the keyboard is in: the buttons of a question with one right answer, and where the reply appears.
LETTERS = ".jp-Cell.jp-mod-active button[title^='Answer ']"
STATUS = ".jp-Cell.jp-mod-active [role=status]"
SOURCE = ".jp-Cell.jp-mod-active .jp-InputArea-editor"


@dataclass
class Lab:
    """JupyterLab in a browser, and what the browser noted so far."""

    browser: "webdriver.Chrome"
    course: Path
    address: str
    token: str
    requests: dict[str, str] = field(default_factory=dict)  # by the browser's id of the request
    problems: list[str] = field(default_factory=list)

    def open(self, notebook: str) -> None:
        self.browser.get(f"{self.address}/lab/tree/notebooks/{notebook}?reset&token={self.token}")
        self.wait(lambda: "| Idle" in self.text("#jp-main-statusbar"), 120, "an idle kernel")

    def text(self, selector: str) -> str:
        """Return the text of the first visible element, or nothing; at one moment, whatever the page does meanwhile."""
        script = "return [...document.querySelectorAll(arguments[0])].find(e => e.checkVisibility())?.innerText ?? ''"
        return self.browser.execute_script(script, selector)

    def focused(self):
        return self.browser.switch_to.active_element

    def wait(self, condition: Callable, seconds: float, what: str):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if result := condition():
                return result
            time.sleep(0.3)
        pytest.fail(f"waited {seconds} s for {what}; the page noted: {self.notes()}")

    def press(self, *keys: str, held: tuple[str, ...] = ()) -> None:
        actions = ActionChains(self.browser)
        for key in held:
            actions.key_down(key)
        actions.send_keys(*keys)
        for key in held:
            actions.key_up(key)
        actions.perform()

    def command(self, name: str) -> None:
        """Choose a command by its name, as a person without a mouse does: in the command palette."""
        self.press("c", held=(Keys.CONTROL, Keys.SHIFT))
        self.wait(lambda: "lm-CommandPalette-input" in self.focused().get_attribute("class"), 10, "the command palette")
        self.press(name)
        self.wait(lambda: self.text(".lm-CommandPalette-item.lm-mod-active").startswith(name), 10, f"command {name!r}")
        self.press(Keys.ENTER)

    def run_all_cells(self, notebook: str, seconds: float) -> nbformat.NotebookNode:
        """Run the notebook, save it, and return what was saved."""
        self.command("Run All Cells")

        def saved_when_done():
            if "| Idle" not in self.text("#jp-main-statusbar"):
                return None
            self.press("s", held=(Keys.CONTROL,))
            try:
                saved = nbformat.read(self.course / "notebooks" / notebook, as_version=4)
            except nbformat.reader.NotJSONError:  # JupyterLab is writing it right now
                return None
            return saved if all(cell.execution_count for cell in code_cells(saved)) else None

        return self.wait(saved_when_done, seconds, f"the end of {notebook}")

    def answer_a_question(self) -> str:
        """Go up from the last cell to a question, Tab to its letters and press them until one is right."""
        self.press(Keys.ESCAPE)
        for _ in range(100):
            # JupyterLab draws a cell's buttons when the cell comes into view, a moment after the keyboard is there.
            patience = time.monotonic() + (3 if "ask(" in self.text(SOURCE) else 0)
            while not (letters := self.browser.find_elements(By.CSS_SELECTOR, LETTERS)) and time.monotonic() < patience:
                time.sleep(0.1)
            if letters:
                break
            self.press(Keys.ARROW_UP)
        else:
            pytest.fail("no cell with a question was found")
        for letter, key in zip(letters, [Keys.SPACE, Keys.ENTER] * 3, strict=False):
            for _ in range(20):
                if self.focused() == letter:
                    break
                self.press(Keys.TAB)
            else:
                pytest.fail(f"Tab never reached the button {letter.text}")
            before = self.text(STATUS)
            self.press(key)
            reply = self.wait(lambda: (now := self.text(STATUS)) != before and now, 20, "a reply")  # noqa: B023
            if "Right." in reply:
                return reply
        return reply

    def notes(self) -> list[str]:
        """Return what went wrong since the beginning, as the browser tells it."""
        for entry in self.browser.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            parameters = event["params"]
            if event["method"] in {"Network.requestWillBeSent", "Network.webSocketCreated"}:
                url = parameters["request"]["url"] if "request" in parameters else parameters["url"]
                self.requests[parameters["requestId"]] = url
                if urlsplit(url).scheme in {"http", "https", "ws", "wss"} and urlsplit(url).hostname != "localhost":
                    self.problems.append(f"request to another host: {url}")
            elif event["method"] == "Network.responseReceived" and parameters["response"]["status"] >= 400:
                self.problems.append(f"status {parameters['response']['status']}: {parameters['response']['url']}")
            elif event["method"] == "Network.loadingFailed" and not parameters.get("canceled"):
                url = self.requests.get(parameters["requestId"])
                self.problems.append(f"failed request: {url} ({parameters['errorText']})")
        for entry in self.browser.get_log("browser"):
            if entry["level"] == "SEVERE":
                self.problems.append(f"console: {entry['message']}")
        return self.problems


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def unexpected_errors(notebook: nbformat.NotebookNode) -> list[str]:
    return [
        f"{output.ename}: {output.evalue}"
        for cell in code_cells(notebook)
        if "raises-exception" not in cell.metadata.get("tags", [])
        for output in cell.outputs
        if output.output_type == "error"
    ]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for_server(port: int) -> None:
    """A server says its address a moment before it answers there."""
    for _ in range(60):
        with suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
            return
        time.sleep(0.5)


@pytest.fixture(scope="module")
def course(tmp_path_factory, copy_course, set_up_already) -> Path:
    """A copy of the course, so that running a lesson changes nobody's notebook; its outputs are taken away first."""
    course = copy_course(tmp_path_factory.mktemp("browser") / "course")
    set_up_already(course)
    for path in (course / "notebooks").glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, path)
    return course


@pytest.fixture(scope="module")
def server(course) -> Iterator[tuple[str, str]]:
    """`make lab`, as a student starts it, with settings and answers of its own."""
    home = course.parent / "home"
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "COURSE_PROGRESS": str(home / "progress.json"),
        "COURSE_WEIGHTS": "course",
    }
    port = free_port()
    process = subprocess.Popen(
        ["make", "lab", f"PORT={port}", "LAB_ARGS=--no-browser"],
        cwd=course,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        printed = ""
        for line in process.stdout:
            printed += line
            if match := re.search(rf"http://localhost:{port}/lab/\S*\?token=(\w+)", line):
                wait_for_server(port)
                yield f"http://localhost:{port}", match[1]
                break
        else:
            pytest.fail(f"make lab printed no address:\n{printed}")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:  # two kernels on a busy machine; that Ctrl-C works is tested in test_setup.py
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def lab(server, course, tmp_path) -> Iterator[Lab]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*QUIET, f"--user-data-dir={tmp_path / 'chromium'}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        browser.get("about:blank")
        browser.get_log("performance"), browser.get_log("browser")  # forget the start page of this Chromium
        yield Lab(browser, course, *server)
    finally:
        browser.quit()


@pytest.mark.slow
@pytest.mark.parametrize("number", ["01", "04"])
def test_a_lesson_runs_and_a_question_is_answered_by_keyboard(lab, course, number):
    (path,) = (course / "notebooks").glob(f"{number}_*.ipynb")
    lab.open(path.name)
    saved = lab.run_all_cells(path.name, seconds=400)
    assert unexpected_errors(saved) == []
    assert "Right." in lab.answer_a_question()
    assert lab.notes() == []
