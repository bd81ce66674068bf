"""Whether two scores were measured in the same way: what of their protocols must agree."""

from collections.abc import Collection
from typing import Any

from keras_genzoo.evaluation.display import MISSING, value_at
from keras_genzoo.evaluation.options import PRIOR
from keras_genzoo.evaluation.score import SCORES

# Parts of the protocol that must be the same for two scores to be compared.
COMPARED = (
    "real",
    "real_images_are",
    "num_real",
    "num_fake",
    "num_train",
    "image_shape",
    "seed",
    "sampler",
    "fid_real",
    "floor",
    "features",
)
# Those that concern scores of generated images alone.
_OF_IMAGES = ("num_fake", "sampler", "features")


def protocol_differences(
    one: dict[str, Any], two: dict[str, Any], parts: Collection[str] = COMPARED
) -> list[str]:
    """Return in words where a protocol differs from another one.

    A part that one of them does not have is not compared: files of earlier versions lack some.

    Args:
        one: the protocol of a result.
        two: the protocol that it should have.
        parts: the names of what is compared.

    >>> protocol_differences({"num_real": 20, "seed": 0}, {"num_real": 30, "seed": 0})
    ['num_real 20, not 30']
    """
    both = [name for name in parts if name in one.keys() & two]
    words = [(name, _in_words(name, one), _in_words(name, two)) for name in both]
    return [f"{name} {before}, not {now}" for name, before, now in words if before != now]


def score_differences(name: str, one: dict[str, Any], two: dict[str, Any]) -> list[str]:
    """Return in words where a score was measured otherwise than in another result.

    Only what the score depends on counts: a likelihood takes no feature network, and is
    another one with another number of draws.

    Args:
        name: of the score.
        one: a result that has the score.
        two: the result that it is compared with.

    >>> one = {"protocol": {"seed": 0, "num_fake": 10}, "scores": {"fid": 1.0}}
    >>> two = {"protocol": {"seed": 0, "num_fake": 20}, "scores": {"fid": 2.0}}
    >>> score_differences("fid", one, two), score_differences("reconstruction", one, two)
    (['num_fake 10, not 20'], [])
    """
    protocols = [_of_score(name, result["protocol"]) for result in (one, two)]
    found = protocol_differences(*protocols)
    for path, display in SCORES[name].gives.items():
        if display is not None and display.of_protocol:
            values = [value_at(result["scores"], path) for result in (one, two)]
            if values[0] != values[1]:
                before, now = ("none" if value is MISSING else value for value in values)
                found.append(f"{path} {before}, not {now}")
    return found


def _of_score(name: str, protocol: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a protocol that a score depends on."""
    score, left_out = SCORES[name], {"floor"}
    if score.of == "images":
        # A model without an encoder draws its own noise, and its protocol names no sampler.
        protocol = {"sampler": PRIOR} | protocol
    else:
        left_out |= {*_OF_IMAGES}
    if "train_images" not in score.needs:
        left_out.add("num_train")
    if name == "fid":
        protocol = {"fid_real": "the real images"} | protocol
    else:
        left_out.add("fid_real")
    return {part: value for part, value in protocol.items() if part not in left_out}


def _in_words(name: str, protocol: dict[str, Any]) -> str:
    value = protocol[name]
    if name == "features" and isinstance(value, dict):
        return f"{value.get('name')} {str(value.get('checksum'))[:12]}"
    return str(value)
