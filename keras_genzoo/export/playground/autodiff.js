// Matrices with derivatives of any order: the derivative of a node is made of nodes again.

class Node {
  // values: row by row. pull(g) gives the derivative for each parent from that of this node.
  constructor(rows, columns, values, parents = [], pull = null) {
    Object.assign(this, { rows, columns, values, parents, pull });
  }
  get value() { return this.values[0]; }
}

const constant = (rows, columns, values) => new Node(rows, columns, Float64Array.from(values));
const filled = (rows, columns, value) =>
  new Node(rows, columns, new Float64Array(rows * columns).fill(value));

function elementwise(a, f, pull) {
  const values = new Float64Array(a.values.length);
  for (let i = 0; i < values.length; i += 1) values[i] = f(a.values[i]);
  const node = new Node(a.rows, a.columns, values, [a], (g) => [pull(g, node)]);
  return node;
}
const scale = (a, by) => elementwise(a, (v) => by * v, (g) => scale(g, by));
const shift = (a, by) => elementwise(a, (v) => v + by, (g) => g);
const inverse = (a) => elementwise(a, (v) => 1 / v, (g, y) => multiply(g, scale(multiply(y, y), -1)));
const root = (a) => elementwise(a, Math.sqrt, (g, y) => multiply(g, scale(inverse(y), 0.5)));
const tanh = (a) => elementwise(a, Math.tanh,
  (g, y) => multiply(g, shift(scale(multiply(y, y), -1), 1)));
const sigmoid = (a) => elementwise(a, (v) => 1 / (1 + Math.exp(-v)),
  (g, y) => multiply(g, multiply(y, shift(scale(y, -1), 1))));
const softplus = (a) => elementwise(a, (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))),
  (g) => multiply(g, sigmoid(a)));
// max(v, slope * v); its derivative is a constant on each side.
const leaky = (a, slope) => elementwise(a, (v) => (v > 0 ? v : slope * v), (g) =>
  multiply(g, constant(a.rows, a.columns, a.values.map((v) => (v > 0 ? 1 : slope)))));
const square = (a) => multiply(a, a);

function pairwise(a, b, f, pull) {
  const values = new Float64Array(a.values.length);
  for (let i = 0; i < values.length; i += 1) values[i] = f(a.values[i], b.values[i]);
  return new Node(a.rows, a.columns, values, [a, b], pull);
}
const add = (a, b) => pairwise(a, b, (v, w) => v + w, (g) => [g, g]);
const subtract = (a, b) => pairwise(a, b, (v, w) => v - w, (g) => [g, scale(g, -1)]);
function multiply(a, b) {
  return pairwise(a, b, (v, w) => v * w, (g) => [multiply(g, b), multiply(g, a)]);
}

function transpose(a) {
  const values = new Float64Array(a.values.length);
  for (let i = 0; i < a.rows; i += 1)
    for (let j = 0; j < a.columns; j += 1) values[j * a.rows + i] = a.values[i * a.columns + j];
  return new Node(a.columns, a.rows, values, [a], (g) => [transpose(g)]);
}
function product(a, b) {
  const values = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i += 1)
    for (let k = 0; k < a.columns; k += 1) {
      const v = a.values[i * a.columns + k];
      for (let j = 0; j < b.columns; j += 1) values[i * b.columns + j] += v * b.values[k * b.columns + j];
    }
  return new Node(a.rows, b.columns, values, [a, b],
    (g) => [product(g, transpose(b)), product(transpose(a), g)]);
}
// Sums down the rows to (1, columns), or along the columns to (rows, 1), and back.
const sumRows = (a) => product(filled(1, a.rows, 1), a);
const sumColumns = (a) => product(a, filled(a.columns, 1, 1));
const spreadRows = (a, rows) => product(filled(rows, 1, 1), a);
const mean = (a) => scale(sumColumns(sumRows(a)), 1 / a.values.length);

// The derivatives of a (1, 1) node with respect to nodes, as nodes.
function gradients(output, wanted) {
  const order = [], seen = new Set();
  (function visit(node) {
    if (seen.has(node)) return;
    seen.add(node);
    node.parents.forEach(visit);
    order.push(node);
  })(output);
  const found = new Map([[output, filled(1, 1, 1)]]);
  for (const node of order.reverse()) {
    const g = found.get(node);
    if (!g || !node.pull) continue;
    node.pull(g).forEach((part, i) => {
      const parent = node.parents[i], before = found.get(parent);
      found.set(parent, before ? add(before, part) : part);
    });
  }
  return wanted.map((node) => found.get(node) ?? filled(node.rows, node.columns, 0));
}
