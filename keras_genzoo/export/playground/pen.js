// The place to draw: a canvas on which strokes are ten times as fine as pixels of the image.

const FINE = 10;

function openPen(changed) {
  const canvas = byId("pen"), ground = data.map.background / 255, ink = ground > 0.5 ? 0 : 1;
  const [left, top, right, bottom] = data.map.frame;
  canvas.width = FINE * width;
  canvas.height = FINE * height;
  canvas.setAttribute("aria-label", text("pen_label"));
  const strokes = document.createElement("canvas");
  strokes.width = canvas.width;
  strokes.height = canvas.height;
  const pen = strokes.getContext("2d", { willReadFrequently: true });
  const grey = (value) => `rgb(${[1, 1, 1].map(() => Math.round(255 * value)).join()})`;
  const cursor = { x: canvas.width / 2, y: canvas.height / 2, down: false, shown: false };

  function show() {
    const view = canvas.getContext("2d");
    view.drawImage(strokes, 0, 0);
    view.strokeStyle = "#7f8fa5";
    view.lineWidth = 2;
    view.setLineDash([8, 8]);
    view.strokeRect(FINE * left, FINE * top, FINE * (right - left), FINE * (bottom - top));
    view.setLineDash([]);
    if (cursor.shown) {
      view.strokeStyle = cursor.down ? "#cc3311" : "#88aacc";
      view.lineWidth = 4;
      view.beginPath();
      view.arc(cursor.x, cursor.y, 14, 0, 7);
      view.stroke();
    }
  }
  function clear() {
    pen.fillStyle = grey(ground);
    pen.fillRect(0, 0, strokes.width, strokes.height);
    // Setting its size empties it.
    [byId("seen").width, byId("seen").height] = [width, height];
    show();
  }
  function stroke(from, to) {
    pen.strokeStyle = grey(ink);
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = FINE * data.map.pen;
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(to[0] + 0.01, to[1]);
    pen.stroke();
    show();
    changed(image());
  }
  // The mean of each square of fine pixels, moved so that the ink has the middle that it has in the
  // images of the data.
  function image() {
    const fine = pen.getImageData(0, 0, strokes.width, strokes.height).data;
    const values = new Float32Array(width * height);
    let sum = 0, x = 0, y = 0;
    for (let row = 0; row < strokes.height; row += 1)
      for (let column = 0; column < strokes.width; column += 1) {
        const amount = Math.abs(fine[4 * (row * strokes.width + column)] / 255 - ground);
        values[Math.floor(row / FINE) * width + Math.floor(column / FINE)] += amount / FINE ** 2;
        sum += amount; x += amount * column; y += amount * row;
      }
    const [toX, toY] = data.map.middle;
    const shiftX = sum ? Math.round(toX - x / sum / FINE) : 0;
    const shiftY = sum ? Math.round(toY - y / sum / FINE) : 0;
    const result = new Float32Array(width * height * channels).fill(ground);
    for (let row = 0; row < height; row += 1)
      for (let column = 0; column < width; column += 1) {
        const [r, c] = [row + shiftY, column + shiftX];
        if (r < 0 || c < 0 || r >= height || c >= width) continue;
        const amount = values[row * width + column];
        for (let channel = 0; channel < channels; channel += 1)
          result[(r * width + c) * channels + channel] = ink ? ground + amount * (1 - ground)
            : ground - amount;
      }
    return result;
  }

  let last = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width,
      ((event.clientY - box.top) / box.height) * canvas.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    cursor.shown = false;
    last = at(event);
    stroke(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons || !last) return;
    const now = at(event);
    stroke(last, now);
    last = now;
  });
  canvas.addEventListener("pointerup", () => { last = null; });
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in moves) {
      const before = [cursor.x, cursor.y], step = FINE * (event.shiftKey ? 3 : 1);
      cursor.x = Math.min(canvas.width, Math.max(0, cursor.x + step * moves[event.key][0]));
      cursor.y = Math.min(canvas.height, Math.max(0, cursor.y + step * moves[event.key][1]));
      cursor.shown = true;
      if (cursor.down) stroke(before, [cursor.x, cursor.y]); else show();
    } else if (event.key === " ") {
      cursor.down = !cursor.down;
      cursor.shown = true;
      say(text(cursor.down ? "pen_down" : "pen_up"));
      if (cursor.down) stroke([cursor.x, cursor.y], [cursor.x, cursor.y]); else show();
    } else if (event.key === "Delete") clear();
    else return;
    event.preventDefault();
  });
  byId("clear").addEventListener("click", clear);
  clear();
}
