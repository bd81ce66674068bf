"""Settings: every recipe is valid, every flag reaches the model."""

import json
import typing
from pathlib import Path
from typing import Annotated

import click
import keras
import numpy as np
import pytest

from keras_genzoo import serializable
from keras_genzoo.arguments import FINITE, arguments_of, options_of
from keras_genzoo.cli.fit import command
from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import (
    ADVERSARIAL_LOSSES,
    PENALTIES,
    RECONSTRUCTION_LOSSES,
    Gaussian,
    Penalty,
)
from keras_genzoo.models import GAN, MODELS
from keras_genzoo.networks import AUGMENTATIONS, AUTOENCODER_ARCHITECTURES
from keras_genzoo.registry import Registry
from keras_genzoo.training import (
    RECIPES,
    Settings,
    build_model,
    declared,
    find_recipe,
    manifest,
    recipes,
    settings_for,
)
from keras_genzoo.training.configuration import flat, nested
from keras_genzoo.training.declared import help_of, settings_of
from tests.models.cases import of

SHAPE = (16, 16, 1)
# What a setting has no meaning without.
NEEDED = {
    "variance": {"loss": "gaussian"},
    "guidance": {"conditioning": "embedding"},
    "penalty_weight": {"penalty": "r1"},
    "warmup_steps": {"schedule": "cosine"},
    "beta_2_end": {"beta_2_steps": 2},
    "beta_2_steps": {"beta_2_end": 0.5},
}
# The losses that each model chooses from, of those that have such a choice.
LOSSES = {
    model: settings_of(model)["loss"].argument.choices
    for model in MODELS
    if "loss" in settings_of(model)
}
GANS = [model for model, choices in LOSSES.items() if choices is ADVERSARIAL_LOSSES]
AUTOENCODERS = [
    model
    for model in MODELS
    if "architecture" in settings_of(model)
    and settings_of(model)["architecture"].argument.choices is AUTOENCODER_ARCHITECTURES
]
# Every setting of every model, with the first model that has it.
SETTINGS = {
    name: (model, setting)
    for model in reversed(list(MODELS))
    for name, setting in settings_of(model).items()
}


def another(setting):
    """Return a value that is not the default."""
    argument = setting.argument
    if argument.choices and typing.get_origin(argument.kind) is not tuple:
        return [name for name in argument.choices if name != argument.default][-1]
    of_kind = {bool: not argument.default, int: 3, float: 0.3, tuple[int, ...]: (9, 6)}
    return of_kind[argument.kind]


def test_the_manifest_is_what_the_components_declare():
    """Written by: python -m keras_genzoo.training.manifest."""
    assert serializable.MANIFEST.read_text(encoding="utf-8") == manifest.written(
        manifest.contents()
    )


@pytest.mark.parametrize("name", list(RECIPES))
def test_recipes_are_valid(name):
    settings = settings_for(None, recipe=name)
    assert settings.model == RECIPES[name]["model"]
    for key, value in RECIPES[name].items():
        assert getattr(settings, key) == value
    assert settings.sample_every % settings.checkpoint_every == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_recipes_build_their_model_at_their_size(name):
    settings = settings_for(None, recipe=name)
    size = settings.image_size or 28
    channels = {"celeb_a": 3, "stacked_mnist": 3}.get(settings.dataset, 1)
    model = build_model(settings, (size, size, channels), 10)
    assert isinstance(model, MODELS[settings.model])
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
    steps = RECIPES[f"{model}-mnist"]["steps"] if f"{model}-mnist" in RECIPES else 1000
    assert settings_for(model, "mnist").steps == steps
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


@pytest.mark.parametrize(
    ("model", "dataset", "recipe"),
    [
        ("iwae", "fashion_mnist", "iwae-mnist"),
        ("hvae", "celeb_a", "hvae-mnist"),
        ("dcgan", "fashion_mnist", "dcgan-mnist"),
        ("dcgan", "celeb_a", None),
        ("dcgan", "digits", None),
    ],
)
def test_the_recipe_of_other_data_is_named(model, dataset, recipe):
    found, _ = find_recipe(model, dataset)
    line = recipes.borrowed_in_words(found, settings_for(model, dataset))
    expected = f"{model} has no recipe for {dataset}: it takes the settings of {recipe} where"
    assert (line or "").startswith(expected if recipe else "")
    assert (line is None) == (recipe is None)


