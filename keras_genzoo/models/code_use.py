"""What a model of grids of codes is used for: codes, images of codes, samples, exports."""

import math
from typing import TYPE_CHECKING

import keras
import numpy as np
import numpy.typing as npt

from keras_genzoo.errors import GenzooError
from keras_genzoo.models.latent import interpolate_latents
from keras_genzoo.networks import CodeSampler, plain_lookup, plain_nearest

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras_genzoo.models.autoencoder import Autoencoder as Joined
else:
    Joined = object


class CodeUse(Joined):
    """What ``VQVAE`` adds to ``Autoencoder`` to use its codes and their prior.

    The class has ``codebook``, ``inference_prior`` and ``grid_shape``.
    """

    codes_are_latents = False
    discrete_signatures = frozenset({"generate", "reconstruct", "encode"})

    def encode(self, images: npt.ArrayLike, *, batch_size: int = 256) -> np.ndarray:
        """Return the codes of images, int32 ``(n, rows, columns)``."""
        return self.of_images(self.codes_of, images, batch_size)

    def decode_codes(self, codes: npt.ArrayLike, *, batch_size: int = 256) -> np.ndarray:
        """Return the images of codes ``(n, rows, columns)``, uint8 ``(n, *image_shape)``.

        Raises:
            GenzooError: if they have another shape, or are no integers below ``num_codes``.
        """
        codes = np.asarray(codes)
        if codes.dtype.kind not in "iu" or codes.shape[1:] != self.grid_shape:
            rows, columns = self.grid_shape
            raise GenzooError(
                f"codes must be integers of shape (n, {rows}, {columns}), not {codes.dtype} of "
                f"shape {codes.shape}"
            )
        if codes.size and not (codes.min() >= 0 and codes.max() < self.num_codes):
            raise GenzooError(
                f"codes must be from 0 to {self.num_codes - 1}, but go from {codes.min()} to "
                f"{codes.max()}"
            )
        graph = self.traced(self.decoded_codes)
        return self.in_batches(graph, codes.astype("int32"), batch_size, finish=self.to_uint8)

    def decode(
        self, z: npt.ArrayLike, *, batch_size: int = 256, temperature: float = 1.0
    ) -> np.ndarray:
        """Return the images of noise ``(n, *latent_shape)``, uint8 ``(n, *image_shape)``.

        Args:
            z: noise; that of N(0, I) gives samples of the prior.
            batch_size: images decoded at a time.
            temperature: what the prior's logits are divided by: below 1 likelier codes.

        Raises:
            GenzooError: if the noise has another shape, the temperature is not positive, or the
                prior has not been trained.
        """
        codes = self.sample_codes(z, temperature, batch_size=batch_size)
        return self.decode_codes(codes, batch_size=batch_size)

    def sample_codes(
        self, z: npt.ArrayLike, temperature: float = 1.0, *, batch_size: int = 256
    ) -> np.ndarray:
        """Return the codes that noise stands for, int32 ``(n, rows, columns)``; as ``decode``."""
        if reason := self.why_no_samples():
            raise GenzooError(f"{reason}; train it first")
        if not 0 < temperature < math.inf:
            raise GenzooError(f"temperature must be positive, not {temperature}")
        z = self.checked_latents(z)
        prior = self.inference_prior
        draw = self.traced(prior.draw, prior.any_place)
        flat = self.in_batches(
            lambda rows: prior.sample(rows, temperature, draw), z.reshape(len(z), -1), batch_size
        )
        return flat.reshape(-1, *self.grid_shape)

    def generate(
        self,
        n: int,
        class_labels: npt.ArrayLike | None = None,
        seed: int | None = None,
        temperature: float = 1.0,
    ) -> np.ndarray:
        """Return ``n`` images of codes drawn from the prior, uint8 ``(n, *image_shape)``.

        Args:
            n: number of images.
            class_labels: must be None: the model knows no classes.
            seed: the same seed gives the same images; None gives others each time.
            temperature: as in ``decode``.

        Raises:
            GenzooError: if ``n`` is less than 1, labels are asked for, or as ``decode`` does.
        """
        return super().generate(n, class_labels, seed, temperature=temperature)

    def interpolate(
        self, a: npt.ArrayLike, b: npt.ArrayLike, steps: int = 10, method: str = "linear"
    ) -> np.ndarray:
        """Return the interpolation from image ``a`` to image ``b``, their reconstructions included.

        Between the vectors of the codes of both, each step at the nearest codes: all images are of
        codes, and a place of the grid changes its code at some steps.

        Args:
            a: first image, shape ``image_shape``, or ``(h, w)`` if grey.
            b: last image.
            steps: number of images, at least 2.
            method: ``"linear"`` or ``"spherical"``.

        Returns:
            uint8 array ``(steps, *image_shape)``.
        """
        ends = np.asarray(self.code(self.encode(np.stack([np.asarray(a), np.asarray(b)]))))
        path = interpolate_latents(ends[0], ends[1], steps, method)
        return self.decode_codes(np.asarray(self.codebook.nearest(path)))

    def signatures(self, batch_size: int | None = None) -> dict[str, keras.Model]:
        """Return the networks ``generate``, ``reconstruct``, ``encode`` and ``decode``.

        ``generate`` makes images of noise ``z``, once the prior is trained: the places follow each
        other without a loop, with the keys and values of those before, so that LiteRT and ONNX
        can run it. ``encode`` gives ``codes``, int32 ``(batch, rows, columns)``, and ``decode``
        takes them. Images are in [0, 1].
        """
        rows, columns = self.grid_shape
        images = keras.Input(self.image_shape, batch_size, name="images")
        codes = keras.Input(self.grid_shape, batch_size, dtype="int32", name="codes")
        own = plain_nearest(self.codebook, self.inference_encoder(images, training=False))

        def decoded(grid):
            return self.decoded(plain_lookup(self.codebook, grid))

        networks = {
            "reconstruct": ({"images": images}, {"reconstructions": decoded(own)}),
            "encode": ({"images": images}, {"codes": keras.ops.cast(own, "int32")}),
            "decode": ({"codes": codes}, {"images": decoded(codes)}),
        }
        if self.has_trained_prior:
            z = keras.Input(self.latent_shape, batch_size, name="z")
            drawn = self._sampler()(keras.layers.Reshape((rows * columns,))(z))
            grid = keras.layers.Reshape(self.grid_shape, dtype="int32")(drawn)
            networks = {"generate": ({"z": z}, {"images": decoded(grid)}), **networks}
        return {name: keras.Model(*ends, name=name) for name, ends in networks.items()}

    def _sampler(self) -> CodeSampler:
        """Return a layer that draws codes, with a copy of the prior's weights."""
        sampler = CodeSampler.from_config(self.inference_prior.get_config())
        sampler.set_weights(self.inference_prior.get_weights())
        return sampler

    def describe_codes(
        self, images: npt.ArrayLike, *, batch_size: int = 256
    ) -> dict[str, float | None]:
        """Return how the codebook is used for images, and what they cost in bits.

        Args:
            images: uint8 images or floats in [0, 1].
            batch_size: images at a time.

        Returns:
            ``num_codes``; ``in_use``, the codes that occur; ``perplexity`` of their shares;
            ``bits`` of an image's codes under the prior, None before it is trained; and
            ``reconstruction_bits``, the reconstruction loss of an image given its codes, None if
            it is no log-likelihood, or not known, as of a preset of an earlier version before
            ``compile(loss=...)``. The last is of grey values as they are.
        """
        codes = self.encode(images, batch_size=batch_size)
        counts = np.bincount(codes.ravel(), minlength=self.num_codes)
        shares = counts[counts > 0] / counts.sum()
        flat = codes.reshape(len(codes), -1)
        bits = reconstruction_bits = None
        if self.has_trained_prior:
            log_probability = self.traced(self.inference_prior.log_probability)
            losses = self.in_batches(log_probability, flat, batch_size)
            bits = -float(losses.mean()) / math.log(2)
        if self.likelihood.is_log_likelihood:
            losses = self.in_batches(self._reconstruction_losses, np.asarray(images), batch_size)
            reconstruction_bits = float(losses.mean()) / math.log(2)
        return {
            "num_codes": self.num_codes,
            "in_use": int((counts > 0).sum()),
            "perplexity": float(np.exp(-(shares * np.log(shares)).sum())),
            "bits": bits,
            "reconstruction_bits": reconstruction_bits,
        }
