"""SavedModel for TF Serving: numbered versions of a model, each whole when a server sees it."""

import errno
import functools
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.card import Card, interface, make_card
from keras_genzoo.export.inputs import Arrays, inputs_to_verify
from keras_genzoo.export.networks import check_name, float32_networks
from keras_genzoo.export.origin import record_of
from keras_genzoo.export.serving import (
    check_readme,
    check_warm_up,
    write_serving_files,
    write_warm_up,
)
from keras_genzoo.export.verify import Runner, Tolerance, verify
from keras_genzoo.files import write_json, writing_folder
from keras_genzoo.models import ImageModel
from keras_genzoo.models.exporting import input_specs
from keras_genzoo.networks import SeededNormal
from keras_genzoo.quiet import held_back_errors
from keras_genzoo.reading import read_json
from keras_genzoo.saved_models import CARD, RECORD, versions
from keras_genzoo.text import one_line
from keras_genzoo.training import Run
from keras_genzoo.training.variables import weights_digest

DEFAULT = "serving_default"
TOLERANCE = Tolerance("max", 1e-5)


def export_saved_model(
    model: ImageModel,
    base: str | Path,
    *,
    version: int | None = None,
    warm_up: Sequence[int] = (),
    check: bool = False,
    force: bool = False,
    images: np.ndarray | None = None,
    facts: dict[str, str] | None = None,
    record: dict[str, Any] | None = None,
) -> Path:
    """Write a model as the next version in ``base``, the layout that TF Serving polls.

    Beside the versions stand ``README.md`` with the calls for this model, written anew each time,
    and ``models.config`` and ``batching.config``, which are left as they are once they are there.

    Args:
        model: the model.
        base: the folder of the model's versions; its name is that of the served model.
        version: number of the version; by default the next free one.
        warm_up: batch sizes of requests that the server runs before it answers any
            (``assets.extra/tf_serving_warmup_requests``; needs tensorflow-serving-api).
        check: compare what was written with the model before it is put in place.
        force: write the server's settings anew, too, and a ``README.md`` of a person; a version
            is never replaced.
        images: real images for the comparison and the card, uint8.
        facts: what is known of the model's origin, for its card.
        record: of the run that trained the model, without which ``genzoo`` commands do not take
            the version.

    Returns:
        the folder of the version.

    Raises:
        GenzooError: if the version exists, ``base`` holds versions of something else or a person's
            ``README.md``, a package is missing, or the place cannot be written.

    >>> import tempfile
    >>> from keras_genzoo.models import GAN
    >>> model = GAN((8, 8, 1), 4, generator_units=(8,), discriminator_units=(8,))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = export_saved_model(model, Path(folder, "faces"))
    ...     loaded = tf.saved_model.load(path)
    ...     images = loaded.signatures["generate_seeded"](seed=tf.constant([3, 3], "int64"))
    >>> path.name, images["images"].shape
    ('1', TensorShape([2, 8, 8, 1]))
    """
    base = Path(base)
    name = check_name(base.resolve().name)
    networks = float32_networks(model)
    served = served_networks(networks, model.prior_signature)
    card = make_card(name, model, served, facts, images)
    check_readme(base, force)
    check_warm_up(base, card, warm_up, force)
    check_same_interface(base, card)
    path = base / str(free_version(base, version))
    try:
        with writing_folder(path) as temporary:
            write_networks(served, temporary)
            if warm_up:
                write_warm_up(temporary, card, model, warm_up)
            digest = weights_digest(model)
            content = card.to_dict() | {"step": int(model.step), "weights_digest": digest}
            if check:
                inputs = inputs_to_verify(model, images)
                content |= verify(networks, inputs, lambda: runner(temporary), TOLERANCE, str(path))
            write_json(temporary / CARD, content)
            if record is not None:
                write_json(temporary / RECORD, record)
            newest = max([int(path.name), *versions(base)])
            if newest == int(path.name):
                write_serving_files(base, card, newest, warm_up, force)
    except GenzooError:
        if version is not None or not path.exists():
            raise
        # Another export took this number meanwhile: take the next one.
        return export_saved_model(
            *(model, base),
            warm_up=warm_up,
            check=check,
            force=force,
            images=images,
            facts=facts,
            record=record,
        )
    return path


def export_version(
    model: ImageModel, folder: Path, name: str, *, run: Run, **options: Any
) -> list[Path]:
    """Write a version of the served model ``name`` in ``folder``, as ``export_saved_model`` does.

    It is the exporter of the format ``saved_model``.
    """
    return [export_saved_model(model, folder / name, record=record_of(run), **options)]


