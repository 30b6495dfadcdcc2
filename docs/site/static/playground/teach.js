/* "Teach it two classes": pictures of two classes, their features kept, and a head that is trained in the page. */

import { drawBars, drawPicture, percent, topK } from "./draw.js";
import { fitHead, leaveOneOut, logits, softmax } from "./head.js";
import { headFile } from "./head_file.js";
import { acceptFiles, openPicture, useCamera } from "./pictures.js";
import { preprocess } from "./preprocess.js";

const FEWEST = 2; // pictures of a class; ten are better

/** Bring the section to life. `openModel` gives the model, `say` speaks to the reader, `dialog` shows the camera. */
export function startTeaching(section, { openModel, guarded, say, dialog }) {
  const find = (selector) => section.querySelector(selector);
  const classes = [...section.querySelectorAll(".class")].map((area) => ({ area, features: [] }));
  let taught = null; // {head, categories, record}, once trained
  let trials = 0; // counts pictures to try, so that a slow answer never overwrites a newer one

  const nameOf = ({ area }) => area.querySelector("input[type=text]").value.trim() || area.dataset.name;

  async function featuresOf(picture) {
    const model = openModel();
    const steps = preprocess(model.record, picture);
    const { features } = await model.run([steps.tensor]);
    return { features: features[0], cropped: steps.cropped };
  }

  async function add(one, pictures) {
    const model = openModel();
    for (const picture of pictures) {
      const { features, cropped } = await featuresOf(picture instanceof Blob ? await openPicture(picture) : picture);
      if (model !== openModel()) return; // another model was chosen meanwhile
      one.features.push(features);
      const canvas = document.createElement("canvas");
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `Picture ${one.features.length} of ${nameOf(one)}`);
      drawPicture(canvas, cropped);
      one.area.querySelector(".thumbnails").append(canvas);
      count();
    }
    say(`${nameOf(one)} has ${one.features.length} pictures.`);
  }

  function count() {
    for (const { area, features } of classes) {
      area.querySelector(".count").textContent = `${features.length} of 10 pictures`;
    }
    find("#train").disabled = classes.some(({ features }) => features.length < FEWEST);
  }

  function empty(one) {
    one.features = [];
    one.area.querySelector(".thumbnails").replaceChildren();
    count();
  }

  function train() {
    const categories = classes.map(nameOf);
    if (categories[0] === categories[1]) throw new Error("Give the two classes two different names.");
    const start = performance.now();
    const features = classes.flatMap((one) => one.features);
    const labels = classes.flatMap((one, label) => one.features.map(() => label));
    taught = { head: fitHead(features, labels, 2), categories, record: openModel().record };
    const milliseconds = Math.ceil(performance.now() - start);
    const right = leaveOneOut(features, labels, 2);
    const text =
      `Trained on ${features.length} pictures in ${milliseconds} ms. A fair guess at how good it is: heads that were trained ` +
      `without the picture they judge are right on ${right} of ${features.length}.`;
    find("#trained").textContent = text;
    find("#taught").hidden = false;
    find("#in-python").textContent = pythonLines(taught);
    say("The new head is trained. Try it below.");
  }

  async function tryIt(picture) {
    const mine = ++trials;
    const { features, cropped } = await featuresOf(picture);
    if (mine !== trials) return;
    drawPicture(find("#tried"), cropped);
    const answers = topK(softmax(logits(taught.head, features)), taught.categories, 2);
    drawBars(find("#tried-answers"), answers);
    find("#tried-result").hidden = false;
    say(`It says ${answers[0].label}, ${percent(answers[0].probability)}.`);
  }

  function download() {
    const file = headFile(taught.head, taught.categories, taught.record.name);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file]));
    link.download = "my_head.safetensors";
    link.click();
    URL.revokeObjectURL(link.href);
    say("my_head.safetensors lies where your browser keeps downloads.");
  }

  for (const one of classes) {
    acceptFiles(one.area, guarded((files) => add(one, files)));
    const shoot = (picture) => guarded(add)(one, [picture]);
    one.area.querySelector("[data-action=camera]").addEventListener("click", guarded(() => useCamera(dialog, shoot)));
    one.area.querySelector("[data-action=empty]").addEventListener("click", () => empty(one));
  }
  find("#train").addEventListener("click", guarded(async () => train()));
  find("#download").addEventListener("click", download);
  acceptFiles(find("#try"), guarded(async ([file]) => tryIt(await openPicture(file))));
  const tryPicture = (picture) => {
    dialog.close();
    guarded(tryIt)(picture);
  };
  find("#try-camera").addEventListener("click", guarded(() => useCamera(dialog, tryPicture)));
  count();

  return {
    /** Features of one model mean nothing to another: begin again. */
    forget() {
      classes.forEach(empty);
      taught = null;
      find("#taught").hidden = true;
      find("#tried-result").hidden = true;
    },
  };
}

/** How the file is used in a notebook. */
function pythonLines({ record, categories }) {
  return `from course_utils import install_head, load_pretrained, predict
from course_utils.checkpoint import load_head

model, weights = load_pretrained(${record.load})
head, categories = load_head("my_head.safetensors")  # ${categories.join(", ").replaceAll("\n", " ")}
install_head(model, head)
predict(model, weights, "photo.jpg", k=2, categories=categories)`;
}
