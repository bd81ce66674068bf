"""How scores are shown: label, which way is better, unit and scale; files keep the bare numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras_genzoo.classes import MOST_CLASSES

UP, DOWN, TIMES = "↑", "↓", "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True)
class Display:
    """How one value of a result is shown.

    Args:
        label: its name; ``{}`` stands for the class of a value that there is one of for each.
        better: the arrow of the better direction, if there is one.
        unit: of the number as it is shown.
        scale: what the number is multiplied by when it is shown.
        spread: the value with its standard deviation or error, shown behind ±.
        interval: the value with its 95 % interval, shown in brackets.
    """

    label: str
    better: str = ""
    unit: str = ""
    scale: float = 1
    spread: str = ""
    interval: str = ""

    def head(self, item: str = "") -> str:
        """Return the label with scale, unit and arrow.

        >>> Display("KID", DOWN, scale=1000).head(), Display("PSNR", UP, "dB").head()
        ('KID × 1,000 ↓', 'PSNR (dB) ↑')
        """
        scale = f" {TIMES} {self.scale:,g}" if self.scale != 1 and self.unit != "%" else ""
        unit = f" ({self.unit})" if self.unit else ""
        return f"{self.label.format(item)}{scale}{unit} {self.better}".rstrip()


def _share(label: str, better: str, interval: str = "") -> Display:
    return Display(label, better, "%", 100, interval=interval)


# By the path of a value in a result: the order of the rows is that of the result.
DISPLAYS: Mapping[str, Display] = {
    "fid": Display("FID", DOWN),
    "kid": Display("KID", DOWN, scale=1000, spread="kid_std"),
    "kid_subsets": Display("KID: subsets of images"),
    "inception_score": Display("Inception Score", UP, spread="inception_score_std"),
    "precision": Display("precision", UP),
    "recall": Display("recall", UP),
    "density": Display("density", UP),
    "coverage": Display("coverage", UP),
    "class_histogram_distance": _share("images in another class than real ones would be", DOWN),
    "label_accuracy": _share("label accuracy", UP, "label_accuracy_95"),
    "gan_train": _share("GAN-train accuracy", UP, "gan_train_95"),
    "fid_per_class": Display("FID of class {}", DOWN),
    "fid_per_class_fewest_images": Display("FID by class: fewest images of a class"),
    "memorised_share": _share("memorised images", DOWN),
    "nearest_distance_ratio": Display("distance to training images, 1 for real images"),
    "parzen_log_likelihood": Display(
        "Parzen log-likelihood", UP, "nats", spread="parzen_standard_error"
    ),
    "parzen_bandwidth": Display("Parzen bandwidth"),
    "reconstruction.mse": Display("reconstruction MSE", DOWN),
    "reconstruction.psnr": Display("reconstruction PSNR", UP, "dB"),
    "reconstruction.ssim": Display("reconstruction SSIM", UP),
    "reconstruction.bce": Display("reconstruction BCE", DOWN, "nats"),
    "modes.covered": Display("modes covered", UP),
    "modes.num_modes": Display("modes of the data"),
    "modes.reverse_kl": Display("KL(generated || real)", DOWN, "nats"),
    "modes.num_images": Display("images that modes are counted in"),
    "likelihood.log_likelihood": Display("log-likelihood", UP, "nats"),
    "likelihood.elbo": Display("ELBO", UP, "nats"),
    "likelihood.reconstruction": Display("ELBO: reconstruction term", unit="nats"),
    "likelihood.kl": Display("ELBO: KL term", unit="nats"),
    "likelihood.active_units": Display("active latent units"),
    "likelihood.latent_dim": Display("latent units"),
    "likelihood.num_samples": Display("likelihood: draws of z for an image"),
    "likelihood.binarization": Display("likelihood: binarization"),
    "likelihood.num_images": Display("likelihood: images"),
}
# Shown beside another value, not in a row of their own.
_BESIDE = {
    name for display in DISPLAYS.values() for name in (display.spread, display.interval) if name
}


def score_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the scores of a result in words: (score, value, value of real images).

    Histograms, and scores of each of more than 20 classes, are left out, and so is what is shown
    beside another value. A value that this version does not know goes by its name in the file.

    >>> score_rows({"scores": {"kid": 0.00125, "kid_std": 0.0002}, "floor": {"kid": 0.0001}})
    [('KID × 1,000 ↓', '1.25 ± 0.2', '0.1')]
    """
    scores, floor = _flat(result["scores"]), _flat(result.get("floor", {}))
    rows = []
    for name in scores:
        if name not in _BESIDE:
            display, item = _display(name)
            values = (_in_words(display, name, part) for part in (scores, floor))
            rows.append((display.head(item), *values))
    return rows


def score_table(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return ``score_rows`` below their heads; the column of real images only if it has a value.

    >>> score_table({"scores": {"fid": 1.5}})
    [('score', 'value'), ('FID ↓', '1.5')]
    """
    rows = [("score", "value", "real images"), *score_rows(result)]
    return rows if any(row[2] for row in rows[1:]) else [row[:2] for row in rows]


def _display(name: str) -> tuple[Display, str]:
    """Return how a value is shown, and the class that it belongs to, if any."""
    if name in DISPLAYS:
        return DISPLAYS[name], ""
    whole, _, item = name.partition(".")
    if "{}" in DISPLAYS.get(whole, Display("")).label:
        return DISPLAYS[whole], item
    return Display(name.replace("{", "{{").replace("}", "}}")), ""


def _in_words(display: Display, name: str, values: Mapping[str, Any]) -> str:
    if name not in values:
        return ""
    text = _number(values[name], display.scale)
    spread, interval = values.get(display.spread), values.get(display.interval)
    if isinstance(spread, float):
        text += f" ± {_number(spread, display.scale, 2)}"
    if isinstance(interval, list):
        text += f" ({_number(interval, display.scale)})"
    return text


def _number(value: Any, scale: float, digits: int = 5) -> str:
    if value is None:
        return "not finite"
    if isinstance(value, float):
        return f"{value * scale:.{digits}g}" if math.isfinite(value) else "not finite"
    if isinstance(value, list):
        return " to ".join(_number(item, scale, digits) for item in value)
    return str(value)


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if name == "class_histogram" or (isinstance(value, dict) and len(value) > MOST_CLASSES):
            continue
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
