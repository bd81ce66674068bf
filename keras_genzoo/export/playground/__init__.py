"""A model as one HTML page to play with: it runs in the page, which loads nothing else.

The page is ``page.html``, filled with the style, the scripts, the runtime and the data. The
scripts are joined in the order of ``page.SCRIPTS`` into one, so each sees the names of those
before it.
"""

from keras_genzoo.export.playground.opening import open_page
from keras_genzoo.export.playground.page import write_playground

__all__ = ["open_page", "write_playground"]
