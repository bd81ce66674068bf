"""Dense and convolutional layers of spectral norm 1 (1802.05957).

The layers use W / sigma(W), with W reshaped to (rest, outputs) and sigma = u' W v. u and v are
estimates of the leading singular vectors, improved by one power iteration in each training pass.
The gradient includes that of sigma (the paper's equation 12). u is saved beside the weights.
``keras.layers.SpectralNormalization`` is another algorithm: each forward pass assigns W / sigma to
the weights.
"""

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.networks.convolutions import Conv2D

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras.layers import Layer as Joined
else:
    Joined = object

_serializable = keras.saving.register_keras_serializable("keras_genzoo")
_EPSILON = 1e-12


class _Spectral(Joined):
    """Mix-in of the two layers, which keeps ``u`` and divides the kernel by its spectral norm."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights, and the singular vector ``u``."""
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(self.kernel.shape[-1],),
            dtype="float32",
            initializer="random_normal",
            trainable=False,
            # All replicas compute the same value.
            aggregation="only_first_replica",
        )
        # The norm is computed from the float32 weights, also under mixed precision.
        self.autocast = False

    def normalized_kernel(self, training: bool) -> Tensor:
        """Return the kernel divided by its spectral norm; update ``u`` if ``training``."""
        kernel = ops.cast(self.kernel, "float32")
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        u = _unit(ops.convert_to_tensor(self.u))
        if training:
            v = _unit(ops.matmul(matrix, u))
            u = ops.stop_gradient(_unit(ops.matmul(v, matrix)))
            self.u.assign(u)
        v = ops.stop_gradient(_unit(ops.matmul(matrix, u)))
        sigma = ops.sum(v * ops.matmul(matrix, ops.stop_gradient(u)))
        return ops.cast(kernel / sigma, self.compute_dtype)

    def save_own_variables(self, store: Any) -> None:
        """Save all variables; the base layers save only kernel and bias."""
        keras.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        """Load what ``save_own_variables`` saved."""
        keras.Layer.load_own_variables(self, store)

    def call(self, inputs, training=False):
        """Return the layer's outputs with the normalised kernel."""
        inputs = ops.cast(inputs, self.compute_dtype)
        outputs = self.apply_kernel(inputs, self.normalized_kernel(training))
        if self.use_bias:
            outputs += ops.cast(self.bias, self.compute_dtype)
        return outputs if self.activation is None else self.activation(outputs)


@_serializable
class SpectralDense(_Spectral, keras.layers.Dense):
    """``keras.layers.Dense`` of spectral norm 1, with the same arguments.

    >>> layer = SpectralDense(3)
    >>> layer(ops.ones((2, 4)), training=True).shape
    TensorShape([2, 3])
    """

    def apply_kernel(self, inputs, kernel):
        """Return inputs times kernel."""
        return ops.matmul(inputs, kernel)


@_serializable
class SpectralConv2D(_Spectral, Conv2D):
    """``keras.layers.Conv2D``, channels last, of spectral norm 1, with the same arguments.

    As in the paper, the norm is that of the kernel as a matrix, not that of the convolution.

    >>> layer = SpectralConv2D(3, 3, padding="same")
    >>> layer(ops.ones((2, 4, 4, 1)), training=True).shape
    TensorShape([2, 4, 4, 3])
    """

    def apply_kernel(self, inputs, kernel):
        """Return inputs convolved with the kernel."""
        return self.convolution_op(inputs, kernel)


def _unit(vector):
    return vector / (ops.norm(vector) + _EPSILON)
