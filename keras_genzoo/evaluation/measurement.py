"""A result while it is measured: it grows score by score, and is saved before the long ones."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.inputs import ModelInputs, ScoreInputs
from keras_genzoo.evaluation.other_images import OtherImages
from keras_genzoo.evaluation.score import SCORES

Save = Callable[[dict[str, Any]], object]

# Of fewer images, a Fréchet distance depends more on their number than on what they show.
FEW_IMAGES = 2_000


class Measurement:
    """What has been measured so far, and with what.

    Args:
        protocol: what is known of the measurement.
        named: whether a person named the scores: one that cannot be computed is then an error.
            Otherwise it becomes a warning and costs none of the others.
        save: called with the result so far before a score that takes minutes.

    Attributes:
        protocol: what the scores were measured with.
        scores: values by name.
        floor: the same of other real images; None if they are not measured.
        warnings: sentences.
        measured: names of the scores of images that could be computed.
    """

    def __init__(
        self, protocol: dict[str, Any], named: bool, save: Save = lambda result: None
    ) -> None:
        self.protocol, self.named, self.save = dict(protocol), named, save
        self.scores: dict[str, Any] = {}
        self.floor: dict[str, Any] | None = None
        self.warnings: list[str] = []
        self.measured: list[str] = []

    def result(self) -> dict[str, Any]:
        """Return all that is measured, ready for JSON."""
        result = {"protocol": self.protocol, "scores": self.scores, "warnings": self.warnings}
        return result if self.floor is None else {**result, "floor": self.floor}

    def finished(self) -> dict[str, Any]:
        """Return the result, which has a score.

        Raises:
            GenzooError: if it has none; says why.
        """
        if not self.scores:
            raise GenzooError(f"no score can be computed; {self.warnings[-1]}")
        return self.result()

    @contextlib.contextmanager
    def saved_at_ctrl_c(self) -> Iterator[None]:
        """Save the result so far at Ctrl-C."""
        try:
            yield
        except KeyboardInterrupt:
            self.save(self.result())
            raise

    def add_model(self, names: Iterable[str], inputs: ModelInputs) -> None:
        """Measure scores of a model, those that take minutes last.

        Raises:
            GenzooError: if a score that a person named cannot be computed.
        """
        for name in _long_ones_last(names):
            self._add(name, inputs)

    def add_images(self, names: Iterable[str], inputs: ScoreInputs) -> None:
        """Measure scores of images, those that take minutes last; note the feature network.

        Raises:
            GenzooError: if a score that a person named cannot be computed.
        """
        network, names = inputs.network, list(names)
        self.protocol["features"] = network.describe()
        self.warnings += network.warnings
        count, width = len(inputs.fake_images), inputs.real.features.shape[1]
        if count < max(FEW_IMAGES, width):
            self.warnings.append(
                f"{count:,} images are few for {width:,} features: distances come out too large; "
                "compare only numbers of one N"
            )
        if "fid" in names and inputs.has_statistics:
            self.protocol["fid_real"] = "mu and sigma as stored with the real images"
        for name in _long_ones_last(names):
            if self.named:
                SCORES.check_needs(name, inputs.available, *network.warnings)
            elif SCORES[name].needs - inputs.available:
                continue
            if self._add(name, inputs):
                self.measured.append(name)

    def add_other_images(self, others: OtherImages | None, inputs: ScoreInputs) -> None:
        """Measure other real images as if they were generated: the best that can be reached.

        Args:
            others: the images; None if there are too few.
            inputs: what the scores of the generated images were computed from.

        Raises:
            GenzooError: if a score that a person named cannot be computed.
        """
        if others is None:
            self.protocol["floor"] = (
                "none: not as many other real images are left; fewer (-n) leave more"
            )
            return
        count, generated = len(others.images), len(inputs.fake_images)
        self.protocol["floor"] = f"{others.origin}, {count:,} images"
        if count < generated:
            self.warnings.append(
                f"the column of real images is of {count:,} images and the scores of "
                f"{generated:,}: its distances come out larger than those of a perfect generator"
            )
        labels = None if inputs.fake_labels is None else others.labels
        inputs = dataclasses.replace(inputs, fake_images=others.images, fake_labels=labels)
        self.floor = {}
        for name in self.measured:
            needs = SCORES[name].needs
            if not needs - inputs.available and "train_images" not in needs:
                self._add(name, inputs, self.floor)

    def _add(
        self, name: str, inputs: ScoreInputs | ModelInputs, floor: dict[str, Any] | None = None
    ) -> bool:
        """Add the values of a score, to ``floor`` if it is given; return whether there are any."""
        score = SCORES[name]
        if floor is None and score.takes_minutes:
            self.save(self.result())
        try:
            values = score.measure(inputs)
        except GenzooError as error:
            of_others, hint = "", ""
            if floor is not None:
                of_others, hint = " of other real images", "; --no-floor leaves it out"
            words = f"the score '{name}'{of_others} cannot be computed: {error}"
            if self.named:
                raise GenzooError(words + hint) from error
            self.warnings.append(words)
            return False
        (self.scores if floor is None else floor).update(values)
        return True


def _long_ones_last(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: SCORES[name].takes_minutes)
