"""Take the picture of "Show it a picture" that stands at the top of README.md: ``figures/show_it_a_picture.png``.

    python -m course_utils.authoring.site_picture      after `make site`; needs Chromium and its driver

What the picture shows is measured by the page itself, in this browser, on one of the sample photos.
"""

import base64
import functools
import http.server
import io
import shutil
import sys
import threading
from pathlib import Path

from PIL import Image

from course_utils.authoring.site import SITE
from course_utils.authoring.site_pages import SiteError
from course_utils.files import ROOT, write_whole

PICTURE = ROOT / "figures" / "show_it_a_picture.png"
WIDTH = 900  # pixels, about as wide as GitHub shows a README
SHOW = """
const done = arguments[0];
const says = document.getElementById("says");
const until = (text) => new Promise((found) => {
  new MutationObserver(() => says.textContent.includes(text) && found()).observe(says, { childList: true });
});
(async () => {
  while (!document.querySelector("#samples button")) await new Promise((later) => setTimeout(later, 100));
  const answered = until("The first answer");
  document.querySelector("#samples button").click();
  await answered;
  const box = document.querySelector("#result .beside").getBoundingClientRect();
  done(Math.ceil(box.bottom + scrollY + 24));
})();
"""


def take_picture(site: Path = SITE, picture: Path = PICTURE) -> None:
    """Open the built site in Chromium, give its page the first sample photo, and keep what is seen as PNG."""
    if not (site / "show_it_a_picture.html").is_file():
        raise SiteError(f"There is no site in {site}: build it with `make site` first.")
    # Named, so that selenium does not look for them on the network.
    chromium, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not (chromium and driver):
        raise SiteError("The picture is taken with Chromium and its driver (on Debian: chromium, chromium-driver).")
    from selenium import webdriver  # only who takes the picture needs it
    from selenium.webdriver.chrome.service import Service

    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
            options.add_argument(flag)
        browser = webdriver.Chrome(options=options, service=Service(driver))
        browser.set_script_timeout(120)
        try:
            screen = {"width": WIDTH, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
            browser.get(f"http://127.0.0.1:{server.server_port}/show_it_a_picture.html")
            height = browser.execute_async_script(SHOW)
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen | {"height": height})
            shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        finally:
            browser.quit()
            server.shutdown()
    image = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB").quantize(256)
    write_whole(picture, lambda partial: image.save(partial, format="png", optimize=True))


if __name__ == "__main__":
    try:
        take_picture()
    except SiteError as error:
        sys.exit(str(error))
