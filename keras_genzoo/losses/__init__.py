"""Losses and divergences: pure functions of logits and parameters, computed in float32.

They use only ``keras.ops`` and do not depend on TensorFlow. When a loss is applied, and which
network it trains, is decided in ``models``. Importing this package does not import Keras.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