@of(MODELS, "model")
def test_the_defaults_are_those_of_the_model(model):
    settings = Settings(model=model)
    compiled = {argument.name: argument for argument in arguments_of(MODELS[model], "compile")}
    for role, parameters in (("model", MODELS[model].arguments()), ("compile", compiled)):
        for name, value in settings.with_role(role).items():
            assert value == parameters[name].default, name
    built = build_model(settings, SHAPE, 10)
    plain = MODELS[model](SHAPE)
    plain.compile()
    assert built.get_config() | {"name": ""} == plain.get_config() | {"name": ""}
    for one, other in zip(built.optimizers, plain.optimizers, strict=True):
        assert one.get_config() | {"name": ""} == other.get_config() | {"name": ""}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model": "gan", "beta": 9.0}, "gan has no setting 'beta'; it belongs to vae"),
        ({"model": "vae", "penalty": "r1"}, "vae has no setting 'penalty'; it belongs to gan"),
        ({"model": "vae", "variance": 0.1}, "variance belongs to the loss 'gaussian', not to"),
        (
            {"model": "gan", "penalty_weight": 2.0},
            "penalty_weight belongs to the penalty .* none is chosen",
        ),
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
        ways.append(lambda: Settings(model=values["model"]).replace(**values))
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


@of(MODELS, "model")
def test_every_setting_reaches_the_model(model):
    default = Settings(model=model)
    names = [
        name
        for name, setting in settings_of(model).items()
        if setting.role in ("model", "compile")
        and (not setting.part_of or getattr(default, name) is not None)
        and setting.part_of not in ("penalty", "conditioning")
    ]
    # Components have tests of their own; the two ways of averaging exclude each other, and the
    # half-life alone rises.
    apart = {"loss", "ema_half_life", "ema_rise_steps", "architecture", "conditioning"}
    if model in GANS and default.conditioning not in (None, "concat"):
        # The images of a pack have one logit, and several classes.
        apart |= {"packing"}
    if "guidance" in names:
        apart -= {"conditioning"}
    # The two bounds exclude each other's settings, and the mean of free bits a step in parts.
    apart |= {"objective", "gradient", "draws_at_once"}
    if model == "iwae":
        apart |= {"beta", "beta_warmup", "free_bits", "binarize"}
    values = {name: another(settings_of(model)[name]) for name in names if name not in apart}
    if model in LOSSES:
        values["loss"] = "minimax" if model in GANS else "squared_error"
    values |= {"loss": "gaussian"} if model == "iwae" else {}
    values |= {"top_dim": 2, "activation": "tanh"} if model == "hvae" else {}
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
    names = [name for name in settings_of(model) if name.endswith("learning_rate")]
    values = {name: 0.125 / (index + 1) for index, name in enumerate(names)}
    built = build_model(Settings(model=model, beta_1=0.25, beta_2=0.5, **values), SHAPE, 10)
    rates = [float(optimizer.learning_rate) for optimizer in built.optimizers]
    assert rates == list(values.values())
    assert [(o.beta_1, o.beta_2) for o in built.optimizers] == [(0.25, 0.5)] * len(rates)


def test_schedules_reach_the_optimizers_with_a_length_of_their_own():
    settings = settings_for("gan", steps=40, schedule="linear", warmup_steps=4, schedule_end=0.5,
                            discriminator_steps=3)  # fmt: skip
    assert settings.schedule_steps == 40
    # A run that is made longer keeps the schedule that it began with.
    longer = settings.replace(steps=100)
    assert (longer.steps, longer.schedule_steps) == (100, 40)
    built = build_model(longer, SHAPE, None)
    for optimizer, updates in zip(built.optimizers, (1, 3), strict=True):
        optimizer.iterations.assign(22 * updates)
        assert float(optimizer.learning_rate) == pytest.approx(2e-4 * 0.75)


@pytest.mark.parametrize("model", [name for name in AUTOENCODERS if name != "hvae"])
def test_an_autoencoder_of_convolutions_takes_their_options_and_no_others(model):
    settings = Settings(model, architecture="convolutional", filters=5, loss="gaussian",
                        variance=0.1, ema_decay=0.5)  # fmt: skip
    built = build_model(settings, SHAPE, 10)
    config = built.get_config()
    assert (config["architecture"], config["filters"], config["ema_decay"]) == (
        "convolutional", 5, 0.5,
    )  # fmt: skip
    assert built.likelihood.get_config() == {"variance": 0.1}
    for values in ({"architecture": "convolutional", "hidden_units": (3,)}, {"filters": 5}):
        with pytest.raises(GenzooError, match="belongs to the architecture"):
            Settings(model, **values)


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


def test_another_component_drops_the_options_of_the_one_before():
    settings = Settings("gan", penalty="r1", penalty_weight=3, ema_decay=0.5)
    assert settings.replace(penalty="wgan_gp").penalty_weight == 10
    assert settings.replace(penalty="none").penalty is None
    assert settings.replace(ema_half_life=100).ema_decay == 0
    assert settings.replace(architecture="dcgan").generator_filters == 64
    assert settings_for("vae", "celeb_a", loss="bernoulli").loss == "bernoulli"
    assert settings_for("cgan", architecture="dense").generator_units == (256, 512, 1024)
    with pytest.raises(GenzooError, match="belongs to the architecture 'dcgan'"):
        settings_for("cgan", architecture="dense", generator_filters=3)
    # What a recipe leaves to the model, and a person names, is no other component.
    assert settings_for("cgan", architecture="dcgan") == settings_for("cgan")


