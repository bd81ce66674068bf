"""The card of an exported model: what goes in and comes out, and where the model comes from."""

import dataclasses
from typing import Any

import keras
import numpy as np

from keras_genzoo._version import __version__
from keras_genzoo.models import ImageModel

# Tensors that hold images.
IMAGES = ("images", "reconstructions")


@dataclasses.dataclass(frozen=True)
class Card:
    """What a person must know to use an exported model.

    Args:
        name: what the model is called where it is served.
        model: name of its class.
        signatures: ``{name: {"inputs": {name: {shape, dtype, range}}, "outputs": ...}}``.
        facts: what is known of it, in words: data, terms, recipe, scores, and of a model with
            classes which number is which.
    """

    name: str
    model: str
    signatures: dict[str, Any]
    facts: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return the card, ready for JSON."""
        return {"keras_genzoo": __version__, **dataclasses.asdict(self)}


def make_card(
    name: str,
    model: ImageModel,
    networks: dict[str, keras.Model],
    facts: dict[str, str] | None = None,
    images: np.ndarray | None = None,
) -> Card:
    """Return the card of a model that is exported as ``networks``.

    Args:
        name: what the model is called where it is served.
        model: the model.
        networks: by signature.
        facts: what is known of its origin.
        images: of the data; the codes of an autoencoder have no prior.
    """
    codes = "codes as 'encode' gives them"
    if model.has_prior:
        codes = "drawn from N(0, I)"
    elif model.has_encoder and images is not None:
        z = np.asarray(model.code(model.encode(images)))
        codes += f"; those of {len(z)} images go from {z.min():.3g} to {z.max():.3g}"
    signatures = {
        signature: {
            "inputs": _tensors(model, network.input, codes),
            "outputs": _tensors(model, network.output, "any"),
        }
        for signature, network in networks.items()
    }
    return Card(name, type(model).__name__, signatures, facts or {})


def _tensors(model: ImageModel, tensors: dict[str, Any], codes: str) -> dict[str, Any]:
    return {
        name: {
            "shape": [size or "batch" for size in tensor.shape],
            "dtype": str(tensor.dtype),
            "range": _range(model, name, str(tensor.dtype), codes),
        }
        for name, tensor in tensors.items()
    }


def _range(model: ImageModel, name: str, dtype: str, codes: str) -> str:
    """Return in words which values a tensor takes."""
    if name in IMAGES:
        return "0 to 255" if dtype == "uint8" else "0 to 1"
    if name == "class_labels":
        return f"0 to {model.num_classes - 1}; others stand for no class"
    if name == "seed":
        return "any whole number; the same seed gives the same image"
    if name == "codes":
        return f"0 to {model.num_codes - 1}"
    return codes if name == "z" else "any"


def signature_table(card: Card) -> str:
    """Return the signatures as a Markdown table."""
    rows = ["| signature | takes | gives |", "|---|---|---|"]
    for name, ends in card.signatures.items():
        takes, gives = (_words(ends[end]) for end in ("inputs", "outputs"))
        rows.append(f"| `{name}` | {takes} | {gives} |")
    return "\n".join(rows)


def _words(tensors: dict[str, Any]) -> str:
    return "; ".join(
        f"`{name}` {tensor['dtype']} [{', '.join(map(str, tensor['shape']))}], {tensor['range']}"
        for name, tensor in tensors.items()
    )


def interface(signatures: dict[str, Any]) -> dict[str, Any]:
    """Return names, shapes and types of signatures, which is what a caller relies on."""
    return {
        name: {
            end: {tensor: [t["shape"], t["dtype"]] for tensor, t in tensors.items()}
            for end, tensors in ends.items()
        }
        for name, ends in signatures.items()
    }
