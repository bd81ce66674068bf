// The network of the page, run by LiteRT in WebAssembly on one thread.

const network = {
  times: [],
  compiled: {},

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
    this.previous = Promise.resolve();
    await this.use("model");
  },

  // From now on runs a network of the page: "model", or that with the weights of the last step.
  async use(name) {
    this.compiled[name] ??= await LiteRT.loadAndCompile(await bytesOf(name), { accelerator: "wasm" });
    this.model = this.compiled[name];
  },

  // Runs a signature on one row of input; calls wait for each other.
  run(signature, inputs, output) {
    const model = this.model, job = this.previous.then(async () => {
      const began = performance.now();
      const tensors = {};
      for (const [name, [values, shape]] of Object.entries(inputs))
        tensors[name] = new LiteRT.Tensor(values, shape);
      const outputs = await model.run(signature, tensors);
      const values = await outputs[output].data();
      for (const tensor of [...Object.values(tensors), ...Object.values(outputs)]) tensor.delete();
      this.times.push(performance.now() - began);
      if (this.times.length > 50) this.times.shift();
      return values;
    });
    this.previous = job.catch(() => {});
    return job;
  },

  labelled(signature, inputs, label) {
    const named = signature.takes_labels ? { class_labels: [Int32Array.of(label), [1]] } : {};
    return this.run(signature.name, { ...inputs, ...named }, signature.output);
  },

  // The image of a latent, floats in [0, 1]. A solver takes so many steps, or stops before.
  decode(z, label, steps, stop = steps) {
    if (data.solver) return this.solve(z, label, steps, stop);
    return this.labelled(data.decode, { z: [z, [1, ...data.latent_shape]] }, label);
  },

  // The latent of an image of floats in [0, 1].
  encode(image, label) {
    return this.labelled(data.encode, { images: [image, [1, ...data.image_shape]] }, label);
  },

  // As keras_genzoo.models.solvers does, from noise at time 0 to an image at time 1.
  async solve(z, label, steps, stop) {
    const velocity = (x, t) => this.labelled(data.decode,
      { z: [x, [1, ...data.latent_shape]], time: [Float32Array.of(t), [1]] }, label);
    const along = (x, by, v) => x.map((value, i) => value + by * v[i]);
    const dt = 1 / steps, [low, high] = data.solver.range;
    let x = z;
    for (let step = 0; step < stop; step += 1) {
      const t = step * dt, first = await velocity(x, t);
      if (data.solver.name === "euler") x = along(x, dt, first);
      else if (data.solver.name === "midpoint")
        x = along(x, dt, await velocity(along(x, dt / 2, first), t + dt / 2));
      else {
        const second = await velocity(along(x, dt, first), t + dt);
        x = along(x, dt / 2, first.map((value, i) => value + second[i]));
      }
      await pause();
    }
    return x.map((value) => Math.min(1, Math.max(0, (value - low) / (high - low))));
  },

  // What an image takes: the median time of a call, times the calls of the solver.
  get milliseconds() {
    const sorted = [...this.times].sort((a, b) => a - b);
    const calls = data.solver ? data.solver.steps * (data.solver.name === "euler" ? 1 : 2) : 1;
    return calls * (sorted[sorted.length >> 1] ?? 0);
  },
};
