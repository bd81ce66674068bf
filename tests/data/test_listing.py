"""A folder's listing is that of its paths, sorted, whatever the names."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_genzoo.data.listing import list_images
from keras_genzoo.data.packed_names import PackedNames

# Characters around the separator, which sort before and after it, and letters beyond ASCII.
PARTS = st.text("a-.0Zé漢", min_size=1, max_size=4).filter(lambda part: not part.startswith("."))
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join).map(lambda path: path + ".png")


def made(root: Path, paths) -> list[str]:
    """Write a file for each path, with its length as its size; skip what cannot stand beside."""
    for path in paths:
        file = root / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x" * len(path))
        except OSError:
            continue
    return sorted(
        os.path.relpath(Path(folder, name), root)
        for folder, _, names in os.walk(root)
        for name in names
    )


@given(paths=st.sets(PATHS, min_size=1, max_size=12))
def test_files_come_in_the_order_of_their_whole_paths(tmp_path_factory, paths):
    root = tmp_path_factory.mktemp("listing")
    expected = made(root, paths)
    listing = list_images(root)
    assert list(listing.files) == expected
    assert [listing.files[number] for number in range(len(expected))] == expected
    assert list(listing.sizes) == [(root / name).stat().st_size for name in expected]
    digest = hashlib.sha256()
    for name, size in zip(listing.files, listing.sizes, strict=True):
        digest.update(f"{name}\0{size}\0".encode())
    assert listing.fingerprint() == digest.hexdigest()


def test_a_name_that_is_no_text_is_kept(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff.png"
    Path(os.fsdecode(name)).write_bytes(b"x")
    (found,) = list_images(tmp_path).files
    assert os.fsencode(found) == b"\xff.png"
    list_images(tmp_path).fingerprint()


@given(names=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=20))
def test_names_are_a_list_of_text(names):
    block = PackedNames()
    for name in names:
        block.append(name)
    assert list(block) == block[:] == names
    assert block[1:-1] == names[1:-1]
    assert not names or block[-1] == names[-1]
    with pytest.raises(IndexError):
        block[len(names)]


def test_names_are_a_list_across_the_parts_it_is_read_in():
    block, names = PackedNames(), [f"{number}.png" for number in range(9001)]
    for name in names:
        block.append(name)
    assert list(block) == names
