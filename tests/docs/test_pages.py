"""The pages of the guide and the README: their commands are understood, and nothing is left out."""

import importlib
import inspect
import re
import shlex
from pathlib import Path

import click
import pytest

import keras_genzoo
from keras_genzoo.cli.main import COMMANDS
from keras_genzoo.evaluation import classifier
from keras_genzoo.training import RECIPES
from tests.docs.printed import ROOT, blocks, commands, resolved, run
from tests.training.kill import run_here

PAGES = [
    ROOT / "README.md",
    ROOT / "README.ja.md",
    *(path for path in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in path.parts),
    *sorted((ROOT / "examples").glob("[0-9]*.py")),
]
ROOMS = sorted(path.stem for path in (ROOT / "docs" / "reference").glob("*.md"))
ROOMS = [room for room in ROOMS if room not in ("index", "command_line")]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=name)
def test_every_printed_command_is_understood(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for line in commands(page):
        # A preset stands for the runs of the pages, which are not here.
        line = re.sub(r"\b((?:runs|savedmodels)/\S+|RUN\b(\|PRESET)?)", "vae_mnist", line)
        _, *words = shlex.split(line)
        if words[0] == "--import" or len(words) == 1 or {"...", "MODEL", "--help"} & set(words):
            assert words[0] in (*COMMANDS, "--import", "--help"), line
            continue
        context, word, command, rest = resolved(words)
        try:
            command.make_context(word, rest, parent=context)
        except click.MissingParameter:
            # In the text a command may be named without what it needs, though not in part.
            assert not rest, line


@pytest.mark.slow
def test_the_start_page_runs_as_printed(tmp_path, monkeypatch):
    # As printed, but for how long is trained, and in one process where a block is of commands only.
    monkeypatch.setitem(RECIPES["cvae-digits"], "steps", 500)
    monkeypatch.setattr(classifier, "MAX_EPOCHS", 10)
    monkeypatch.chdir(tmp_path)
    for block in blocks(ROOT / "docs" / "start.md"):
        lines = block.splitlines()
        if all(line.startswith("genzoo ") for line in lines):
            for line in lines:
                run_here(*shlex.split(line)[1:])
        else:
            run(block, tmp_path)


def test_every_room_has_a_page_of_reference():
    rooms = set(keras_genzoo.__all__) - {"images", "__version__"}
    assert set(ROOMS) == rooms


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_says_what_it_is(room):
    module = importlib.import_module(f"keras_genzoo.{room}")
    for public in module.__all__:
        value = getattr(module, public)
        page = (ROOT / "docs" / "reference" / f"{room}.md").read_text()
        if isinstance(value, type) or inspect.isroutine(value):
            assert (value.__doc__ or "").strip(), f"{room}.{public} has no docstring"
        else:
            assert f".. data:: {public}\n" in page, f"{room}.{public} is not on its page"
