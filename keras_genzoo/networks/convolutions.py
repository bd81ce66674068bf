"""Keras' convolutions, as products of matrices where TensorFlow's own operations are slow on a CPU.

Two of them are: a kernel as large as the image, which is a dense layer; and the gradient of the
kernel of a convolution that halves a small image in bfloat16, where TensorFlow takes up to four
times as long as one product of all patches with all outputs.
"""

import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

_serializable = keras.saving.register_keras_serializable("keras_genzoo")

# Sides of a kernel that halves an image, and of the halved images that are small.
KERNEL, SMALL = 4, 4


@_serializable
class Conv2D(keras.layers.Conv2D):
    """``keras.layers.Conv2D``, channels last, with the same arguments, weights and results.

    >>> layer = Conv2D(3, 4, strides=2, padding="same")
    >>> layer(keras.ops.ones((2, 7, 7, 1))).shape
    TensorShape([2, 4, 4, 3])
    """

    def convolution_op(self, inputs, kernel):
        """Return inputs convolved with the kernel ``(h, w, channels, filters)``."""
        inputs, kernel = tf.convert_to_tensor(inputs), tf.convert_to_tensor(kernel)
        if self.data_format != "channels_last":
            return super().convolution_op(inputs, kernel)
        if self.padding == "valid" and inputs.shape[1:] == kernel.shape[:3]:
            matrix = tf.reshape(kernel, (-1, kernel.shape[-1]))
            return tf.matmul(tf.reshape(inputs, (-1, matrix.shape[0])), matrix)[:, None, None]
        if _halves(self) and product_is_faster(inputs.dtype, *inputs.shape[1:3]):
            return halved(inputs, kernel)
        return super().convolution_op(inputs, kernel)


@_serializable
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """``keras.layers.Conv2DTranspose``, channels last, with the same arguments and results.

    >>> layer = Conv2DTranspose(3, 4)
    >>> layer(keras.ops.ones((2, 1, 1, 5))).shape
    TensorShape([2, 4, 4, 3])
    """

    def call(self, inputs):
        """Return the layer's outputs."""
        if self.data_format != "channels_last":
            return super().call(inputs)
        inputs = tf.convert_to_tensor(inputs)
        height, width = self.compute_output_shape(inputs.shape)[1:3]
        # With strides or gaps, the image of a pixel may be larger than the kernel.
        whole = self.padding == "valid" and (height, width) == self.kernel_size
        if whole and inputs.shape[1:3] == (1, 1):
            kernel = tf.convert_to_tensor(self.kernel)
            matrix = tf.reshape(kernel, (-1, kernel.shape[-1]))
            outputs = tf.matmul(inputs[:, 0, 0], matrix, transpose_b=True)
            outputs = tf.reshape(outputs, (-1, *kernel.shape[:3]))
        elif _halves(self) and product_is_faster(inputs.dtype, height, width):
            outputs = doubled(inputs, tf.convert_to_tensor(self.kernel), height, width)
        else:
            return super().call(inputs)
        if self.use_bias:
            outputs += tf.convert_to_tensor(self.bias)
        return outputs if self.activation is None else self.activation(outputs)


def _halves(layer: Any) -> bool:
    """Whether a layer goes between an image and one of half its size, with the kernel of DCGAN."""
    return (
        layer.kernel_size == (KERNEL, KERNEL)
        and layer.strides == (2, 2)
        and layer.dilation_rate == (1, 1)
        and layer.padding == "same"
        and getattr(layer, "groups", 1) == 1
    )


def product_is_faster(dtype: tf.DType, height: int | None, width: int | None) -> bool:
    """Return whether a filter's gradient is faster as a product, for images that are halved.

    >>> product_is_faster(tf.float32, 8, 8), product_is_faster(tf.bfloat16, 16, 16)
    (False, False)
    """
    if height is None or width is None or max(height, width) > 2 * SMALL:
        return False
    return dtype == tf.bfloat16 and _only_a_cpu()


@functools.cache
def _only_a_cpu() -> bool:
    return not tf.config.list_physical_devices("GPU")


@tf.autograph.experimental.do_not_convert
@tf.custom_gradient
def halved(images: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """Return images ``(batch, h, w, c)`` convolved with a kernel ``(4, 4, c, filters)``, stride 2.

    The padding is ``"SAME"``. The gradient is that of ``tf.nn.conv2d``, to any order, with the
    filter's as one product.

    >>> halved(tf.ones((2, 7, 7, 3)), tf.ones((4, 4, 3, 5))).shape
    TensorShape([2, 4, 4, 5])
    """

    def gradient(upstream):
        height, width = images.shape[1:3]
        return doubled(upstream, kernel, height, width), filter_gradient(images, upstream)

    return tf.nn.conv2d(images, kernel, 2, "SAME"), gradient


@tf.autograph.experimental.do_not_convert
def doubled(features: tf.Tensor, kernel: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Return features ``(batch, h, w, filters)`` through the transpose of ``halved``.

    Args:
        features: the features.
        kernel: ``(4, 4, c, filters)``.
        height: of the images that ``halved`` turns into such features.
        width: of these images.

    >>> doubled(tf.ones((2, 4, 4, 5)), tf.ones((4, 4, 3, 5)), 7, 8).shape
    TensorShape([2, 7, 8, 3])
    """

    @tf.custom_gradient
    def transposed(features, kernel):
        def gradient(upstream):
            return halved(upstream, kernel), filter_gradient(upstream, features)

        shape = (tf.shape(features)[0], height, width, kernel.shape[2])
        images = tf.nn.conv2d_transpose(features, kernel, shape, 2, "SAME")
        return tf.ensure_shape(images, (features.shape[0], *shape[1:])), gradient

    return transposed(features, kernel)


def filter_gradient(images: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    """Return the gradient of the kernel of ``halved``, ``(4, 4, c, filters)``.

    Blocks of 2x2 pixels become the channels of one; then a patch is four neighbours, which four
    slices give for all patches.

    Args:
        images: what was convolved, ``(batch, h, w, c)``.
        upstream: gradient of its result, ``(batch, ceil(h / 2), ceil(w / 2), filters)``.
    """
    sizes, filters = upstream.shape[1:3], upstream.shape[-1]
    missing = [2 * size + 2 - side for size, side in zip(sizes, images.shape[1:3], strict=True)]
    padded = tf.pad(images, [(0, 0), *((n // 2, n - n // 2) for n in missing), (0, 0)])
    blocks = tf.nn.space_to_depth(padded, 2)
    neighbours = [
        blocks[:, row : row + sizes[0], column : column + sizes[1]]
        for row in (0, 1)
        for column in (0, 1)
    ]
    patches = tf.concat(neighbours, axis=-1)
    rows = tf.reshape(patches, (-1, patches.shape[-1]))
    product = tf.matmul(rows, tf.reshape(upstream, (-1, filters)), transpose_a=True)
    product = tf.reshape(product, (2, 2, 2, 2, images.shape[-1], filters))
    kernel = tf.transpose(product, (0, 2, 1, 3, 4, 5))
    return tf.reshape(kernel, (KERNEL, KERNEL, images.shape[-1], filters))
