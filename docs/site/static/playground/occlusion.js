/* The occlusion map: cover a part of the picture and see how much of a probability goes away.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014, https://arxiv.org/abs/1311.2901. */

import { softmax } from "./head.js";

export const CELLS = 8; // the map has 8 x 8 cells
const COVER = 2; // the grey square is 2 x 2 cells large, and moves by one cell
const PLACES = CELLS - COVER + 1;

/** Return {map, lowest, row, column}: how far the probability of class `target` falls, cell by cell, from the top left;
the lowest probability, and where (from 0 to 1) the middle of the square was then.

`run` gives the logits of a batch of tensors; `progress` is told the share that is done. */
export async function occlusion(run, tensor, side, target, probability, progress) {
  const drops = new Float64Array(CELLS * CELLS);
  const times = new Float64Array(CELLS * CELLS);
  let best = { lowest: Infinity };
  for (let row = 0; row < PLACES; row++) {
    const covered = Array.from({ length: PLACES }, (_, column) => cover(tensor, side, row, column));
    const scores = (await run(covered)).logits;
    scores.forEach((each, column) => {
      const left = softmax(each)[target];
      if (left < best.lowest) best = { lowest: left, row: (row + COVER / 2) / CELLS, column: (column + COVER / 2) / CELLS };
      for (let y = row; y < row + COVER; y++) {
        for (let x = column; x < column + COVER; x++) {
          drops[y * CELLS + x] += probability - left;
          times[y * CELLS + x] += 1;
        }
      }
    });
    progress((row + 1) / PLACES);
  }
  return { map: drops.map((drop, i) => drop / times[i]), ...best };
}

/** A copy of the tensor with a square of zeros: after normalising, zero is the mean colour, a grey. */
function cover(tensor, side, row, column) {
  const edge = (cell) => Math.round((cell * side) / CELLS);
  const result = tensor.slice();
  for (let channel = 0; channel < 3; channel++) {
    for (let y = edge(row); y < edge(row + COVER); y++) {
      const start = (channel * side + y) * side;
      result.fill(0, start + edge(column), start + edge(column + COVER));
    }
  }
  return result;
}

/** "upper left", "middle" and so on, for a place from 0 to 1 in both directions. */
export function placeInWords(row, column) {
  const third = (share, words) => words[Math.min(2, Math.floor(3 * share))];
  return `${third(row, ["upper", "", "lower"])} ${third(column, ["left", "middle", "right"])}`.trim();
}
