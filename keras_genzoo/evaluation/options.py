"""What a person may ask of an evaluation."""

import dataclasses
import os
from collections.abc import Collection, Sequence

from keras_genzoo.errors import unknown
from keras_genzoo.evaluation.features import check_name
from keras_genzoo.evaluation.likelihood import BINARIZATIONS
from keras_genzoo.evaluation.samplers import SAMPLERS
from keras_genzoo.evaluation.score import SCORES

# Not a fitted distribution: the model draws from its own prior.
PRIOR = "normal"
# No distribution at all: the real images, sent through the model and back.
RECONSTRUCTION = "reconstruction"
DEFAULT_COUNT = 10_000


@dataclasses.dataclass(frozen=True)
class Options:
    """What a person may ask of an evaluation.

    Args:
        scores: names in ``SCORES``; None takes the usual ones that fit.
        features: the feature network, as for ``find_network``.
        count: images of each kind; None takes all real ones, up to 10,000.
        split: real images to measure against; None takes ``test``, else ``validation``, else
            ``train``.
        sampler: distribution of the codes of a model with an encoder: ``normal``, or a name in
            ``SAMPLERS``; ``reconstruction`` scores the reconstructions of the real images.
        solver: of a model with a solver, another one than the run's.
        solver_steps: of such a model, another number of steps.
        guidance: of such a model with classes, another strength of guidance.
        num_samples: draws of z for each image in the likelihood.
        binarization: how pixels become 0 or 1 in the likelihood; by default as for
            ``model_likelihood``.
        floor: also score other real images, as the best that a generator can reach.
        seed: random seed of all that is drawn.
        dataset: of a run whose images have moved, where they lie now.

    Raises:
        GenzooError: if a name is unknown.
    """

    scores: Sequence[str] | None = None
    features: str | None = None
    count: int | None = None
    split: str | None = None
    sampler: str = PRIOR
    solver: str | None = None
    solver_steps: int | None = None
    guidance: float | None = None
    num_samples: int = 500
    binarization: str | None = None
    floor: bool = True
    seed: int = 0
    dataset: str | os.PathLike | None = None

    def __post_init__(self) -> None:
        named: list[tuple[str, str | None, Collection[str]]] = [
            *(("score", name, SCORES) for name in self.scores or ()),
            ("sampler", self.sampler, [PRIOR, RECONSTRUCTION, *SAMPLERS]),
            ("binarisation", self.binarization, BINARIZATIONS),
        ]
        for kind, name, known in named:
            if name is not None and name not in known:
                raise unknown(kind, name, known)
        if self.features is not None:
            check_name(self.features)

    @property
    def names_scores(self) -> bool:
        """Whether a person named the scores: what cannot be measured is then an error."""
        return self.scores is not None

    def chosen_scores(self, available: set[str], *because: str) -> list[str]:
        """Return the names of the scores asked for, or of the usual ones that fit.

        Args:
            available: names in ``NEEDS`` of what there is.
            *because: why something is not there, in words.

        Raises:
            GenzooError: if a score that was asked for needs what is not there.
        """
        SCORES.check_values()
        if self.scores is None:
            usual = [name for name in SCORES if SCORES[name].usual]
            return [name for name in usual if not SCORES[name].needs - available]
        for name in self.scores:
            SCORES.check_needs(name, available, *because)
        return list(self.scores)