def served_networks(
    networks: dict[str, keras.Model], prior_signature: str | None
) -> dict[str, keras.Model]:
    """Return the networks that are served, by signature name.

    They are the model's own, the first of them also as ``serving_default``; where images go in,
    one with ``_uint8`` at its end takes uint8; and where z has a prior, ``generate_seeded`` makes
    the images of seeds.
    """
    uint8_networks = {
        f"{name}_uint8": _uint8_network(network)
        for name, network in networks.items()
        if "images" in network.input
    }
    seeded = {}
    if prior_signature is not None:
        seeded["generate_seeded"] = _seeded_network(networks[prior_signature])
    return {DEFAULT: next(iter(networks.values())), **networks, **uint8_networks, **seeded}


def _uint8_network(network: keras.Model) -> keras.Model:
    inputs = _inputs_like(network, images="uint8")
    unit = keras.layers.Rescaling(1 / 255, dtype="float32")(inputs["images"])
    return keras.Model(inputs, network(inputs | {"images": unit}))


def _inputs_like(network: keras.Model, **dtypes: str) -> dict[str, keras.KerasTensor]:
    """Return new inputs of a network's names, some of them of other types."""
    return {
        name: keras.Input(tensor.shape[1:], dtype=dtypes.get(name, tensor.dtype), name=name)
        for name, tensor in network.input.items()
    }


def _seeded_network(network: keras.Model) -> keras.Model:
    inputs = _inputs_like(network)
    z = inputs.pop("z")
    seeds = keras.Input((), dtype="int64", name="seed")
    size, *more = z.shape[1:]
    noise = SeededNormal(math.prod([size, *more]))(seeds)
    if more:
        noise = keras.layers.Reshape((size, *more))(noise)
    outputs = network({"z": noise, **inputs})
    return keras.Model({"seed": seeds, **inputs}, outputs)


def write_networks(networks: dict[str, keras.Model], folder: Path) -> None:
    """Write networks as the named signatures of one SavedModel.

    Raises:
        OSError: if the folder cannot be written.
    """
    archive = keras.export.ExportArchive()
    for name, network in networks.items():
        # ``add_endpoint`` finds the variables itself; ``track`` would save them twice.
        archive.add_endpoint(
            name, functools.partial(network, training=False), [input_specs(network)]
        )
    with held_back_errors(show=False):
        try:
            archive.write_out(str(folder), verbose=False)
        except tf.errors.OpError as error:
            raise _system_error(error) from error


def _system_error(error: tf.errors.OpError) -> OSError:
    """Return what the system refused, out of what TensorFlow says of it."""
    for number in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EACCES, errno.EROFS):
        if os.strerror(number) in error.message:
            return OSError(number, os.strerror(number))
    return OSError(errno.EIO, one_line(error))


def runner(folder: Path) -> Runner:
    """Return (signature, inputs) -> outputs of a SavedModel."""
    loaded = tf.saved_model.load(str(folder))

    def run(name: str, inputs: Arrays) -> Arrays:
        outputs = loaded.signatures[name](**{k: tf.constant(v) for k, v in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    return run


def free_version(base: Path, asked: int | None) -> int:
    """Return the version to write: the one asked for, or the next free one.

    Raises:
        GenzooError: if the version exists, or ``base`` is a file or itself a SavedModel.
    """
    if base.exists() and not base.is_dir():
        raise GenzooError(f"{base} is a file; versions are written into a folder")
    if (base / "saved_model.pb").exists():
        raise GenzooError(
            f"{base} is itself a SavedModel; name the folder of its versions, or another --name"
        )
    taken = versions(base)
    if asked is None:
        return max(taken, default=0) + 1
    if asked < 1:
        raise GenzooError(f"a version is at least 1, not {asked}")
    if asked in taken:
        raise GenzooError(
            f"version {asked} of {base} exists, and a server may have loaded it; leave --version "
            f"out for the next free one, {max(taken) + 1}"
        )
    return asked


def check_same_interface(base: Path, card: Card) -> None:
    """Check that the versions in ``base`` take and give what the new one does.

    Raises:
        GenzooError: if they do not: those who call the server would fail from one minute to the
            next.
    """
    for version in versions(base)[-1:]:
        try:
            last: Any = read_json(base / str(version) / CARD)
            signatures = interface(last["signatures"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise GenzooError(
                f"version {version} of {base} was not written by keras_genzoo; choose another "
                "--name"
            ) from error
        if signatures != interface(card.signatures):
            raise GenzooError(
                f"version {version} of {base}, a {last.get('model')}, takes or gives something "
                f"else than this {card.model}; choose another --name"
            )
