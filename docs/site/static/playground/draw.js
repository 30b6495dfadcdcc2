/* Pictures on canvases, and answers as bars. */

/** Draw a picture {width, height, data} on a canvas of its own size; style sheets say how large it looks. */
export function drawPicture(canvas, { width, height, data }) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  for (let i = 0, at = 0; at < data.length; i += 4, at += 3) {
    pixels.data.set([data[at], data[at + 1], data[at + 2], 255], i);
  }
  context.putImageData(pixels, 0, 0);
}

/** Draw the picture in grey, and over it a square map of values: the higher, the brighter and the more yellow. */
export function drawMap(canvas, picture, map, cells) {
  const gray = picture.data.slice();
  for (let at = 0; at < gray.length; at += 3) {
    const light = 0.299 * gray[at] + 0.587 * gray[at + 1] + 0.114 * gray[at + 2];
    gray.fill(light, at, at + 3);
  }
  drawPicture(canvas, { ...picture, data: gray });
  const colours = new Uint8Array(3 * cells * cells);
  const highest = Math.max(...map, 1e-9);
  map.forEach((value, i) => colours.set(viridis(Math.max(0, value) / highest), 3 * i));
  const small = document.createElement("canvas");
  drawPicture(small, { width: cells, height: cells, data: colours });
  const context = canvas.getContext("2d");
  context.globalAlpha = 0.55;
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}

// Five colours of Matplotlib's viridis, from dark blue to yellow; between them, straight lines.
const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]]; // prettier-ignore

function viridis(share) {
  const place = share * (VIRIDIS.length - 1);
  const below = Math.min(VIRIDIS.length - 2, Math.floor(place));
  return VIRIDIS[below].map((value, i) => value + (VIRIDIS[below + 1][i] - value) * (place - below));
}

/** Fill an <ol> with answers {label, probability}, the best first. */
export function drawBars(list, answers) {
  list.replaceChildren(
    ...answers.map(({ label, probability }) => {
      const item = document.createElement("li");
      const name = Object.assign(document.createElement("span"), { className: "label", textContent: label });
      const share = Object.assign(document.createElement("span"), { className: "share", textContent: percent(probability) });
      const bar = Object.assign(document.createElement("span"), { className: "bar" });
      bar.style.setProperty("--share", probability);
      item.append(name, share, bar);
      return item;
    }),
  );
}

/** 0.4159 as "41.6 %". */
export function percent(share) {
  return share > 0 && share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`;
}

/** The `count` most likely categories of an array of probabilities. */
export function topK(probabilities, categories, count) {
  return probabilities
    .map((probability, index) => ({ label: categories[index], index, probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, count);
}
