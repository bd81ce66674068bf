"""``genzoo evaluate``: scores of a run, or of images of any origin."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from keras_genzoo.cli.options import (
    NameList,
    RunPath,
    dataset_option,
    force_option,
    sampling_options,
    seed_option,
    setting_flags,
)
from keras_genzoo.cli.streams import lasting_echo, write_error
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.data.registry import paths_in_words
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.score import SCORES
from keras_genzoo.files import new_file
from keras_genzoo.text import shown

if TYPE_CHECKING:
    from keras_genzoo.data import Source

# How --real and --fake are opened; a run has its own, noted in its config.json.
OF_IMAGES = ("image_size", "channels", "labels", "data_dir", "manual_dir")


class ScoreNames(NameList):
    """Names of scores with commas between them; those of ``--import`` are known, too."""

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """Return a tuple of names.

        Raises:
            GenzooError: if there is no such score.
        """
        return tuple(SCORES.check(name) for name in super().convert(value, param, context))

    def shell_complete(
        self, context: click.Context | None, param: click.Parameter | None, incomplete: str
    ) -> list[CompletionItem]:
        """Return lists that end in a score that begins like the last name."""
        others, comma, last = incomplete.rpartition(",")
        names = [name for name in SCORES if name.startswith(last)]
        return [CompletionItem(f"{others}{comma}{name}") for name in names]


class ScoresOption(click.Option):
    """An option whose help lists the scores that are registered when it is asked for."""

    def get_help_record(self, context: click.Context) -> tuple[str, str] | None:
        """Return the flag, and its help with the names."""
        record = super().get_help_record(context)
        if record is None:
            return None
        flag, text = record
        return flag, f"{text}  [{', '.join(SCORES)}]"


@click.command("evaluate")
@click.argument("run", type=RunPath(generates=True), required=False)
@click.option(
    "--scores",
    cls=ScoresOption,
    type=ScoreNames(),
    help="Scores to measure, also again, with commas; by default the usual ones that are missing.",
)
@click.option(
    "--features",
    help="Feature network: classifier, attributes, pixels, model:PATH, inception (fetched once) or "
    "inception:PATH; by default a classifier of what the data set knows of its images.",
)
@click.option("-n", "count", type=click.IntRange(min=2), help="Images of each kind.")
@click.option(
    "--split",
    help="Real images to measure against; by default those held out (test, else validation).",
)
@click.option(
    "--sampler",
    default="normal",
    show_default=True,
    help="Distribution that codes are drawn from, of a model with an encoder; reconstruction "
    "scores the reconstructions of the real images.",
)
@sampling_options
@click.option(
    "--num-samples",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Draws of z for each image in the likelihood.",
)
@click.option(
    "--binarization",
    help="How pixels become 0 or 1 in the likelihood: grey (not at all), dynamic, fixed or "
    "threshold; by default dynamic, and grey for densities of grey values.",
)
@click.option(
    "--floor/--no-floor",
    default=True,
    help="Also score other real images, in a column of their own.  [default: floor]",
)
@dataset_option
@click.option("--real", help=f"Real images: a data set, {paths_in_words()}.")
@click.option("--fake", help=f"Generated images: {paths_in_words()}.")
@click.option("--fake-split", default="train", show_default=True, help="Part of --fake.")
@setting_flags(*OF_IMAGES)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="JSON file; by default evaluation.json in the run folder.",
)
@force_option
@seed_option
def command(
    run: Path | None,
    real: str | None,
    fake: str | None,
    fake_split: str,
    out: Path | None,
    force: bool,
    **options: Any,
) -> None:
    """Score the images of RUN, or those of --fake against those of --real.

    Prints a table; each number stands beside what it was measured with. Scores are added to those
    that the run has of the same weights, measured in the same way. RUN may be an exported
    SavedModel, too: nothing is written into its folder, and its scores go into runs/NAME-v1.
    """
    if (run is None) == (real is None or fake is None) or (run and (real or fake)):
        raise GenzooError("evaluate takes a run, or both --real and --fake")
    given = {name: options.pop(name) for name in OF_IMAGES}
    _refuse_foreign(run, given, options["dataset"])
    start_tensorflow()
    from keras_genzoo import data, evaluation

    asked = evaluation.Options(**options)
    # For a run, ``update_results`` decides by what the file holds whether it may be replaced.
    out = new_file(out, force or run is not None, ".json") if out is not None else None
    try:
        if run is not None:
            result = evaluation.update_results(run, asked, out, force=force, echo=lasting_echo())
            out = out or run / "evaluation.json"
        else:
            labels = given.pop("labels") or "auto"
            assert real is not None
            assert fake is not None
            images = data.Splits(lambda split: _open(real, split, labels, given))
            # Open --real first, so that it is named first if both are missing.
            images.to_look_at(asked.split)
            generated = _open(fake, fake_split, labels, given)
            result = evaluation.evaluate_images(images, generated, asked, lasting_echo())
            if out is not None:
                evaluation.write_result(result, out)
    except KeyboardInterrupt:
        kept = "nothing is kept" if run is None else _kept(force, asked.scores is not None)
        write_error(f"stopped; {kept}")
        raise click.exceptions.Exit(130) from None
    click.echo(evaluation.table(result))
    if out is not None:
        click.echo(f"\n{shown(out)}")


def _kept(force: bool, named: bool) -> str:
    """Return what is kept of a run's scores at Ctrl-C, and how to measure the others.

    Scores that are named, or asked for by --force, are measured even if the run has them.

    >>> _kept(force=True, named=False)
    'the scores computed so far are kept, and the same command without --force goes on'
    """
    goes_on = "the same command goes on"
    if named:
        goes_on = "--scores with the others goes on"
    elif force:
        goes_on = "the same command without --force goes on"
    return f"the scores computed so far are kept, and {goes_on}"


def _open(images: str, split: str, labels: str, given: dict[str, Any]) -> "Source":
    """Open real or generated images; only for folders can --labels folders be meant."""
    from keras_genzoo import data

    kind = data.kind_of_path(images)
    if labels == "folders" and not (kind and kind.of_folders):
        labels = "auto"
    return data.open_source(images, split, labels=labels, **given)


def _refuse_foreign(run: Path | None, given: dict[str, Any], dataset: Path | None) -> None:
    """Refuse options that a run has noted, or that only a run has.

    Raises:
        GenzooError: if there is one.
    """
    if run is None and dataset is not None:
        raise GenzooError("--dataset goes with a run; name the images by --real and --fake")
    for name, value in given.items():
        if run is not None and value is not None:
            flag = f"--{name.replace('_', '-')}"
            place = "; another place is noted by genzoo fit --resume" if "dir" in name else ""
            raise GenzooError(f"{flag} goes with --real and --fake; a run has noted its own{place}")
