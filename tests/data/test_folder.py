import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_genzoo.data import load_dataset, open_source
from keras_genzoo.data.kinds import formats
from keras_genzoo.errors import GenzooError
from tests.data.files import encoded, gradient_image

IMAGE = gradient_image(16, 16)
GREY = IMAGE[..., 0]


def test_a_flat_folder_is_unlabelled(numbered):
    source = open_source(numbered(5))
    assert (source.num_images, source.image_shape) == (5, (8, 8, 1))
    assert source.num_classes is None
    np.testing.assert_array_equal(source.fetch(np.arange(5))[0][:, 0, 0, 0], range(5))


def test_a_link_that_leads_nowhere_is_an_image_that_cannot_be_read(folder):
    path = folder({"a.png": encoded(IMAGE)})
    (path / "b.png").symlink_to(path / "gone.png")
    (path / "c.png").symlink_to(path / "c.png")
    source = open_source(path)
    assert source.num_images == 3
    source.fetch(np.arange(3))
    assert [which for which, _ in source.skipped] == [str(path / name) for name in
                                                        ("b.png", "c.png")]  # fmt: skip


def test_a_link_that_leads_back_up_ends(folder):
    path = folder({"a/1.png": encoded(IMAGE)})
    (path / "a" / "again").symlink_to(path)
    assert open_source(path).num_images == 1


def test_what_pillow_opens_is_an_image(folder):
    kinds = {"jfif": "JPEG", "avif": "AVIF", "jp2": "JPEG2000", "tga": "TGA", "heic": "HEIF",
             "webp": "WEBP", "QOI": "QOI", "apng": "PNG", "pcx": "PCX"}  # fmt: skip
    formats()
    path = folder({f"{n}.{name}": encoded(IMAGE, kind) for n, (name, kind) in
                   enumerate(kinds.items())})  # fmt: skip
    source = open_source(path, strict=True)
    assert source.num_images == len(kinds)
    assert source.left_out == []
    images = source.fetch(np.arange(len(kinds)))[0].astype(int)
    assert np.abs(images - IMAGE).max() <= 40
    assert source.skipped == []


def test_files_of_other_suffixes_are_looked_into(folder):
    data = encoded(IMAGE)
    path = folder({"0001": data, "face.large": data, "b.002": encoded(IMAGE, "BMP"),
                   "named.txt": data, "sent.exr": encoded(IMAGE, "JPEG"),
                   "README": b"BM a text", "c.sha1": b"P5", "empty": b""})  # fmt: skip
    source = open_source(path)
    assert source.num_images == 5
    assert [Path(name).name for name in source.left_out] == ["README", "c.sha1", "empty"]


def test_pipes_and_hidden_files_are_no_images(folder):
    path = folder({"a.png": encoded(IMAGE), ".hidden.png": encoded(IMAGE), "list.txt": b"a"})
    os.mkfifo(path / "pipe.png")
    os.mkfifo(path / "pipe")
    source = open_source(path)
    assert source.num_images == 1
    assert source.left_out == [str(path / name) for name in ("list.txt", "pipe", "pipe.png")]


def test_what_is_left_out_is_counted_and_named(folder):
    path = folder({"a.png": encoded(IMAGE), "b.exr": b"", "c.EXR": b"", "d.svg": b"<svg/>",
                   "labels.csv": b"", "README": b"faces"})  # fmt: skip
    assert open_source(path).notes[1:] == [
        "left out: 3 images that Pillow cannot open here (.exr 2, .svg 1), such as b.exr: "
        "convert them to PNG; 2 other files (no suffix 1, .csv 1), such as README"
    ]
    with pytest.raises(GenzooError, match=r"3 images that Pillow cannot open here .*--strict"):
        open_source(path, strict=True)
    for name in ("b.exr", "c.EXR", "d.svg"):
        (path / name).unlink()
    assert open_source(path, strict=True).num_images == 1


def test_a_folder_of_other_files_says_what_there_is(folder):
    path = folder({"1.exr": b"", "2.txt": b""})
    with pytest.raises(GenzooError, match=r"no images in .*1 image that Pillow.*such as 1\.exr"):
        open_source(path)


def test_of_very_many_unknown_files_the_first_tell_the_rest(folder, monkeypatch):
    monkeypatch.setattr("keras_genzoo.data.kinds.MOST_LOOKED_INTO", 3)
    path = folder({f"{n}.blob": encoded(IMAGE) for n in range(5)} | {"x.sum": b"", "y.sum": b""})
    source = open_source(path)
    assert source.num_images == 5
    assert [Path(name).name for name in source.left_out] == ["x.sum", "y.sum"]


def test_an_image_of_another_size_is_named(folder):
    files = {f"{n:02d}.png": encoded(IMAGE) for n in range(40)}
    files["01.png"] = encoded(gradient_image(20, 16))
    path = folder(files)
    odd = f"1 image of another size than 16x16, cropped and resized: such as {path / '01.png'}"
    assert open_source(path).notes[1:] == [f"{odd} (16x20)"]
    source = open_source(path)
    source.fetch(np.arange(40))
    assert source.odd_in_words == [f"{odd} (16x20)"]
    assert open_source(path, image_size=16, strict=True).notes[1:] == []
    with pytest.raises(GenzooError, match="1 image of another size than 16x16"):
        open_source(path, strict=True)


