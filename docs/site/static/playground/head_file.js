/* A head as a safetensors file, which course_utils.checkpoint.load_head reads. */

/** The bytes of a file with weight (classes, features) and bias (classes,) as 32-bit numbers.

`categories` are the names of the classes, `model` the name of the network that the features come from. */
export function headFile(head, categories, model) {
  const classes = head.bias.length;
  const features = head.weight[0].length;
  const bytes = 4 * classes * features;
  const header = {
    __metadata__: { format: "pt", kind: "head", model, categories: JSON.stringify(categories) },
    weight: { dtype: "F32", shape: [classes, features], data_offsets: [0, bytes] },
    bias: { dtype: "F32", shape: [classes], data_offsets: [bytes, bytes + 4 * classes] },
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(text.length / 8) * 8; // the numbers begin at a multiple of 8, the text before ends in spaces
  const file = new Uint8Array(8 + length + bytes + 4 * classes).fill(0x20, 8, 8 + length);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(length), true);
  file.set(text, 8);
  [...head.weight.flatMap((row) => [...row]), ...head.bias].forEach((value, i) => {
    view.setFloat32(8 + length + 4 * i, value, true);
  });
  return file;
}
