"""What HTML pages are made of: templates that are filled, and data for scripts, escaped."""

import html
import re
from pathlib import Path
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


# A page has its mark within so many bytes.
_HEAD = 4096


def weights_mark(digest: str) -> str:
    """Return an element for the head of a page that says whose images it shows.

    Args:
        digest: of the weights of the model.
    """
    return f'<meta name="weights" content="{html.escape(digest)}">'


def read_weights_mark(file: Path) -> str | None:
    """Return the digest that ``weights_mark`` was given; None for a page without one.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = Path(folder) / "page.html"
    ...     _ = page.write_text(f"<head>{weights_mark('4e5b9c')}</head>")
    ...     read_weights_mark(page)
    '4e5b9c'
    """
    try:
        with file.open("rb") as page:
            start = page.read(_HEAD).decode("utf-8", "replace")
    except OSError:
        return None
    found = re.search('<meta name="weights" content="([0-9a-f]*)">', start)
    return found[1] if found else None
