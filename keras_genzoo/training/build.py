"""From settings to a compiled model; from a run folder back to its model."""

import inspect
from collections.abc import Callable
from typing import Any

from keras_genzoo import models
from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES, AdversarialLoss, Gaussian
from keras_genzoo.models import Adam, ImageModel, Schedule
from keras_genzoo.models.registry import MODELS
from keras_genzoo.models.size import refuse_large_model
from keras_genzoo.networks import AUTOENCODER_ARCHITECTURES, layers_under, seeded
from keras_genzoo.text import shown
from keras_genzoo.training.checkpoints import restore_latest
from keras_genzoo.training.run import Run
from keras_genzoo.training.settings import GANS, Settings


def build_model(
    settings: Settings,
    image_shape: tuple[int, int, int],
    num_classes: int | None,
    labels_in_words: str = "no classes",
) -> ImageModel:
    """Return the compiled model of ``settings``, with weights drawn from its seed.

    Args:
        settings: the settings.
        image_shape: ``(height, width, channels)``.
        num_classes: number of classes, None if the data has none.
        labels_in_words: what the data has, for the error.

    Raises:
        GenzooError: if the model cannot make such images, or needs classes and there are none.
    """
    arguments = _own_options(settings.of_role("model"))
    model_class = MODELS[settings.model]
    if model_class.needs_labels:
        if num_classes is None or num_classes < 2:
            has = "one class only" if num_classes else "none"
            raise GenzooError(
                f"{settings.model} needs class labels, of 2 classes or more, and "
                f"'{settings.dataset}' has {has} ({labels_in_words}); put the images into one "
                "sub-folder for each class"
            )
        arguments["num_classes"] = num_classes
    precision = settings.mixed_precision
    policy = precision if precision == "float32" else f"mixed_{precision}"

    def build() -> ImageModel:
        return model_class(image_shape=image_shape, seed=settings.seed, **arguments)

    with seeded(settings.seed), layers_under(policy):
        refuse_large_model(build, f"a {settings.model} of these settings")
    with seeded(settings.seed), layers_under(policy):
        model = build()
        compile_model(model, settings)
    return model


def _own_options(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a model without the options of architectures that it does not take.

    Raises:
        GenzooError: if one of those was asked for.
    """
    if "architecture" not in arguments:
        return arguments
    kinds = {name: AUTOENCODER_ARCHITECTURES[name] for name in AUTOENCODER_ARCHITECTURES}
    own = inspect.signature(kinds[arguments["architecture"]]).parameters
    for name, kind in kinds.items():
        for option, parameter in inspect.signature(kind).parameters.items():
            if option in own or option not in arguments:
                continue
            if arguments.pop(option) != parameter.default:
                raise GenzooError(
                    f"{option} belongs to the architecture '{name}', not to "
                    f"'{arguments['architecture']}'; leave it out, or name the other by "
                    "--architecture"
                )
    return arguments


def compile_model(model: ImageModel, settings: Settings) -> None:
    """Compile a model with the optimizers and the loss of ``settings``."""
    arguments = settings.of_role("compile")
    roles = ("generator_", "discriminator_") if settings.model in GANS else ("",)
    for role in roles:
        updates = settings.discriminator_steps if role == "discriminator_" else 1
        rate = _rate(settings, getattr(settings, f"{role}learning_rate"), updates)
        arguments[f"{role}optimizer"] = Adam(rate, beta_1=settings.beta_1)
    if settings.variance is not None:
        arguments["loss"] = Gaussian(settings.variance)
    if settings.penalty_weight is not None:
        arguments["penalty"] = PENALTIES[settings.penalty](settings.penalty_weight)
    model.compile(**arguments)


def _rate(settings: Settings, rate: float, updates: int) -> float | Schedule:
    """Return a learning rate, or how it falls, of an optimizer with so many updates a step."""
    if settings.schedule == "constant":
        return rate
    return Schedule(
        settings.schedule,
        rate,
        settings.schedule_steps,
        end=settings.schedule_end,
        warmup=settings.warmup_steps,
        updates=updates,
    )


def adversarial_loss(settings: Settings) -> AdversarialLoss | None:
    """Return the loss that a GAN is trained with by ``settings``, None for other models.

    >>> adversarial_loss(Settings("gan", loss="hinge")).gives_probabilities
    False
    """
    return ADVERSARIAL_LOSSES[settings.loss] if settings.model in GANS else None


def load_model(run: Run, echo: Callable[[str], None] = lambda line: None) -> ImageModel:
    """Return the finished model of a run; of an unfinished one, that of its last checkpoint.

    Args:
        run: the run.
        echo: called with a line when the run is unfinished, or the finished model is damaged.

    Raises:
        GenzooError: if there is neither.
    """
    return load_weights(run, echo)[0]


def load_weights(
    run: Run, echo: Callable[[str], None] = lambda line: None
) -> tuple[ImageModel, str]:
    """Return what ``load_model`` does, and which weights these are, in words."""
    if run.model_file.exists():
        try:
            model = models.load_model(run.model_file)
        except GenzooError as error:
            echo(f"model.keras is damaged: {error}")
        else:
            return model, f"the finished model, of step {int(model.step):,}{_averaged(model)}"
    model = build_model(run.settings, tuple(run.data["image_shape"]), run.data["num_classes"])
    step = restore_latest(run.checkpoints, model, echo)
    if step is None:
        raise GenzooError(f"{run.path} has no model yet; resume it: genzoo fit --resume {run.path}")
    echo(f"{shown(run.path)} has no finished model; taking its checkpoint of step {step:,}")
    words = f"the checkpoint of step {step:,}, of {run.settings.steps:,} asked for"
    return model, words + _averaged(model)


def _averaged(model: ImageModel) -> str:
    if model.ema_half_life:
        return f", averaged with a half-life of {model.ema_half_life:g} images"
    return f", averaged with decay {model.ema_decay:g}" if model.ema_decay else ""
