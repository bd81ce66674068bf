"""Algorithms as ``keras.Model``: each family's ``train_step`` stands here once.

``MODELS`` lists them by the names that the command line uses.
"""

import lazy_loader

from keras_genzoo import backend

# Keras chooses its backend for good when it is first imported.
backend.require_tensorflow()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
