"""Recipes compared with each other: trained within one budget, scored alike, in one table.

Each recipe is trained with each seed into a run folder of its own, by a process of its own. All
that is known of a bench lies in its folder, so that an interrupted one can go on.
"""

import lazy_loader

from keras_genzoo import backend

backend.require_tensorflow()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
