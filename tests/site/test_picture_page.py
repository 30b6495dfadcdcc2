"""The whole site in Chromium: readable for everybody, PyTorch's own probabilities, and nothing leaves the page."""

import base64
import io
import json
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch
from in_the_browser import one, wait
from PIL import Image

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium.webdriver.common.keys import Keys

from course_utils.authoring.site_model import MODELS, TOLERANCE
from course_utils.authoring.site_picture import PICTURE
from course_utils.checkpoint import load_head
from course_utils.data import doodle_pets
from course_utils.features import install_head
from course_utils.files import ROOT
from course_utils.images import open_image
from course_utils.inference import predict
from course_utils.sample_photos import sample_images
from course_utils.weights import load_pretrained

pytestmark = pytest.mark.slow  # two networks are exported, and run without a GPU in one thread
PICTURE_PAGE = "show_it_a_picture.html"
PAGES = ["index.html", "practice/03_inference.html", "lessons/03_inference.html", "search.html", PICTURE_PAGE]


def says(browser) -> str:
    return one(browser, "#says").text


def open_picture_page(browser, address: str) -> None:
    browser.get(f"{address}/{PICTURE_PAGE}")
    wait(lambda: browser.find_elements("css selector", "#samples button"))


def press(browser, selector: str) -> None:
    """Press a button as a person without a mouse does; what was said before is taken away."""
    browser.execute_script("document.getElementById('says').textContent = ''")
    button = one(browser, selector)
    browser.execute_script("arguments[0].focus()", button)
    button.send_keys(" ")


def show_sample(browser, number: int = 0) -> str:
    press(browser, f"#samples button:nth-child({number + 1})")
    return wait(lambda: (text := says(browser)).startswith("The first answer") and text)


