import io

import numpy as np
from PIL import Image


def gradient_image(height=20, width=30):
    """A smooth colour image whose corners differ: red grows downwards, green to the right."""
    down, right = np.mgrid[0:height, 0:width]
    red, green = 255 * down // (height - 1), 255 * right // (width - 1)
    return np.stack([red, green, np.full_like(red, 40)], -1).astype(np.uint8)


def encoded(image, kind="PNG", **options):
    """The bytes of an image file."""
    buffer = io.BytesIO()
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()
