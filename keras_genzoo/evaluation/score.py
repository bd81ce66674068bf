"""What a score declares of itself: how it is computed, what it needs and gives, how it is shown.

Nothing here imports TensorFlow, so that the help can list the scores.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.registry import Registry

UP, DOWN, TIMES = "↑", "↓", "\N{MULTIPLICATION SIGN}"

# What a score may need, as an error names it.
NEEDS = {
    "real_labels": "real images with class labels",
    "fake_labels": "generated images with class labels",
    "train_images": "a run, and real images that are not those of its training",
    "classifier": "a feature network that classifies (classifier, inception)",
    "own_classifier": "--features classifier",
    "encoder": "a model that encodes and reconstructs images",
    "codes": "a model whose encoder gives codes of a codebook",
    "likelihood": "a model with a likelihood: an estimate of log p(x), or a posterior and a loss "
    "that is a log-likelihood, such as 'bernoulli'",
    "stacked_images": "a model of stacked images, such as stacked_mnist",
}


@dataclasses.dataclass(frozen=True)
class Display:
    """How one value of a result is shown.

    Args:
        label: its name; ``{}`` stands for the class of a value that there is one of for each.
        better: the arrow of the better direction, if there is one.
        unit: of the number as it is shown.
        scale: what the number is multiplied by when it is shown.
        spread: the value with its standard deviation or error, shown behind ±.
        interval: the value with its 95 % interval, shown in brackets.
        of_protocol: whether it says how the score was measured, such as the number of draws:
            numbers of two runs are compared only where it is the same.
    """

    label: str
    better: str = ""
    unit: str = ""
    scale: float = 1
    spread: str = ""
    interval: str = ""
    of_protocol: bool = False

    @classmethod
    def plain(cls, name: str) -> "Display":
        """Return the display of a value by its name, as it is.

        >>> Display.plain("{x}").head()
        '{x}'
        """
        return cls(name.replace("{", "{{").replace("}", "}}"))

    def head(self, item: str = "") -> str:
        """Return the label with scale, unit and arrow.

        >>> Display("KID", DOWN, scale=1000).head(), Display("PSNR", UP, "dB").head()
        ('KID × 1,000 ↓', 'PSNR (dB) ↑')
        """
        scale = f" {TIMES} {self.scale:,g}" if self.scale != 1 and self.unit != "%" else ""
        unit = f" ({self.unit})" if self.unit else ""
        return f"{self.label.format(item)}{scale}{unit} {self.better}".rstrip()


@dataclasses.dataclass(frozen=True)
class Score:
    """A score of generated images, or of a model itself.

    Args:
        compute: function of ``ScoreInputs``, or of ``ModelInputs`` if it is of the model. It
            returns a number, or values by name, and raises ``GenzooError`` where it cannot.
        of: ``"images"`` or ``"model"``. A score of images is also measured on other real images,
            for comparison.
        needs: names in ``NEEDS``, without which the score is left out, or refused if it is asked
            for.
        gives: names of its values, or how each is shown by its path in a result, such as
            ``"likelihood.elbo"``; None for a value that stands in the JSON alone. By default the
            score's own name.
        usual: whether it is measured when a person names no scores.
        takes_minutes: whether the results before it are saved first.

    Raises:
        GenzooError: if an argument is not usable.

    >>> Score(lambda inputs: float(inputs.fake_images.std())).usual
    True
    """

    compute: Callable[[Any], Any]
    of: str = "images"
    needs: Iterable[str] = ()
    gives: Mapping[str, Display | None] | Iterable[str] = ()
    usual: bool = True
    takes_minutes: bool = False

    def __post_init__(self) -> None:
        if not callable(self.compute):
            raise GenzooError(f"a score is computed by a function, not by {self.compute!r}")
        if self.of not in ("images", "model"):
            raise unknown("kind of score", self.of, ["images", "model"])
        gives = self.gives
        if isinstance(self.needs, str) or isinstance(gives, str):
            raise GenzooError("what a score needs and gives are tuples of names, not one text")
        for need in self.needs:
            if need not in NEEDS:
                raise unknown("need of a score", need, NEEDS)
        if not isinstance(gives, Mapping):
            gives = {name: Display.plain(name) for name in gives}
        object.__setattr__(self, "needs", frozenset(self.needs))
        object.__setattr__(self, "gives", dict(gives))

    @property
    def values(self) -> tuple[str, ...]:
        """Names of its values in a result, in the order in which they stand there."""
        names: dict[str, None] = {}
        assert isinstance(self.gives, Mapping)  # Made one of when it was given.
        for path, display in self.gives.items():
            beside = (display.spread, display.interval) if display else ()
            names |= {name.partition(".")[0]: None for name in (path, *beside) if name}
        return tuple(names)

    def measure(self, inputs: Any) -> dict[str, Any]:
        """Return the values by name, ready for JSON.

        Raises:
            GenzooError: if they cannot be computed, or are not those that the score declares.
        """
        try:
            computed = self.compute(inputs)
        except (GenzooError, MemoryError):
            raise
        except Exception as error:
            if getattr(self.compute, "__module__", "").startswith("keras_genzoo."):
                raise
            # A mistake in a person's own function ends in one line, as any other.
            raise GenzooError(f"{type(error).__name__}: {error}") from error
        if not isinstance(computed, Mapping):
            computed = dict.fromkeys(self.values[:1], computed)
        undeclared = set(computed) - set(self.values)
        if undeclared:
            raise GenzooError(
                f"it gives {', '.join(sorted(map(str, undeclared)))}; name that in gives="
            )
        return {name: _plain(value) for name, value in computed.items()}


def _plain(value: Any) -> Any:
    """Return numbers, arrays and what holds them as JSON takes them.

    >>> import numpy as np
    >>> _plain({"a": np.float32(0.5), "b": np.arange(2), "c": (1, None)})
    {'a': 0.5, 'b': [0, 1], 'c': [1, None]}
    """
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "numpy"):
        value = value.numpy()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or isinstance(value, str | int | float | list):
        return value
    raise GenzooError(f"it gives a {type(value).__name__}, which JSON does not hold")


class Scores(Registry):
    """The scores by name, ready for those of a person's own.

    >>> scores = Scores("score", {})
    >>> scores.register("contrast", Score(lambda inputs: inputs.fake_images.std())).values
    ('contrast',)
    """

    def register(self, name: str, entry: Score | str) -> Score | str:
        """Add a score, or the import path of one, and return it.

        Raises:
            GenzooError: if the name is taken or not usable, or the entry is no score.
        """
        if not isinstance(name, str) or not name.replace("-", "_").isidentifier():
            raise GenzooError(f"a score's name is of letters, digits, - and _, not {name!r}")
        if isinstance(entry, Score) and not entry.gives:
            entry = dataclasses.replace(entry, gives=(name,))
        if not isinstance(entry, Score | str):
            raise GenzooError(f"the score '{name}' is registered as Score(function), not {entry!r}")
        return super().register(name, entry)

    def check_values(self) -> None:
        """Check that no two scores give a value of one name.

        Raises:
            GenzooError: if two do; names them.
        """
        owners: dict[str, str] = {}
        for name in self:
            for value in self[name].values:
                if (other := owners.setdefault(value, name)) != name:
                    raise GenzooError(
                        f"the scores '{other}' and '{name}' both give the value '{value}'; "
                        f"choose another name in gives= of '{name}'"
                    )

    def check_needs(self, name: str, available: set[str], *because: str) -> None:
        """Check that all is there that a score needs.

        Args:
            name: of the score.
            available: names in ``NEEDS`` of what there is.
            *because: why something is not there, in words.

        Raises:
            GenzooError: if something is missing; says what.
        """
        missing = self[name].needs - available
        if missing:
            words = ", ".join(NEEDS[need] for need in sorted(missing))
            raise GenzooError("; ".join([f"the score '{name}' needs {words}", *because]))


# Import paths, so that listing the names imports no TensorFlow.
_IMAGES, _MODEL = "keras_genzoo.evaluation.image_scores", "keras_genzoo.evaluation.model_scores"
SCORES = Scores(
    "score",
    {
        "fid": f"{_IMAGES}:FID",
        "kid": f"{_IMAGES}:KID",
        "inception_score": f"{_IMAGES}:INCEPTION_SCORE",
        "prdc": f"{_IMAGES}:PRDC",
        "class_histogram": f"{_IMAGES}:CLASS_HISTOGRAM",
        "label_accuracy": f"{_IMAGES}:LABEL_ACCURACY",
        "fid_per_class": f"{_IMAGES}:FID_PER_CLASS",
        "gan_train": f"{_IMAGES}:GAN_TRAIN",
        "memorisation": f"{_IMAGES}:MEMORISATION",
        "augmentation_leak": f"{_IMAGES}:AUGMENTATION_LEAK",
        "parzen": f"{_IMAGES}:PARZEN",
        "reconstruction": f"{_MODEL}:RECONSTRUCTION",
        "codes": f"{_MODEL}:CODES",
        "modes": f"{_MODEL}:MODES",
        "likelihood": f"{_MODEL}:LIKELIHOOD",
    },
)
