"""``genzoo fit``: train a model into a run folder, or go on where a run was interrupted."""

import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_genzoo import training
from keras_genzoo.cli.options import (
    FitCommand,
    IntegerList,
    Name,
    setting_argument,
    setting_options,
)
from keras_genzoo.cli.streams import lasting_echo, write_error
from keras_genzoo.cli.tensorflow import see_one_gpu, start_tensorflow
from keras_genzoo.errors import GenzooError
from keras_genzoo.text import shown
from keras_genzoo.training.preset_runs import run_folder
from keras_genzoo.training.recipes import borrowed_in_words
from keras_genzoo.training.settings import laid_over

if TYPE_CHECKING:
    from keras_genzoo.training.seeds import SeedOutcome
    from keras_genzoo.training.train import Outcome


@click.command("fit", cls=FitCommand)
@setting_argument("model")
@click.option(
    "--recipe",
    type=Name("recipe", training.RECIPES),
    metavar="NAME",
    help="Named settings to start from; see 'genzoo list'.",
)
@click.option(
    "--config",
    metavar="RUN",
    help="Train anew with the settings of a run, a preset, or a config.json.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    help="Go on with the run in a folder; if its images have moved, --dataset names their place.",
)
@click.option(
    "--from",
    "start",
    metavar="RUN",
    help="Begin a new run with the settings and the weights of a run or a preset, whose images "
    "have the same size: 'genzoo list presets'.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Run folder; by default a new one.")
@click.option(
    "--seeds",
    type=IntegerList(),
    help="Random seeds, with commas: a run for each, one after the other. --out DIR is then "
    "DIR-seed-0, DIR-seed-1, ...",
)
@click.option("--force", is_flag=True, help="Replace the run folder if it exists.")
@click.option("--tensorboard", is_flag=True, help="Also write events for TensorBoard.")
@click.option(
    "--epochs", type=click.IntRange(min=1), help="Passes over the data, in place of --steps."
)
@click.option(
    "--stage",
    metavar="NAME",
    help="Train this stage alone, of a model that trains in several; with --resume, anew.",
)
@setting_options("model")
def command(
    model: str | None,
    recipe: str | None,
    config: str | None,
    resume: Path | None,
    start: str | None,
    out: Path | None,
    seeds: tuple[int, ...] | None,
    force: bool,
    tensorboard: bool,
    epochs: int | None,
    stage: str | None,
    **flags: Any,
) -> None:
    """Train MODEL on a data set, by default the embedded digits; 'genzoo list' names the models.

    What no flag says comes from the recipe for the model and the data set: 'genzoo fit vae --help'
    lists the flags of a vae, with the defaults of its recipe. Training goes on if its
    lines can no longer be written (| head -1, a full disk).
    """
    overrides = {name: value for name, value in flags.items() if value is not None}
    if epochs is not None and "steps" in overrides:
        raise GenzooError("--steps and --epochs exclude each other; give one")
    if seeds is not None and "seed" in overrides:
        raise GenzooError("--seed and --seeds exclude each other; give one")
    if resume is not None:
        others: dict[str, Any] = {"from": start, "out": out, "force": force, "seeds": seeds}
        _refuse_with(
            *("--resume", model, recipe),
            config=config,
            **others,
        )
    elif config is not None:
        _refuse_with("--config", model, recipe, **{"from": start})
    elif start is not None:
        _refuse_with("--from", model, recipe)
    echo = lasting_echo()
    options: dict[str, Any] = {
        "tensorboard": tensorboard,
        "epochs": epochs,
        "stage": stage,
        "echo": echo,
    }
    if resume is not None:
        start_tensorflow()
        if overrides.get("strategy", training.Run.open(resume).settings.strategy) == "one":
            see_one_gpu()
        _end(_tell(training.resume(resume, overrides, **options), echo))
        return
    if config is not None:
        folder = run_folder(config, generates=True)
        settings = training.repeat(folder, overrides)
        recipe = training.repeated_recipe(folder)
    elif start is not None:
        settings = training.settings_to_begin(start, overrides)
        options["start_from"] = start
    else:
        named = recipe is not None
        recipe, values = training.find_recipe(model, overrides.pop("dataset", None), recipe)
        settings = training.Settings.from_dict(laid_over(values, overrides))
        if not named and (line := borrowed_in_words(recipe, settings)):
            echo(line)
    start_tensorflow()
    if settings.strategy == "one":
        see_one_gpu()
    # A config.json or a preset may come from elsewhere, and must not choose where data are written.
    from_elsewhere = config is not None or start is not None
    download = not from_elsewhere or settings.data_dir is None or "data_dir" in overrides
    options |= {"force": force, "download": download, "recipe": recipe}
    if seeds is None:
        _end(_tell(training.fit(settings, out, **options), echo))
    else:
        _end(_tell_seeds(training.fit_seeds(settings, seeds, out, **options), echo))


def _refuse_with(option: str, model: str | None, recipe: str | None, **others: Any) -> None:
    for name, value in {"model": model, "recipe": recipe, **others}.items():
        if value:
            flag = "MODEL" if name == "model" else f"--{name}"
            raise GenzooError(f"{flag} has no place beside {option}; leave one of the two out")


def _end(code: int) -> None:
    if code:
        raise click.exceptions.Exit(code)


def _tell_seeds(outcomes: Iterable["SeedOutcome"], echo: Callable[[str], None]) -> int:
    """Say how the run of each seed ended, as they end; return the exit code of the command."""
    paths, code = [], 0
    for one in outcomes:
        if one.error is not None:
            write_error(f"Error: seed {one.seed}: {shown(str(one.error))}")
            code = 1
            continue
        assert one.outcome is not None  # There is no error.
        stopped = _tell(one.outcome, echo)
        if stopped and one.left:
            left = ",".join(map(str, one.left))
            echo(f"the other seeds are not begun: take the same command with --seeds {left}")
        if stopped:
            return stopped
        paths.append(shown(shlex.quote(str(one.outcome.run.path))))
    if len(paths) > 1:
        echo(f"compare them: genzoo compare {' '.join(paths)}")
    return code


def _tell(outcome: "Outcome", echo: Callable[[str], None]) -> int:
    """Say how training ended and what comes next; return the exit code of the command."""
    run = outcome.run
    if not outcome.finished and outcome.signal is None:
        done = next(stage for stage in run.settings.stages if stage.last == outcome.step)
        go_on = f"genzoo fit --resume {shown(run.path)}"
        echo(f"the stage {done.name} is done, at step {outcome.step}; go on with: {go_on}")
        return 0
    if not outcome.finished:
        echo(
            f"stopped and saved at step {outcome.step} of {run.settings.total_steps}; "
            f"go on with: genzoo fit --resume {shown(run.path)}"
        )
        assert outcome.signal is not None  # That is why it is not finished.
        return 128 + outcome.signal
    if not outcome.wrote:
        return 0
    echo(f"model: {shown(run.model_file)}")
    if grids := run.sample_grids():
        echo(f"sample grids: {shown(run.samples)} (the last: {grids[-1].name})")
    name = shown(shlex.quote(str(run.path)))
    echo(f"next: genzoo sample {name}")
    echo(f"      genzoo evaluate {name} && genzoo report {name}")
    return 0
