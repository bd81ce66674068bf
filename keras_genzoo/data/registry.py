"""The data sets by name, with what a person wants to know before choosing one.

Any other image data set of tensorflow-datasets works, too; this is not the place where it is read.
"""

from dataclasses import dataclass

from keras_genzoo.registry import Registry


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
    """

    image_shape: tuple[int, int, int] | None
    num_images: int
    num_classes: int | None
    note: str
    crop: int | None = None
    image_size: int | None = None
    by_hand: str | None = None
    made_of: str | None = None


DATASETS = Registry(
    "data set",
    {
        "digits": DataSet((8, 8, 1), 1500, 10, "handwritten digits inside scikit-learn; offline"),
        "mnist": DataSet((28, 28, 1), 60_000, 10, "handwritten digits"),
        "fashion_mnist": DataSet((28, 28, 1), 60_000, 10, "clothes, bags and shoes"),
        "stacked_mnist": DataSet(
            (28, 28, 3), 60_000, 1000, "three digits of mnist as channels", made_of="mnist"
        ),
        "kmnist": DataSet((28, 28, 1), 60_000, 10, "cursive Japanese characters"),
        "cifar10": DataSet((32, 32, 3), 50_000, 10, "small photographs of animals and vehicles"),
        "cifar100": DataSet((32, 32, 3), 50_000, 100, "small photographs of many things"),
        "svhn_cropped": DataSet((32, 32, 3), 73_257, 10, "house numbers from street views"),
        "stl10": DataSet((96, 96, 3), 5_000, 10, "photographs; 100,000 more in 'unlabelled'"),
        "oxford_flowers102": DataSet(None, 1_020, 102, "flowers; sizes differ: give an image size"),
        "celeb_a": DataSet(
            (218, 178, 3),
            162_770,
            None,
            "faces of celebrities; centre 148 px, resized to 64; non-commercial research only",
            crop=148,
            image_size=64,
            by_hand="http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        ),
    },
)
