"""From settings to a compiled model; from a run folder back to its model."""

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from keras_genzoo import models
from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import AdversarialLoss
from keras_genzoo.models import Adam, ImageModel, Schedule
from keras_genzoo.models.registry import MODELS
from keras_genzoo.models.saved_model import SavedModel
from keras_genzoo.models.size import refuse_large_model
from keras_genzoo.networks import layers_under, seeded
from keras_genzoo.registry import Registry
from keras_genzoo.text import shown
from keras_genzoo.training.checkpoints import restore_latest
from keras_genzoo.training.contents import SAVED_MODEL
from keras_genzoo.training.manifest import component_options
from keras_genzoo.training.run import Run
from keras_genzoo.training.settings import Settings

# What makes images: a model of the zoo, or one that was exported.
Generator: TypeAlias = ImageModel | SavedModel


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
    model_class = MODELS[settings.model]
    given = {}
    if settings.needs_labels:
        if num_classes is None or num_classes < 2:
            has = "one class only" if num_classes else "none"
            raise GenzooError(
                f"{settings.model} needs class labels, of 2 classes or more, and "
                f"'{settings.dataset}' has {has} ({labels_in_words}); put the images into one "
                "sub-folder for each class"
            )
        given["num_classes"] = num_classes
    arguments = arguments_with_role("model", settings, given) | given
    precision = settings.mixed_precision
    if precision == "auto":
        raise GenzooError(
            "mixed_precision auto is chosen where training begins; name a type to build a model"
        )
    policy = precision if precision == "float32" else f"mixed_{precision}"

    def build() -> ImageModel:
        return model_class(image_shape=image_shape, seed=settings.seed, **arguments)

    with seeded(settings.seed), layers_under(policy):
        refuse_large_model(build, f"a {settings.model} of these settings")
    with seeded(settings.seed), layers_under(policy):
        model = build()
        compile_model(model, settings)
    return model


def arguments_with_role(
    role: str, settings: Settings, given: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the arguments of the constructor (``"model"``) or of ``"compile"``.

    A component is passed by name if all its options are defaults, else it is built here.

    Args:
        role: the role.
        settings: the settings.
        given: arguments that are no settings, such as ``num_classes``, for components that take
            them.
    """
    arguments = settings.with_role(role)
    for name, chosen in arguments.items():
        registry = settings.setting(name).argument.choices
        if chosen is None or not isinstance(registry, Registry):
            continue
        options = settings.options(name)
        defaults = {o.name: o.default for o in component_options(registry, chosen)}
        if options == defaults:
            continue
        entry = registry[chosen]
        kind = entry if inspect.isclass(entry) else type(entry)
        taken = inspect.signature(kind).parameters
        own = {key: value for key, value in (given or {}).items() if key in taken}
        arguments[name] = kind(**own, **options)
    return arguments


def compile_model(model: ImageModel, settings: Settings) -> None:
    """Compile a model with the optimizers and the loss of ``settings``."""
    arguments = arguments_with_role("compile", settings)
    for optimizer, rate in settings.learning_rates().items():
        # discriminator_steps, for instance, is how often its optimizer moves in one step.
        updates = arguments.get(optimizer.removesuffix("optimizer") + "steps", 1)
        arguments[optimizer] = Adam(
            _rate(settings, rate, updates, optimizer),
            beta_1=settings.beta_1,
            beta_2=settings.beta_2,
            beta_2_end=settings.beta_2_end,
            beta_2_steps=settings.beta_2_steps,
            updates=updates if settings.beta_2_steps else 1,
        )
    model.compile(**arguments)


def _rate(settings: Settings, rate: float, updates: int, optimizer: str) -> float | Schedule:
    """Return a learning rate or its schedule; ``updates`` are the optimizer's in a step."""
    if settings.schedule == "constant":
        return rate
    return Schedule(
        settings.schedule,
        rate,
        settings.schedule_length(optimizer),
        end=settings.schedule_end,
        warmup=settings.warmup_steps,
        updates=updates,
    )


def adversarial_loss(settings: Settings) -> AdversarialLoss | None:
    """Return the adversarial loss that a model is trained with by ``settings``, None without one.

    >>> adversarial_loss(Settings("gan", loss="hinge")).gives_probabilities
    False
    """
    name = settings.with_role("compile").get("loss")
    registry = settings.setting("loss").argument.choices if name else ()
    loss = registry[name] if name and isinstance(registry, Registry) else None
    return loss if isinstance(loss, AdversarialLoss) else None


def load_model(run: Run, echo: Callable[[str], None] = lambda line: None) -> ImageModel:
    """Return the finished model of a run; of an unfinished one, that of its last checkpoint.

    Args:
        run: the run.
        echo: called with a line when the run is unfinished, or the finished model is damaged.

    Raises:
        GenzooError: if there is neither, or the run is made of a SavedModel.
    """
    return load_weights(run, echo)[0]


def load_weights(
    run: Run, echo: Callable[[str], None] = lambda line: None
) -> tuple[ImageModel, str]:
    """Return what ``load_model`` does, and which weights these are, in words."""
    run.check_whole()
    if run.model_file.exists():
        try:
            model = models.load_model(run.model_file)
        except GenzooError as error:
            echo(f"model.keras is damaged: {error}")
        else:
            return model, f"the finished model, of step {int(model.step):,}{_averaged(model)}"
    if run.preset is not None:
        raise GenzooError(
            f"{run.path} has no model that can be read; remove that folder, and it is written anew "
            f"from the preset {run.preset['name']}"
        )
    model = build_model(run.settings, tuple(run.data["image_shape"]), run.data["num_classes"])
    step = restore_latest(run.checkpoints, model, echo)
    if step is None:
        raise GenzooError(f"{run.path} has no model yet; resume it: genzoo fit --resume {run.path}")
    echo(f"{shown(run.path)} has no finished model; taking its checkpoint of step {step:,}")
    words = f"the checkpoint of step {step:,}, of {run.settings.total_steps:,} asked for"
    return model, words + _averaged(model)


def load_generator(
    run: Run, echo: Callable[[str], None] = lambda line: None
) -> tuple[Generator, str]:
    """Return what generates images, for commands that need no more of a model, and its weights.

    Args:
        run: a run, or one that was made of a preset or of a SavedModel.
        echo: as for ``load_model``.

    Returns:
        the model, and which weights these are, in words.

    Raises:
        GenzooError: as ``load_model`` does, or if a SavedModel is damaged or makes images of
            another shape than its record says.
    """
    if run.saved_model is None:
        return load_weights(run, echo)
    try:
        model = SavedModel(run.path / SAVED_MODEL, run.data["num_classes"])
    except GenzooError as error:
        raise GenzooError(
            f"{error}; once the SavedModel {run.saved_model['name']} is in order, remove "
            f"{shown(run.path)}, and it is copied anew"
        ) from error
    if list(model.image_shape) != run.data["image_shape"]:
        raise GenzooError(
            f"{shown(run.path / SAVED_MODEL)} makes images of shape {model.image_shape}, and its "
            f"record says {tuple(run.data['image_shape'])}; export the run again"
        )
    return model, f"those of the SavedModel {run.saved_model['name']}, of step {model.step:,}"


def _averaged(model: ImageModel) -> str:
    if model.ema_half_life:
        return f", averaged with a half-life of {model.ema_half_life:g} images"
    return f", averaged with decay {model.ema_decay:g}" if model.ema_decay else ""
