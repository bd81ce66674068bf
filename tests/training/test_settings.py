"""Settings: every recipe is valid, every flag reaches the model."""

import dataclasses
import inspect
import json
from pathlib import Path

import click
import keras
import numpy as np
import pytest

from keras_genzoo.cli.fit import command
from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES, RECONSTRUCTION_LOSSES
from keras_genzoo.models import registry
from keras_genzoo.networks import AUGMENTATIONS, AUTOENCODER_ARCHITECTURES
from keras_genzoo.registry import Registry
from keras_genzoo.training import RECIPES, Settings, build_model, recipes, settings_for
from keras_genzoo.training.settings import AUTOENCODERS, GANS, MODELS, kind_of

SHAPE = (16, 16, 1)
OTHER = {
    "latent_dim": 3,
    "hidden_units": (12, 7),
    "beta_warmup": 7,
    "free_bits": 0.25,
    "beta": 0.5,
    "num_samples": 2,
    "binarize": "dynamic",
    "generator_units": (9, 11),
    "discriminator_units": (13, 6),
    "generator_filters": 4,
    "discriminator_filters": 3,
    "ema_decay": 0.5,
    "ema_half_life": 200.0,
    "discriminator_normalization": "layer",
    "discriminator_steps": 2,
    "penalty": "wgan_gp",
    "augmentation": "diffaugment",
}
# What a setting has no meaning without.
NEEDED = {
    "variance": {"loss": "gaussian"},
    "penalty_weight": {"penalty": "r1"},
    "warmup_steps": {"schedule": "cosine"},
}
FIELDS = dataclasses.fields(Settings)


def test_the_models_are_those_registered():
    assert set(MODELS) == set(registry.MODELS)


@pytest.mark.parametrize("name", list(RECIPES))
def test_recipes_are_valid(name):
    settings = settings_for(None, recipe=name)
    assert settings.model == RECIPES[name]["model"]
    for key, value in RECIPES[name].items():
        assert getattr(settings, key) == value
    assert settings.sample_every % settings.checkpoint_every == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RECIPES if name.endswith("digits")])
def test_recipes_build_their_model(name):
    settings = settings_for(None, recipe=name)
    model = build_model(settings, (16, 16, 1), 10)
    assert isinstance(model, registry.MODELS[settings.model])
    assert model.compiled


def test_the_thesis_settings_are_recipes():
    for name in ("dcgan-mnist", "cgan-mnist"):
        settings = settings_for(None, recipe=name)
        assert (settings.steps, settings.batch_size, settings.image_size) == (12000, 50, 28)
    settings = settings_for("dcgan", "celeb_a")
    assert (settings.steps, settings.batch_size, settings.image_size) == (50000, 100, 64)
    assert [settings_for(None, recipe=f"vae-mnist{x}").latent_dim for x in ("", "-10d")] == [2, 10]


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_settings_for_any_data(model):
    assert settings_for(model).dataset == "digits"
    assert settings_for(model, "mnist").steps == RECIPES[f"{model}-mnist"]["steps"]
    assert settings_for(model, "faces").dataset == "faces"
    assert settings_for(model, "faces").image_size is None


def test_a_model_without_a_recipe_starts_from_its_own_defaults(monkeypatch):
    left = Registry(
        "recipe", {name: RECIPES[name] for name in RECIPES if not name.startswith("ae")}
    )
    monkeypatch.setattr(recipes, "RECIPES", left)
    for dataset in ("mnist", "digits", "faces"):
        assert settings_for("ae", dataset) == Settings(model="ae", dataset=dataset)
    assert settings_for("vae", "faces").steps == 15000


