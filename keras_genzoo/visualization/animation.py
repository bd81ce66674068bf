"""The sample grids of a run over its training, as one animated GIF."""

import os
from collections.abc import Sequence
from pathlib import Path

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import writing
from keras_genzoo.images import as_pillow, read_png

# How long each grid is shown; the last is shown longer.
MILLISECONDS, LAST_MILLISECONDS = 250, 2000
_HEAD = 22


def training_animation(grids: Sequence[str | os.PathLike], out: str | os.PathLike) -> Path:
    """Write the sample grids of a run as an animated GIF that repeats.

    The step is written above each grid. If the grids differ in size, the frames have the largest
    size, and each grid is placed at the upper left.

    Args:
        grids: PNG files ``step-00000050.png`` and so on, oldest first.
        out: the GIF.

    Raises:
        GenzooError: if there are none, one is damaged, or the file cannot be written.
    """
    from PIL import Image, ImageDraw, ImageFont

    if not grids:
        raise GenzooError("the run has no sample grids; train with a smaller --sample-every")
    images = [as_pillow(read_png(path)) for path in grids]
    size = max(image.width for image in images), max(image.height for image in images) + _HEAD
    font = ImageFont.load_default(14)
    frames = []
    for path, image in zip(map(Path, grids), images, strict=True):
        frame = Image.new("RGB", size, "white")
        frame.paste(image, (0, _HEAD))
        ImageDraw.Draw(frame).text((2, 3), _step_in_words(path.stem), fill="black", font=font)
        frames.append(frame)
    durations = [MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    with writing(out) as temporary:
        frames[0].save(
            temporary, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0
        )
    return Path(out)


def _step_in_words(name: str) -> str:
    """Return the title of a frame from the name of its file.

    >>> _step_in_words("step-00012000"), _step_in_words("mine")
    ('step 12,000', 'mine')
    """
    number = name.removeprefix("step-")
    return f"step {int(number):,}" if number.isdecimal() else name
