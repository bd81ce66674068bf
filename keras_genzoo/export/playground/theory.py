"""A page in which a GAN trains on points of the plane: ``genzoo theory --interactive``."""

import os
from pathlib import Path

from keras_genzoo.evaluation.plane_settings import LEARNING_RATES, WEIGHTS
from keras_genzoo.export.playground.parts import filled, joined, resource
from keras_genzoo.files import new_file, writing
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES
from keras_genzoo.markup import data_element
from keras_genzoo.reading import read_json

SCRIPTS = ("base.js", "autodiff.js", "gan.js", "plane.js")
TITLE = "A GAN by hand"


def write_theory_page(
    out: str | os.PathLike = "theory.html", *, seed: int = 0, force: bool = False
) -> Path:
    """Write the page, and return its path.

    A small GAN trains in the browser, with any loss and penalty of this package: the page shows its
    points, what the discriminator says of every place, and where it pulls the points.

    Args:
        out: an ``.html`` file.
        seed: random seed that it begins with.
        force: replace the file if it exists.

    Raises:
        GenzooError: if the file exists, or cannot be written.
    """
    out = new_file(out, force, ".html")
    data = {
        "texts": read_json(resource("theory_texts.json")),
        "losses": list(ADVERSARIAL_LOSSES),
        "penalties": ["none", *PENALTIES],
        "weights": WEIGHTS,
        "rates": LEARNING_RATES,
        "seed": seed,
    }
    text = filled("theory.html", TITLE, data_element("page-data", data), [joined(SCRIPTS)])
    with writing(out) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return out