@pytest.mark.parametrize("model", MODELS)
def test_the_defaults_are_those_of_the_model(model):
    model_class = registry.MODELS[model]
    settings = Settings(model=model)
    compiled = inspect.signature(model_class.compile).parameters
    arguments = model_class.arguments()
    for name in AUTOENCODER_ARCHITECTURES if model in AUTOENCODERS else ():
        arguments |= inspect.signature(AUTOENCODER_ARCHITECTURES[name]).parameters
    for role, parameters in (("model", arguments), ("compile", compiled)):
        for name, value in settings.of_role(role).items():
            assert value == parameters[name].default, name
    built = build_model(settings, SHAPE, 10)
    plain = model_class(SHAPE)
    plain.compile()
    for one, other in zip(built.optimizers, plain.optimizers, strict=True):
        assert one.get_config() | {"name": ""} == other.get_config() | {"name": ""}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model": "gan", "beta": 9.0}, "gan has no setting 'beta'; it belongs to vae"),
        ({"model": "vae", "penalty": "r1"}, "vae has no setting 'penalty'; it belongs to gan"),
        ({"model": "vae", "variance": 0.1}, "variance is that of the gaussian loss"),
        ({"model": "gan", "penalty_weight": 2.0}, "no penalty to weigh"),
        ({"warmup_steps": 5}, "warmup_steps needs a schedule"),
        (
            {"schedule": "cosine", "steps": 10, "warmup_steps": 10},
            "warmup_steps must be less than schedule_steps, which is 10",
        ),
        ({"latent_dim": "3"}, "setting 'latent_dim' must be of type int, not '3'"),
        ({"steps": 2.5}, "setting 'steps' must be of type int, not 2.5"),
        ({"steps": True}, "setting 'steps' must be of type int, not True"),
        ({"strict": 1}, "setting 'strict' must be of type bool, not 1"),
        ({"dataset": None}, "setting 'dataset' must be of type str, not None"),
        ({"model": "vae", "beta": "1"}, "setting 'beta' must be of type float, not '1'"),
        ({"model": "ae", "hidden_units": 5}, "must be of type list of integers, not 5"),
        ({"model": "ae", "hidden_units": ["5"]}, "must be of type list of integers"),
        ({"model": ["ae"]}, "setting 'model' must be of type str"),
    ],
)
def test_settings_that_would_be_dropped_or_mean_something_else_are_refused(values, words):
    ways = [lambda: Settings(**values), lambda: Settings.from_dict(values)]
    if values.get("model") not in (None, ["ae"]):
        ways.append(lambda: dataclasses.replace(Settings(model=values["model"]), **values))
    for way in ways:
        with pytest.raises(GenzooError, match=words):
            way()


def test_settings_take_what_scripts_compute():
    settings = Settings(
        model="ae",
        dataset=Path("faces"),
        steps=np.int64(3),
        learning_rate=np.float32(0.5),
        hidden_units=[np.int32(4)],
    )
    assert settings == Settings(
        model="ae", dataset="faces", steps=3, learning_rate=0.5, hidden_units=(4,)
    )
    assert json.loads(json.dumps(settings.to_dict()))["steps"] == 3
    assert settings_for("ae", Path("digits")) == settings_for("ae", "digits")
    # A default of another model's setting is none of a person's.
    assert Settings(model="gan", beta=1.0) == Settings(model="gan")


@pytest.mark.parametrize("model", MODELS)
def test_every_setting_reaches_the_model(model):
    roles = ("model", "compile")
    names = {f.name for f in Settings.fields_of(model) if f.metadata["role"] in roles}
    # The two ways of saying how fast an average forgets exclude each other.
    # Another architecture has other options: it is tested by itself.
    apart = {"loss", "ema_half_life", "architecture", "filters"}
    values = {name: OTHER[name] for name in names - apart}
    values["loss"] = "minimax" if model in GANS else "squared_error"
    default = Settings(model=model)
    assert all(getattr(default, name) != value for name, value in values.items())
    built = build_model(Settings(model=model, seed=5, **values), SHAPE, 10)
    config = built.get_config() | built.get_compile_config() | {"seed": built.seed}
    for name in ("penalty", "augmentation"):
        if name in values:
            kind = {"penalty": PENALTIES, "augmentation": AUGMENTATIONS}[name][values.pop(name)]
            assert isinstance(getattr(built, name), kind)
    for name, value in values.items():
        assert config[name] == (list(value) if isinstance(value, tuple) else value), name
    assert config["seed"] == 5
    assert tuple(config["image_shape"]) == SHAPE


@pytest.mark.parametrize("model", ["ae", "gan"])
def test_learning_rates_reach_the_optimizers(model):
    names = [f.name for f in Settings.fields_of(model) if f.name.endswith("learning_rate")]
    values = {name: 0.125 / (index + 1) for index, name in enumerate(names)}
    built = build_model(Settings(model=model, beta_1=0.25, **values), SHAPE, 10)
    rates = [float(optimizer.learning_rate) for optimizer in built.optimizers]
    assert rates == list(values.values())
    assert [optimizer.beta_1 for optimizer in built.optimizers] == [0.25] * len(rates)
    default = build_model(Settings(model=model), SHAPE, 10)
    beta_1 = 0.9 if model in AUTOENCODERS else 0.5
    assert {optimizer.beta_1 for optimizer in default.optimizers} == {beta_1}