def test_what_a_model_has_by_default_can_be_switched_off():
    settings = Settings("cgan", conditioning="none")
    assert settings.conditioning is None
    assert Settings.from_dict(settings.to_dict()) == settings
    assert Settings.from_dict(flat(nested(settings))) == settings


class Waves(Penalty):
    """A penalty.

    Args:
        weight: factor, e.g. minus one; may be negative.
    """

    def __init__(self, weight: "Annotated[float, FINITE]" = -1.0):
        self.weight = weight


class Unready(Penalty):
    def __init__(self, weight: float):
        pass


def test_components_are_read_as_they_declare_themselves(monkeypatch, request):
    request.addfinalizer(declared._settings_of.cache_clear)
    own = Registry("penalty", {"r1": PENALTIES["r1"], "waves": Waves}, prefix="penalty_")
    monkeypatch.setitem(manifest.REGISTRIES, "penalty", own)
    settings = Settings("gan", penalty="waves", penalty_weight=-2)
    # Of two components with an option of one name, each has its own bound and default.
    assert settings.penalty_weight == -2
    assert settings.replace(penalty="r1").penalty_weight == 1
    assert Settings("gan", penalty="waves").penalty_weight == -1
    [option] = options_of(Waves)
    assert option.help == "Factor, e.g. minus one."
    with pytest.raises(GenzooError, match="'weight' of Unready has no default"):
        options_of(Unready)
    own.register("steps", type("Steps", (Penalty,), {"__init__": lambda self, steps: None}))
    with pytest.raises(GenzooError, match="'steps' of Steps has no default"):
        Settings("gan")


def test_an_instance_is_declared_by_what_it_was_made_with():
    assert [(o.name, o.default) for o in options_of(Gaussian(0.25))] == [("variance", 0.25)]
    assert options_of(ADVERSARIAL_LOSSES["hinge"]) == []


def test_options_reach_a_components_constructor():
    settings = Settings("gan", augmentation="diffaugment", augmentation_policies=["cutout"])
    built = build_model(settings, SHAPE, None)
    assert built.augmentation.get_config() == {"policies": ["cutout"], "background": -1.0}
    with pytest.raises(GenzooError, match="unknown augmentation_policies 'cut'"):
        settings.replace(augmentation_policies=["cut"])


def test_a_gan_takes_any_architecture_and_conditioning():
    settings = Settings("gan", architecture="dcgan", generator_filters=4, conditioning="concat")
    built = build_model(settings, SHAPE, 3)
    assert type(built) is GAN
    assert (built.get_config()["generator_filters"], built.num_classes) == (4, 3)
    with pytest.raises(GenzooError, match="gan needs class labels"):
        build_model(settings, SHAPE, None)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_has_a_flag(name):
    model, setting = SETTINGS[name]
    argument = setting.argument
    options = {parameter.name: parameter for parameter in command.params}
    option = options[name]
    if name != "model":
        assert option.opts == [f"--{name.replace('_', '-')}"]
        # The words of the first model that has it.
        assert help_of(setting) in option.help
    if argument.kind is bool:
        assert option.is_flag
        return
    text = list(argument.choices or ["0.5" if argument.kind is float else "2"])[-1]
    value = option.type.convert(text, option, click.Context(command))
    values = {"model": model, name: value}
    if setting.part_of:
        values[setting.part_of] = next(iter(setting.defaults))
    assert Settings.from_dict(values | NEEDED.get(name, {}))


@pytest.mark.parametrize("name", [*ADVERSARIAL_LOSSES, *RECONSTRUCTION_LOSSES])
def test_losses_belong_to_their_models(name):
    for model in LOSSES:
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
    parts = json.loads(json.dumps(nested(settings)))
    assert parts["model"]["name"] == model
    assert parts["run"]["steps"] == 7
    assert Settings.from_dict(flat(parts)) == settings


def test_a_component_stands_beside_its_options():
    settings = Settings(
        "gan", penalty="r1", penalty_weight=2, augmentation="diffaugment", loss="hinge"
    )
    parts = nested(settings)
    assert parts["penalty"] == {"name": "r1", "weight": 2.0, "end": 1.0, "steps": 0}
    assert parts["loss"] == {"name": "hinge"}
    assert parts["augmentation"]["policies"] == ["color", "translation", "cutout"]
    assert parts["model"]["architecture"] == {
        "name": "dense",
        "generator_units": [256, 512, 1024],
        "discriminator_units": [512, 256],
    }
    assert flat(parts) == settings.to_dict()
    for broken in ({"run": {}, "model": 3}, {"run": {}, "model": {"name": "gan"}, "loss": 7}):
        with pytest.raises(GenzooError, match="settings"):
            flat(broken)
