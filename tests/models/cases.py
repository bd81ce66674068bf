"""Small cases of every registered model, none of whose arguments is the default."""

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_genzoo.models import MODELS
from keras_genzoo.models.adam import Adam

SHAPE = (16, 16, 1)


@dataclasses.dataclass(frozen=True)
class Case:
    """A small model: arguments of its constructor and of ``compile``.

    A preset runs the code of another model with other networks and losses: what does not depend on
    those is tested with the other model alone, which spares most of the time that a model costs.
    ``ready`` makes a model generate that has not been trained.
    """

    arguments: dict[str, Any]
    compile: dict[str, Any]
    preset: bool = False
    ready: Callable[[Any], Any] = lambda model: None


_AVERAGED = {"ema_decay": 0.6}
_FILTERS = {"latent_dim": 5, "generator_filters": 4, "discriminator_filters": 3, **_AVERAGED}
_TWICE = {"discriminator_steps": 2}
_MINIMAX = {"loss": "minimax", **_TWICE}
# A line for each model.
CASES = {
    "ae": Case({"latent_dim": 3, "hidden_units": (12, 7)}, {"loss": "squared_error"}),
    "vae": Case(
        {
            "latent_dim": 3,
            "hidden_units": (12, 7),
            "beta": 0.5,
            "num_samples": 2,
            "binarize": "dynamic",
        },
        {"loss": "squared_error"},
    ),
    "iwae": Case(
        {
            "latent_dim": 3,
            "hidden_units": (12, 7),
            "activation": "tanh",
            "num_samples": 4,
            "draws_at_once": 10,
            "gradient": "dreg",
        },
        {"loss": "gaussian"},
        preset=True,
    ),
    "cvae": Case({"latent_dim": 3, "hidden_units": (12, 7), "num_classes": 4, "beta": 0.5}, {}),
    "hvae": Case(
        {"latent_dim": 5, "top_dim": 2, "hidden_units": (9, 7), "num_samples": 2, **_AVERAGED}, {}
    ),
    "vqvae": Case(
        {
            "latent_dim": 3,
            "num_codes": 12,
            "filters": 4,
            "residual_blocks": 1,
            "prior_width": 8,
            "prior_blocks": 1,
            "prior_heads": 2,
            **_AVERAGED,
        },
        {"loss": "squared_error"},
        ready=lambda model: model.prior_step.assign(1),
    ),
    "gan": Case(
        {"latent_dim": 5, "generator_units": (9, 11), "discriminator_units": (13, 6), **_AVERAGED},
        _MINIMAX,
    ),
    "dcgan": Case(_FILTERS, _MINIMAX, preset=True),
    "cgan": Case({"num_classes": 4, **_FILTERS}, _MINIMAX),
    "acgan": Case({"num_classes": 4, **_FILTERS}, _MINIMAX, preset=True),
    "lsgan": Case(_FILTERS, _TWICE, preset=True),
    "wgan_gp": Case(_FILTERS, _TWICE, preset=True),
    "sngan": Case(_FILTERS, _TWICE, preset=True),
    "r3gan": Case(
        {"latent_dim": 5, "stage_filters": (4, 6), "group_filters": 2, **_AVERAGED},
        _TWICE,
        preset=True,
    ),
    "flow": Case(
        {
            "unet_filters": (4, 6),
            "time_distribution": "logit_normal",
            "solver": "heun",
            "solver_steps": 2,
            **_AVERAGED,
        },
        {},
    ),
}
GANS = [name for name in MODELS if "generator_optimizer" in MODELS[name].optimizer_defaults]
AUTOENCODERS = [name for name in MODELS if MODELS[name].has_encoder]
ALGORITHMS = [name for name, case in CASES.items() if not case.preset]
# Those that differ from others by more than the numbers of a loss.
DISTINCT = [name for name in MODELS if name not in ("lsgan", "wgan_gp")]
# Two that have between them all that models can: images in, codes, noise, labels, convolutions,
# averages. Tests marked slow take the others.
FEW = [
    next(name for name in MODELS if MODELS[name].has_likelihood),
    next(name for name in MODELS if MODELS[name].needs_labels and not MODELS[name].has_encoder),
]
# One for each training step that is written.
STEPS = list({MODELS[name].train_step: name for name in (*reversed(ALGORITHMS), *FEW)}.values())


