"""Models to and from presets: folders that plain Keras reads, with weights of 16 bits."""

import os
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.files import json_text, new_folder, writing_folder
from keras_genzoo.presets import (
    KERAS_FILES,
    PRESET_FILES,
    bundled_presets,
    find_preset,
    keras_archive,
)
from keras_genzoo.presets.hubs import fetch, is_address
from keras_genzoo.reading import parse_json

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras import Model as Joined

    from keras_genzoo.models.base import ImageModel
else:
    Joined = object

# Larger values than float16 holds stay float32.
_MOST_FLOAT16 = 65504.0


class Presets(Joined):
    """What a model adds to ``keras.Model`` to be given away."""

    def save_to_preset(
        self, folder: str | os.PathLike, *, dtype: str = "float16", force: bool = False
    ) -> None:
        """Write the model as a preset: a folder for ``from_preset``, and for plain Keras.

        It holds the networks, also those that only training needs, but no state of optimizers: the
        loaded model is not compiled. Where weights are averaged, the averages stand for the last
        weights, too. ``keras.saving.load_model(folder)`` opens it, too, once
        ``keras_genzoo.models`` is imported.

        Args:
            folder: the folder, which must be new or empty.
            dtype: how weight matrices and kernels are stored; biases and statistics stay float32.
                Loaded weights have the model's own type.
            force: replace a preset that is there; a folder with any other file is kept.

        Raises:
            GenzooError: if the type is unknown, the folder exists, holds other files than those of
                a preset, or cannot be written.

        >>> import pathlib, tempfile
        >>> from keras_genzoo.models import GAN, from_preset
        >>> model = GAN((8, 8, 1), 4, generator_units=(8,), discriminator_units=(8,))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save_to_preset(pathlib.Path(folder) / "tiny")
        ...     from_preset(pathlib.Path(folder) / "tiny").generate(2, seed=0).shape
        (2, 8, 8, 1)
        """
        if dtype not in ("float16", "float32"):
            raise unknown("dtype", dtype, ["float16", "float32"])
        folder = Path(folder)
        if folder.exists() and not force and (folder.is_file() or any(folder.iterdir())):
            raise GenzooError(f"{folder} exists; choose another folder")
        new_folder(folder, force, *PRESET_FILES)
        with writing_folder(folder, replace=force) as fresh:
            self.write_preset(fresh, dtype)

    def write_preset(self, folder: Path, dtype: str = "float16") -> None:
        """Write Keras' files of a preset into an existing folder."""
        with tempfile.TemporaryDirectory() as temporary:
            whole = Path(temporary) / "model.keras"
            self.save(whole)
            with zipfile.ZipFile(whole) as archive:
                archive.extractall(temporary, KERAS_FILES)
            config = parse_json((Path(temporary) / "config.json").read_bytes())
            config.pop("compile_config", None)
            (folder / "config.json").write_text(json_text(config), encoding="utf-8")
            (folder / "metadata.json").write_bytes((Path(temporary) / "metadata.json").read_bytes())
            old, new = (place / KERAS_FILES[-1] for place in (Path(temporary), folder))
            _copy_weights(old, new, vars(self), dtype)

    @classmethod
    def from_preset(cls, preset: str | os.PathLike) -> Self:
        """Return the model of a preset; ``keras_genzoo.models.from_preset`` takes any class.

        Args:
            preset: name of a preset of the package, a folder, or the address of a folder at a hub,
                as ``hf://USER/MODEL`` or ``kaggle://USER/MODEL/keras/VARIATION``.

        Raises:
            GenzooError: if there is no such preset, it is damaged, holds code, or a model of
                another class.
        """
        model = from_preset(preset)
        if not isinstance(model, cls):
            raise GenzooError(
                f"{preset} holds a {type(model).__name__}, not a {cls.__name__}; "
                "keras_genzoo.models.from_preset opens any"
            )
        return model


def from_preset(preset: str | os.PathLike) -> "ImageModel":
    """Return the model of a preset, of whatever class it is; it is not compiled.

    Code in a preset, such as that of a Lambda layer, is refused and not run.

    Args:
        preset: name of a preset of the package, a folder, or the address of a folder at a hub, as
            ``hf://USER/MODEL`` or ``kaggle://USER/MODEL/keras/VARIATION``.

    Raises:
        GenzooError: if there is no such preset, it is damaged, or it holds code.
    """
    # The module of load_model needs the class that this one is a part of.
    from keras_genzoo.models.loading import load_model

    folder = _folder(os.fspath(preset))
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "model.keras"
        file.write_bytes(keras_archive(folder))
        try:
            return load_model(file)
        except GenzooError as error:
            raise GenzooError(str(error).replace(str(file), str(preset))) from error


def _folder(preset: str) -> Path:
    """Return the folder of a preset, fetched first if it is the address of one.

    Raises:
        GenzooError: if there is none, or it cannot be fetched.
    """
    if is_address(preset):
        return fetch(preset)
    if Path(preset).is_dir():
        return Path(preset)
    return find_preset(preset) or _unknown(preset)


def _unknown(preset: str) -> NoReturn:
    raise unknown("preset", preset, bundled_presets())


def _copy_weights(source: Path, target: Path, attributes: Iterable[str], dtype: str) -> None:
    """Copy an HDF5 file of a model's weights, larger arrays as ``dtype``.

    Its groups are named as the attributes of the model. Optimizers are left out, and a network with
    an average becomes a second name of the average.
    """
    import h5py
    import numpy as np

    averages = {f"average_{name}": name for name in attributes}

    def copied(name: str, item: Any) -> None:
        role = name.split("/")[0]
        if role.endswith("optimizer") or role in averaged:
            return
        if isinstance(item, h5py.Group):
            new.require_group(name).attrs.update(item.attrs)
            return
        values = item[()]
        # Statistics of batch normalisation may lie below what float16 resolves.
        if values.dtype == np.float32 and values.ndim > 1:
            fits = not values.size or np.abs(values).max() <= _MOST_FLOAT16
            values = values.astype(dtype) if fits else values
        packed = {"compression": "gzip", "shuffle": True} if values.size > 1024 else {}
        new.create_dataset(name, data=values, **packed).attrs.update(item.attrs)

    with h5py.File(source, "r") as old, h5py.File(target, "w") as new:
        averaged = {averages[group] for group in old if group in averages}
        new.attrs.update(old.attrs)
        old.visititems(copied)
        for name in averaged:
            new[name] = new[f"average_{name}"]
