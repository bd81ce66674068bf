"""``model.fit`` on uint8 images in ten lines: a VAE learns the embedded digits."""

import keras
import numpy as np

import keras_genzoo as genzoo

keras.utils.set_random_seed(0)
digits = genzoo.data.load_dataset("digits", image_size=16, batch_size=64, seed=0)
model = genzoo.models.VAE(image_shape=(16, 16, 1), latent_dim=2)
model.compile(optimizer=keras.optimizers.Adam(1e-3))
model.fit(digits, epochs=20, verbose=2)
images = model.generate(64, seed=0)
genzoo.images.save_png("vae_digits.png", genzoo.images.image_grid(images, scale=3))
print(f"64 images of {images.shape[1:]}, mean {np.mean(images):.0f}: vae_digits.png")
