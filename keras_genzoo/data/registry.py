"""The data sets by name, with what a person wants to know before choosing one.

Any other image data set of tensorflow-datasets works, too; this is not the place where it is read.
"""

from dataclasses import dataclass

from keras_genzoo.registry import Registry

# How images get labels: as the data has them, from every folder that they lie in, or not at all.
LABELS = ("auto", "folders", "none")


@dataclass(frozen=True)
class DataSet:
    """What is known of a data set without opening it.

    Args:
        image_shape: ``(height, width, channels)`` as stored; None where sizes differ.
        num_images: images in the split ``train``.
        num_classes: None if it has no class labels.
        note: one line for a table.
        crop: side of the centred square that is cut out before any resizing.
        image_size: side of the images unless another is asked for; None: as stored.
        by_hand: where to fetch the files if the automatic download often fails.
        made_of: the data set whose images these are made of.
        terms: what those who made it allow, for the card of a model that was trained on it.
    """

    image_shape: tuple[int, int, int] | None
    num_images: int
    num_classes: int | None
    note: str
    crop: int | None = None
    image_size: int | None = None
    by_hand: str | None = None
    made_of: str | None = None
    terms: str = "see those who made the data set"


_NON_COMMERCIAL = "non-commercial research only"
_UNSTATED = "published without a licence statement"

DATASETS = Registry(
    "data set",
    {
        "digits": DataSet(
            (8, 8, 1),
            1500,
            10,
            "handwritten digits inside scikit-learn; offline",
            terms="CC BY 4.0 (UCI, optical recognition of handwritten digits)",
        ),
        "mnist": DataSet((28, 28, 1), 60_000, 10, "handwritten digits", terms=_UNSTATED),
        "fashion_mnist": DataSet(
            (28, 28, 1), 60_000, 10, "clothes, bags and shoes", terms="MIT licence"
        ),
        "stacked_mnist": DataSet(
            (28, 28, 3),
            60_000,
            1000,
            "three digits of mnist as channels",
            made_of="mnist",
            terms=_UNSTATED,
        ),
        "kmnist": DataSet(
            (28, 28, 1), 60_000, 10, "cursive Japanese characters", terms="CC BY-SA 4.0"
        ),
        "cifar10": DataSet((32, 32, 3), 50_000, 10, "small photographs of animals and vehicles"),
        "cifar100": DataSet((32, 32, 3), 50_000, 100, "small photographs of many things"),
        "svhn_cropped": DataSet((32, 32, 3), 73_257, 10, "house numbers from street views"),
        "stl10": DataSet((96, 96, 3), 5_000, 10, "photographs; 100,000 more in 'unlabelled'"),
        "oxford_flowers102": DataSet(None, 1_020, 102, "flowers; sizes differ: give an image size"),
        "celeb_a": DataSet(
            (218, 178, 3),
            162_770,
            None,
            f"faces of celebrities; centre 148 px, resized to 64; {_NON_COMMERCIAL}",
            crop=148,
            image_size=64,
            by_hand="http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
            terms=_NON_COMMERCIAL,
        ),
    },
)
