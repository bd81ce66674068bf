import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_genzoo.data.images import (
    BadImageError,
    decode,
    fit,
    is_grey,
    open_image,
    remarks,
    upright_size,
)
from keras_genzoo.data.kinds import formats
from tests.data.files import encoded, gradient_image

IMAGE = gradient_image()


def close(a, b, tolerance):
    return np.abs(a.astype(int) - b.astype(int)).max() <= tolerance


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "TGA", "QOI", "SGI", "PCX"])
def test_lossless_formats_come_back_exactly(kind):
    np.testing.assert_array_equal(decode(encoded(IMAGE, kind)), IMAGE)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "JPEG2000", "HEIF"])
def test_lossy_formats_come_back_nearly(kind):
    if kind == "HEIF":
        formats()  # pillow-heif is registered
    options = {} if kind == "JPEG2000" else {"quality": 95}
    assert close(decode(encoded(IMAGE, kind, **options)), IMAGE, 20)


def test_of_an_animated_gif_the_first_frame_is_taken():
    frames = [Image.new("RGB", (6, 6), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(data)[0, 0], [255, 0, 0])


def test_cmyk_becomes_rgb():
    data = encoded(Image.fromarray(IMAGE).convert("CMYK"), "JPEG", quality=100)
    assert close(decode(data), IMAGE, 12)


def test_sixteen_bits_are_scaled_not_clipped():
    wide = np.array([[0, 257, 128 * 257, 65535]], np.uint16)
    np.testing.assert_array_equal(decode(encoded(wide))[0, :, 0], [0, 1, 128, 255])


def test_black_and_white_is_grey():
    bits = Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1")
    np.testing.assert_array_equal(decode(encoded(bits))[0, :, 0], [0, 255])


def test_transparent_pixels_are_laid_on_white():
    clear = np.array([[[10, 20, 30, 0], [10, 20, 30, 255]]], np.uint8)
    np.testing.assert_array_equal(decode(encoded(clear)), [[[255, 255, 255], [10, 20, 30]]])


def test_a_transparent_palette_is_laid_on_white():
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    image.putpalette([9, 9, 9, 50, 60, 70])
    data = encoded(image, "PNG", transparency=0)
    np.testing.assert_array_equal(decode(data), [[[255, 255, 255], [50, 60, 70]]])


def test_one_transparent_grey_or_colour_is_laid_on_white():
    grey = np.array([[0, 7, 200]], np.uint8)
    for image, key, expected in (
        (grey, 7, [0, 255, 200]),
        (grey.astype(np.uint16) * 257, 7 * 257, [0, 255, 200]),
        (grey > 100, 0, [255, 255, 255]),
        (grey > 100, 1, [0, 0, 255]),
    ):
        data = encoded(Image.fromarray(image), "PNG", transparency=key)
        assert "transparent, laid on white" in remarks(open_image(data), ".png")
        np.testing.assert_array_equal(decode(data)[0, :, 0], expected)
    colours = np.array([[[1, 2, 3], [1, 2, 9]]], np.uint8)
    data = encoded(Image.fromarray(colours), "PNG", transparency=(1, 2, 3))
    np.testing.assert_array_equal(decode(data), [[[255] * 3, [1, 2, 9]]])


@pytest.mark.parametrize(("bits", "greys"), [(1, [0, 255]), (2, [0, 85, 170, 255]),
                                             (4, [0, 17, 34, 51])])  # fmt: skip
def test_the_transparent_grey_is_named_in_the_bits_that_are_stored(bits, greys):
    row = sum(value << (8 * 2 - bits * (value + 1)) for value in range(len(greys)))
    for key in range(len(greys)):
        expected = [255 if value == key else grey for value, grey in enumerate(greys)]
        data = png(len(greys), bits, 0, row.to_bytes(2, "big")[: -(-len(greys) * bits // 8)], [key])
        np.testing.assert_array_equal(decode(data)[0, :, 0], expected)


def test_a_transparent_colour_of_sixteen_bits_is_found():
    row = np.array([256, 512, 768, 1, 2, 3], ">u2").tobytes()
    data = png(2, 16, 2, row, [256, 512, 768])
    np.testing.assert_array_equal(decode(data), [[[255] * 3, [0] * 3]])


def png(width, bits, colour_type, row, key):
    """A PNG of one row as the bytes say, with a tRNS chunk; what Pillow cannot write."""

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, 1, bits, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join((
        chunk(b"IHDR", header), chunk(b"tRNS", np.array(key, ">u2").tobytes()),
        chunk(b"IDAT", zlib.compress(b"\0" + row)), chunk(b"IEND", b""),
    ))  # fmt: skip


def test_a_palette_of_greys_is_grey():
    grey = Image.fromarray(IMAGE[..., 0])
    for image, expected in (
        (grey.convert("P"), True),
        (grey.convert("RGB").quantize(16), True),
        (Image.fromarray(IMAGE).quantize(16), False),
        (grey, True),
        (grey.convert("LA"), True),
        (Image.fromarray(IMAGE), False),
    ):
        for kind in ("PNG", "GIF" if image.mode == "P" else "TIFF"):
            assert is_grey(open_image(encoded(image, kind))) is expected, (image.mode, kind)


def test_of_a_palette_only_the_colours_in_use_count():
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    image.putpalette([9, 9, 9, 50, 50, 50, 255, 0, 0])
    assert is_grey(open_image(encoded(image)))


def test_documents_that_need_another_program_are_no_images():
    with pytest.raises(BadImageError, match="not an image"):
        decode(encoded(IMAGE, "EPS"))


def test_a_jpeg_of_several_images_is_a_jpeg():
    image = Image.fromarray(IMAGE)
    data = encoded(image, "MPO", save_all=True, append_images=[image])
    assert remarks(open_image(data), ".jpg") == ["several images, first taken"]


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [(1, IMAGE), (3, np.rot90(IMAGE, 2)), (6, np.rot90(IMAGE, -1)), (8, np.rot90(IMAGE))],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_exif_turns_the_image(kind, orientation, upright):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if kind == "JPEG" else {}
    data = encoded(IMAGE, kind, exif=exif, **options)
    assert close(decode(data), upright, 20)
    assert upright_size(open_image(data)) == upright.shape[:2]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_file_cut_short_is_refused(kind):
    noise = np.random.RandomState(0).randint(0, 255, (64, 64, 3)).astype(np.uint8)
    data = encoded(noise, kind)
    with pytest.raises(BadImageError):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xd8\xff", b"<html>not found</html>"])
def test_what_is_no_image_is_refused(data):
    with pytest.raises(BadImageError):
        decode(data, (8, 8, 3))


def test_float_images_have_no_range_and_are_refused():
    with pytest.raises(BadImageError, match="no fixed range"):
        decode(encoded(np.ones((4, 4), np.float32), "TIFF"))


def test_the_middle_is_kept():
    np.testing.assert_array_equal(fit(IMAGE, (20, 20, 3)), IMAGE[:, 5:25])
    np.testing.assert_array_equal(fit(IMAGE, (10, 10, 3), crop=10), IMAGE[5:15, 10:20])


def test_celeba_crop_is_the_usual_one():
    image = np.random.RandomState(1).randint(0, 255, (218, 178, 3)).astype(np.uint8)
    np.testing.assert_array_equal(fit(image, (148, 148, 3), crop=148), image[35:183, 15:163])


def test_shrinking_is_antialiased():
    # Without it every second pixel would be taken, and the stripes would be all black or white.
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))[..., None]
    middle = fit(stripes, (16, 16, 1))[4:-4, 4:-4]
    assert middle.min() > 100
    assert middle.max() < 155


def test_overshoot_is_clipped_not_wrapped():
    edge = np.zeros((8, 8, 1), np.uint8)
    edge[:, 4:] = 255
    row = fit(edge, (32, 32, 1))[16, :, 0]
    assert row[:14].max() < 30
    assert row[-14:].min() > 225


def test_grey_is_luma_and_colour_repeats():
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    np.testing.assert_array_equal(fit(colours, (1, 3, 1))[0, :, 0], [76, 150, 29])
    grey = np.arange(9, dtype=np.uint8).reshape(3, 3, 1)
    np.testing.assert_array_equal(fit(grey, (3, 3, 3)), grey.repeat(3, -1))


def test_a_large_photograph_decoded_small_looks_the_same():
    large = np.asarray(Image.fromarray(gradient_image(60, 60)).resize((1200, 1200)))
    small = decode(encoded(large, "JPEG", quality=95), (32, 32, 3))
    assert close(small, fit(large, (32, 32, 3)), 4)


def test_damage_behind_the_first_image_of_a_file_is_no_damage_to_it():
    first = Image.new("L", (8, 8), 7)
    buffer = io.BytesIO()
    first.save(buffer, "TIFF", save_all=True, append_images=[first])
    data = buffer.getvalue()
    at = data.rindex(struct.pack("<HH", 256, 4))  # the width of the second image
    damaged = data[:at] + struct.pack("<H", 255) + data[at + 2 :]
    with pytest.raises(TypeError, match="Missing dimensions"):
        _ = open_image(damaged).n_frames
    assert remarks(open_image(damaged), ".tif") == []
    assert decode(damaged)[0, 0, 0] == 7
