"""``genzoo data``: list, prepare and check data sets."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keras_genzoo.cli.options import setting_flags
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.errors import GenzooError
from keras_genzoo.text import shown

if TYPE_CHECKING:
    from keras_genzoo.data.checking import Finding


def _places(command: Callable) -> Callable:
    for flag, text in (
        ("--manual-dir", "Folder of files that you downloaded yourself."),
        ("--data-dir", "Where tensorflow-datasets keeps data sets."),
    ):
        command = click.option(flag, type=click.Path(path_type=Path), help=text)(command)
    return command


@click.group("data")
def command() -> None:
    """Look at, prepare and check data sets."""


@command.command("list")
def list_() -> None:
    """List the well-known data sets."""
    from keras_genzoo.data import DATASETS, paths_in_words

    row = "{:<18}{:>12}{:>10}{:>9}  {}"
    click.echo(row.format("name", "shape", "images", "classes", ""))
    for name in DATASETS:
        entry = DATASETS[name]
        shape = "x".join(map(str, entry.image_shape)) if entry.image_shape else "differs"
        click.echo(
            row.format(name, shape, f"{entry.num_images:,}", entry.num_classes or "-", entry.note)
        )
    click.echo(f"\nany image data set of tensorflow-datasets, {paths_in_words()} will do, too")


@command.command()
@click.argument("name")
@_places
def prepare(name: str, data_dir: Path | None, manual_dir: Path | None) -> None:
    """Fetch and prepare a data set of tensorflow-datasets; say which files are missing.

    One of your own kind, made known by --import, is opened once.
    """
    if name == "digits":
        click.echo("digits comes with scikit-learn; nothing to prepare")
        return
    start_tensorflow()
    from keras_genzoo import data

    name = _made_of(name)
    kind = data.kind_to_read(name)
    if kind and kind.by_name:
        data.open_source(name, data_dir=data_dir, manual_dir=manual_dir)
        click.echo(shown(f"{name} is ready"))
        return
    _print(data.find_manual_files(name, data_dir, manual_dir), "found")
    place = data.prepare(name, data_dir, manual_dir)
    click.echo(shown(f"{name} is ready in {place}"))


@command.command()
@click.argument("name_or_folder", metavar="NAME|PATH")
@_places
@click.option("--strict", is_flag=True, help="Fail at files that are unusual, too.")
@setting_flags("labels")
def check(
    name_or_folder: str,
    data_dir: Path | None,
    manual_dir: Path | None,
    strict: bool,
    labels: str | None,
) -> None:
    """Verify the files of a data set, or read every image of a folder or file.

    Of a folder it also says what is taken for splits and classes, and what is left out.

    Raises:
        GenzooError: if something cannot be used.
    """
    if name_or_folder == "digits":
        click.echo("digits comes with scikit-learn; nothing to check")
        return
    start_tensorflow()
    from keras_genzoo import data

    name_or_folder = _made_of(name_or_folder)
    labels = labels or "auto"
    kind = data.kind_to_read(name_or_folder)
    is_folder = bool(kind and kind.of_folders)
    if is_folder:
        for line in data.describe_folder(name_or_folder, labels):
            click.echo(shown(line))
        counted = _print(data.check_folder(name_or_folder))
    elif labels != "auto":
        raise GenzooError(f"--labels is for folders of images, and {name_or_folder} is none")
    elif kind:
        sources = data.open_to_check(name_or_folder, data_dir, manual_dir)
        for line in data.describe_sources(sources):
            click.echo(shown(line))
        counted = _print(data.check_sources(sources))
    else:
        counted = _print(data.check_prepared(name_or_folder, data_dir, manual_dir), "sound")
    total, bad, unusual = counted
    what = "images" if kind and not is_folder else "files"
    click.echo(f"{total} {what}: {bad} unusable, {unusual} unusual but read right")
    if bad or (strict and unusual):
        raise GenzooError(
            f"{name_or_folder}: {bad or unusual} of {total} {what} are "
            f"{'unusable' if bad else 'unusual'}; repair, fetch again or remove those listed above"
        )
    if strict and is_folder and (empty := data.empty_class_folders(name_or_folder, labels)):
        raise GenzooError(f"{name_or_folder}: no image in the class folders {', '.join(empty)}")


def _made_of(name: str) -> str:
    """Return the data set whose files a data set is read from: mnist of stacked_mnist."""
    from keras_genzoo.data import DATASETS

    return (DATASETS[name].made_of or name) if name in DATASETS else name


def _print(findings: Iterable["Finding"], sound: str | None = None) -> tuple[int, int, int]:
    """Print findings, those without any comment only if ``sound`` says what to call them."""
    total = bad = unusual = 0
    for finding in findings:
        total += 1
        bad += finding.problem is not None
        unusual += finding.problem is None and bool(finding.remarks)
        words = [finding.problem or sound, *finding.remarks]
        if any(words):
            click.echo(shown(f"{finding.name}: {', '.join(filter(None, words))}"))
    return total, bad, unusual
