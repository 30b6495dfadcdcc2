"""The built site, a server for it, and a browser to look at it; each test says by its fixtures what it needs."""

import functools
import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the site's packages are not installed: pip install -e .[site]")

from course_utils.authoring.site import build
from course_utils.authoring.site_model import node_modules
from course_utils.authoring.site_pages import PAGES, SiteError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
    "--use-fake-device-for-media-stream",  # a camera that shows a moving test picture
    "--use-fake-ui-for-media-stream",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="session")
def npm_packages() -> Path:
    """What npm installs for the site."""
    try:
        return node_modules()
    except SiteError as error:
        pytest.skip(f"npm's packages cannot be had here: {error}")


@pytest.fixture(scope="session")
def pages(tmp_path_factory) -> Path:
    """The site without its models."""
    folder = tmp_path_factory.mktemp("pages") / "site"
    build(folder, playground=False)
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory, npm_packages) -> Path:
    """The whole site."""
    folder = tmp_path_factory.mktemp("whole") / "site"
    build(folder)
    return folder


@pytest.fixture(scope="session")
def node() -> Callable[..., object]:
    """Return a function that runs JavaScript with the site's modules and returns what it prints, as JSON."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed (Node.js 20 or newer)")

    def run(script: str, **given: object) -> object:
        """``given`` is what the script finds in ``given``; modules are imported from the site's static folder."""
        script = f"const given = JSON.parse((await import('node:fs')).readFileSync(0, 'utf8'));\n{script}"
        done = subprocess.run(
            [program, "--input-type=module", "-e", script],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            cwd=PAGES / "static",
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Say nothing: a test reads the browser's notes."""


@pytest.fixture(scope="session")
def address(site) -> Iterator[str]:
    """Where the whole site can be read."""
    handler = functools.partial(_Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def browser(tmp_path) -> Iterator:
    """Chromium, which notes every request, and saves downloads in ``tmp_path``."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    if not (CHROMIUM and DRIVER):
        pytest.skip("needs Chromium and its driver (on Debian: apt install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS, f"--user-data-dir={tmp_path / 'chromium'}"]:
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(tmp_path)})
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    chromium = webdriver.Chrome(options=options, service=Service(DRIVER))
    chromium.set_script_timeout(120)
    try:
        yield chromium
    finally:
        chromium.quit()
