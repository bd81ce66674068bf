"""The formats that a model is exported to; listing them imports neither Keras nor TensorFlow.

A format declares itself in one place: its exporter, its own options with their help, the files that
it writes. ``genzoo export`` and ``export_run`` take all that from ``EXPORT_FORMATS``.
"""

import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.registry import Registry, import_attribute

if TYPE_CHECKING:
    from keras_genzoo.models import ImageModel

# Options of every format, and keywords of its exporter.
_COMMON = (
    *("run", "format", "name", "out", "dataset", "check", "force", "echo"),
    *("model", "folder", "images", "facts"),
)
# Two formats may share an option: all of these are equal then.
_IDENTITY = ("name", "flag", "kind")
# Types that an option may have.
KINDS = (int, float, str, bool, tuple[int, ...], tuple[str, ...])


@dataclass(frozen=True)
class ExportOption:
    """An option of one export format.

    Args:
        name: keyword of the exporter, such as ``batch_size``.
        kind: ``int``, ``float``, ``str``, ``bool``, ``tuple[int, ...]`` or ``tuple[str, ...]``;
            the command line takes tuples with commas between their parts.
        help: one sentence for ``genzoo export --help``.
        default: the exporter's own default in words, for the help; "" for none.
        flag: flag of the command line; by default made of the name, as ``--batch-size``.
        least: the smallest number that the command line accepts.

    Raises:
        GenzooError: if the kind is another, or the name is one that every format has.

    >>> ExportOption("batch_size", int, "Images of a call.").flag
    '--batch-size'
    """

    name: str
    kind: Any
    help: str
    default: str = ""
    flag: str = ""
    least: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise GenzooError(
                f"an export option is {', '.join(map(_word, KINDS))}, not {_word(self.kind)}"
            )
        if not self.flag:
            object.__setattr__(self, "flag", f"--{self.name.replace('_', '-')}")
        if self.name in _COMMON or self.flag.strip("-") in _COMMON:
            raise GenzooError(
                f"'{self.flag.strip('-')}' is an option of every export format; choose another "
                "name for yours"
            )


def _word(kind: Any) -> str:
    return str(kind) if typing.get_args(kind) else getattr(kind, "__name__", str(kind))


@dataclass(frozen=True)
class ExportFormat:
    """A format that ``genzoo export --format NAME`` writes.

    The exporter is called as ``exporter(model, folder, name, check=, images=, facts=, **options)``
    and returns the paths that it wrote. ``check`` asks to compare each file with the model (a
    ``GenzooError`` if it cannot, or they differ); ``images`` are uint8 images of the data, None if
    it has not asked for any; ``facts`` say in words where the model comes from, for a card. Of the
    options it is given those that a person named.

    Args:
        words: what it is for, for the help: "for phones".
        exporter: the function, or its import path ``"module:function"``.
        options: its own options.
        files: (model, name, options) -> names of the files that it writes: without ``--force``
            none of them is replaced. None for an exporter that never replaces what it must not:
            it gets ``force`` as a keyword, too.
        folder: where its files go by default; "" for ``export`` in the run.
        takes_run: whether the exporter gets the run itself, as the keyword ``run``.
        images: options -> number of images of the data that it measures the model on, if the model
            encodes images; 0 for none.

    >>> def export_sizes(model, folder, name, *, check, images, facts):
    ...     folder.mkdir(parents=True, exist_ok=True)
    ...     file = folder / f"{name}.txt"
    ...     _ = file.write_text(str(model.count_params()))
    ...     return [file]
    >>> sizes = ExportFormat(
    ...     "for a table of sizes", export_sizes, files=lambda model, name, options: [f"{name}.txt"]
    ... )

    ``EXPORT_FORMATS.register("sizes", sizes)`` adds it.
    """

    words: str
    exporter: str | Callable[..., list[Path]]
    options: tuple[ExportOption, ...] = ()
    files: Callable[["ImageModel", str, dict[str, Any]], list[str]] | None = None
    folder: str = ""
    takes_run: bool = False
    images: Callable[[dict[str, Any]], int] = lambda options: 0

    def export(self, model: "ImageModel", folder: Path, name: str, **options: Any) -> list[Path]:
        """Write the model, and return the paths."""
        exporter = self.exporter
        if isinstance(exporter, str):
            exporter = import_attribute(exporter)
        return exporter(model, folder, name, **options)


def one_file_for_each_signature(suffix: str) -> Callable[..., list[str]]:
    """Return what names the files of a format that has one for each signature of a model."""
    return lambda model, name, options: [
        f"{name}-{signature}.{suffix}" for signature in model.signatures()
    ]


def _litert_files(model: "ImageModel", name: str, options: dict[str, Any]) -> list[str]:
    return [f"{name}-{kind}.tflite" for kind in options.get("types", ("float32",))]


# Rows of input on which int8 measures its ranges.
CALIBRATION = 200


def _litert_images(options: dict[str, Any]) -> int:
    measures = "int8" in options.get("types", ())
    return options.get("calibration", CALIBRATION) if measures else 0


EXPORT_FORMATS = Registry(
    "format",
    {
        "saved_model": ExportFormat(
            "for TF Serving",
            "keras_genzoo.export.saved_model:export_version",
            (
                ExportOption("version", int, "By default the next free one.", least=1),
                ExportOption(
                    "warm_up",
                    tuple[int, ...],
                    "Write requests of these sizes, by which a server warms up.",
                    flag="--batch-sizes",
                ),
            ),
            folder="savedmodels",
            takes_run=True,
        ),
        "litert": ExportFormat(
            "for phones",
            "keras_genzoo.export.litert:export_types",
            (
                ExportOption(
                    "types",
                    tuple[str, ...],
                    "float32, float16, dynamic, int8, with commas.",
                    "float32",
                ),
                ExportOption(
                    "batch_size", int, "Images of a call; 0 leaves it free.", "1", least=0
                ),
                ExportOption(
                    "calibration",
                    int,
                    "Rows of input that int8 measures its ranges on.",
                    str(CALIBRATION),
                    least=1,
                ),
            ),
            files=_litert_files,
            images=_litert_images,
        ),
        "onnx": ExportFormat(
            "for ONNX Runtime",
            "keras_genzoo.export.network_files:export_onnx",
            files=one_file_for_each_signature("onnx"),
        ),
        "keras": ExportFormat(
            "for plain Keras",
            "keras_genzoo.export.network_files:export_keras",
            files=one_file_for_each_signature("keras"),
        ),
        "preset": ExportFormat(
            "to be given away and trained on",
            "keras_genzoo.export.preset:export_preset",
            (
                ExportOption(
                    "dtype", str, "Type of the stored weights: float16, float32.", "float16"
                ),
            ),
            folder="presets",
            takes_run=True,
        ),
    },
)


def options_of_formats() -> dict[str, tuple[ExportOption, list[str]]]:
    """Return the options of all formats by name, each with the names of the formats that have it.

    Raises:
        GenzooError: if two formats mean different things by one name or flag.
    """
    found: dict[str, tuple[ExportOption, list[str]]] = {}
    for name in EXPORT_FORMATS:
        for option in EXPORT_FORMATS[name].options:
            for other, formats in found.values():
                alike = [getattr(other, key) == getattr(option, key) for key in _IDENTITY]
                if any(alike[:2]) and not all(alike):
                    raise GenzooError(
                        f"the export formats '{formats[0]}' and '{name}' both have {option.flag}, "
                        "and mean different things by it; name it otherwise in one of the two"
                    )
            found.setdefault(option.name, (option, []))[1].append(name)
    return found