def test_schedules_reach_the_optimizers_with_a_length_of_their_own():
    settings = settings_for("gan", steps=40, schedule="linear", warmup_steps=4, schedule_end=0.5,
                            discriminator_steps=3)  # fmt: skip
    assert settings.schedule_steps == 40
    # A run that is made longer keeps the schedule that it began with.
    longer = settings.but({"steps": 100})
    assert (longer.steps, longer.schedule_steps) == (100, 40)
    built = build_model(longer, SHAPE, None)
    for optimizer, updates in zip(built.optimizers, (1, 3), strict=True):
        optimizer.iterations.assign(22 * updates)
        assert float(optimizer.learning_rate) == pytest.approx(2e-4 * 0.75)


@pytest.mark.parametrize("model", AUTOENCODERS)
def test_an_autoencoder_of_convolutions_takes_their_options_and_no_others(model):
    settings = Settings(model, architecture="convolutional", filters=5, loss="gaussian",
                        variance=0.1, ema_decay=0.5)  # fmt: skip
    built = build_model(settings, SHAPE, None)
    config = built.get_config()
    assert (config["architecture"], config["filters"], config["ema_decay"]) == (
        "convolutional", 5, 0.5,
    )  # fmt: skip
    assert built.likelihood.get_config() == {"variance": 0.1}
    for values in ({"architecture": "convolutional", "hidden_units": (3,)}, {"filters": 5}):
        with pytest.raises(GenzooError, match="belongs to the architecture"):
            build_model(Settings(model, **values), SHAPE, None)


def test_a_weight_reaches_the_penalty_and_a_half_life_the_average():
    settings = Settings("gan", penalty="r1", penalty_weight=0.25, ema_half_life=500.0)
    built = build_model(settings, SHAPE, None)
    assert (built.penalty.weight, built.ema_half_life) == (0.25, 500.0)
    assert built.average_generator is not None
    # The recipe's own decay gives way.
    assert settings_for("dcgan", "mnist", ema_half_life=500).ema_decay == 0


def test_mixed_precision_reaches_the_model_and_nothing_else():
    model = build_model(Settings(model="ae", mixed_precision="bfloat16"), SHAPE, None)
    assert model.encoder.layers[-1].compute_dtype == "bfloat16"
    assert model.encoder.variables[0].dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"


def test_the_seed_decides_the_weights():
    def weights(seed):
        return build_model(Settings(model="ae", seed=seed), SHAPE, None).encoder.get_weights()[0]

    assert (weights(1) == weights(1)).all()
    assert not (weights(1) == weights(2)).all()


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_setting_has_a_flag(field):
    options = {parameter.name: parameter for parameter in command.params}
    option = options[field.name]
    if field.name != "model":
        assert option.opts == [f"--{field.name.replace('_', '-')}"]
        assert field.metadata["help"] in option.help
        assert all(name in option.help for name in field.metadata["models"])
    if kind_of(field) is bool:
        assert option.is_flag
        return
    text = list(field.metadata["choices"] or ["0.5" if kind_of(field) is float else "2"])[-1]
    value = option.type.convert(text, option, click.Context(command))
    model = {} if field.name == "model" else {"model": (field.metadata["models"] or MODELS)[0]}
    assert Settings.from_dict({field.name: value} | model | NEEDED.get(field.name, {}))


@pytest.mark.parametrize("name", [*ADVERSARIAL_LOSSES, *RECONSTRUCTION_LOSSES])
def test_losses_belong_to_their_models(name):
    for model in MODELS:
        if (model in GANS) == (name in ADVERSARIAL_LOSSES):
            assert Settings(model=model, loss=name).loss == name
        else:
            with pytest.raises(GenzooError, match=f"loss '{name}'"):
                Settings(model=model, loss=name)


@pytest.mark.parametrize("model", MODELS)
def test_settings_survive_json(model):
    settings = settings_for(model, steps=7)
    again = Settings.from_dict(json.loads(json.dumps(settings.to_dict())))
    assert again == settings