def set_screen(browser, width: int, height: int = 800) -> None:
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def requests(browser) -> list[dict]:
    """What the browser has asked for since the last call, blobs and data of the page itself left out."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return [request for request in asked if urlsplit(request["url"]).scheme not in {"blob", "data", "chrome"}]


@pytest.fixture
def pets(tmp_path) -> list[list[str]]:
    """Paths of six drawn cats and six drawn dogs."""
    pictures = doodle_pets(12, size=96, seed=3)
    paths = [[], []]
    for number, (image, label) in enumerate(zip(pictures.images, pictures.labels, strict=True)):
        path = tmp_path / f"pet{number}.png"
        image.save(path)
        paths[label].append(str(path))
    return paths


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_no_serious_fault(browser, address, npm_packages, page, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(f"{address}/{page}")
    if page == PICTURE_PAGE:
        wait(lambda: browser.find_elements("css selector", "#samples button"))
        show_sample(browser)
        browser.execute_script(
            "for (const part of document.querySelectorAll('#playground [hidden]')) part.hidden = false"
        )
    browser.execute_script((npm_packages / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found = browser.execute_async_script("const done = arguments[0]; axe.run().then((found) => done(found.violations))")
    serious = [fault for fault in found if fault["impact"] in {"serious", "critical"}]
    assert [(fault["id"], [node["html"][:120] for node in fault["nodes"]][:3]) for fault in serious] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_wider_than_a_small_phone(browser, address, page):
    set_screen(browser, 360, 700)
    browser.get(f"{address}/{page}")
    if page == PICTURE_PAGE:
        wait(lambda: browser.find_elements("css selector", "#samples button"))
        show_sample(browser)
        browser.execute_script(
            "for (const part of document.querySelectorAll('#playground [hidden]')) part.hidden = false"
        )
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("number", range(len(MODELS)), ids=[model.name for model in MODELS])
def test_the_page_gives_pytorchs_probabilities_for_every_sample_photo(browser, address, number):
    model, weights = load_pretrained(MODELS[number].name, MODELS[number].source, quiet=True)
    photos = sample_images()
    open_picture_page(browser, address)
    found = browser.execute_async_script(
        """
        const [number, names, done] = arguments;
        const part = (name) => import(new URL(`_static/playground/${name}`, location).href);
        (async () => {
          const [{ Model }, { openPicture }, { preprocess }, { softmax }] = await Promise.all(
            ["model.js", "pictures.js", "preprocess.js", "head.js"].map(part),
          );
          const records = await (await fetch("_static/playground/models/models.json")).json();
          const model = new Model(records[number], () => {});
          const answers = [];
          for (const name of names) {
            const picture = await openPicture(await (await fetch(`_static/playground/samples/${name}.png`)).blob());
            const { logits } = await model.run([preprocess(model.record, picture).tensor]);
            answers.push(softmax(logits[0]));
          }
          return answers;
        })().then(done, (error) => done(String(error)));
        """,
        number,
        list(photos),
    )
    batch = torch.stack([weights.transforms()(photo.square) for photo in photos.values()])
    with torch.inference_mode():
        wanted = model(batch).softmax(dim=1)
    torch.testing.assert_close(torch.tensor(found), wanted, rtol=0, atol=TOLERANCE)


def test_what_is_shown_is_pytorchs_top_5(browser, address):
    model, weights = load_pretrained(MODELS[0].name, MODELS[0].source, quiet=True)
    open_picture_page(browser, address)
    for number, photo in enumerate(sample_images().values()):
        show_sample(browser, number)
        (wanted,) = predict(model, weights, photo.square)
        labels = [each.text for each in browser.find_elements("css selector", "#answers .label")]
        assert labels == [prediction.label for prediction in wanted]
        shares = [each.text for each in browser.find_elements("css selector", "#answers .share")]
        for share, prediction in zip(shares, wanted, strict=True):
            assert float(share.removeprefix("< ").removesuffix(" %")) == pytest.approx(
                100 * prediction.probability, abs=0.16
            )
    sizes = [each.text for each in browser.find_elements("css selector", ".steps .size")]
    preset = weights.transforms()
    side, crop = f"{preset.resize_size[0]}", f"{preset.crop_size[0]}"
    assert sizes == ["400 × 400", f"{side} × {side}", f"{crop} × {crop}", f"{crop} × {crop}"]  # of the horse, the last


def test_the_occlusion_map_is_drawn_and_said_in_words(browser, address):
    open_picture_page(browser, address)
    show_sample(browser)
    press(browser, "#look")
    text = wait(lambda: one(browser, "#occlusion-text").text, 120)
    assert "no other place matters as much" in text
    assert one(browser, "#occlusion-map").get_attribute("aria-label") == text
    colours = browser.execute_script(
        "const { width, height, data } = document.getElementById('occlusion-map').getContext('2d')"
        ".getImageData(0, 0, 224, 224); return new Set(data).size"
    )
    assert colours > 50


def test_two_classes_are_taught_tried_and_taken_to_pytorch(browser, address, pets, tmp_path):
    open_picture_page(browser, address)
    assert not one(browser, "#train").is_enabled()
    for number, (name, paths) in enumerate(zip(["cat", "dog"], pets, strict=True)):
        area = browser.find_elements("css selector", ".class")[number]
        area.find_element("css selector", "input[type=text]").send_keys(name)
        area.find_element("css selector", "input[type=file]").send_keys("\n".join(paths[1:]))
        wait(lambda area=area: area.find_element("css selector", ".count").text.startswith("5 of 10"))
    press(browser, "#train")
    wait(lambda: "Trained on 10 pictures" in one(browser, "#trained").text)
    press(browser, "#download")
    path = wait(lambda: next(tmp_path.glob("my_head.safetensors"), None))
    head, categories = load_head(path)
    assert categories == ["cat", "dog"]
    model, weights = load_pretrained(MODELS[0].name, MODELS[0].source, quiet=True)
    install_head(model, head)
    for picture in (pets[0][0], pets[1][0]):
        browser.execute_script("document.querySelector('#tried-answers').replaceChildren()")
        one(browser, "#try input[type=file]").send_keys(picture)
        answers = wait(lambda: browser.find_elements("css selector", "#tried-answers li"))
        (wanted,) = predict(model, weights, picture, k=2, categories=categories)
        for answer, prediction in zip(answers, wanted, strict=True):
            label, share = answer.text.split("\n")[:2]
            assert label == prediction.label
            assert float(share.removeprefix("< ").removesuffix(" %")) == pytest.approx(
                100 * prediction.probability, abs=0.4
            )


def test_nothing_leaves_the_page_and_nothing_is_asked_once_the_model_is_there(browser, address, pets):
    open_picture_page(browser, address)
    show_sample(browser)
    before = requests(browser)
    assert {urlsplit(request["url"]).netloc for request in before} == {urlsplit(address).netloc}
    assert {request["method"] for request in before} == {"GET"}
    browser.execute_script("document.getElementById('says').textContent = ''")
    one(browser, "#drop input[type=file]").send_keys(pets[0][0])
    wait(lambda: says(browser).startswith("The first answer"))
    press(browser, "#look")
    wait(lambda: one(browser, "#occlusion-text").text, 120)
    for area, paths in zip(browser.find_elements("css selector", ".class"), pets, strict=True):
        area.find_element("css selector", "input[type=file]").send_keys("\n".join(paths[:2]))
        wait(lambda area=area: area.find_element("css selector", ".count").text.startswith("2 of 10"))
    press(browser, "#train")
    wait(lambda: one(browser, "#trained").text)
    press(browser, "#download")
    assert requests(browser) == []


def test_a_picture_is_opened_as_in_the_course_the_right_way_up_and_on_white(browser, address):
    scene = sample_images()["rocket"].image
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    glass = scene.convert("RGBA")
    glass.putalpha(Image.linear_gradient("L").resize(scene.size))
    files = [encoded(scene, "jpeg", exif=exif, quality=95), encoded(glass, "png"), encoded(scene.convert("L"), "png")]
    open_picture_page(browser, address)
    found = browser.execute_async_script(
        """
        const [files, done] = arguments;
        (async () => {
          const { openPicture } = await import(new URL("_static/playground/pictures.js", location).href);
          const opened = [];
          for (const file of files) {
            const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
            const { width, height, data } = await openPicture(new Blob([bytes]));
            opened.push([width, height, [...data]]);
          }
          return opened;
        })().then(done, (error) => done(String(error)));
        """,
        files,
    )
    for file, (width, height, data) in zip(files, found, strict=True):
        wanted = open_image(base64.b64decode(file))
        assert (width, height) == wanted.size
        difference = np.abs(np.array(data).reshape(height, width, 3) - np.asarray(wanted).astype(int))
        assert difference.max() <= 2  # decoders of JPEG round differently


def encoded(image: Image.Image, format: str, **options) -> str:
    file = io.BytesIO()
    image.save(file, format, icc_profile=None, **options)  # without the profile that its own file had
    return base64.b64encode(file.getvalue()).decode("ascii")


def test_a_dropped_picture_is_taken_and_another_model_begins_anew(browser, address):
    open_picture_page(browser, address)
    drop = """
        const [selector, file] = arguments;
        const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([bytes], "dropped.png", { type: "image/png" }));
        document.querySelector(selector).dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
    """
    file = encoded(sample_images()["coffee"].square, "png")
    browser.execute_script(drop, "#drop", file)
    wait(lambda: says(browser).startswith("The first answer"))
    browser.execute_script(drop, ".class", file)
    wait(lambda: one(browser, ".class .count").text.startswith("1 of 10"))
    one(browser, "#model").send_keys(Keys.ARROW_DOWN)
    wait(lambda: one(browser, ".class .count").text.startswith("0 of 10"))
    show_sample(browser, list(sample_images()).index("coffee"))
    (wanted,) = predict(
        *load_pretrained(MODELS[1].name, MODELS[1].source, quiet=True), sample_images()["coffee"].square
    )
    labels = [each.text for each in browser.find_elements("css selector", "#answers .label")]
    assert labels == [prediction.label for prediction in wanted]


def test_the_camera_gives_a_picture_and_is_switched_off_again(browser, address):
    open_picture_page(browser, address)
    press(browser, "#camera")
    video = one(browser, "#viewfinder video")
    wait(lambda: video.get_property("videoWidth"))
    press(browser, "#viewfinder [data-action=shoot]")
    wait(lambda: says(browser).startswith("The first answer"))
    assert browser.execute_script("return document.querySelector('#viewfinder video').srcObject") is None


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.txt", b"no picture", "notes.txt is not a picture that this browser can open."),
        ("cut.png", b"\x89PNG\r\n\x1a\n", "cut.png is not a picture that this browser can open."),
    ],
)
def test_what_is_no_picture_gets_a_sentence(browser, address, tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    open_picture_page(browser, address)
    one(browser, "#drop input[type=file]").send_keys(str(tmp_path / name))
    wait(lambda: says(browser).startswith(sentence))


def test_opened_as_a_file_the_picture_page_says_what_it_needs(browser, site):
    browser.get((site / PICTURE_PAGE).as_uri())
    assert "python -m http.server" in one(browser, "#playground-needs").text


def test_the_readmes_picture_is_described_by_what_the_network_says():
    model, weights = load_pretrained(MODELS[0].name, MODELS[0].source, quiet=True)
    (answers,) = predict(model, weights, next(iter(sample_images().values())).square)
    said = ", ".join(f"{answer.label} {100 * answer.probability:.1f} %" for answer in answers)
    assert f"{said}.](figures/{PICTURE.name})" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert PICTURE.is_file()
