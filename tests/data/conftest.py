import numpy as np
import pytest

from tests.data.files import encoded


@pytest.fixture
def folder(tmp_path):
    """A function that writes files, by name, into a folder and returns it."""

    def write(files):
        for name, data in files.items():
            path = tmp_path / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return tmp_path / "images"

    return write


@pytest.fixture
def numbered(folder):
    """A folder of n flat grey images; image i is of brightness i."""

    def write(n, size=8):
        flat = (np.full((size, size), i, np.uint8) for i in range(n))
        return folder({f"{i:03d}.png": encoded(image) for i, image in enumerate(flat)})

    return write
