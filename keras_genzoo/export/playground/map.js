// The room of an encoder: the map of codes, and a place to draw.

async function openMap() {
  const points = await floatsOf("points"), basis = await floatsOf("basis");
  const size = basis.length / 3, [origin, first, second] =
    [0, 1, 2].map((row) => basis.slice(row * size, (row + 1) * size));
  const labels = data.map.labels, names = data.class_names, [low, high] = [data.map.low, data.map.high];
  const state = { x: data.map.start[0], y: data.map.start[1], z: null, drawn: false, label: 0 };
  const canvas = byId("map"), label = () => state.label;
  const onPlane = (x, y) => origin.map((v, i) => v + x * first[i] + y * second[i]);
  const placeOf = (z) => [first, second].map((axis) =>
    axis.reduce((sum, v, i) => sum + v * (z[i] - origin[i]), 0));
  const number = (v) => v.toFixed(2).replace("-", "−");
  const near = () => {
    let best = -1, least = (0.06 * (high[0] - low[0])) ** 2;
    for (let i = 0; i < data.map.count; i += 1) {
      const far = (points[2 * i] - state.x) ** 2 + (points[2 * i + 1] - state.y) ** 2;
      if (far < least) { least = far; best = i; }
    }
    return best;
  };
  function placeInWords() {
    const place = `(${number(state.x)}, ${number(state.y)})`, nearest = labels ? near() : -1;
    return nearest < 0 ? place : text("near", { place, name: names[labels[nearest]] });
  }

  // The map is drawn once as a background, and the cursor on top of it each time.
  const background = document.createElement("canvas");
  const side = () => canvas.clientWidth || 400;
  const toScreen = (x, y) => [((x - low[0]) / (high[0] - low[0])) * side(),
    (1 - (y - low[1]) / (high[1] - low[1])) * side()];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  function clean(target) {
    const scale = window.devicePixelRatio || 1;
    target.width = target.height = Math.round(side() * scale);
    const pen = target.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    return pen;
  }
  function drawBackground() {
    const pen = clean(background);
    if (mosaicImage) {
      pen.imageSmoothingEnabled = false;
      pen.drawImage(mosaicImage, 0, 0, side(), side());
    }
    if (data.map.prior) {
      const unit = side() / (high[0] - low[0]), middle = toScreen(0, 0);
      pen.setLineDash([5, 4]);
      pen.strokeStyle = mosaicImage ? "#fff" : colour("--soft");
      for (const radius of [1, 2, 3]) {
        pen.beginPath();
        pen.arc(...middle, radius * unit, 0, 7);
        pen.stroke();
      }
      pen.setLineDash([]);
    }
    const radius = Math.max(1.6, Math.min(4, 90 / Math.sqrt(data.map.count || 1)));
    pen.globalAlpha = mosaicImage ? 0.9 : 0.75;
    for (let i = 0; i < data.map.count; i += 1) {
      pen.fillStyle = labels ? colourOf(labels[i], names.length) : colour("--accent");
      pen.beginPath();
      pen.arc(...toScreen(points[2 * i], points[2 * i + 1]), radius, 0, 7);
      pen.fill();
    }
  }
  function drawMap() {
    const pen = clean(canvas);
    pen.drawImage(background, 0, 0, side(), side());
    const [x, y] = toScreen(state.x, state.y);
    for (const [colour_, wide] of [["#fff", 6], ["#111", 2.5]]) {
      pen.strokeStyle = colour_;
      pen.lineWidth = wide;
      pen.beginPath();
      pen.arc(x, y, 10, 0, 7);
      pen.moveTo(x - 16, y); pen.lineTo(x - 5, y); pen.moveTo(x + 5, y); pen.lineTo(x + 16, y);
      pen.moveTo(x, y - 16); pen.lineTo(x, y - 5); pen.moveTo(x, y + 5); pen.lineTo(x, y + 16);
      pen.stroke();
    }
  }

  let mosaicImage = null;
  async function drawMosaic() {
    const tiles = 16, whole = document.createElement("canvas"), tile = document.createElement("canvas");
    whole.width = tiles * width;
    whole.height = tiles * height;
    for (let row = 0; row < tiles; row += 1) {
      for (let column = 0; column < tiles; column += 1) {
        const x = low[0] + ((column + 0.5) / tiles) * (high[0] - low[0]);
        const y = high[1] - ((row + 0.5) / tiles) * (high[1] - low[1]);
        paint(tile, await network.decode(onPlane(x, y), label()));
        whole.getContext("2d").drawImage(tile, column * width, row * height);
      }
      await pause();
    }
    return whole;
  }

  async function drawDecoded() {
    paint(byId("decoded"), await network.decode(state.z, label()));
    const place = placeInWords();
    byId("decoded").setAttribute("aria-label", text("decoded_alt", { place }));
    byId("place").textContent = place;
    canvas.setAttribute("aria-label", text("map_label", { x: number(state.x), y: number(state.y) }));
    say(state.drawn ? text("of_drawing", { place }) : place);
  }
  const redraw = worker(drawDecoded, async () => {
    byId("speed").textContent = text("milliseconds", { milliseconds: network.milliseconds.toFixed(1) });
  });

  function toPlace(x, y) {
    state.x = Math.min(high[0], Math.max(low[0], x));
    state.y = Math.min(high[1], Math.max(low[1], y));
    state.z = onPlane(state.x, state.y);
    state.drawn = false;
    drawMap();
    redraw();
  }
  const follow = (event) => {
    const box = canvas.getBoundingClientRect();
    toPlace(low[0] + ((event.clientX - box.left) / box.width) * (high[0] - low[0]),
      high[1] - ((event.clientY - box.top) / box.height) * (high[1] - low[1]));
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    follow(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) follow(event); });
  canvas.addEventListener("keydown", (event) => {
    const step = ((event.shiftKey ? 0.06 : 0.012) * (high[0] - low[0]));
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (!(event.key in moves)) return;
    event.preventDefault();
    toPlace(state.x + step * moves[event.key][0], state.y + step * moves[event.key][1]);
  });
  byId("mosaic").addEventListener("change", async (event) => {
    mosaicImage = event.target.checked ? await drawMosaic() : null;
    drawBackground();
    drawMap();
    redraw();
  });

  // A drawing: encoded, placed on the map, and decoded again.
  let drawing = null;
  const encode = worker(async () => {
    if (!drawing) return;
    paint(byId("seen"), drawing);
    state.z = await network.encode(drawing, label());
    [state.x, state.y] = placeOf(state.z);
    state.drawn = true;
    drawMap();
    redraw();
  });
  openPen((image) => { drawing = image; encode(); });

  // A decoder that takes a class decodes each place as the one that is chosen.
  if (data.decode.takes_labels)
    addClassList(byId("class-of-map"), names, (chosen) => {
      state.label = chosen;
      redraw();
    });

  const words = data.map.count ? (data.map.prior ? "latent_prior" : "latent_no_prior")
    : "latent_no_points";
  byId("latent-lead").textContent = text(words);
  if (labels) names.forEach((name, i) => {
    const dot = make("i");
    dot.style.background = colourOf(i, names.length);
    byId("legend").append(make("li", {}, dot, name));
  });
  const again = () => { drawBackground(); drawMap(); };
  addEventListener("resize", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  drawBackground();
  toPlace(state.x, state.y);
}
