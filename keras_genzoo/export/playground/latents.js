// Arithmetic of latents, as keras_genzoo.models.latent has it.

const norm = (a) => Math.sqrt(a.reduce((sum, v) => sum + v * v, 0));

// The point at t from a to b along the great circle, with the length changing evenly.
function spherical(a, b, t) {
  const lengths = [norm(a), norm(b)];
  const product = a.reduce((sum, v, i) => sum + v * b[i], 0);
  const cosine = Math.min(1, Math.max(-1, product / Math.max(lengths[0] * lengths[1], 1e-12)));
  const angle = Math.acos(cosine);
  // Through the origin, or nearly parallel, there is no single great circle.
  if (Math.min(...lengths) < 1e-12 || Math.sin(angle) < 1e-6)
    return a.map((v, i) => (1 - t) * v + t * b[i]);
  const length = (1 - t) * lengths[0] + t * lengths[1];
  const from = (length * Math.sin((1 - t) * angle)) / (Math.sin(angle) * lengths[0]);
  const to = (length * Math.sin(t * angle)) / (Math.sin(angle) * lengths[1]);
  return a.map((v, i) => from * v + to * b[i]);
}

// scale * z + the sum of amounts along directions, which are rows of a matrix.
function moved(z, scale, directions, amounts) {
  const result = z.map((v) => scale * v);
  amounts.forEach((amount, row) => {
    if (amount) for (let i = 0; i < z.length; i += 1)
      result[i] += amount * directions[row * z.length + i];
  });
  return result;
}
