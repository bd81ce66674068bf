"""The pictures of a run over its training, as one animated GIF."""

import os
from collections.abc import Sequence
from pathlib import Path

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import writing
from keras_genzoo.images import as_pillow, read_png

MILLISECONDS = 250
LAST_MILLISECONDS = 2000


def training_film(pictures: Sequence[str | os.PathLike], out: str | os.PathLike) -> Path:
    """Write pictures of the same noise, oldest first, as a GIF that repeats; the last stays longer.

    Raises:
        GenzooError: if there are none, one is damaged, or the file cannot be written.
    """
    from PIL import Image, ImageDraw, ImageFont

    if not pictures:
        raise GenzooError("there are no pictures of training; train with a smaller --sample-every")
    frames = []
    font = ImageFont.load_default(14)
    for path in map(Path, pictures):
        picture = as_pillow(read_png(path))
        frame = Image.new("RGB", (picture.width, picture.height + 22), "white")
        frame.paste(picture, (0, 22))
        ImageDraw.Draw(frame).text((2, 3), path.stem.replace("-", " "), fill="black", font=font)
        frames.append(frame)
    durations = [MILLISECONDS] * (len(frames) - 1) + [LAST_MILLISECONDS]
    with writing(out) as temporary:
        frames[0].save(
            temporary, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0
        )
    return Path(out)
