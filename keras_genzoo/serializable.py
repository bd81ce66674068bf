"""Registers the package's classes with Keras without importing them.

``keras.models.load_model`` finds a saved class by its name, such as ``keras_genzoo>VAE``. Each name
is registered with a placeholder that imports the class when Keras creates an object of it. So
``import keras_genzoo`` is enough to load saved models, and imports neither Keras nor TensorFlow.
"""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

MANIFEST = Path(__file__).with_name("manifest.json")


def classes() -> dict[str, str]:
    """Return the module of each class by its name, as the manifest lists them."""
    return json.loads(MANIFEST.read_text(encoding="utf-8"))["classes"]


class LazyClass:
    """A placeholder for a class, which is imported when Keras creates an object of it.

    Args:
        name: the name of the class.
        module: the module that defines it.
    """

    def __init__(self, name: str, module: str):
        self.name, self.module = name, module

    def from_config(self, config: dict[str, Any], **options: Any) -> Any:
        """Import the class and return the object that ``config`` describes.

        The import registers the class itself in place of this placeholder.
        """
        return getattr(importlib.import_module(self.module), self.name).from_config(
            config, **options
        )


def register_lazily() -> None:
    """Register the placeholders: now if Keras is imported, otherwise as soon as it is."""
    if hasattr(sys.modules.get("keras"), "saving"):
        _register()
    elif not any(isinstance(finder, _AfterKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterKeras())


def _register() -> None:
    known = sys.modules["keras"].saving.get_custom_objects()
    for name, module in classes().items():
        known.setdefault(f"keras_genzoo>{name}", LazyClass(name, module))


class _AfterKeras:
    """An import hook that registers the placeholders when the import of Keras has finished."""

    def __init__(self) -> None:
        self._searching = False

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> Any:
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

        def run_and_register(module: ModuleType) -> None:
            run(module)
            sys.meta_path.remove(self)
            _register()

        # The loader runs the module by it.
        spec.loader.exec_module = run_and_register  # type: ignore[method-assign]  # That is the hook.
        return spec