def of(names, argument: str = "name"):
    """Parametrise by models; all but a few are slow."""
    slow = [pytest.param(name, marks=pytest.mark.slow) for name in names if name not in FEW]
    return pytest.mark.parametrize(argument, [name for name in names if name in FEW] + slow)


def networks_of(name: str) -> list[str]:
    """Return the arguments of a model that take a person's own network; images come of the last."""
    roles = ("discriminator", "generator", "encoder", "decoder", "network")
    return [role for role in roles if role in MODELS[name].arguments()]


def takes_a_loss(name: str) -> bool:
    """Whether the loss of a model can be chosen."""
    return "loss" in inspect.signature(MODELS[name].compile).parameters


def build(name: str, **arguments):
    """Return the case's model, its weights drawn from a fixed seed."""
    keras.utils.set_random_seed(7)
    settings = {"image_shape": SHAPE, "seed": 11} | CASES[name].arguments | arguments
    model = MODELS[name](**settings)
    CASES[name].ready(model)
    return model


def compiled(name: str, graph: bool = False, **arguments):
    """Return the case's model, compiled with other than default arguments.

    Eager steps spare seconds of tracing; what depends on the graph asks for it.
    """
    model = build(name, **arguments)
    model.compile(**optimizers(name), **CASES[name].compile, run_eagerly=not graph)
    return model


def optimizers(name: str) -> dict[str, keras.optimizers.Optimizer]:
    """Return optimizers with state, one for each role."""
    roles = MODELS[name].optimizer_defaults
    if "generator_optimizer" not in roles:
        return {role: Adam(2e-3, beta_1=0.7) for role in roles}
    return {
        "generator_optimizer": Adam(1e-3, beta_1=0.4),
        "discriminator_optimizer": keras.optimizers.SGD(2e-3, momentum=0.3),
    }


def images(count: int, seed: int = 0) -> np.ndarray:
    """Return random uint8 images."""
    return np.random.default_rng(seed).integers(0, 256, (count, *SHAPE), "uint8")


def data(model, count: int, seed: int = 0) -> tuple:
    """Return what ``fit`` takes: images, and labels where the model needs them."""
    labels = np.arange(count) % 4 if model.needs_labels else None
    return images(count, seed), labels


def weights(model) -> list[np.ndarray]:
    """Return every number that a next step starts from."""
    variables = list(model.variables)
    for optimizer in model.optimizers:
        variables += optimizer.variables
    return [variable.numpy() for variable in variables]


def step(model, count: int = 8, seed: int = 0, times: int = 1) -> dict[str, float]:
    """Train ``times`` steps on one batch each; return the logs of the last."""
    for index in range(times):
        logs = train(model, *data(model, count, seed + index))
    return logs


def train(model, x, y=None) -> dict[str, float]:
    """Train a step on one batch; return its logs.

    Of an eager step, ``fit`` takes half of the time to make a data set of the batch: it is left
    out where no step on replicas or in a graph depends on it.
    """
    if model.run_eagerly and model.distribute_strategy.num_replicas_in_sync == 1:
        model.reset_metrics()
        return model.train_on_batch(x, y, return_dict=True)
    history = model.fit(x, y, batch_size=len(x), shuffle=False, verbose=0).history
    return {name: values[-1] for name, values in history.items()}


def check_loading(
    name: str, path: Path, policy: str = "float32", graph: bool = False, **arguments
) -> None:
    """Check that a saved model gives the same outputs, and the same next step."""
    model = compiled(name, graph=graph, dtype=policy, **arguments)
    step(model, times=2)
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(loaded.generate(4, seed=1), model.generate(4, seed=1))
    assert loaded.get_config() == model.get_config()
    assert loaded.get_compile_config() == model.get_compile_config()
    assert step(loaded, seed=9) == step(model, seed=9)
    for ours, theirs in zip(weights(model), weights(loaded), strict=True):
        np.testing.assert_array_equal(ours, theirs)
