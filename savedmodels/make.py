"""Export trained models for TensorFlow Serving, with one configuration for all.

    python savedmodels/make.py                       # those of the package, beside this script
    python savedmodels/make.py vae_mnist             # a new version of this one
    python savedmodels/make.py faces=runs/dcgan-1    # a run of yours, or a preset, under a name
    python savedmodels/make.py --out models          # elsewhere

Each folder holds numbered versions, a card, and settings of the server. A server of all:

    docker run -p 8501:8501 -v "$PWD/savedmodels:/models" tensorflow/serving \
        --model_config_file=/models/models.config
"""

import argparse
import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from keras_genzoo.errors import GenzooError
from keras_genzoo.export import export_run
from keras_genzoo.files import writing
from keras_genzoo.saved_models import models_in

# The models of the package, with options of their export.
MODELS = {
    "cgan_mnist": {},
    "dcgan_mnist": {},
    "vae_mnist": {},
    "dcgan_digits": {},
    # Each step of a solver is written out in the files.
    "flow_digits": {"solver_steps": 5},
}
# The most bytes of one version.
MOST = 15_000_000


def main() -> None:
    """Export the models that are named, and write ``models.config``."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "models",
        nargs="*",
        metavar="NAME[=RUN]",
        help=f"{', '.join(MODELS)}; or a name and the run or preset to export under it",
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="the folder")
    arguments = parser.parse_args()
    named = [model.partition("=") for model in arguments.models or MODELS]
    if unknown := [name for name, _, run in named if not run and name not in MODELS]:
        parser.error(f"unknown model {unknown[0]}; known: {', '.join(MODELS)}; or NAME=RUN")
    out = arguments.out.resolve()
    try:
        for name, _, run in named:
            click.echo(export(name, run or name, out, MODELS.get(name, {})))
        with writing(out / "models.config") as temporary:
            temporary.write_text(models_config(out), encoding="utf-8")
    except GenzooError as error:
        sys.exit(f"Error: {error}")


def export(name: str, run: str, out: Path, options: dict[str, Any]) -> Path:
    """Write a new version of a model, and return its folder."""
    run = str(Path(run).resolve()) if Path(run).exists() else run
    # Run folders of presets are written where the process works.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        [version] = export_run(run, "saved_model", out=out, name=name, echo=click.echo, **options)
    size = sum(file.stat().st_size for file in version.rglob("*") if file.is_file())
    if size > MOST:
        sys.exit(f"Error: {version} has {size:,} bytes, more than {MOST:,}; remove it")
    return version


def models_config(out: Path) -> str:
    """Return the configuration of a server of all models in a folder, not only of ``MODELS``.

    Their names are those of folders, and need no escapes: ``export_run`` takes no others.
    """
    models = [
        f'  config {{\n    name: "{name}"\n    base_path: "/models/{name}"\n'
        '    model_platform: "tensorflow"\n  }\n'
        for name in models_in(out)
    ]
    return f"model_config_list {{\n{''.join(models)}}}\n"


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
