"""A trained model without this package: SavedModel, LiteRT, ONNX, plain Keras, a page to play with.

Every file has the signatures of the model, with images as floats in [0, 1]; what each of them
takes stands in a card beside it.
"""

import lazy_loader

from keras_genzoo import backend

backend.require_tensorflow()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
