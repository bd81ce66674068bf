"""Numbers one can trust: features -> statistics -> score, each a pure step.

Every result says what it was measured with: the feature network and its checksum, N, resize and
split. A number without them cannot be compared with another.
"""

import lazy_loader

from keras_genzoo import backend

backend.require_tensorflow()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
