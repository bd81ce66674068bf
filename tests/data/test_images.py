import numpy as np
import pytest
from PIL import Image

from keras_genzoo.data.images import BadImageError, decode, fit
from tests.data.files import encoded, gradient_image

IMAGE = gradient_image()


def close(a, b, tolerance):
    return np.abs(a.astype(int) - b.astype(int)).max() <= tolerance


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_come_back_exactly(kind):
    np.testing.assert_array_equal(decode(encoded(IMAGE, kind)), IMAGE)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_come_back_nearly(kind):
    assert close(decode(encoded(IMAGE, kind, quality=95)), IMAGE, 20)


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


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [(1, IMAGE), (3, np.rot90(IMAGE, 2)), (6, np.rot90(IMAGE, -1)), (8, np.rot90(IMAGE))],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_exif_turns_the_image(kind, orientation, upright):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if kind == "JPEG" else {}
    assert close(decode(encoded(IMAGE, kind, exif=exif, **options)), upright, 20)


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
