// A small GAN on points of the plane, with the losses and penalties of keras_genzoo.losses.

const UNITS = 48, NOISE = 8, BATCH = 64, SLOPE = 0.2, TINY = 1e-12;

// Random numbers that a seed repeats (mulberry32), and normal ones (Box and Muller).
function randomNumbers(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

const MIXTURES = {
  ring: { deviation: 0.06, means: Array.from({ length: 8 }, (_, i) =>
    [0.7 * Math.cos((i * Math.PI) / 4), 0.7 * Math.sin((i * Math.PI) / 4)]) },
  grid: { deviation: 0.04, means: Array.from({ length: 25 }, (_, i) =>
    [0.4 * (i % 5) - 0.8, 0.4 * Math.floor(i / 5) - 0.8]) },
  pair: { deviation: 0.12, means: [[-0.5, 0], [0.5, 0]] },
};

// How many components have points: a fifth of their share or more, within three deviations.
function covered({ means, deviation }, points) {
  const counts = means.map(() => 0), total = points.rows;
  for (let row = 0; row < total; row += 1) {
    const [x, y] = points.values.subarray(2 * row, 2 * row + 2);
    const far = means.map(([a, b]) => Math.hypot(x - a, y - b)), least = Math.min(...far);
    if (least < 3 * deviation) counts[far.indexOf(least)] += 1;
  }
  return counts.filter((count) => count >= total / means.length / 5).length;
}

// Losses on logits (batch, 1): of the discriminator, and of the generator.
const LOSSES = {
  non_saturating: {
    discriminator: (real, fake) => add(mean(softplus(scale(real, -1))), mean(softplus(fake))),
    generator: (fake) => mean(softplus(scale(fake, -1))),
    probability: true,
  },
  minimax: {
    discriminator: (real, fake) => LOSSES.non_saturating.discriminator(real, fake),
    generator: (fake) => scale(mean(softplus(fake)), -1),
    probability: true,
  },
  least_squares: {
    discriminator: (real, fake) =>
      scale(add(mean(square(shift(real, -1))), mean(square(fake))), 0.5),
    generator: (fake) => scale(mean(square(shift(fake, -1))), 0.5),
  },
  hinge: {
    discriminator: (real, fake) => add(mean(leaky(shift(scale(real, -1), 1), 0)),
      mean(leaky(shift(fake, 1), 0))),
    generator: (fake) => scale(mean(fake), -1),
  },
  wasserstein: {
    discriminator: (real, fake) => subtract(mean(fake), mean(real)),
    generator: (fake) => scale(mean(fake), -1),
  },
  relativistic: {
    discriminator: (real, fake) => mean(softplus(subtract(fake, real))),
    generator: (fake, real) => mean(softplus(subtract(real, fake))),
  },
};

// The squared length of the gradient of each logit with respect to its own point, (batch, 1).
function squaredSlopes(critic, points) {
  const inputs = constant(points.rows, points.columns, points.values);
  const logits = critic(inputs);
  const [slopes] = gradients(sumColumns(sumRows(logits)), [inputs]);
  return sumColumns(square(slopes));
}

// Penalties of the discriminator, of (critic, real, fake, uniform), before their weight.
const PENALTIES = {
  none: null,
  r1: (critic, real) => scale(mean(squaredSlopes(critic, real)), 0.5),
  r2: (critic, real, fake) => scale(mean(squaredSlopes(critic, fake)), 0.5),
  "r1+r2": (critic, real, fake) => add(PENALTIES.r1(critic, real), PENALTIES.r2(critic, real, fake)),
  wgan_gp: (critic, real, fake, uniform) => {
    const between = new Float64Array(real.values.length);
    for (let row = 0; row < real.rows; row += 1) {
      const share = uniform();
      for (let i = 2 * row; i < 2 * row + 2; i += 1)
        between[i] = share * real.values[i] + (1 - share) * fake.values[i];
    }
    const norms = root(shift(squaredSlopes(critic, constant(real.rows, 2, between)), TINY));
    return mean(square(shift(norms, -1)));
  },
};

// A network of two hidden layers; its weights are nodes that Adam changes in place.
class Network {
  constructor(sizes, last, random) {
    this.last = last;
    this.weights = [];
    this.moments = [];
    for (let i = 1; i < sizes.length; i += 1) {
      const bound = Math.sqrt(6 / (sizes[i - 1] + sizes[i]));
      this.weights.push(constant(sizes[i - 1], sizes[i], Array.from(
        { length: sizes[i - 1] * sizes[i] }, () => bound * (2 * random.uniform() - 1))));
      this.weights.push(filled(1, sizes[i], 0));
    }
    this.updates = 0;
  }
  call(x) {
    for (let i = 0; i < this.weights.length; i += 2) {
      x = add(product(x, this.weights[i]), spreadRows(this.weights[i + 1], x.rows));
      x = i + 2 < this.weights.length ? leaky(x, SLOPE) : this.last(x);
    }
    return x;
  }
  // One update of Adam (1412.6980).
  update(loss, rate, beta1 = 0.5, beta2 = 0.999) {
    const found = gradients(loss, this.weights);
    this.updates += 1;
    const size = (rate * Math.sqrt(1 - beta2 ** this.updates)) / (1 - beta1 ** this.updates);
    this.weights.forEach((weight, i) => {
      this.moments[i] ??= [new Float64Array(weight.values.length), new Float64Array(weight.values.length)];
      const [first, second] = this.moments[i], g = found[i].values;
      for (let j = 0; j < g.length; j += 1) {
        first[j] = beta1 * first[j] + (1 - beta1) * g[j];
        second[j] = beta2 * second[j] + (1 - beta2) * g[j] * g[j];
        weight.values[j] -= (size * first[j]) / (Math.sqrt(second[j]) + 1e-7);
      }
    });
  }
}

class PlaneGan {
  // settings: data, loss, penalty, weight, discriminator_steps, rates of both; read at each step.
  constructor(settings, seed) {
    this.settings = settings;
    this.random = randomNumbers(seed);
    // What is looked at draws of its own, so that looking does not change the training.
    this.shown = randomNumbers(seed + 1);
    this.generator = new Network([NOISE, UNITS, UNITS, 2], tanh, this.random);
    this.discriminator = new Network([2, UNITS, UNITS, 1], (x) => x, this.random);
    this.steps = 0;
  }
  real(count, random = this.random) {
    const { means, deviation } = MIXTURES[this.settings.data], values = [];
    for (let row = 0; row < count; row += 1)
      for (const middle of means[Math.floor(means.length * random.uniform())])
        values.push(Math.min(1, Math.max(-1, middle + deviation * random.normal())));
    return constant(count, 2, values);
  }
  noise(count, random = this.random) {
    return constant(count, NOISE, Array.from({ length: count * NOISE }, random.normal));
  }
  fake(count, random = this.random) {
    const made = this.generator.call(this.noise(count, random));
    return constant(count, 2, made.values);
  }
  // The discriminator's updates, then one of the generator; returns losses and mean logits.
  step() {
    const { loss, penalty, weight, discriminator_steps, rates } = this.settings;
    const critic = (points) => this.discriminator.call(points);
    let real, discriminatorLoss, logits;
    for (let i = 0; i < discriminator_steps; i += 1) {
      real = this.real(BATCH);
      const fake = this.fake(BATCH);
      logits = [critic(real), critic(fake)];
      discriminatorLoss = LOSSES[loss].discriminator(...logits);
      const term = PENALTIES[penalty];
      const whole = term ? add(discriminatorLoss,
        scale(term(critic, real, fake, this.random.uniform), weight)) : discriminatorLoss;
      this.discriminator.update(whole, rates.discriminator);
    }
    const fakeLogits = critic(this.generator.call(this.noise(BATCH)));
    const generatorLoss = LOSSES[loss].generator(fakeLogits, critic(real));
    this.generator.update(generatorLoss, rates.generator);
    this.steps += 1;
    return { discriminator: discriminatorLoss.value, generator: generatorLoss.value,
      real: logits[0], fake: logits[1] };
  }
  // Where the generator is told to move its points: minus the gradient of its loss.
  pulls(points, real) {
    const inputs = constant(points.rows, 2, points.values);
    const loss = LOSSES[this.settings.loss].generator(
      this.discriminator.call(inputs), this.discriminator.call(real));
    return gradients(loss, [inputs])[0].values.map((v) => -v);
  }
}
