/* Pillow's antialiased resize, to the last bit: torchvision's presets use it, and a canvas's own scaling differs.

A picture is {width, height, data}, with data a Uint8Array of height * width * 3 values, red, green, blue.
Source: Pillow, src/libImaging/Resample.c: weights in fixed-point numbers, first along the rows, then along the columns.
(For some shapes Pillow 13 begins with the columns; then some values differ by 1 of 255.) */

const PRECISION_BITS = 22;

const FILTERS = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight: (x) => {
      const a = -0.5;
      x = Math.abs(x);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
};

/** The picture in another size; `interpolation` is "bilinear" or "bicubic". */
export function resize(picture, width, height, interpolation) {
  const filter = FILTERS[interpolation];
  const rows = picture.width === width ? picture : resizeRows(picture, width, filter);
  return rows.height === height ? rows : transpose(resizeRows(transpose(rows), height, filter));
}

function resizeRows({ width, height, data }, newWidth, filter) {
  const taps = weights(width, newWidth, filter);
  const result = new Uint8Array(newWidth * height * 3);
  for (let y = 0, out = 0; y < height; y++) {
    for (const { first, factors } of taps) {
      let red = 1 << (PRECISION_BITS - 1); // one half, so that cutting off the fraction rounds
      let green = red;
      let blue = red;
      for (let i = 0, at = (y * width + first) * 3; i < factors.length; i++, at += 3) {
        red += data[at] * factors[i];
        green += data[at + 1] * factors[i];
        blue += data[at + 2] * factors[i];
      }
      result[out++] = clip(red);
      result[out++] = clip(green);
      result[out++] = clip(blue);
    }
  }
  return { width: newWidth, height, data: result };
}

/** For each new pixel: the first old pixel that counts, and how much it and its neighbours count. */
function weights(oldSize, newSize, filter) {
  const scale = oldSize / newSize;
  const stretch = Math.max(scale, 1); // when shrinking, the filter grows, and every old pixel counts
  const support = filter.support * stretch;
  return Array.from({ length: newSize }, (_, place) => {
    const center = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(oldSize, Math.trunc(center + support + 0.5));
    const shares = [];
    for (let x = first; x < end; x++) shares.push(filter.weight((x - center + 0.5) * (1 / stretch)));
    const total = shares.reduce((sum, share) => sum + share, 0);
    const fixed = (share) => Math.trunc((share / total) * 2 ** PRECISION_BITS + (share < 0 ? -0.5 : 0.5));
    return { first, factors: Int32Array.from(shares, fixed) };
  });
}

function clip(sum) {
  return Math.min(255, Math.max(0, sum >> PRECISION_BITS));
}

function transpose({ width, height, data }) {
  const result = new Uint8Array(data.length);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const to = (x * height + y) * 3;
      result[to] = data[at];
      result[to + 1] = data[at + 1];
      result[to + 2] = data[at + 2];
    }
  }
  return { width: height, height: width, data: result };
}
