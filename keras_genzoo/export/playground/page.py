"""The page: template, style, scripts, runtime, model and data in one file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.litert import converted
from keras_genzoo.export.networks import in_float32
from keras_genzoo.export.origin import describe_origin
from keras_genzoo.export.playground.material import data_at_hand, latent_map, training_images
from keras_genzoo.export.playground.parts import blob, filled, joined, resource
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
    velocity_of,
)
from keras_genzoo.export.run import refuse_saved_model
from keras_genzoo.files import new_file, writing
from keras_genzoo.markup import data_element
from keras_genzoo.models import ImageModel
from keras_genzoo.reading import read_json
from keras_genzoo.text import encodable
from keras_genzoo.training import Run
from keras_genzoo.training.build import load_weights

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

    Args:
        path: the run folder.
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
    refuse_saved_model(path)
    run = Run.open(path)
    out = new_file(out or run.path / "playground.html", force, ".html")
    parts = open_runtime(runtime, echo=echo)
    model, weights = load_weights(run, echo)
    text = page_of(run, model, weights, parts, dataset, echo)
    with writing(out) as temporary:
        temporary.write_text(encodable(text), encoding="utf-8", newline="\n")
    echo(f"{out.stat().st_size / 1e6:.1f} MB")
    return out


def page_of(
    run: Run,
    model: ImageModel,
    weights: str,
    runtime: Runtime,
    dataset: str | os.PathLike | None = None,
    echo: Echo = lambda line: None,
) -> str:
    """Return the page of a model.

    Args:
        run: where the model comes from.
        model: the model.
        weights: which weights these are, as ``load_weights`` says.
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
    decoder, encoder = decoder_of(model), encoder_of(model)
    networks, solver = _networks(model, decoder, encoder), None
    splits = data_at_hand(run, dataset, echo)
    directions, shares = principal_directions(model.signatures()[decoder.name], model.latent_shape)
    if model.has_solver:
        # The page takes the steps itself, so that a person sees the image form.
        decoder, network = velocity_of(model)
        networks = {decoder.name: in_float32(network)}
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
        "model": converted(networks, "float16"),
        "seeds": table.tobytes(),
        "directions": directions.tobytes(),
    }
    if training is not None:
        blobs["training"] = training.tobytes()
    if encoder is not None:
        chart = latent_map(model, splits)
        data["map"] = chart.facts
        blobs |= {"points": chart.points.tobytes(), "basis": chart.basis.tobytes()}
    parts = [data_element("page-data", data), *(blob(*named) for named in blobs.items())]
    scripts = {
        "GLUE": runtime.glue,
        "RUNTIME": runtime_script(runtime.module),
        "SCRIPT": joined(SCRIPTS),
    }
    return filled("page.html", _name(run), "\n".join(parts), **scripts)


def _name(run: Run) -> str:
    """Return what a person calls the run, without the rest of its path."""
    return run.preset["name"] if run.preset else run.path.resolve().name


def _networks(
    model: ImageModel, decoder: Signature, encoder: Signature | None
) -> dict[str, keras.Model]:
    """Return the networks that the page runs, for one image a call, in float32."""
    networks = model.signatures(1)
    return {each.name: in_float32(networks[each.name]) for each in (decoder, encoder) if each}
