"""The entry point: finds the command, and turns a person's mistake into one line."""

import importlib
import re
import sys
from collections.abc import Sequence

import click

from keras_genzoo._version import __version__
from keras_genzoo.errors import GenzooError, TrainingStoppedError, unknown

COMMANDS = {
    "data": "Look at, prepare and check data sets.",
    "evaluate": "Score a run, or images of any origin.",
    "export": "Write a model for those who do not have this package.",
    "figures": "Draw all that a run can show.",
    "fit": "Train a model.",
    "interpolate": "Walk from one image to another.",
    "latent": "Draw where the codes of images lie.",
    "list": "List models, data sets, recipes and losses.",
    "reconstruct": "Send real images through an autoencoder.",
    "report": "Write one page of a run.",
    "sample": "Generate images.",
    "show": "Show a run: settings, progress, pictures.",
    "theory": "Show the optimum of a GAN on known densities.",
    "umap": "Map real images, and place generated ones among them.",
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import a command; None if there is no such one."""
        if name not in COMMANDS:
            return None
        command = importlib.import_module(f"keras_genzoo.cli.{name}").command
        _cut_sections(command)
        return command

    def resolve_command(self, context: click.Context, args: list[str]):
        """Find the command that the arguments begin with.

        Raises:
            GenzooError: if there is no such command; names the nearest.
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
def cli() -> None:
    """Train generative image models, and use what they have learnt."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``genzoo``, and leave the interpreter with its exit code.

    0 is success, 2 a person's mistake, 1 training that cannot go on, 130 and 143 a run that was
    stopped by Ctrl-C and SIGTERM.

    Args:
        arguments: what stands behind ``genzoo``; by default, the arguments of this process.
    """
    for stream in (sys.stdout, sys.stderr):
        # Names of files need not be text; no output may fail at one.
        stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(cli(arguments, prog_name="genzoo", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except click.Abort:
        _fail("stopped at once; a run that had begun goes on with: genzoo fit --resume RUN", 130)
    except GenzooError as error:
        _fail(str(error), 2)
    except OSError as error:
        if error.filename is None:
            raise
        # Such as a name that is longer than the system takes.
        _fail(f"cannot use {str(error.filename)[:200]}: {error.strerror}", 2)
    except MemoryError:
        _fail("there is not enough memory; take a smaller batch, image size or model", 2)
    except TrainingStoppedError as error:
        _fail(str(error), 1)


def _cut_sections(command: click.Command) -> None:
    """Leave out of a command's help what its docstring says for those who read the code."""
    command.help = re.split(r"\n\s*(?:Args|Raises|Returns):\n", command.help or "")[0]
    for inner in getattr(command, "commands", {}).values():
        _cut_sections(inner)


def _fail(message: str, exit_code: int) -> None:
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
