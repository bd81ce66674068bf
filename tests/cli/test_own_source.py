"""Kinds of source of one's own, from a module outside of the package, through the command line."""

import numpy as np
import pytest

MODULE = '''
import numpy as np
from keras_genzoo.data import DATASETS, SOURCES, ArraySource, DataSet, Source, SourceKind
from keras_genzoo.data import check_split, file_kind


def open_dots(path, split, *, image_size, channels, labels):
    check_split(str(path), split, ["train"])
    rows = [[255 * (mark == "#") for mark in line] for line in path.read_text().split()]
    images = np.array(rows, np.uint8).reshape(-1, 8, 8)
    return ArraySource(images, image_size=image_size, channels=channels, name=str(path))


class Stripes(Source):
    """Drawn when they are read."""

    def __init__(self, name, split, *, image_size, channels, data_dir, manual_dir, download):
        super().__init__()
        self.name, self.split = name, check_split(name, split, ["train", "test"])
        self.num_images, self.fingerprint = 64, split
        self.image_shape = (image_size or 8, image_size or 8, channels or 1)
        self.num_classes, self.class_names = 2, ["fine", "coarse"]

    def read(self, index):
        image = np.zeros(self.image_shape, np.uint8)
        image[:: 2 + index % 2] = 255
        return image, index % 2


SOURCES.register("dots", file_kind("a .dots file", ".dots", open_dots))
SOURCES.register(
    "stripes",
    SourceKind("stripes", lambda request: request.text == "stripes", "mine:Stripes", by_name=True),
)
DATASETS.register("stripes", DataSet((8, 8, 1), 64, 2, "stripes of two widths"))
'''
SMALL = "--latent-dim 2 --steps 4 --checkpoint-every 2 --batch-size 8"
CGAN = f"fit cgan --generator-filters 2 --discriminator-filters 2 {SMALL}"
OWN_KIND = "a kind of source of your own is made known by genzoo --import MODULE"


@pytest.fixture
def genzoo(tmp_path, process):
    """Run the command in a process of its own, beside the module and a file of its kind."""
    (tmp_path / "mine.py").write_text(MODULE)
    marks = np.random.default_rng(0).choice(["#", "."], (40 * 8, 8))
    (tmp_path / "a.dots").write_text("\n".join("".join(row) for row in marks))

    return process


def refusal(ended):
    """The line of a command that was refused."""
    assert ended.returncode == 2, ended
    [line] = ended.stderr.splitlines()
    return line


def test_own_sources_are_named_where_data_are(genzoo):
    listed = genzoo("--import mine data list").stdout
    assert "stripes 8x8x1 64 2 stripes of two widths" in " ".join(listed.split())
    assert "IDX files or a .dots file will do, too" in listed
    assert "a .dots file" in genzoo("--import mine fit gan --help").stdout


@pytest.mark.slow
def test_own_sources_are_checked_and_prepared(genzoo):
    lines = "data check a.dots", "data check stripes", "data prepare stripes"
    shown = genzoo(*(f"--import mine {line}" for line in lines)).stdout
    dots, found, stripes = shown.partition("40 images: 0 unusable")
    assert found
    assert "train: 40 images; no classes" in dots
    assert "test: 64 images; 2 classes: fine, coarse" in stripes
    assert "128 images: 0 unusable" in stripes
    assert stripes.endswith("\nstripes is ready\n")


@pytest.mark.slow
def test_a_name_of_an_own_kind_trains_and_resumes_with_its_classes(genzoo, tmp_path):
    ended = genzoo(
        f"--import mine {CGAN} --dataset stripes --out run",
        "--import mine sample run --class coarse",
        "--import mine fit --resume run --steps 6",
    )
    assert ended.returncode == 0, ended.stderr
    line = refusal(genzoo("fit --resume run --steps 8"))
    assert "unknown data set 'stripes'" in line
    assert OWN_KIND in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "opens = lambda path, split, **options: 3",
            "what opens a .dots file must return a Source",
        ),
        ("opens = 'mine:nothing'", "'mine:nothing' is registered, but mine has no 'nothing'"),
    ],
)
def test_what_is_no_source_is_told(genzoo, tmp_path, code, words):
    (tmp_path / "mine.py").write_text(
        "from keras_genzoo.data import SOURCES, file_kind\n"
        f"{code}\nSOURCES.register('dots', file_kind('a .dots file', '.dots', opens))\n"
    )
    assert words in refusal(genzoo("--import mine data check a.dots"))
