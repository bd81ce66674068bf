"""The sample grids of a run over its training, as one animated GIF."""

import os
from collections.abc import Sequence
from pathlib import Path

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import writing
from keras_genzoo.images import as_pillow, read_png

# How long a grid stays; the last stays longer.
MILLISECONDS, LAST_MILLISECONDS = 250, 2000
_HEAD = 22


def training_film(pictures: Sequence[str | os.PathLike], out: str | os.PathLike) -> Path:
    """Write sample grids of the same noise, oldest first, as a GIF that repeats.

    Above each stands its step. Grids of several sizes lie at the upper left of the largest.

    Args:
        pictures: PNG files ``step-00000050.png`` and so on, oldest first.
        out: the GIF.

    Raises:
        GenzooError: if there are none, one is damaged, or the file cannot be written.
    """
    from PIL import Image, ImageDraw, ImageFont

    if not pictures:
        raise GenzooError("there are no pictures of training; train with a smaller --sample-every")
    grids = [as_pillow(read_png(path)) for path in pictures]
    size = max(grid.width for grid in grids), max(grid.height for grid in grids) + _HEAD
    font = ImageFont.load_default(14)
    frames = []
    for path, grid in zip(map(Path, pictures), grids, strict=True):
        frame = Image.new("RGB", size, "white")
        frame.paste(grid, (0, _HEAD))
        ImageDraw.Draw(frame).text((2, 3), _step_in_words(path.stem), fill="black", font=font)
        frames.append(frame)
    durations = [MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    with writing(out) as temporary:
        frames[0].save(
            temporary, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0
        )
    return Path(out)


def _step_in_words(name: str) -> str:
    """Return what stands above a grid.

    >>> _step_in_words("step-00012000"), _step_in_words("mine")
    ('step 12,000', 'mine')
    """
    number = name.removeprefix("step-")
    return f"step {int(number):,}" if number.isdecimal() else name
