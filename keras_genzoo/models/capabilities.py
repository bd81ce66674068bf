"""Which registered models have a capability, in words for error messages."""

from keras_genzoo.models.registry import MODELS

# The most models that an error message names.
MOST_NAMES = 3


def capable_models(capability: str) -> str:
    """Return the names of registered models that have a capability, for an error message.

    Args:
        capability: a class attribute of ``ImageModel``, such as ``has_encoder``.

    >>> capable_models("has_encoder")  # doctest: +ELLIPSIS
    'such as ae...'
    """
    # A property depends on the model's arguments, so only a class attribute that is True counts.
    names = [name for name in MODELS if getattr(MODELS[name], capability) is True]
    *others, last = names[:MOST_NAMES]
    return f"such as {', '.join(others)} or {last}" if others else f"such as {last}"
