"""What the pages are made of: templates, data and images, none taken for another."""

import base64
import io
import re
from typing import Any

import numpy as np

from keras_genzoo.files import json_text
from keras_genzoo.images import as_pillow


def fill(template: str, **parts: str) -> str:
    """Put the parts of a page where a template names them; what looks like a name in one stays.

    >>> fill("<h1>%TITLE%</h1>%BODY%", TITLE="%BODY%", BODY="<p>")
    '<h1>%BODY%</h1><p>'
    """
    return re.sub("%([A-Z]+)%", lambda match: parts[match[1]], template)


def data_element(name: str, value: Any) -> str:
    r"""Return data for a page's scripts, as an element that is read and never run.

    >>> print(data_element("names", ["</script>"]))
    <script type="application/json" id="names">["\u003c/script\u003e"]</script>
    """
    text = json_text(value, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json" id="{name}">{text}</script>'


def png_address(image: np.ndarray) -> str:
    """Return a uint8 image ``(height, width, 1 or 3)`` as the ``data:`` address of a PNG."""
    buffer = io.BytesIO()
    as_pillow(image).save(buffer, "PNG")
    return address_of(buffer.getvalue())


def address_of(png: bytes) -> str:
    """Return the bytes of a PNG as a ``data:`` address."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
