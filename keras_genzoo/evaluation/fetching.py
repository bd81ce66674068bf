"""Fetching a file of known size over the network, whole or not at all."""

import urllib.error
import urllib.request
from typing import IO

SECONDS = 30
CHUNK = 1 << 20


# keras.utils.get_file has no time-out, follows https to http, writes under the final name (what a
# killed process leaves there counts as whole next time), and fails where the cache cannot be
# written.
def download(url: str, size: int, archive: IO[bytes]) -> None:
    """Write what lies at an address to ``archive``, and set it back to its beginning.

    Args:
        url: the address.
        size: bytes that it must have.
        archive: an open file, or a buffer in memory.

    Raises:
        OSError: if it cannot be fetched, has another size, or ``https`` is left on the way.
    """
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        if url.startswith("https:") and not answer.url.startswith("https:"):
            raise OSError(f"it was sent on to {answer.url}, which is not safe")
        left = size + 1
        while left and (part := answer.read(min(CHUNK, left))):
            archive.write(part)
            left -= len(part)
    if archive.tell() != size:
        more = "more than " if archive.tell() > size else ""
        got = min(archive.tell(), size)
        raise OSError(f"the archive has {more}{got:,} bytes, and should have {size:,}")
    archive.seek(0)
