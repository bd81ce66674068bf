"""The zoo's classes made known to Keras before they are imported.

``keras.models.load_model`` looks a saved class up by its name, such as ``keras_genzoo>VAE``. An
entry here stands for the class until it is asked for, so that ``import keras_genzoo`` alone is
enough, and imports neither Keras nor TensorFlow.
"""

import importlib
import sys
from typing import Any

CLASSES = {
    "Adam": "keras_genzoo.models.adam",
    "AdversarialLoss": "keras_genzoo.losses.adversarial",
    "Autoencoder": "keras_genzoo.models.autoencoder",
    "BatchNormalization": "keras_genzoo.networks.normalization",
    "Bernoulli": "keras_genzoo.losses.likelihoods",
    "CGAN": "keras_genzoo.models.cgan",
    "ContinuousBernoulli": "keras_genzoo.losses.likelihoods",
    "DCGAN": "keras_genzoo.models.dcgan",
    "DiffAugment": "keras_genzoo.networks.augmentation",
    "Dropout": "keras_genzoo.networks.randomness",
    "GAN": "keras_genzoo.models.gan",
    "Gaussian": "keras_genzoo.losses.likelihoods",
    "GradientPenalty": "keras_genzoo.losses.penalties",
    "GroupedConv2D": "keras_genzoo.networks.grouped",
    "R1": "keras_genzoo.losses.penalties",
    "R1R2": "keras_genzoo.losses.penalties",
    "R2": "keras_genzoo.losses.penalties",
    "Schedule": "keras_genzoo.models.schedules",
    "SeededNormal": "keras_genzoo.networks.randomness",
    "SpectralConv2D": "keras_genzoo.networks.spectral",
    "SpectralDense": "keras_genzoo.networks.spectral",
    "SquaredError": "keras_genzoo.losses.likelihoods",
    "VAE": "keras_genzoo.models.vae",
}


class LazyClass:
    """A class that is imported when Keras makes an object of it.

    Args:
        name: its name.
        module: where it is.
    """

    def __init__(self, name: str, module: str):
        self.name, self.module = name, module

    def from_config(self, config: dict[str, Any], **options) -> Any:
        """Return the object that ``config`` describes; the class is known by itself from then."""
        return getattr(importlib.import_module(self.module), self.name).from_config(
            config, **options
        )


def register_lazily() -> None:
    """Make the classes known to Keras: at once if it is imported, else as soon as it is."""
    if hasattr(sys.modules.get("keras"), "saving"):
        _register()
    elif not any(isinstance(finder, _AfterKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterKeras())


def _register() -> None:
    known = sys.modules["keras"].saving.get_custom_objects()
    for name, module in CLASSES.items():
        known.setdefault(f"keras_genzoo>{name}", LazyClass(name, module))


class _AfterKeras:
    """Lets the import of Keras run as ever, and registers the classes at its end."""

    def __init__(self):
        self._searching = False

    def find_spec(self, fullname, path=None, target=None):
        if fullname != "keras" or self._searching:
            return None
        from importlib import util

        self._searching = True
        try:
            spec = util.find_spec(fullname)
        finally:
            self._searching = False
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_and_register(module):
            run(module)
            sys.meta_path.remove(self)
            _register()

        spec.loader.exec_module = run_and_register
        return spec
