// The page of the GAN on the plane: what is shown of it, and what a person chooses.

const SHOWN = 128, COUNTED = 400, TILES = 36, KEPT = 400;

function openPlane() {
  const settings = { data: "ring", loss: data.losses[0], penalty: "none", weight: 0,
    discriminator_steps: 1, rates: { discriminator: data.rates[0], generator: data.rates[1] } };
  let gan, history, last, modes, playing = false, seed = data.seed;
  const names = (list, none) => list.map((name) => [name, name === none ? text("none") : name]);
  const optimum = () => ({ non_saturating: Math.log(4), minimax: Math.log(4),
    relativistic: Math.log(2) })[settings.loss];

  function restart() {
    gan = new PlaneGan(settings, seed);
    history = [];
    last = null;
    count();
    show();
  }
  function count() {
    modes = covered(MIXTURES[settings.data], gan.fake(COUNTED, gan.shown));
  }
  function step() {
    last = gan.step();
    history.push([last.discriminator, last.generator]);
    if (history.length > KEPT) history.shift();
    if (gan.steps % 10 === 0) count();
    if (!Number.isFinite(last.discriminator + last.generator)) {
      play(false);
      byId("theory").textContent = text("no_number");
    }
  }

  // Drawing.
  function pen(canvas) {
    const ratio = window.devicePixelRatio || 1, { clientWidth, clientHeight } = canvas;
    canvas.width = clientWidth * ratio;
    canvas.height = clientHeight * ratio;
    const found = canvas.getContext("2d");
    found.scale(ratio, ratio);
    return [found, clientWidth, clientHeight];
  }
  const cells = document.createElement("canvas");
  cells.width = cells.height = TILES;
  const places = constant(TILES * TILES, 2, Array.from({ length: 2 * TILES * TILES }, (_, i) => {
    const cell = i >> 1, at = i % 2 ? TILES - 1 - Math.floor(cell / TILES) : cell % TILES;
    return -1.1 + (2.2 * (at + 0.5)) / TILES;
  }));
  // D in [-1, 1]: a probability as it is, a logit against the spread of all logits.
  function answers() {
    const logits = gan.discriminator.call(places).values;
    if (LOSSES[settings.loss].probability) return logits.map((v) => Math.tanh(v / 2));
    const middle = logits.reduce((sum, v) => sum + v, 0) / logits.length;
    const spread = Math.sqrt(logits.reduce((sum, v) => sum + (v - middle) ** 2, 0) / logits.length);
    return logits.map((v) => Math.tanh((v - middle) / (spread + 1e-9)));
  }
  function drawPlane() {
    const [brush, side] = pen(byId("plane"));
    const at = (x, y) => [((x + 1.1) / 2.2) * side, ((1.1 - y) / 2.2) * side];
    if (byId("surface").checked) {
      const picture = new ImageData(TILES, TILES);
      answers().forEach((answer, i) => {
        picture.data.set(answer > 0 ? [60, 140, 230] : [240, 140, 40], 4 * i);
        picture.data[4 * i + 3] = 150 * Math.abs(answer);
      });
      cells.getContext("2d").putImageData(picture, 0, 0);
      brush.imageSmoothingEnabled = true;
      brush.drawImage(cells, 0, 0, side, side);
    }
    const real = gan.real(3 * SHOWN, gan.shown), fake = gan.fake(SHOWN, gan.shown);
    const dots = (points, colour, radius) => {
      brush.fillStyle = colour;
      for (let row = 0; row < points.rows; row += 1) {
        brush.beginPath();
        brush.arc(...at(points.values[2 * row], points.values[2 * row + 1]), radius, 0, 7);
        brush.fill();
      }
    };
    const colour = (name) =>
      getComputedStyle(document.documentElement).getPropertyValue(name);
    dots(real, colour("--accent"), 2);
    if (byId("arrows").checked) {
      const pulls = gan.pulls(fake, gan.real(SHOWN, gan.shown));
      const longest = Math.max(1e-12, ...Array.from({ length: SHOWN }, (_, i) =>
        Math.hypot(pulls[2 * i], pulls[2 * i + 1])));
      brush.strokeStyle = colour("--ink");
      brush.lineWidth = 1.2;
      brush.beginPath();
      for (let row = 0; row < SHOWN; row += 1) {
        const [x, y] = fake.values.subarray(2 * row, 2 * row + 2);
        const long = 0.28 / longest;
        brush.moveTo(...at(x, y));
        brush.lineTo(...at(x + long * pulls[2 * row], y + long * pulls[2 * row + 1]));
      }
      brush.stroke();
    }
    dots(fake, "#e6770b", 3.5);
    byId("plane").setAttribute("aria-label", text("plane_alt", { steps: gan.steps, modes }));
  }
  function drawCurves() {
    const [brush, wide, high] = pen(byId("curves"));
    const known = optimum(), values = history.flat().filter(Number.isFinite);
    if (known) values.push(known, 0);
    const low = Math.min(0, ...values), top = Math.max(low + 0.1, ...values);
    const y = (v) => high - 6 - ((v - low) / (top - low)) * (high - 12);
    if (known) {
      brush.setLineDash([5, 4]);
      brush.strokeStyle = "#888";
      brush.strokeRect(-9, y(known), wide + 18, high * 2);
      brush.setLineDash([]);
    }
    ["#3b82c4", "#e6770b"].forEach((colour, which) => {
      brush.strokeStyle = colour;
      brush.lineWidth = 1.5;
      brush.beginPath();
      history.forEach((row, i) => brush.lineTo((i / KEPT) * wide, y(row[which])));
      brush.stroke();
    });
  }
  function show() {
    drawPlane();
    drawCurves();
    const number = (v) => (last ? v().toFixed(3) : "–");
    const score = (logits) => mean(LOSSES[settings.loss].probability ? sigmoid(logits) : logits).value;
    byId("steps").textContent = gan.steps;
    byId("modes").textContent = text("of", { count: modes, all: MIXTURES[settings.data].means.length });
    byId("discriminator-loss").textContent = number(() => last.discriminator);
    byId("generator-loss").textContent = number(() => last.generator);
    byId("real-score").textContent = number(() => score(last.real));
    byId("fake-score").textContent = number(() => score(last.fake));
  }

  function play(on) {
    playing = on;
    byId("play").textContent = text(on ? "pause" : "play");
    byId("play").setAttribute("aria-pressed", on);
    if (!on) say(text("plane_alt", { steps: gan.steps, modes }));
  }
  // As many steps as fit into a frame of the screen.
  function frame() {
    if (playing) {
      const began = performance.now();
      do step(); while (playing && performance.now() - began < 24);
      show();
    }
    requestAnimationFrame(frame);
  }
  function explain() {
    const known = { relativistic: "at_optimum_relativistic" }[settings.loss]
      ?? (optimum() ? "at_optimum" : "at_optimum_logits");
    const bare = settings.loss === "wasserstein" && settings.penalty === "none";
    byId("theory").textContent = text(bare ? "needs_penalty" : known);
  }

  // What a person chooses.
  function choice(name, options, change) {
    for (const [value, words] of options) byId(name).append(make("option", { value }, words));
    byId(name).value = settings[name];
    byId(name).addEventListener("change", () => {
      settings[name] = byId(name).value;
      change();
      explain();
      show();
    });
  }
  choice("data", Object.keys(MIXTURES).map((name) => [name, text(name)]), restart);
  choice("loss", names(data.losses), () => { history = []; last = null; });
  choice("penalty", names(data.penalties, "none"), () => {
    settings.weight = data.weights[settings.penalty] ?? 0;
    byId("weight").value = settings.weight;
    byId("weight").disabled = settings.penalty === "none";
  });
  byId("weight").value = 0;
  byId("weight").disabled = true;
  byId("weight").addEventListener("input", (event) => {
    settings.weight = Math.max(0, Number(event.target.value) || 0);
  });
  function slider(name, value, words, change) {
    const input = byId(name), output = input.nextElementSibling;
    const changed = () => {
      change(Number(input.value));
      output.textContent = words(Number(input.value));
    };
    input.value = value;
    input.addEventListener("input", changed);
    changed();
  }
  const rate = (value) => (10 ** value).toPrecision(2);
  for (const role of ["discriminator", "generator"])
    slider(`${role}-rate`, Math.log10(settings.rates[role]), rate, (value) => {
      settings.rates[role] = 10 ** value;
    });
  slider("discriminator-steps", 1, String, (value) => { settings.discriminator_steps = value; });
  byId("play").addEventListener("click", () => play(!playing));
  byId("step").addEventListener("click", () => {
    play(false);
    step();
    show();
  });
  byId("restart").addEventListener("click", () => {
    seed += 1;
    explain();
    restart();
  });
  for (const name of ["surface", "arrows"]) byId(name).addEventListener("change", show);
  addEventListener("resize", () => show());

  restart();
  play(false);
  explain();
  requestAnimationFrame(frame);
}

translate();
openPlane();
document.documentElement.dataset.ready = "";