def test_an_image_in_colour_among_grey_ones_is_named(folder):
    files = {f"{n:02d}.png": encoded(GREY) for n in range(40)} | {"01.png": encoded(IMAGE)}
    path = folder(files)
    odd = f"1 image in colour among grey ones, turned grey: such as {path / '01.png'}"
    (note,) = open_source(path).notes[1:]
    assert note == f"{odd}; --channels 3 keeps the colour"
    assert open_source(path, channels=1).notes[1:] == []
    with pytest.raises(GenzooError, match="1 image in colour among grey ones"):
        open_source(path, strict=True)


def test_grey_images_are_known_however_they_are_stored(folder):
    palette = Image.fromarray(GREY).convert("RGB").quantize(64)
    path = folder({f"{n}.png": encoded(palette) for n in range(3)})
    assert open_source(path).image_shape == (16, 16, 1)
    path = folder({f"{n}.png": encoded(Image.fromarray(GREY).convert("RGB")) for n in range(3)})
    source = open_source(path)
    # Stored in colour they stay so: what is the same to the eye is not the same to a run.
    assert source.image_shape == (16, 16, 3)
    assert "--channels 1 takes them as grey" in source.notes[1]


def test_unusual_files_are_decoded_right(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(np.rot90(IMAGE), "PNG", exif=exif)
    wide = encoded(GREY.astype(np.uint16) * 257)
    cmyk = encoded(Image.fromarray(IMAGE).convert("CMYK"), "JPEG", quality=100)
    path = folder(
        {
            "0.png": encoded(IMAGE),
            "1 PNG named.jpg": encoded(IMAGE),
            "2 GIF named.jpg": encoded(IMAGE, "GIF"),
            "3 turned.png": turned,
            "4 cmyk.jpg": cmyk,
            "5 grey.png": encoded(GREY),
            "6 wide.png": wide,
        }
    )
    source = open_source(path, strict=True)
    images = source.fetch(np.arange(7))[0].astype(int)
    assert source.image_shape == (16, 16, 3)
    assert np.abs(images[:5] - IMAGE).max() <= 30
    assert np.abs(images[[0, 1, 3]] - IMAGE).max() == 0
    assert np.abs(images[5:] - GREY[..., None]).max() == 0
    assert source.skipped == []


@pytest.fixture
def damaged(folder):
    """Ten images, of which 3 and 9 cannot be read."""
    files = {f"{i}.png": encoded(np.full((8, 8), 10 * i, np.uint8)) for i in range(10)}
    files["3.png"] = files["3.png"][:40]
    files["9.png"] = b"<html>404 not found</html>"
    return folder(files)


def test_bad_files_are_skipped_and_named(damaged):
    source = open_source(damaged)
    images = source.fetch(np.arange(10))[0][:, 0, 0, 0]
    # The next good image takes the place of a bad one, the first that of the last.
    np.testing.assert_array_equal(images, [0, 10, 20, 40, 40, 50, 60, 70, 80, 0])
    (first, why_first), (second, why_second) = source.skipped
    assert first == str(damaged / "3.png")
    assert second == str(damaged / "9.png")
    assert why_first
    assert why_second == "not an image"


def test_bad_files_do_not_change_the_order_of_the_others(damaged):
    sound = [i for batch in load_dataset(damaged, batch_size=5, seed=3) for i in batch.numpy()]
    again = [i for batch in load_dataset(damaged, batch_size=2, seed=3) for i in batch.numpy()]
    np.testing.assert_array_equal(sound, again)


def test_strict_stops_at_the_first_bad_file(damaged):
    with pytest.raises(GenzooError, match=r"3\.png cannot be read"):
        open_source(damaged, strict=True)


def test_a_file_that_goes_while_training_is_skipped(numbered):
    path = numbered(4)
    source = open_source(path)
    (path / "001.png").unlink()
    assert source.fetch(np.array([1]))[0][0, 0, 0, 0] == 2
    assert source.skipped == [(str(path / "001.png"), "No such file or directory")]


def test_a_folder_without_any_readable_image_is_refused(folder):
    path = folder({"a.png": b"", "b.jpg": b"x"})
    with pytest.raises(GenzooError, match="none of the 2 images"):
        open_source(path)


def test_images_that_all_end_early_are_refused_when_read(folder):
    source = open_source(folder({"a.png": encoded(IMAGE)[:60], "b.png": encoded(IMAGE)[:60]}))
    with pytest.raises(GenzooError, match=r"none of the 2 images.*first: .*a\.png: "):
        source.fetch(np.array([1]))


def test_different_sizes_need_an_image_size(folder):
    path = folder({"a.png": encoded(IMAGE), "b.png": encoded(gradient_image(10, 30))})
    with pytest.raises(GenzooError, match=r"different sizes .*30x10.*give an image size"):
        open_source(path)
    assert open_source(path, image_size=8).fetch(np.arange(2))[0].shape == (2, 8, 8, 3)


def test_the_fingerprint_follows_names_and_sizes(numbered):
    path = numbered(4)
    before = open_source(path).fingerprint
    assert open_source(path, image_size=4).fingerprint == before
    (path / "003.png").rename(path / "004.png")
    assert open_source(path).fingerprint != before


def test_mistaken_paths_are_named(folder, tmp_path):
    with pytest.raises(GenzooError, match=r"there is no folder or file .*faces"):
        open_source(tmp_path / "faces")
    (tmp_path / "empty").mkdir()
    with pytest.raises(GenzooError, match="there are no images in"):
        open_source(tmp_path / "empty")
    path = folder({"2.png": encoded(IMAGE)})
    with pytest.raises(GenzooError, match="is a file; expected a folder"):
        open_source(path / "2.png")
