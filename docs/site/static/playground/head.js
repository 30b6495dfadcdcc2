/* A new head for a frozen network: softmax regression on cached features, as course_utils.features.fit_head trains it. */

/** softmax of an array of logits. */
export function softmax(logits) {
  const highest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** The logits that a head {weight, bias} gives for one picture's features; weight[class] has a number a feature. */
export function logits(head, features) {
  return head.weight.map((row, label) => row.reduce((sum, factor, i) => sum + factor * features[i], head.bias[label]));
}

/** Train a head: features is an array of Float32Array, labels an array of 0, 1, ...; return {weight, bias}.

Each feature is scaled to mean 0 and standard deviation 1, and the scaling folded into the layer at the end. AdamW with
a learning rate that falls along a cosine, from zeros, with all pictures in each step. */
export function fitHead(features, labels, classes, { epochs = 100, lr = 1e-3, weightDecay = 0.01 } = {}) {
  const { mean, std } = spread(features);
  const scaled = features.map((row) => [...Array.from(row, (value, i) => (value - mean[i]) / std[i]), 1]); // 1: the bias
  const width = mean.length + 1;
  const weight = Array.from({ length: classes }, () => new Float64Array(width));
  const step = adamWWithCosine(weight, lr, weightDecay, epochs);

  for (let epoch = 0; epoch < epochs; epoch++) {
    const gradient = weight.map(() => new Float64Array(width));
    scaled.forEach((row, n) => {
      const shares = softmax(weight.map((factors) => factors.reduce((sum, factor, i) => sum + factor * row[i], 0)));
      shares.forEach((share, label) => {
        const error = (share - (label === labels[n] ? 1 : 0)) / scaled.length;
        for (let i = 0; i < width; i++) gradient[label][i] += error * row[i];
      });
    });
    step(gradient);
  }
  // W (x - mean) / std + b is the same as (W / std) x + (b - (W / std) mean)
  const raw = weight.map((row) => Float32Array.from(mean, (_, i) => row[i] / std[i]));
  const bias = weight.map((row, label) => row[width - 1] - raw[label].reduce((sum, w, i) => sum + w * mean[i], 0));
  return { weight: raw, bias: Float32Array.from(bias) };
}

/** How many pictures are judged right by heads that were each trained without the picture they judge. */
export function leaveOneOut(features, labels, classes, options) {
  const without = (list, place) => list.filter((_, i) => i !== place);
  return features.filter((row, place) => {
    const scores = logits(fitHead(without(features, place), without(labels, place), classes, options), row);
    return scores.indexOf(Math.max(...scores)) === labels[place];
  }).length;
}

function spread(features) {
  const mean = new Float64Array(features[0].length);
  const std = new Float64Array(mean.length);
  for (const row of features) row.forEach((value, i) => (mean[i] += value / features.length));
  for (const row of features) row.forEach((value, i) => (std[i] += (value - mean[i]) ** 2 / features.length));
  // A feature that never changes must not divide by zero.
  return { mean, std: std.map((variance) => (Math.sqrt(variance) > 1e-6 ? Math.sqrt(variance) : 1)) };
}

/** A function that changes `weight` by one step of AdamW: Loshchilov and Hutter, arXiv 1711.05101, algorithm 2. */
function adamWWithCosine(weight, lr, weightDecay, steps) {
  const mean = weight.map((row) => new Float64Array(row.length));
  const square = weight.map((row) => new Float64Array(row.length));
  let done = 0;
  return (gradient) => {
    const rate = lr * 0.5 * (1 + Math.cos((Math.PI * done) / steps));
    done += 1;
    weight.forEach((row, label) => {
      for (let i = 0; i < row.length; i++) {
        const slope = gradient[label][i];
        mean[label][i] += (slope - mean[label][i]) * (1 - 0.9);
        square[label][i] = square[label][i] * 0.999 + slope * slope * (1 - 0.999);
        const scale = Math.sqrt(square[label][i] / (1 - 0.999 ** done)) + 1e-8;
        row[i] = row[i] * (1 - rate * weightDecay) - ((rate / (1 - 0.9 ** done)) * mean[label][i]) / scale;
      }
    });
  };
}
