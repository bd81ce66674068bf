// Images on canvases.

const [height, width, channels] = data.image_shape;

// Draws floats in [0, 1] on a canvas of the size of the image; CSS magnifies it.
function paint(canvas, values) {
  canvas.width = width;
  canvas.height = height;
  canvas.classList.toggle("smooth", height > 96);
  const picture = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      const value = values[pixel * channels + (channels === 3 ? channel : 0)];
      picture.data[4 * pixel + channel] = Math.round(255 * value);
    }
    picture.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

const colours = ["#1f77b4", "#e6770b", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#d654a8",
  "#7f7f7f", "#a5a616", "#17a8b8"];
const colourOf = (label, count) =>
  count <= colours.length ? colours[label] : `hsl(${(360 * label) / count} 65% 50%)`;
