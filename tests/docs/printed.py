"""The commands that pages print: found, and run as printed.

``python -m tests.docs.printed docs/start.md`` runs those of a page in an empty folder, one after
the other, and stops at the first that fails.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import click

from keras_genzoo.cli.main import cli

ROOT = Path(__file__).parents[2]


def words(page: Path) -> str:
    """Return the text of a page, or of the text cells of a guide."""
    text = page.read_text(encoding="utf-8")
    if page.suffix != ".py":
        return text
    cells = re.split(r"^# %%", text, flags=re.MULTILINE)
    written = [cell.partition("\n")[2] for cell in cells if cell.startswith(" [markdown]")]
    return "\n".join(re.sub(r"^# ?", "", cell, flags=re.MULTILINE) for cell in written)


def blocks(page: Path) -> list[str]:
    """Return what stands in the page's blocks of shell commands, fenced or indented."""
    text = words(page)
    fenced = r"^```(?:bash|text)\n(?P<fenced>.*?)^```$"
    other = r"^```.*?^```$"
    indented = r"(?<=\n\n)(?P<indented>(?:    .*\n)+)"
    found = re.finditer(f"{fenced}|{other}|{indented}", text, re.MULTILINE | re.DOTALL)
    return [
        match["fenced"] or textwrap.dedent(match["indented"])
        for match in found
        if match["fenced"] or match["indented"]
    ]


def commands(page: Path) -> list[str]:
    """Return what a page prints of ``genzoo``, in blocks and in its text, without comments."""
    lines = "\n".join(blocks(page)).replace("\\\n", " ").splitlines()
    spans = re.findall(r"(?<!`)`(genzoo [^`]+)`(?!`)", words(page).replace("\n", " "))
    parts = [part.strip() for line in lines for part in re.split(r"\s#|&&|;", line)]
    return [part for part in parts + spans if part.startswith("genzoo ")]


def resolved(words: list[str]) -> tuple[click.Context, str, click.Command, list[str]]:
    """Return what a command line names, past all groups, and the words that are left for it."""
    context = click.Context(cli, info_name="genzoo")
    word, command, rest = cli.resolve_command(context, words)
    while isinstance(command, click.Group) and rest:
        word, command, rest = command.resolve_command(context, rest)
    return context, word, command, rest


def main() -> None:
    """Run the blocks of the pages that are named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--keep", type=Path, help="the folder to work in, kept")
    options = parser.parse_args()
    for page in options.pages:
        with tempfile.TemporaryDirectory() as temporary:
            folder = options.keep or Path(temporary)
            folder.mkdir(exist_ok=True)
            for block in blocks(page):
                run(block, folder)


def run(block: str, folder: Path) -> None:
    """Run a block by a shell that stops at a command that fails; installing is left out."""
    kept = re.sub(r"(?m)^pip install .*$\n?", "", block)
    if not kept.strip():
        return
    print(kept, flush=True)
    start = time.monotonic()
    finished = subprocess.run(["bash", "-euo", "pipefail", "-c", kept], cwd=folder, check=False)
    print(f"[{time.monotonic() - start:.0f} s, exit code {finished.returncode}]\n", flush=True)
    if finished.returncode:
        sys.exit(f"this block failed:\n{kept}")


if __name__ == "__main__":
    main()
