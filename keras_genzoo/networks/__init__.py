"""Encoders, decoders, generators, discriminators and U-Nets, each a function that builds a network.

Except for batch normalisation, convolutions, codebooks, dropout and seeded noise they use
only ``keras`` layers and ``keras.ops``. Losses and training are in ``models``.
"""

import lazy_loader

from keras_genzoo import backend

backend.require_tensorflow()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
