"""Pages show data as data, whatever it says."""

import base64
import io
import json
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from keras_genzoo.errors import GenzooError
from keras_genzoo.images import read_png, save_png
from keras_genzoo.markup import data_element
from keras_genzoo.visualization.interactive import map_page
from keras_genzoo.visualization.pages import png_address
from keras_genzoo.visualization.study import Study


class Scripts(HTMLParser):
    """The scripts of a page: their attributes and what is in each."""

    def __init__(self, page):
        super().__init__()
        self.found, self.inside = [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.inside = tag == "script"
        if self.inside:
            self.found.append([dict(attributes), ""])

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.found[-1][1] += data


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "%SPRITE%",
    "%DATA%",
    '"; alert(1); "',
    "%PART%%TITLE%",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_data_comes_out_of_a_page_as_it_went_in(text):
    ((attributes, content),) = Scripts(data_element("a", [text])).found
    assert attributes == {"type": "application/json", "id": "a"}
    assert json.loads(content) == [text]


@pytest.mark.parametrize("text", HOSTILE)
def test_names_in_a_study_run_nothing_and_stand_for_nothing(text):
    images = np.zeros((3, 8, 8, 1), "uint8")
    points = np.array([[0.0, 0], [1, 0], [0, 1]])
    study = Study(text, points, points, np.array([True, False, False]), 0.5)
    data, code = Scripts(map_page(text, [study], images, images)).found
    assert json.loads(data[1])["panels"][0]["title"] == text
    plain = Scripts(map_page("plain", [study], images, images)).found[1]
    assert code == plain


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "step-00000001.png"
    save_png(path, np.arange(48, dtype="uint8").reshape(4, 4, 3))
    return path


def test_only_the_pixels_of_a_picture_go_on(picture):
    kept = read_png(picture)
    notes = PngImagePlugin.PngInfo()
    notes.add_text("key", "secret")
    Image.fromarray(kept).save(picture, pnginfo=notes, icc_profile=b"secret", exif=b"secret")
    with picture.open("ab") as file:
        file.write(b"secret")
    assert b"secret" in picture.read_bytes()
    content = base64.b64decode(png_address(read_png(picture)).partition(",")[2])
    assert b"secret" not in content
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), kept)


@pytest.mark.parametrize("make", ["text", "gif", "link", "cut", "huge"])
def test_what_is_no_picture_of_a_run_is_named_and_not_shown(picture, tmp_path, make):
    content = picture.read_bytes()
    picture.unlink()
    if make == "text":
        picture.write_text("-----BEGIN PRIVATE KEY-----")
    elif make == "gif":
        Image.new("L", (4, 4)).save(picture, "GIF")
    elif make == "link":
        (tmp_path / "outside.png").write_bytes(content)
        picture.symlink_to(tmp_path / "outside.png")
    elif make == "cut":
        picture.write_bytes(content[:-30])
    else:
        Image.new("1", (20_000, 10_000)).save(picture)
    with pytest.raises(GenzooError, match=rf"{picture} is damaged: .*; remove it to go on"):
        read_png(picture)
