"""``genzoo bench``: recipes compared with each other, within one budget."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_genzoo.cli.evaluate import ScoreNames, ScoresOption
from keras_genzoo.cli.importing import imported_modules
from keras_genzoo.cli.options import IntegerList
from keras_genzoo.cli.streams import lasting_echo, write_error
from keras_genzoo.cli.tensorflow import see_no_gpu, start_tensorflow
from keras_genzoo.errors import GenzooError
from keras_genzoo.text import shown

if TYPE_CHECKING:
    from keras_genzoo.bench.benching import BenchOutcome
    from keras_genzoo.bench.entries import Request

# How the runs are scored, as for evaluate.
OF_SCORES = ("scores", "features", "count", "split")


@click.command("bench")
@click.argument("recipes", nargs=-1, metavar="RECIPE...")
@click.option("--seeds", type=IntegerList(), help="Random seeds, with commas.  [default: 0,1,2]")
@click.option(
    "--images",
    type=click.IntRange(min=1),
    help="Images that each run sees; by default as many as the shortest of the recipes.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Minutes that each run trains, in place of --images; a step is timed first.",
)
@click.option("--dataset", help="Data set of all recipes, in place of their own.")
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of all recipes, such as ema_decay=0.999; may be given several times.",
)
@click.option(
    "--scores",
    cls=ScoresOption,
    type=ScoreNames(),
    help="Scores to measure, with commas; by default fid,kid,prdc.",
)
@click.option("--features", help="Feature network, as for evaluate.")
@click.option("-n", "count", type=click.IntRange(min=2), help="Images of each kind.")
@click.option("--split", help="Real images to measure against, as for evaluate.")
@click.option(
    "--points",
    type=click.IntRange(min=1),
    help="How often each run is scored while it trains, the end included.  [default: 1]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder; by default bench, or the next free one of bench-2, bench-3, ...",
)
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with the bench in a folder.")
@click.option("--work", hidden=True)
@click.pass_context
def command(
    context: click.Context,
    recipes: tuple[str, ...],
    out: Path | None,
    resume: Path | None,
    work: str | None,
    **options: Any,
) -> None:
    """Train RECIPEs within one budget, each with several seeds, and compare their scores.

    A RECIPE is the name of a recipe or a model. Settings of its own follow in quotes:
    "dcgan-mnist loss=hinge penalty=r1". The folder gets a table for a page of documentation
    (bench.md), the numbers (bench.csv, bench.json), a figure (bench.png) and all runs. Ctrl-C saves
    and stops.
    """
    given = {name: value for name, value in options.items() if value not in (None, ())}
    if resume is not None:
        _refuse_beside_resume(recipes, out, given)
    start_tensorflow()
    from keras_genzoo import bench

    echo, imports = lasting_echo(), imported_modules(context)
    if work is not None:
        bench.stop_without_parent()
        raise click.exceptions.Exit(bench.do_work(work, echo))
    # The processes that train take them.
    see_no_gpu()
    if resume is not None:
        outcome = bench.resume_bench(resume, imports=imports, echo=echo)
    else:
        outcome = bench.new_bench(_request(recipes, given), out, imports=imports, echo=echo)
    _tell(outcome, echo)


def _request(recipes: tuple[str, ...], given: dict[str, Any]) -> "Request":
    """Return what a person asks of a new bench; what is not given has its default.

    Raises:
        GenzooError: if a setting, a score or a number is not usable.
    """
    from keras_genzoo.bench import Request, settings_given
    from keras_genzoo.evaluation import Options

    of_scores = {name: given.pop(name) for name in OF_SCORES if name in given}
    overrides = settings_given(given.pop("pairs", ()))
    return Request(recipes, **given, overrides=overrides, options=Options(**of_scores))


def _refuse_beside_resume(recipes: tuple[str, ...], out: Path | None, given: dict) -> None:
    """Refuse what a bench that goes on has in its plan.

    Raises:
        GenzooError: if there is such.
    """
    names = {"count": "-n", "pairs": "--set"}
    flags = [names.get(name, f"--{name}") for name in given]
    flags = [*(["RECIPE"] if recipes else []), *(["--out"] if out else []), *flags]
    if flags:
        raise GenzooError(
            f"{flags[0]} has no place beside --resume: the plan of the bench stays; leave one of "
            "the two out"
        )


def _tell(outcome: "BenchOutcome", echo: Callable[[str], None]) -> None:
    place = shown(outcome.plan.path)
    if outcome.signal is not None:
        echo(f"stopped and saved; go on with: genzoo bench --resume {place}")
        raise click.exceptions.Exit(128 + outcome.signal)
    echo("")
    echo((outcome.plan.path / "bench.md").read_text(encoding="utf-8").rstrip())
    echo(f"\n{place}")
    if outcome.failed:
        for line in outcome.failed:
            write_error(f"Error: {shown(line)}")
        write_error(f"try what has failed again with: genzoo bench --resume {place}")
        raise click.exceptions.Exit(1)
