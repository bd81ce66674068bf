"""The card of an exported model: what goes in and comes out, and where the model comes from."""

import dataclasses
from typing import Any

import keras

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
        facts: what is known of its origin, in words: data, terms, recipe, scores.
    """

    name: str
    model: str
    signatures: dict[str, Any]
    facts: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return the card, ready for JSON."""
        return {"keras_genzoo": __version__, **dataclasses.asdict(self)}


def make_card(
    name: str, model: ImageModel, networks: dict[str, keras.Model], facts: dict[str, str]
) -> Card:
    """Return the card of a model that is exported as ``networks``."""
    signatures = {
        signature: {
            "inputs": _tensors(model, network.input),
            "outputs": _tensors(model, network.output),
        }
        for signature, network in networks.items()
    }
    return Card(name, type(model).__name__, signatures, facts)


def _tensors(model: ImageModel, tensors: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {
            "shape": [size or "batch" for size in tensor.shape],
            "dtype": str(tensor.dtype),
            "range": _range(model, name, str(tensor.dtype)),
        }
        for name, tensor in tensors.items()
    }


def _range(model: ImageModel, name: str, dtype: str) -> str:
    """Return in words which values a tensor takes."""
    if name in IMAGES:
        return "0 to 255" if dtype == "uint8" else "0 to 1"
    if name == "class_labels":
        return f"0 to {model.num_classes - 1}"
    if name == "seed":
        return "any whole number; the same seed gives the same image"
    if name == "z" and model.prior_signature is not None:
        return "drawn from N(0, I)"
    return "any"


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
