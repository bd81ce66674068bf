"""Figures of a run: samples, latent maps, training curves, animations, the report, theory."""

import lazy_loader

from keras_genzoo import backend

backend.require_tensorflow()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
