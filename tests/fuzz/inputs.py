"""Small sound inputs of each kind, made once; a case copies one and mangles it."""

import contextlib
import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

CLASSES = "bird", "cat"
TRAIN = "fit ae --hidden-units 4 --latent-dim 2 --batch-size 4 --checkpoint-every 1 --steps 2"


def make_inputs(root: Path, genzoo) -> dict[str, list[str]]:
    """Make a folder for each kind under ``root``; return the files that are mangled in each.

    Args:
        root: an empty folder.
        genzoo: runs a command in a process of its own, given its arguments and folder.
    """
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)
    makers = {
        "images": _images,
        "npz": _npz,
        "npy": _npy,
        "zip": _zip,
        "parquet": _parquet,
        "idx": _idx,
    }
    files = {}
    for kind, make in makers.items():
        (root / kind).mkdir()
        files[kind] = make(root / kind, images)
    for kind, made in _of_run(root, genzoo).items():
        files[kind] = made
    return files


def make_records(root: Path) -> list[str]:
    """Make a data set of tensorflow-datasets; called where TensorFlow may run."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    images = np.random.default_rng(0).integers(0, 256, (12, 28, 28, 1), np.uint8)
    labels = np.arange(12) % 10
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(28, 28, 1)),
            "label": tfds.features.ClassLabel(num_classes=10),
        }
    )
    examples = tf.data.Dataset.from_tensor_slices({"image": images, "label": labels})
    with contextlib.redirect_stdout(io.StringIO()):
        tfds.dataset_builders.TfDataBuilder(
            name="mnist",
            version="3.0.1",
            features=features,
            split_datasets={"train": examples, "test": examples},
            data_dir=root,
        ).download_and_prepare()
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def _images(folder: Path, images: np.ndarray) -> list[str]:
    names = []
    for index, suffix in enumerate(("png", "jpg", "gif", "bmp", "webp", "tif", "ppm", "png")):
        name = f"faces/{CLASSES[index % 2]}/{index}.{suffix}"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[index]).save(folder / name)
        names.append(name)
    return names


def _npz(folder: Path, images: np.ndarray) -> list[str]:
    labels = np.arange(12) % 2
    split = {"x_train": images, "y_train": labels, "x_test": images[:4], "y_test": labels[:4]}
    np.savez(folder / "a.npz", class_names=np.array(CLASSES), **split)
    return ["a.npz"]


def _npy(folder: Path, images: np.ndarray) -> list[str]:
    np.save(folder / "a.npy", images)
    return ["a.npy"]


def _zip(folder: Path, images: np.ndarray) -> list[str]:
    with zipfile.ZipFile(folder / "faces.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for index, image in enumerate(images):
            archive.writestr(f"{CLASSES[index % 2]}/{index}.png", _png(image))
    return ["faces.zip"]


def _parquet(folder: Path, images: np.ndarray) -> list[str]:
    rows = [{"bytes": _png(image), "path": None} for image in images]
    kinds = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": list(CLASSES)}}
    metadata = {"huggingface": json.dumps({"info": {"features": kinds}})}
    table = pa.table({"image": rows, "label": [index % 2 for index in range(len(rows))]})
    table = table.replace_schema_metadata(metadata)
    parquet.write_table(table, folder / "a.parquet", row_group_size=4)
    return ["a.parquet"]


def _idx(folder: Path, images: np.ndarray) -> list[str]:
    (folder / "numbers").mkdir()
    grey = images[..., 0]
    header = struct.pack(">HBBIII", 0, 8, 3, *grey.shape)
    (folder / "numbers/train-images-idx3-ubyte").write_bytes(header + grey.tobytes())
    labels = struct.pack(">HBBI", 0, 8, 1, 12) + bytes(index % 2 for index in range(12))
    (folder / "numbers/train-labels-idx1-ubyte").write_bytes(labels)
    return ["numbers/train-images-idx3-ubyte", "numbers/train-labels-idx1-ubyte"]


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def _of_run(root: Path, genzoo) -> dict[str, list[str]]:
    """Make a run, with what ``umap`` and ``evaluate`` leave in it."""
    (root / "run").mkdir()
    genzoo(f"{TRAIN} --out run".split(), root / "run")
    run = root / "run/run"
    distances = {
        "pixels": {"distance": "pixels", "follows_background": 0.5, "at_border": 0.1, "num": 4}
    }
    (run / "umap").mkdir()
    (run / "umap/umap.json").write_text(json.dumps({"maps": distances, "warnings": []}))
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (24, 8, 8, 1), np.uint8)
    points = rng.normal(size=(24, 2)).astype(np.float32)
    arrays = {"pixels_real": points[:20], "pixels_generated": points[20:]}
    arrays |= {"real_images": pictures[:20], "generated_images": pictures[20:]}
    np.savez_compressed(run / "umap/umap.npz", **arrays)
    result = {
        "protocol": {
            "num_fake": 10,
            "features": {"name": "pixels", "checksum": "0" * 64, "resize": "none"},
        },
        "scores": {"fid": 1.5, "kid": [0.1, 0.2], "precision": {"a": 0.5}},
        "floor": {"fid": 1.0},
        "warnings": ["few images"],
    }
    (run / "evaluation.json").write_text(json.dumps(result))
    return {
        "config": ["run/config.json"],
        "history": ["run/history.csv"],
        "checkpoint": [f"run/checkpoints/step-0000000{step}.npz" for step in (1, 2)],
        "keras": ["run/model.keras"],
        "umap": ["run/umap/umap.json", "run/umap/umap.npz"],
        "evaluation": ["run/evaluation.json"],
    }
