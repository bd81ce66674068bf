"""Which losses and penalties train well: small GANs on 8 and on 25 Gaussians of the plane.

A GAN ends well if its points keep all modes of the data and most of them are of a mode. Points of
high quality and the reverse KL divergence are those of PacGAN (1712.04086, section 4.1), which
counts a mode with one such point as kept; here it needs a fifth of its share.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.collapse import covered_modes
from keras_genzoo.evaluation.plane_settings import LEARNING_RATES, WEIGHTS
from keras_genzoo.evaluation.side_by_side import STEPS_AT_ONCE, new_gans, train_gans
from keras_genzoo.evaluation.theory import Mixture
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES, Penalty

# The least share of points of high quality with which a GAN ends well.
GOOD_SHARE = 0.5
BATCH_SIZE = 128
NONE = "none"


def eight_gaussians() -> Mixture:
    """Eight narrow Gaussians on a circle; neighbours are 18 deviations apart."""
    angle = np.arange(8) * np.pi / 4
    return Mixture(0.7 * np.stack([np.cos(angle), np.sin(angle)], axis=1), 0.03)


def twenty_five_gaussians() -> Mixture:
    """25 narrow Gaussians on a grid; neighbours are 13 deviations apart."""
    places = np.linspace(-0.8, 0.8, 5)
    return Mixture(np.array(list(itertools.product(places, places))), 0.03)


GAUSSIANS = {"8 Gaussians": eight_gaussians, "25 Gaussians": twenty_five_gaussians}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a GAN has learnt of a mixture of Gaussians.

    Args:
        modes: components covered, as ``Mixture.covered`` counts them.
        num_modes: components of the data.
        quality: share of points within three deviations of a component.
        reverse_kl: KL(generated || data) between the shares of the nearest components, in nats;
            None if no point is finite.
    """

    modes: int
    num_modes: int
    quality: float
    reverse_kl: float | None

    @property
    def ends_well(self) -> bool:
        """Whether all modes are covered, and ``GOOD_SHARE`` of the points are of high quality."""
        return self.modes == self.num_modes and self.quality >= GOOD_SHARE


def outcome(data: Mixture, points: np.ndarray) -> Outcome:
    """Return what points ``(n, 2)`` show of a GAN that was trained on ``data``.

    >>> data = eight_gaussians()
    >>> outcome(data, np.repeat(data.means[:4], 100, axis=0)).ends_well
    False
    """
    distances = np.linalg.norm(points[:, None] - data.means, axis=2)
    good = distances.min(axis=1) < 3 * data.deviation
    finite = np.isfinite(points).all(axis=1)
    reverse_kl = None
    if finite.any():
        counts = np.bincount(distances[finite].argmin(axis=1), minlength=len(data.means))
        reverse_kl = covered_modes(counts, np.ones_like(counts)).reverse_kl
    return Outcome(data.covered(points), len(data.means), float(good.mean()), reverse_kl)


@dataclasses.dataclass(frozen=True)
class Case:
    """GANs of several seeds with one loss and one penalty on one kind of data.

    Args:
        data: a name in ``GAUSSIANS``.
        loss: a name in ``ADVERSARIAL_LOSSES``.
        penalty: a name in ``PENALTIES``, or ``NONE``.
        outcomes: one of each seed.
    """

    data: str
    loss: str
    penalty: str
    outcomes: tuple[Outcome, ...]

    @property
    def well(self) -> int:
        """The number of seeds that end well."""
        return sum(one.ends_well for one in self.outcomes)

    def summary(self) -> dict[str, Any]:
        """Return the share that ends well, and means over the seeds, ready for JSON."""
        kls = [one.reverse_kl for one in self.outcomes if one.reverse_kl is not None]
        return {
            "data": self.data,
            "loss": self.loss,
            "penalty": self.penalty,
            "share_that_ends_well": self.well / len(self.outcomes),
            "modes": float(np.mean([one.modes for one in self.outcomes])),
            "fewest_modes": min(one.modes for one in self.outcomes),
            "quality": float(np.mean([one.quality for one in self.outcomes])),
            "reverse_kl": float(np.mean(kls)) if kls else None,
            "seeds": [dataclasses.asdict(one) for one in self.outcomes],
        }


def study_stability(
    seeds: int = 5,
    steps: int = 4000,
    seed: int = 0,
    echo: Callable[[str], None] = lambda line: None,
    *,
    losses: Sequence[str] | None = None,
    penalties: Sequence[str] | None = None,
) -> list[Case]:
    """Train GANs with each loss and penalty on each kind of data.

    What has no meaning together, such as the Wasserstein loss without a penalty, is left out.

    Args:
        seeds: GANs of each case.
        steps: updates of each network, a multiple of ``STEPS_AT_ONCE``.
        seed: random seed of weights, noise and points.
        echo: called with a line for each case.
        losses: names in ``ADVERSARIAL_LOSSES``; by default all.
        penalties: names in ``PENALTIES`` and ``NONE``; by default all.

    Raises:
        GenzooError: if a number or a name is not usable.
    """
    if seeds < 1 or steps < STEPS_AT_ONCE or steps % STEPS_AT_ONCE:
        raise GenzooError(
            f"{seeds} seeds and {steps} steps: take at least 1 seed, and a multiple of "
            f"{STEPS_AT_ONCE} steps"
        )
    losses = [ADVERSARIAL_LOSSES.check(loss) for loss in losses or ADVERSARIAL_LOSSES]
    chosen = {name: penalty_of(name) for name in penalties or [NONE, *PENALTIES]}
    mixtures = [data() for data in GAUSSIANS.values()]
    of_each_gan = [mixture for mixture in mixtures for _ in range(seeds)]
    cases = []
    for loss, penalty in itertools.product(losses, chosen):
        begun = time.monotonic()
        count = len(of_each_gan)
        try:
            model = new_gans(loss, chosen[penalty], count, steps, LEARNING_RATES, seed)
        except GenzooError as error:
            echo(f"{loss}, {penalty}: left out, {error}")
            continue
        [points] = train_gans(model, of_each_gan, [steps], BATCH_SIZE, seed)
        outcomes = [outcome(*pair) for pair in zip(of_each_gan, points, strict=True)]
        new = [
            Case(data, loss, penalty, tuple(outcomes[first : first + seeds]))
            for data, first in zip(GAUSSIANS, range(0, count, seeds), strict=True)
        ]
        words = [f"{case.well} of {seeds} end well on the {case.data}" for case in new]
        echo(f"{loss}, {penalty}: {', '.join(words)}, {time.monotonic() - begun:.0f} s")
        cases += new
    return cases


def penalty_of(name: str) -> Penalty | None:
    """Return the penalty of a name with the weight of the study; None for ``NONE``.

    Raises:
        GenzooError: if there is none of that name.
    """
    if name == NONE:
        return None
    return PENALTIES[name](*([WEIGHTS[name]] if name in WEIGHTS else []))
