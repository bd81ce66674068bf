// The room of a generator: dice, classes, directions, two pins and what lies between.

async function openGenerator() {
  const table = await floatsOf("seeds"), size = table.length / data.seeds;
  const directions = await floatsOf("directions"), count = data.shares.length;
  const training = data.nearest ? await bytesOf("training") : null;
  const classes = data.decode.takes_labels ? data.class_names : [];
  const zOf = (seed) => table.slice(seed * size, (seed + 1) * size);
  const state = { seed: 0, z: zOf(0), between: null, label: 0, amounts: Array(count).fill(0),
    scale: 1, many: false, last: false, steps: data.solver?.steps, left: 0 };
  const pins = { a: null, b: null };
  const current = (z = state.z) => moved(z, state.scale, directions, state.amounts);
  const isChanged = () => state.scale !== 1 || state.amounts.some((amount) => amount)
    || state.left > 0 || state.steps !== data.solver?.steps;
  const decode = (z, label, stop) => network.decode(z, label, state.steps, stop);

  function words() {
    let image = state.between === null ? text("of_seed", { seed: state.seed })
      : text("between", { percent: Math.round(100 * state.between) });
    if (classes.length) image = text("of_class", { image, name: classes[state.label] });
    if (state.last) image = text("of_last", { image });
    return isChanged() ? text("changed", { image }) : image;
  }

  // What is drawn, the most wanted first.
  let shown = null;
  async function drawImage() {
    await network.use(state.last ? "last" : "model");
    shown = await decode(current(), state.label, state.steps - state.left);
    const canvas = byId("image");
    paint(canvas, shown);
    canvas.setAttribute("aria-label", text("generated_alt", { words: words() }));
    byId("caption").textContent = words();
    const command = byId("command");
    command.hidden = state.between !== null || state.last || isChanged();
    command.textContent = `genzoo sample ${quoted(data.run)} -n 1 --seed ${state.seed}`
      + (classes.length ? ` --class ${quoted(classes[state.label])}` : "");
    say(words());
  }

  const cells = Array.from({ length: 16 }, (_, offset) => {
    const canvas = make("canvas"), button = make("button", { type: "button" }, canvas);
    button.addEventListener("click", () => {
      if (offset) toSeed(state.seed + offset);
      view(false);
    });
    byId("grid").append(button);
    return { canvas, button };
  });
  async function drawGrid(stale) {
    if (!state.many) return;
    for (const [offset, { canvas, button }] of cells.entries()) {
      const seed = (state.seed + offset) % data.seeds;
      button.setAttribute("aria-label", text("cell", { seed }));
      paint(canvas, await decode(current(offset ? zOf(seed) : state.z), state.label));
      if (offset % 4 === 3) await pause();
      if (stale()) return;
    }
  }

  const chips = [];
  async function drawChips(stale) {
    for (const [label, { canvas }] of chips.entries()) {
      paint(canvas, await decode(current(), label));
      await pause();
      if (stale()) return;
    }
  }

  const strip = Array.from({ length: 9 }, (_, step) => {
    const canvas = make("canvas");
    canvas.addEventListener("click", () => {
      play(false);
      scrubTo(step / 8);
    });
    byId("strip").append(canvas);
    return canvas;
  });
  let drawnPins = "";
  async function drawPath(stale) {
    const wanted = `${[...pins.a, ...pins.b]} ${state.label} ${state.steps} ${state.last}`;
    strip.forEach((canvas, step) => canvas.classList.toggle("here",
      state.between !== null && Math.round(8 * state.between) === step));
    if (wanted === drawnPins) return;
    for (const [step, canvas] of strip.entries()) {
      const image = await decode(spherical(pins.a, pins.b, step / 8), state.label);
      paint(canvas, image);
      if (step === 0) paint(byId("pin-a"), image);
      if (step === 8) paint(byId("pin-b"), image);
      await pause();
      if (stale()) return;
    }
    drawnPins = wanted;
  }

  async function drawNearest() {
    if (!training) return;
    const pixels = shown.length, image = shown.map((value) => Math.round(255 * value));
    let best = 0, least = Infinity;
    for (let row = 0; row < data.nearest; row += 1) {
      let sum = 0;
      for (let i = 0; i < pixels && sum < least; i += 1)
        sum += (image[i] - training[row * pixels + i]) ** 2;
      if (sum < least) { least = sum; best = row; }
    }
    paint(byId("nearest-image"), Float32Array.from(
      training.subarray(best * pixels, (best + 1) * pixels), (value) => value / 255));
    byId("nearest-words").textContent = text("nearest_words", {
      count: data.nearest.toLocaleString(language), distance: Math.sqrt(least / pixels).toFixed(0) });
  }

  const showSpeed = () => {
    byId("speed").textContent = text("milliseconds", { milliseconds: network.milliseconds.toFixed(1) });
  };
  const redraw = worker(drawImage, drawGrid, drawChips, drawPath, drawNearest, showSpeed);

  // What a person does.
  function toSeed(seed) {
    play(false);
    state.seed = ((seed % data.seeds) + data.seeds) % data.seeds;
    state.z = zOf(state.seed);
    state.between = null;
    byId("seed").value = state.seed;
    redraw();
  }
  let turns = 0;
  function roll() {
    turns += 1;
    byId("roll").firstElementChild.style.transform = `rotate(${360 * turns}deg)`;
    let seed = state.seed;
    while (seed === state.seed && data.seeds > 1) seed = Math.floor(Math.random() * data.seeds);
    toSeed(seed);
  }
  function view(many) {
    state.many = many;
    byId("grid").hidden = !many;
    byId("image").hidden = byId("image-keys").hidden = many;
    byId("single").setAttribute("aria-pressed", !many);
    byId("many").setAttribute("aria-pressed", many);
    redraw();
  }
  function useLast(last) {
    state.last = last;
    byId("averaged").setAttribute("aria-pressed", !last);
    byId("last").setAttribute("aria-pressed", last);
    redraw();
  }
  function choose(label) {
    state.label = label;
    chips.forEach(({ button }, i) => button.setAttribute("aria-pressed", i === label));
    redraw();
  }
  function reset() {
    state.amounts.fill(0);
    state.scale = 1;
    for (const slider of byId("generator").querySelectorAll("#directions input, #variety input")) {
      slider.value = slider.id === "truncation" ? 1 : 0;
      slider.nextElementSibling.textContent = Number(slider.value).toFixed(slider.id ? 2 : 1);
    }
    if (data.solver) toSteps(data.solver.steps);
  }
  // Of a solver: how many steps it takes, and how many of them are taken so far.
  function toSteps(steps, taken = steps) {
    [state.steps, state.left] = [steps, steps - taken];
    const sliders = [byId("solver-steps"), byId("solver-taken")];
    sliders[1].max = steps;
    [steps, taken].forEach((value, i) => {
      sliders[i].value = value;
      sliders[i].nextElementSibling.textContent = value;
    });
  }
  byId("solver").hidden = !data.solver;
  if (data.solver) {
    byId("solver-steps").max = Math.max(30, data.solver.steps);
    toSteps(data.solver.steps);
    byId("solver-steps").addEventListener("input", (event) => {
      toSteps(Number(event.target.value));
      redraw();
    });
    byId("solver-taken").addEventListener("input", (event) => {
      toSteps(state.steps, Number(event.target.value));
      redraw();
    });
  }
  function pin(end) {
    pins[end] = current();
    const words_ = words();
    byId(`pin-${end}`).setAttribute("aria-label",
      text("pin_alt", { name: end.toUpperCase(), words: words_ }));
    redraw();
  }
  function scrubTo(t) {
    reset();
    state.between = t;
    state.z = spherical(pins.a, pins.b, t);
    byId("scrub").value = t;
    byId("scrub").setAttribute("aria-valuetext", text("between", { percent: Math.round(100 * t) }));
    redraw();
  }

  // There and back, until a person stops it or does something else.
  let playing = 0;
  function play(on) {
    clearInterval(playing);
    playing = 0;
    byId("play").setAttribute("aria-pressed", on);
    byId("play").textContent = text(on ? "stop" : "play");
    if (!on) return;
    let step = Math.round(50 * (state.between ?? 0));
    playing = setInterval(() => {
      step = (step + 1) % 100;
      scrubTo(step <= 50 ? step / 50 : 2 - step / 50);
    }, 50);
  }
  byId("play").addEventListener("click", () => play(!playing));
  play(false);

  byId("roll").addEventListener("click", roll);
  byId("seed").max = data.seeds - 1;
  byId("seed").value = 0;
  byId("seed").addEventListener("input", (event) => {
    if (event.target.value !== "") toSeed(Math.trunc(Number(event.target.value)) || 0);
  });
  byId("single").addEventListener("click", () => view(false));
  byId("many").addEventListener("click", () => view(true));
  byId("averaging").hidden = !data.last;
  byId("averaged").addEventListener("click", () => useLast(false));
  byId("last").addEventListener("click", () => useLast(true));
  byId("reset").addEventListener("click", () => { reset(); redraw(); });
  byId("set-a").addEventListener("click", () => pin("a"));
  byId("set-b").addEventListener("click", () => pin("b"));
  byId("scrub").addEventListener("input", (event) => {
    play(false);
    scrubTo(Number(event.target.value));
  });
  byId("image").addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key === " " || event.key === "Enter") roll();
    else if (event.key in steps) toSeed(state.seed + steps[event.key]);
    else return;
    event.preventDefault();
  });
  byId("truncation").addEventListener("input", (event) => {
    state.scale = Number(event.target.value);
    byId("truncation-value").textContent = state.scale.toFixed(2);
    redraw();
  });

  byId("directions").hidden = !count;
  data.shares.forEach((share, row) => {
    const output = make("output", {}, "0.0");
    const slider = make("input", { type: "range", min: -data.reach, max: data.reach, step: 0.1, value: 0 });
    const name = make("span", {}, text("direction", { number: row + 1 }));
    byId("directions").querySelector(".sliders").append(
      make("label", { class: "slider" }, name, slider, output));
    slider.addEventListener("input", () => {
      state.amounts[row] = Number(slider.value);
      output.textContent = state.amounts[row].toFixed(1);
      redraw();
    });
  });

  byId("classes").hidden = !classes.length;
  addClasses(byId("classes").querySelector(".chips"), classes, chips, choose);
  byId("nearest").hidden = !training;
  byId("nearest-image").setAttribute("aria-label", text("nearest_alt"));

  pins.a = zOf(0);
  pins.b = zOf(Math.min(1, data.seeds - 1));
  for (const [end, seed] of [["a", 0], ["b", 1]])
    byId(`pin-${end}`).setAttribute("aria-label", text("pin_alt",
      { name: end.toUpperCase(), words: text("of_seed", { seed }) }));
  redraw();
}

// Buttons with an image for each class; of many classes, a list.
function addClasses(place, classes, chips, choose) {
  if (classes.length > 20) {
    addClassList(place, classes, choose);
    return;
  }
  classes.forEach((name, label) => {
    const canvas = make("canvas", { "aria-hidden": "true" });
    const button = make("button", { type: "button", "aria-pressed": label === 0 }, canvas, name);
    button.addEventListener("click", () => choose(label));
    place.append(button);
    chips.push({ canvas, button });
  });
}

function addClassList(place, classes, choose) {
  const list = make("select", { "aria-label": text("class") });
  classes.forEach((name, label) => list.append(make("option", { value: label }, name)));
  list.addEventListener("change", () => choose(Number(list.value)));
  place.append(list);
}
