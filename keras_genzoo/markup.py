"""What HTML pages are made of: templates that are filled, and data for scripts, escaped."""

import re
from typing import Any

from keras_genzoo.files import json_text


def fill(template: str, **parts: str) -> str:
    """Replace ``%NAME%`` in a template by the part of that name; parts are not searched for names.

    >>> fill("<h1>%TITLE%</h1>%BODY%", TITLE="%BODY%", BODY="<p>")
    '<h1>%BODY%</h1><p>'
    """
    return re.sub("%([A-Z]+)%", lambda match: parts[match[1]], template)


def data_element(name: str, value: Any) -> str:
    r"""Return data for a page's scripts, as an element that the browser does not execute.

    >>> print(data_element("names", ["</script>"]))
    <script type="application/json" id="names">["\u003c/script\u003e"]</script>
    """
    text = json_text(value, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json" id="{name}">{text}</script>'
