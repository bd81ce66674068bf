"""The entry point of the command: loads the subcommand, and prints errors as one line."""

import importlib
import re
import sys
from collections.abc import Sequence
from typing import Any

import click

from keras_genzoo._version import __version__
from keras_genzoo.cli.importing import import_installed, import_modules
from keras_genzoo.cli.streams import OutputLostError, close_stream, open_streams, write_error
from keras_genzoo.errors import GenzooError, TrainingStoppedError, unknown
from keras_genzoo.text import shown

COMMANDS = {
    "bench": "Train recipes within one budget, and compare their scores.",
    "compare": "Compare runs: settings, scores, curves, samples.",
    "data": "Look at, prepare and check data sets.",
    "evaluate": "Score a run, or two sets of images.",
    "export": "Write a model for use without this package.",
    "figures": "Draw all figures of a run.",
    "fit": "Train a model.",
    "interpolate": "Interpolate from one image to another.",
    "latent": "Draw a map of the codes of images.",
    "list": "List models, data sets, presets, recipes and losses.",
    "playground": "Write a page to play with a model.",
    "reconstruct": "Encode and decode real images.",
    "report": "Write a run's report as one HTML page.",
    "sample": "Generate images.",
    "show": "Show a run: settings, progress, sample grids.",
    "theory": "Compare GANs with theory, on known densities.",
    "umap": "Map real images, and place generated ones among them.",
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is called."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments of the group; ``--help`` is printed here."""
        with OutputLostError.raised():
            return super().make_context(*args, **kwargs)

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        with OutputLostError.raised():
            return super().invoke(context)

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import a command; None if there is none of that name."""
        if name not in COMMANDS:
            return None
        import_installed()
        command = importlib.import_module(f"keras_genzoo.cli.{name}").command
        _cut_sections(command)
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names.

        Raises:
            GenzooError: if there is no such command; suggests the nearest.
        """
        name = args[0]
        if not (name in COMMANDS or name.startswith("-") or context.resilient_parsing):
            raise unknown("command", name, COMMANDS)
        return super().resolve_command(context, args)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="genzoo")
@click.option(
    "--import",
    multiple=True,
    metavar="MODULE",
    expose_value=False,
    is_eager=True,
    callback=import_modules,
    help="First import a module that registers components of your own.",
)
def cli() -> None:
    """Train generative image models, and generate, evaluate and export with them."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``genzoo``, and exit with its exit code.

    The exit codes are:

    - 0: success.
    - 1: training cannot go on, or the output cannot be written.
    - 2: a user's mistake.
    - 129, 130, 143: a run was stopped by a closed terminal, Ctrl-C or SIGTERM.
    - 141, without a message: the reader of a pipe closed it, as in ``| head -1``. Training goes on
      without printing.

    Args:
        arguments: the arguments after ``genzoo``; by default those of this process.
    """
    open_streams()
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    """Run a command; print an error as one line, and return the exit code."""
    try:
        return cli(arguments, prog_name="genzoo", standalone_mode=False) or 0
    except OutputLostError as lost:
        close_stream(sys.stdout)
        if not lost.is_pipe:
            write_error(f"Error: {lost}")
        return lost.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        write_error(error.format_message())
        return error.exit_code
    except click.ClickException as error:
        return _fail(error.format_message(), 2)
    except click.Abort:
        return _fail(
            "stopped at once; resume a run that had begun with: genzoo fit --resume RUN", 130
        )
    except GenzooError as error:
        return _fail(str(error), 2)
    except OSError as error:
        if error.filename is None:
            raise
        # For example a name that is too long for the file system.
        return _fail(f"cannot use {str(error.filename)[:200]}: {error.strerror}", 2)
    except MemoryError:
        return _fail("there is not enough memory; take a smaller batch, image size or model", 2)
    except TrainingStoppedError as error:
        return _fail(str(error), 1)


def _cut_sections(command: click.Command) -> None:
    """Remove the sections Args, Raises and Returns of a docstring from the command's help."""
    command.help = re.split(r"\n\s*(?:Args|Raises|Returns):\n", command.help or "")[0]
    for inner in getattr(command, "commands", {}).values():
        _cut_sections(inner)


def _fail(message: str, exit_code: int) -> int:
    write_error(f"Error: {shown(' '.join(message.split()))}")
    return exit_code


if __name__ == "__main__":
    main()
