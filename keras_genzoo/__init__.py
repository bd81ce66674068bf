"""keras_genzoo: a zoo of generative image models for Keras 3 on TensorFlow.

Subpackages are imported on first use, so ``import keras_genzoo as genzoo`` takes no time. After it
``keras.models.load_model`` finds the classes of saved models.

"The thesis" in docstrings is "Generative modelling by deep learning" (2022, in Japanese), which
this package reproduces; they cite it by chapter or figure.

>>> import keras_genzoo as genzoo
>>> model = genzoo.models.VAE(image_shape=(8, 8, 1), latent_dim=2)
>>> model.generate(3, seed=0).shape
(3, 8, 8, 1)
"""

import lazy_loader

from keras_genzoo import serializable

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

serializable.register_lazily()
