// The network of the page, run by LiteRT in WebAssembly on one thread.

const network = {
  times: [],

  async start() {
    const wasmBinary = await bytesOf("wasm");
    // The runtime would ask for a graphics card, which gives slightly other images.
    Object.defineProperty(navigator, "gpu", { value: undefined, configurable: true });
    const quiet = () => {};
    const log = console.warn;
    console.warn = quiet;
    try {
      await startRuntime({ wasmBinary, print: quiet, printErr: quiet });
    } finally {
      console.warn = log;
    }
    this.model = await LiteRT.loadAndCompile(await bytesOf("model"), { accelerator: "wasm" });
    this.last = Promise.resolve();
  },

  // Runs a signature on one row of input; calls wait for each other.
  run(signature, inputs, output) {
    const job = this.last.then(async () => {
      const began = performance.now();
      const tensors = {};
      for (const [name, [values, shape]] of Object.entries(inputs))
        tensors[name] = new LiteRT.Tensor(values, shape);
      const outputs = await this.model.run(signature, tensors);
      const values = await outputs[output].data();
      for (const tensor of [...Object.values(tensors), ...Object.values(outputs)]) tensor.delete();
      this.times.push(performance.now() - began);
      if (this.times.length > 50) this.times.shift();
      return values;
    });
    this.last = job.catch(() => {});
    return job;
  },

  labelled(signature, inputs, label) {
    const named = signature.takes_labels ? { class_labels: [Int32Array.of(label), [1]] } : {};
    return this.run(signature.name, { ...inputs, ...named }, signature.output);
  },

  // The image of a latent, floats in [0, 1].
  decode(z, label) {
    return this.labelled(data.decode, { z: [z, [1, ...data.latent_shape]] }, label);
  },

  // The latent of an image of floats in [0, 1].
  encode(image, label) {
    return this.labelled(data.encode, { images: [image, [1, ...data.image_shape]] }, label);
  },

  get milliseconds() {
    const sorted = [...this.times].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  },
};
