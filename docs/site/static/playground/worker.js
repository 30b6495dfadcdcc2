/* Runs a network beside the page, so that the page stays awake. Messages: {id, url} loads one, {id, data, count, side}
runs it; the answers carry the same id. */

import * as ort from "./ort/ort.wasm.min.mjs";

ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href;
ort.env.wasm.numThreads = 1; // more need headers that a plain web server does not send

let session;

self.onmessage = async ({ data: { id, ...job } }) => {
  try {
    self.postMessage({ id, result: job.url ? await load(id, job.url) : await run(job) });
  } catch (error) {
    self.postMessage({ id, error: String(error.message ?? error) });
  }
};

async function load(id, url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The model could not be fetched (the server answered ${response.status}).`);
  const chunks = [];
  let received = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    received += value.length;
    self.postMessage({ id, received });
  }
  await session?.release();
  session = await ort.InferenceSession.create(await new Blob(chunks).arrayBuffer(), { executionProviders: ["wasm"] });
}

async function run({ data, count, side }) {
  const outputs = await session.run({ pictures: new ort.Tensor("float32", data, [count, 3, side, side]) });
  return { features: outputs.features.data, logits: outputs.logits.data };
}
