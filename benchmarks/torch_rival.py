"""The rival of ``torch_step``: the same networks trained the PyTorch way, channels last.

    PYTHON torch_rival.py CASE PRECISION [SEED IMAGES.npy SAMPLES.npz]

It needs torch and nothing of this project: it reads numbers of steps from the standard input, takes
them, and answers with the seconds. Given images, a DCGAN is trained on them, and at the end writes
10,000 of its own.
"""

import itertools
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

THREADS = 2
DCGANS = {"dcgan28": (28, 1, 50), "dcgan64": (64, 3, 100)}


def sizes_of(size):
    """Return the sizes that an image goes through, from large to small."""
    sizes = [size]
    while sizes[-1] > 4:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes


def generator(size, channels, filters=64, latent_dim=100):
    """Return the generator of the zoo's DCGAN."""
    *sizes, base = sizes_of(size)
    width = filters * 2 ** (len(sizes) - 1)
    layers = [nn.ConvTranspose2d(latent_dim, width, base, bias=False)]
    layers += [nn.BatchNorm2d(width), nn.ReLU(True)]
    for level in reversed(range(1, len(sizes))):
        odd = sizes[level] % 2
        out = filters * 2 ** (level - 1)
        up = nn.ConvTranspose2d(width, out, 4, 2, 1 + odd, output_padding=odd, bias=False)
        layers += [up, nn.BatchNorm2d(out), nn.ReLU(True)]
        width = out
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Tanh())


def discriminator(size, channels, filters=64):
    """Return the discriminator of the zoo's DCGAN."""
    *sizes, base = sizes_of(size)
    layers, width = [], channels
    for level, side in enumerate(sizes):
        out = filters * 2**level
        layers.append(nn.Conv2d(width, out, 4, 2, 1 + side % 2, bias=level == 0))
        layers += [nn.BatchNorm2d(out)] if level else []
        layers.append(nn.LeakyReLU(0.2, True))
        width = out
    return nn.Sequential(*layers, nn.Conv2d(width, 1, base), nn.Flatten())


def initialise(network):
    """Give a network the initial weights of the zoo's: N(0, 0.02), and biases of 0."""
    for layer in network:
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, std=0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network.to(memory_format=torch.channels_last)


def dcgan(case, images=None):
    """Return a function that takes a step of pytorch/examples' DCGAN, and the generator."""
    size, channels, batch = DCGANS[case]
    g = initialise(generator(size, channels))
    d = initialise(discriminator(size, channels))
    optimizers = [
        torch.optim.Adam(n.parameters(), 2e-4, betas=(0.5, 0.999), eps=1e-7) for n in (g, d)
    ]
    loss = functional.binary_cross_entropy_with_logits
    if images is None:
        images = np.random.default_rng(0).integers(0, 256, (batch, size, size, channels), "uint8")
    images = torch.from_numpy(images).permute(0, 3, 1, 2)
    batches = itertools.chain.from_iterable(
        torch.randperm(len(images)).split(batch) for _ in itertools.count()
    )
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)

    def step():
        rows = next(batches)
        while len(rows) < batch:
            rows = next(batches)
        real = images[rows].float() / 127.5 - 1
        d.zero_grad()
        loss(d(real).float(), ones).backward()
        fake = g(torch.randn(batch, 100, 1, 1))
        loss(d(fake.detach()).float(), zeros).backward()
        optimizers[1].step()
        g.zero_grad()
        loss(d(fake).float(), ones).backward()
        optimizers[0].step()

    return step, g


def write_samples(network, path, count=10_000):
    """Write generated images, as inference makes them."""
    network.eval()
    with torch.no_grad():
        parts = [network(torch.randn(500, 100, 1, 1)).float() for _ in range(count // 500)]
    images = ((torch.cat(parts) + 1) * 127.5).round().clamp(0, 255).byte()
    np.savez(path, images=images.permute(0, 2, 3, 1).numpy())


class VAE(nn.Module):
    """The VAE of pytorch/examples (784-400-20), or keras.io's convolutional one."""

    def __init__(self, convolutional):
        super().__init__()
        if convolutional:
            self.encoder = nn.Sequential(
                nn.Conv2d(1, 32, 3, 2, 1),
                nn.ReLU(),
                nn.Conv2d(32, 64, 3, 2, 1),
                nn.ReLU(),
                nn.Flatten(),
                nn.Linear(7 * 7 * 64, 16),
                nn.ReLU(),
            )
            self.heads = nn.ModuleList([nn.Linear(16, 2), nn.Linear(16, 2)])
            self.decoder = nn.Sequential(
                nn.Linear(2, 7 * 7 * 64),
                nn.ReLU(),
                nn.Unflatten(1, (64, 7, 7)),
                nn.ConvTranspose2d(64, 64, 3, 2, 1, 1),
                nn.ReLU(),
                nn.ConvTranspose2d(64, 32, 3, 2, 1, 1),
                nn.ReLU(),
                nn.ConvTranspose2d(32, 1, 3, 1, 1),
            )
        else:
            self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU())
            self.heads = nn.ModuleList([nn.Linear(400, 20), nn.Linear(400, 20)])
            self.decoder = nn.Sequential(
                nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Unflatten(1, (1, 28, 28))
            )

    def forward(self, x):
        """Return the negative ELBO, a mean over the batch."""
        features = self.encoder(x)
        mean, log_var = (head(features).float() for head in self.heads)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        logits = self.decoder(z).float()
        reconstruction = functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        kl = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
        return (reconstruction + kl) / len(x)


def vae(convolutional):
    """Return a function that takes a step."""
    model = VAE(convolutional).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    data = torch.randint(0, 256, (128, 1, 28, 28), dtype=torch.uint8)

    def step():
        optimizer.zero_grad()
        model(data.float() / 255).backward()
        optimizer.step()

    return step


def main(case, precision, seed=0, images=None, samples=None):
    """Answer until the input ends."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(int(seed))
    if case in DCGANS:
        step, network = dcgan(case, None if images is None else np.load(images))
    else:
        step = vae(case == "vae-convolutional")
    low = precision == "bfloat16"
    with torch.autocast("cpu", torch.bfloat16, enabled=low):
        for line in sys.stdin:
            began = time.perf_counter()
            for _ in range(int(line)):
                step()
            print(time.perf_counter() - began, flush=True)
        if samples is not None:
            write_samples(network, samples)


if __name__ == "__main__":
    main(*sys.argv[1:])
