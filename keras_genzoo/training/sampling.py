"""Generated images on their way to a file: batch by batch, with a word on how far they are."""

import os
import zipfile
from collections.abc import Iterator, Sequence

import numpy as np

from keras_genzoo.files import writing
from keras_genzoo.training.build import Generator
from keras_genzoo.training.waiting import Echo, waiting

# Of an .npz, the array of the images.
IMAGES = "images"


def generated(
    model: Generator,
    count: int,
    class_labels: int | Sequence[int] | None,
    seed: int,
    echo: Echo,
) -> Iterator[np.ndarray]:
    """Return an iterator over what ``model.generate`` gives, which shows how far it is.

    Args:
        model: the model.
        count: number of images.
        class_labels: as for ``generate``.
        seed: random seed of the noise.
        echo: writes a line where there is no terminal.

    Raises:
        GenzooError: as ``generate`` does.
    """
    batches = model.generate_batches(count, class_labels, seed)

    def shown() -> Iterator[np.ndarray]:
        done = 0
        with waiting("samples", count, echo) as show:
            for batch in batches:
                yield batch
                done += len(batch)
                show(done)

    return shown()


def write_arrays(
    path: str | os.PathLike,
    batches: Iterator[np.ndarray],
    shape: tuple[int, ...],
    **others: np.ndarray,
) -> None:
    """Write an ``.npz`` as ``numpy.savez_compressed`` does; its ``images`` come in batches.

    However many they are, one batch is in memory.

    Args:
        path: the file.
        batches: of uint8 images.
        shape: of all images together.
        **others: other arrays, by name.

    Raises:
        GenzooError: if the file cannot be written.
    """
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with (
        writing(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        with archive.open(f"{IMAGES}.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(member, header)
            for batch in batches:
                member.write(np.ascontiguousarray(batch).data)
        for name, array in others.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
