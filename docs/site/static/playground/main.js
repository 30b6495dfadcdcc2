/* "Show it a picture": what happens when something is chosen or pressed. The arithmetic is in the other modules. */

import { drawBars, drawMap, drawPicture, percent, topK } from "./draw.js";
import { softmax } from "./head.js";
import { Model } from "./model.js";
import { CELLS, occlusion, placeInWords } from "./occlusion.js";
import { acceptFiles, openPicture, useCamera } from "./pictures.js";
import { preprocess, stretched } from "./preprocess.js";
import { startTeaching } from "./teach.js";

const page = document.getElementById("playground");
const find = (selector) => page.querySelector(selector);
const say = (text) => (find("#says").textContent = text);

const json = async (name) => (await fetch(new URL(name, import.meta.url))).json();
const models = await json("./models/models.json");
const samples = await json("./samples/samples.json");

let model = null; // opened with the first picture
let shown = null; // the steps of the picture that is shown, and its best answer
let turn = 0; // counts pictures, so that a slow answer never overwrites a newer one

/** The chosen model; fetched when it is first needed. */
function openModel() {
  const record = models[find("#model").value];
  if (model?.record !== record) {
    model?.close();
    const bar = find("#arrived");
    bar.hidden = false;
    model = new Model(record, (share) => {
      bar.value = share;
      bar.hidden = share >= 1;
    });
  }
  return model;
}

async function show(picture) {
  const mine = ++turn;
  find("#result").hidden = false;
  find("#occlusion-result").hidden = true;
  const chosen = openModel();
  const steps = preprocess(chosen.record, picture);
  drawSteps(chosen.record, steps);
  say(`${chosen.record.title} looks at the picture.`);
  await chosen.ready;
  const start = performance.now();
  const { logits } = await chosen.run([steps.tensor]);
  if (mine !== turn) return;
  const probabilities = softmax(logits[0]);
  const answers = topK(probabilities, chosen.record.categories, 5);
  shown = { model: chosen, steps, probabilities, best: answers[0] };
  drawBars(find("#answers"), answers);
  find("#look").disabled = false;
  const [first, second] = answers;
  say(
    `The first answer is ${first.label}, ${percent(first.probability)}; the second is ${second.label}, ` +
      `${percent(second.probability)}. That took ${Math.round(performance.now() - start)} ms.`,
  );
}

function drawSteps(record, { original, resized, cropped, tensor }) {
  const pictures = { original, resized, cropped, normalized: stretched(tensor, record.crop) };
  for (const [name, picture] of Object.entries(pictures)) {
    const figure = find(`[data-step=${name}]`);
    drawPicture(figure.querySelector("canvas"), picture);
    figure.querySelector(".size").textContent = `${picture.width} × ${picture.height}`;
  }
  drawPicture(find("#picture"), original);
}

async function lookWhereItLooked() {
  const { model: used, steps, probabilities, best } = shown;
  const mine = turn;
  const [button, bar] = [find("#look"), find("#looked")];
  button.disabled = true;
  bar.hidden = false;
  say(`Covering one place after the other, and asking again for “${best.label}”.`);
  const run = (tensors) => used.run(tensors);
  const side = used.record.crop;
  const found = await occlusion(run, steps.tensor, side, best.index, probabilities[best.index], (share) => {
    bar.value = share;
  });
  bar.hidden = true;
  if (mine !== turn) return;
  button.disabled = false;
  drawMap(find("#occlusion-map"), steps.cropped, found.map, CELLS);
  find("#occlusion-result").hidden = false;
  const place = placeInWords(found.row, found.column);
  const text =
    `With a grey square on the ${place} of the picture, “${best.label}” goes from ${percent(best.probability)} ` +
    `to ${percent(found.lowest)}; no other place matters as much.`;
  find("#occlusion-text").textContent = text;
  find("#occlusion-map").setAttribute("aria-label", text);
  say(text);
}

/** Run a handler of an event; what goes wrong in it is said in the page. */
function guarded(action) {
  return async (...given) => {
    try {
      await action(...given);
    } catch (error) {
      say(error.message);
    }
  };
}

async function samplePicture(sample) {
  return openPicture(await (await fetch(new URL(`./samples/${sample.file}`, import.meta.url))).blob());
}

for (const [number, record] of models.entries()) {
  const size = `${Math.round(record.bytes / 1e6)} MB`;
  find("#model").append(new Option(`${record.title} (${size}, fetched once)`, number));
}
find("#model").addEventListener("change", () => {
  say("The next picture goes to this model.");
  teaching.forget();
});

for (const sample of samples) {
  const button = document.createElement("button");
  button.type = "button";
  const picture = Object.assign(new Image(96, 96), { alt: sample.description, loading: "lazy" });
  picture.src = new URL(`./samples/${sample.file}`, import.meta.url).href;
  button.append(picture, sample.name);
  button.addEventListener("click", guarded(async () => show(await samplePicture(sample))));
  find("#samples").append(button);
  const credit = document.createElement("li");
  credit.textContent = `${sample.name}: ${sample.source}. ${sample.licence}.`;
  find("#credits").append(credit);
}
for (const record of models) {
  const credit = document.createElement("li");
  credit.textContent = `${record.title}: ${record.licence}`;
  find("#credits").append(credit);
}

acceptFiles(find("#drop"), guarded(async ([file]) => show(await openPicture(file))));
find("#camera").addEventListener(
  "click",
  guarded(() =>
    useCamera(find("#viewfinder"), (picture) => {
      find("#viewfinder").close();
      guarded(show)(picture);
    }),
  ),
);
find("#look").addEventListener("click", guarded(lookWhereItLooked));
const teaching = startTeaching(find("#teach"), { openModel, guarded, say, dialog: find("#viewfinder") });

document.getElementById("playground-needs").remove();
page.hidden = false;
