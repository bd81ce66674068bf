"""The page: template, style, scripts, runtime, model and data in one file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.litert import converted
from keras_genzoo.export.networks import in_float32
from keras_genzoo.export.origin import describe_origin
from keras_genzoo.export.playground.material import data_at_hand, latent_map, training_images
from keras_genzoo.export.playground.parts import MOST_WITH_BOTH, blob, filled, joined, resource
from keras_genzoo.export.playground.runtime import (
    LICENCE,
    PACKAGE,
    VERSION,
    Runtime,
    open_runtime,
    runtime_script,
)
from keras_genzoo.export.playground.signatures import (
    Signature,
    decoder_of,
    encoder_of,
    principal_directions,
    velocity_network,
    velocity_of,
)
from keras_genzoo.files import new_file, writing
from keras_genzoo.markup import data_element, weights_mark
from keras_genzoo.models.averaging import keeps_last_weights, last_weights
from keras_genzoo.reading import read_json
from keras_genzoo.text import encodable
from keras_genzoo.training import Run
from keras_genzoo.training.build import Generator, load_generator
from keras_genzoo.training.variables import weights_digest

Echo = Callable[[str], None]

# Joined in this order: each uses names of those before it.
SCRIPTS = (
    *("base.js", "network.js", "pictures.js", "latents.js"),
    *("generator.js", "pen.js", "map.js", "main.js"),
)
# The page has z of so many seeds, as long as they are no more numbers than MOST_NUMBERS.
SEEDS, LEAST_SEEDS, MOST_NUMBERS = 1000, 32, 100_000


def write_playground(
    path: str | os.PathLike,
    out: str | os.PathLike | None = None,
    *,
    runtime: str | os.PathLike | None = None,
    dataset: str | os.PathLike | None = None,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> Path:
    """Write a page in which a person plays with the model of a run; return its path.

    It runs in a browser without a server or a network, loads nothing and sends nothing. Weights
    are in half precision. The page has z of the first seeds as ``genzoo sample`` draws it, so that
    the image of a seed is that of ``genzoo sample -n 1 --seed SEED`` but for the precision.

    A generator whose weights are averaged has a switch to those of its last step, unless the page
    would then take more than ``MOST_WITH_BOTH`` megabytes. A preset keeps the averaged ones alone,
    and the map of a model that encodes is of their codes, so that these have no switch.

    Args:
        path: the run folder; or the folder of an exported SavedModel, whose page has no sliders
            along principal directions, no map, and the steps of a solver that the file has.
        out: an ``.html`` file; by default ``playground.html`` in the run.
        runtime: the package of the runtime on this machine: its tarball, or the folder that it
            unpacks to. By default it is fetched once, and kept in the cache.
        dataset: where the run's images lie now, if they have moved.
        force: replace the file if it exists.
        echo: called with lines that say what is left out, and why.

    Raises:
        GenzooError: if the run has no model, it is one that a page cannot run, ``out`` exists, or
            the runtime cannot be had.
    """
    run = Run.open(path, generates=True)
    out = new_file(out or run.path / "playground.html", force, ".html")
    parts = open_runtime(runtime, echo=echo)
    model, weights = load_generator(run, echo)
    text = page_of(run, model, weights, parts, dataset, echo)
    with writing(out) as temporary:
        temporary.write_text(encodable(text), encoding="utf-8", newline="\n")
    echo(f"{out.stat().st_size / 1e6:.1f} MB")
    return out


def page_of(
    run: Run,
    model: Generator,
    weights: str,
    runtime: Runtime,
    dataset: str | os.PathLike | None = None,
    echo: Echo = lambda line: None,
) -> str:
    """Return the page of a model.

    Args:
        run: where the model comes from.
        model: the model.
        weights: which weights these are, as ``load_generator`` says.
        runtime: what runs it.
        dataset: where the run's images lie now, if they have moved.
        echo: called with lines that say what is left out, and why.

    Raises:
        GenzooError: if a page cannot run the model.
    """
    if model.image_shape[-1] not in (1, 3):
        raise GenzooError(
            f"a page shows images of 1 or 3 channels, and this model makes {model.image_shape[-1]}"
        )
    decoder, encoder, solver = decoder_of(model), encoder_of(model), None
    splits = data_at_hand(run, dataset, echo)
    directions, shares = principal_directions(model.signatures()[decoder.name], model.latent_shape)
    if model.has_solver:
        # The page takes the steps itself, so that a person sees the image form.
        decoder = velocity_of(model)
        solver = {"name": model.solver, "steps": model.solver_steps, "range": model.value_range}
    size = int(np.prod(model.latent_shape))
    seeds = min(SEEDS, max(LEAST_SEEDS, MOST_NUMBERS // size))
    table = np.stack([model.sample_latents(1, seed)[0] for seed in range(seeds)])
    training = training_images(run, splits) if model.has_prior else None
    origin = describe_origin(run, model, weights)
    data: dict[str, Any] = {
        "texts": read_json(resource("texts.json")),
        "subject": run.title,
        "run": _name(run),
        "image_shape": model.image_shape,
        "latent_shape": model.latent_shape,
        "class_names": run.class_names,
        "prior": model.has_prior,
        "decode": decoder._asdict(),
        "encode": encoder and encoder._asdict(),
        "solver": solver,
        "seeds": seeds,
        "shares": shares.tolist(),
        "reach": max(3.0, round(0.6 * float(np.sqrt(size)), 1)),
        "nearest": 0 if training is None else len(training),
        "facts": [
            ("weights", f"{origin['weights']}; in half precision"),
            ("terms", f"{origin['data']}: {origin['terms of the data']}"),
            ("runtime", f"{PACKAGE} {VERSION} ({LICENCE}), WebAssembly, one thread"),
        ],
    }
    blobs = {
        "wasm": runtime.wasm,
        "model": _network(model, decoder, encoder),
        "seeds": table.tobytes(),
        "directions": directions.tobytes(),
    }
    if training is not None:
        blobs["training"] = training.tobytes()
    if encoder is not None:
        chart = latent_map(model, splits)
        data["map"] = chart.facts
        blobs |= {"points": chart.points.tobytes(), "basis": chart.basis.tobytes()}
    scripts = [runtime.glue, runtime_script(runtime.module), joined(SCRIPTS)]
    elements = [blob(*named) for named in blobs.items()]
    last = _last_network(model, decoder, sum(map(len, [*elements, *scripts])), echo)
    data["last"] = last is not None
    elements += [last] if last else []
    content = "\n".join([data_element("page-data", data), *elements])
    mark = weights_mark(weights_digest(model)) + "\n"
    return filled("page.html", _name(run), content, scripts, mark=mark)


def _name(run: Run) -> str:
    """Return what a person calls the run, without the rest of its path."""
    return run.preset["name"] if run.preset else run.path.resolve().name


def _network(model: Generator, decoder: Signature, encoder: Signature | None) -> bytes:
    """Return the networks that the page runs, for one image a call, as a ``.tflite`` file."""
    if model.has_solver:
        networks = {decoder.name: velocity_network(model)}
    else:
        signatures = model.signatures(1)
        networks = {each.name: signatures[each.name] for each in (decoder, encoder) if each}
    plain = {name: in_float32(network) for name, network in networks.items()}
    return converted(plain, "float16")


def _last_network(model: Generator, decoder: Signature, size: int, echo: Echo) -> str | None:
    """Return the generator with the weights of its last step, as an element of the page.

    Args:
        model: the model.
        decoder: the signature that makes images.
        size: bytes of the page without it.
        echo: called with a line if it is left out, since the page would be too large.

    Returns:
        None if the model keeps one set of weights, encodes, or the page would be too large.
    """
    if model.has_encoder or not keeps_last_weights(model):
        return None
    with last_weights(model):
        element = blob("last", _network(model, decoder, None))
    megabytes = (size + len(element)) / 1e6
    if megabytes <= MOST_WITH_BOTH:
        return element
    echo(
        "the page has the averaged weights alone: with those of the last step it would take "
        f"{megabytes:.1f} MB, and {MOST_WITH_BOTH} is the most"
    )
    return None
