/* The network, from the page's side: fetched once, when it is first needed. */

/** Open a model that a record describes; `progress` is told the share of the file that has arrived. */
export class Model {
  #worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  #waiting = new Map(); // id of a message -> what to do with its answer
  #asked = 0; // messages so far

  /** Settled once the model can run. */
  ready;

  constructor(record, progress) {
    this.record = record;
    this.#worker.onmessage = ({ data: { id, received, result, error } }) => {
      if (received !== undefined) return progress(received / record.bytes);
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) reject(new Error(error));
      else resolve(result);
    };
    this.#worker.onerror = () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("The model could not be started."));
    };
    this.ready = this.#ask({ url: new URL(`./models/${record.file}`, import.meta.url).href });
    this.ready.catch(() => {}); // told to whoever runs the model
  }

  /** Run a batch of tensors (3, crop, crop); return {features, logits}, each an array with one Float32Array a picture. */
  async run(tensors) {
    await this.ready;
    const size = tensors[0].length;
    const data = new Float32Array(size * tensors.length);
    tensors.forEach((tensor, i) => data.set(tensor, i * size));
    const job = { data, count: tensors.length, side: this.record.crop };
    const outputs = await this.#ask(job, [data.buffer]);
    const rows = (values) => {
      const width = values.length / tensors.length;
      return tensors.map((_, i) => values.slice(i * width, (i + 1) * width));
    };
    return { features: rows(outputs.features), logits: rows(outputs.logits) };
  }

  close() {
    this.#worker.terminate();
  }

  #ask(job, transfer = []) {
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...job }, transfer);
    });
  }
}
