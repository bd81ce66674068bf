"""Export trained models of the package for TensorFlow Serving, with one configuration for all.

    python savedmodels/make.py                  # a new version of each model, beside this script
    python savedmodels/make.py vae_mnist        # of this one
    python savedmodels/make.py --out models     # elsewhere

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

import click

from keras_genzoo.errors import GenzooError
from keras_genzoo.export import export_run
from keras_genzoo.files import writing

# The models, with options of their export. Each step of a solver is written out in the files.
MODELS = {
    "cgan_mnist": {},
    "dcgan_mnist": {},
    "vae_mnist": {},
    "dcgan_digits": {},
    "flow_digits": {"solver_steps": 5},
}
# The most bytes of one version.
MOST = 15_000_000


def main() -> None:
    """Export the models that are named, and write ``models.config``."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(MODELS)}")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="the folder")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(MODELS):
        parser.error(f"unknown model {min(unknown)}; known: {', '.join(MODELS)}")
    out = arguments.out.resolve()
    try:
        for name in arguments.names or MODELS:
            click.echo(export(name, out))
        with writing(out / "models.config") as temporary:
            temporary.write_text(models_config(out), encoding="utf-8")
    except GenzooError as error:
        sys.exit(f"Error: {error}")


def export(name: str, out: Path) -> Path:
    """Write a new version of a model, and return its folder."""
    # Run folders of presets are written where the process works.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        [version] = export_run(name, "saved_model", out=out, echo=click.echo, **MODELS[name])
    size = sum(file.stat().st_size for file in version.rglob("*") if file.is_file())
    if size > MOST:
        sys.exit(f"Error: {version} has {size:,} bytes, more than {MOST:,}; remove it")
    return version


def models_config(out: Path) -> str:
    """Return the configuration of a server of all models in a folder.

    Their names are those of folders, and need no escapes: ``export_run`` takes no others.
    """
    found = sorted(file.parents[1].name for file in out.glob("*/[0-9]*/saved_model.pb"))
    models = [
        f'  config {{\n    name: "{name}"\n    base_path: "/models/{name}"\n'
        '    model_platform: "tensorflow"\n  }\n'
        for name in dict.fromkeys(found)
    ]
    return f"model_config_list {{\n{''.join(models)}}}\n"


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
