"""Which commands read an input of each kind: the cheap ones often, those that train seldom."""

from collections.abc import Callable
from pathlib import Path

TRAIN = "fit ae --hidden-units 4 --latent-dim 2 --batch-size 4 --checkpoint-every 1 --steps 1"
REST = "--image-size 8 --out new"
RECORDS = "records"


def arguments(text: str) -> Callable[[], None]:
    def run() -> None:
        from keras_genzoo.cli.main import main

        main(text.split())

    run.words = text
    return run


def _function(function: Callable[[], object], words: str) -> Callable[[], None]:
    """Let what the library refuses end as it does at the command line."""

    def run() -> None:
        import click

        from keras_genzoo.errors import GenzooError

        try:
            function()
        except GenzooError as error:
            click.echo(f"Error: {' '.join(str(error).split())}", err=True)
            raise SystemExit(2) from error

    run.words = words
    return run


def _data(path: str) -> list[tuple[float, Callable]]:
    return [
        (0.99, arguments(f"data check {path}")),
        (0.01, arguments(f"{TRAIN} --dataset {path} {REST}")),
    ]


def _read_records() -> None:
    from keras_genzoo.data import open_source

    list(open_source("mnist", data_dir=RECORDS, download=False).check())


def _read_checkpoint() -> None:
    from keras_genzoo.training.checkpoints import read_checkpoint

    for path in sorted(Path("run/checkpoints").glob("*.npz")):
        read_checkpoint(path)


def _read_umap() -> None:
    from keras_genzoo.visualization.interactive import map_html
    from keras_genzoo.visualization.umap_study import load_studies

    map_html(*load_studies("run/umap"))


def _read_result() -> None:
    from keras_genzoo.evaluation import read_result

    read_result(Path("run/evaluation.json"))


COMMANDS: dict[str, list[tuple[float, Callable]]] = {
    "images": _data("faces"),
    "npz": _data("a.npz"),
    "npy": _data("a.npy"),
    "zip": _data("faces.zip"),
    "parquet": _data("a.parquet"),
    "idx": _data("numbers"),
    RECORDS: [
        (0.3, arguments(f"data check mnist --data-dir {RECORDS}")),
        (0.68, _function(_read_records, "read every record")),
        (0.01, arguments(f"{TRAIN} --dataset mnist --data-dir {RECORDS} {REST}")),
    ],
    "config": [
        (0.94, arguments("show run")),
        (0.02, arguments("fit --config run/config.json --steps 1 --out new")),
        (0.02, arguments("sample run -n 2 --out new.png")),
        (0.02, arguments("fit --resume run --steps 3")),
    ],
    "history": [
        (0.96, arguments("show run")),
        (0.02, arguments("fit --resume run --steps 3")),
        (0.02, arguments("report run --no-measure")),
    ],
    "checkpoint": [
        (0.96, _function(_read_checkpoint, "read the checkpoints")),
        (0.04, arguments("fit --resume run --steps 3")),
    ],
    "keras": [
        (0.9, arguments("sample run -n 2 --out new.png")),
        (0.02, arguments("export run --format keras --out new")),
        (0.01, arguments("figures run --out new")),
        (0.01, arguments("evaluate run --features pixels --force")),
    ],
    "umap": [
        (0.98, _function(_read_umap, "read the study")),
        (0.02, arguments("report run --no-measure")),
    ],
    "evaluation": [
        (0.98, _function(_read_result, "read the result")),
        (0.02, arguments("report run --no-measure")),
    ],
}
# How many of a hundred cases are of a kind.
SHARES = {
    "images": 13, "npz": 12, "npy": 8, "zip": 10, "parquet": 10, "idx": 8, RECORDS: 8, "config": 10,
    "history": 5, "checkpoint": 6, "keras": 3, "umap": 4, "evaluation": 3,
}  # fmt: skip


def choose(kind: str, random) -> Callable[[], None]:
    """Return one of the commands that read a kind."""
    weights, commands = zip(*COMMANDS[kind], strict=True)
    total = sum(weights)
    return commands[int(random.choice(len(commands), p=[weight / total for weight in weights]))]
