/* What torchvision's preset ImageClassification does to a picture, step by step. */

import { resize } from "./resize.js";

/** Return {original, resized, cropped, tensor}: pictures, and a Float32Array of shape (3, crop, crop).

`model` is the record of a model: its resize, crop, interpolation, mean and std. */
export function preprocess(model, original) {
  const shorter = Math.min(original.width, original.height);
  const scaled = (side) => Math.trunc((model.resize * side) / shorter);
  const resized = resize(original, scaled(original.width), scaled(original.height), model.interpolation);
  const cropped = centerCrop(resized, model.crop);
  return { original, resized, cropped, tensor: normalize(cropped, model) };
}

function centerCrop({ width, height, data }, side) {
  const left = roundHalfToEven((width - side) / 2);
  const top = roundHalfToEven((height - side) / 2);
  const result = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const start = ((top + y) * width + left) * 3;
    result.set(data.subarray(start, start + side * 3), y * side * 3);
  }
  return { width: side, height: side, data: result };
}

/** Python's round(): 0.5 and 2.5 go down, 1.5 goes up. */
function roundHalfToEven(number) {
  const below = Math.floor(number);
  if (number - below !== 0.5) return Math.round(number);
  return below % 2 === 0 ? below : below + 1;
}

/** Red, green and blue become planes of 32-bit numbers: from 0 to 1, then minus the mean, divided by the std. */
function normalize({ width, height, data }, { mean, std }) {
  const plane = width * height;
  const tensor = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < plane; i++) {
      const share = Math.fround(data[3 * i + channel] / 255);
      tensor[channel * plane + i] = Math.fround(share - Math.fround(mean[channel])) / Math.fround(std[channel]);
    }
  }
  return tensor;
}

/** A normalised tensor as a picture to look at: stretched, so that its least value is black and its greatest white. */
export function stretched(tensor, side) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of tensor) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const plane = side * side;
  const data = new Uint8Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < plane; i++) {
      data[3 * i + channel] = Math.round((255 * (tensor[channel * plane + i] - low)) / (high - low || 1));
    }
  }
  return { width: side, height: side, data };
}
