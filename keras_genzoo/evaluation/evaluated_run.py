"""A run whose model is evaluated, and the data that it is measured against."""

import dataclasses
import functools
import os
from typing import Any

import numpy as np

from keras_genzoo.data import DATASETS, Source, Splits
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.conditional import classes_to_make
from keras_genzoo.evaluation.features import FeatureNetwork, find_network, usual_network
from keras_genzoo.evaluation.inputs import Echo, ModelInputs, ScoreInputs, available
from keras_genzoo.evaluation.options import DEFAULT_COUNT, PRIOR, RECONSTRUCTION, Options
from keras_genzoo.evaluation.other_images import OtherImages, held_out_fifth, rest_of_split
from keras_genzoo.evaluation.samplers import SAMPLERS
from keras_genzoo.evaluation.score import SCORES
from keras_genzoo.training import Run
from keras_genzoo.training.build import Generator, load_generator
from keras_genzoo.training.preparing import splits_of
from keras_genzoo.training.variables import weights_digest

# Training images that generated ones are compared with at most; all of MNIST.
TRAIN_IMAGES = 60_000
HELD_OUT = "held out, not trained on"
TRAINED_ON = "those of training"


@dataclasses.dataclass(frozen=True)
class EvaluatedRun:
    """A run's model and the data that it is measured against, before anything is measured.

    Args:
        run: the run.
        model: its model.
        weights: which weights the model has, in words.
        data: the splits of its data.
        source: the real images to measure against.
        options: what a person asked for.
        echo: called with lines that say what takes long.
    """

    run: Run
    model: Generator
    weights: str
    data: Splits
    source: Source
    options: Options
    echo: Echo

    @classmethod
    def open(cls, path: str | os.PathLike, options: Options, echo: Echo) -> "EvaluatedRun":
        """Open a run's model and data, and check what a person asks of them.

        Raises:
            GenzooError: as ``evaluate_run`` does, where that is known before anything is measured.
        """
        run = Run.open(path, generates=True)
        model, weights = load_generator(run, echo)
        model.set_sampling(
            solver=options.solver, solver_steps=options.solver_steps, guidance=options.guidance
        )
        data = splits_of(run, options.dataset)
        opened = cls(run, model, weights, data, data.to_look_at(options.split), options, echo)
        if options.sampler != PRIOR and not model.has_encoder:
            raise GenzooError(
                f"a {type(model).__name__} draws its own noise; --sampler is for models with an "
                f"encoder{'; its solver is chosen by --solver' if model.has_solver else ''}"
            )
        if options.sampler not in (PRIOR, RECONSTRUCTION) and model.needs_labels:
            raise GenzooError(
                f"the codes of a {type(model).__name__} are of images given their class, and other "
                "samplers know no classes; leave --sampler out"
            )
        if options.sampler not in (PRIOR, RECONSTRUCTION) and not model.codes_are_latents:
            raise GenzooError(
                f"the codes of a {type(model).__name__} are drawn from its own prior; take "
                f"--sampler {PRIOR}, or {RECONSTRUCTION}"
            )
        # Asked for now because they raise if something cannot be measured.
        _ = opened.count, opened.names
        of_samples = options.sampler == PRIOR and opened.measures_images
        if of_samples and (reason := model.why_no_samples()):
            raise GenzooError(
                f"{reason}; go on with genzoo fit --resume {run.path}, or measure its "
                f"reconstructions: --sampler {RECONSTRUCTION}"
            )
        return opened

    @functools.cached_property
    def count(self) -> int:
        """Number of real images, and of generated ones."""
        return count_images(self.options, self.source)

    @functools.cached_property
    def names(self) -> list[str]:
        """The scores asked for, or the usual ones that fit."""
        what = f"this is a {type(self.model).__name__} on {self.run.settings.dataset}"
        return self.options.chosen_scores(self.available(), what)

    @property
    def measures_images(self) -> bool:
        """Whether a score is of generated images, not of the model itself."""
        return any(SCORES[name].of == "images" for name in self.names)

    @functools.cached_property
    def protocol(self) -> dict[str, Any]:
        """What is known of the measurement beforehand, ready for JSON."""
        protocol = {
            "run": str(self.run.path),
            "model": self.run.settings.model,
            "steps": int(self.model.step),
            "weights": f"{self.weights}; the last step, not one chosen by its score",
            "weights_digest": weights_digest(self.model),
            "real": f"{self.source.name}, split {self.source.split}",
            "num_real": self.count,
            "image_shape": list(self.source.image_shape),
            "seed": self.options.seed,
            "real_images_are": TRAINED_ON if self.trained_on else HELD_OUT,
        }
        if self.model.has_encoder and self.measures_images:
            protocol["sampler"] = self.options.sampler
        if sampling := self.model.sampling_in_words():
            protocol["sampling"] = sampling
        return protocol

    @property
    def trained_on(self) -> bool:
        """Whether the real images are those of training."""
        return self.source.fingerprint == self.data.train.fingerprint

    @functools.cached_property
    def network(self) -> FeatureNetwork:
        """The feature network; trained now, if it is a classifier that is not kept."""
        return find_network(self.options.features, self.data, self.echo)

    @functools.cached_property
    def real_images(self) -> tuple[np.ndarray, np.ndarray | None]:
        """The real images, and their classes if they have any."""
        images, labels = self.source.sample(self.count, self.options.seed)
        return images, labels if self.source.num_classes else None

    def available(self, features: str | None = None) -> set[str]:
        """Return names in ``NEEDS`` of what is there, by the name of a feature network."""
        dataset = self.run.settings.dataset
        return available(
            features or self.options.features or usual_network(self.data),
            real_labels=bool(self.source.num_classes),
            # Reconstructions have the classes of their images; none was asked for.
            fake_labels=self.model.needs_labels and self.options.sampler != RECONSTRUCTION,
            train_images=not self.trained_on,
            encoder=self.model.has_encoder,
            codes=not self.model.codes_are_latents,
            likelihood=self.model.has_likelihood,
            stacked_images=dataset in DATASETS and DATASETS[dataset].made_of is not None,
        )

    def model_inputs(self) -> ModelInputs:
        """Return what the scores of the model are computed from."""
        images, labels = self.real_images
        if labels is not None and labels.min(initial=0) < 0:
            labels = None
        return ModelInputs(self.model, images, self.run, self.data, self.options, self.echo, labels)

    def score_inputs(self, names: list[str]) -> tuple[ScoreInputs, dict[str, Any]]:
        """Return what scores of images are computed from, and what the protocol says of it.

        Images are generated, and the training images read if one of the scores needs them.
        """
        (images, labels), network = self.real_images, self.network
        fake_images, fake_labels, protocol = self._generate()
        protocol["num_fake"] = len(fake_images)
        train_images = None
        if not self.trained_on and any("train_images" in SCORES[name].needs for name in names):
            number = min(self.data.train.num_images, TRAIN_IMAGES)
            train_images, _ = self.data.train.sample(number, self.options.seed + 1)
            protocol["num_train"] = number
        inputs = ScoreInputs(
            images,
            fake_images,
            network,
            real_labels=labels,
            fake_labels=fake_labels,
            train_images=train_images,
            class_names=self.source.class_names,
            seed=self.options.seed,
            echo=self.echo,
        )
        return inputs, protocol

    def _generate(self) -> tuple[np.ndarray, np.ndarray | None, dict[str, Any]]:
        """Return generated images, the classes that they were asked to be, and words on these."""
        model, options, count = self.model, self.options, self.count
        if options.sampler == RECONSTRUCTION:
            return self.model_inputs().reconstructions, None, {}
        if model.needs_labels:
            _, labels = self.real_images
            labels, words = classes_to_make(labels, self.data, count, options.seed)
            images = model.generate(count, class_labels=labels, seed=options.seed)
            return images, labels, {"classes": words}
        if options.sampler == PRIOR:
            return model.generate(count, seed=options.seed), None, {}
        train = self.data.train
        train_images, _ = train.sample(min(train.num_images, DEFAULT_COUNT), options.seed)
        codes = model.code(model.encode(train_images))
        sampler = SAMPLERS[options.sampler](codes, options.seed)
        return model.decode(sampler.sample(count, options.seed)), None, {}

    def other_images(self) -> OtherImages | None:
        """Return real images to compare with; None if not as many are left.

        A perfect generator has learnt the distribution of the training images, so these are.
        """
        if self.trained_on:
            return rest_of_split(self.source, self.count, self.options.seed)
        return held_out_fifth(self.data, self.count, self.options.seed)


def count_images(options: Options, *sources: Source) -> int:
    """Return how many images of each source are measured.

    Raises:
        GenzooError: if a source has fewer than two, without which there is no score.
    """
    for source in sources:
        if source.num_images < 2:
            raise GenzooError(
                f"{source.name}, split {source.split}, has 1 image, and scores compare 2 or more "
                "of each kind; measure against more images"
            )
    return options.count or min(DEFAULT_COUNT, *(source.num_images for source in sources))
