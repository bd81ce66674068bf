"""Algorithms as ``keras.Model``: each family's ``train_step`` stands here once.

``MODELS`` lists them by the names that the command line uses.
"""

import lazy_loader

from keras_genzoo import backend

# Keras chooses its backend for good when it is first imported.
backend.require_tensorflow()

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "acgan": ["ACGAN"],
        "adam": ["Adam"],
        "autoencoder": ["Autoencoder"],
        "base": ["ImageModel"],
        "cgan": ["CGAN"],
        "cvae": ["CVAE"],
        "dcgan": ["DCGAN"],
        "flow": ["Flow"],
        "gan": ["GAN"],
        "hvae": ["HVAE"],
        "iwae": ["IWAE"],
        "loading": ["load_model"],
        "lsgan": ["LSGAN"],
        "presets": ["from_preset"],
        "r3gan": ["R3GAN"],
        "registry": ["MODELS", "SOLVERS"],
        "schedules": ["Schedule"],
        "sngan": ["SNGAN"],
        "solvers": ["Solver"],
        "vae": ["VAE"],
        "vqvae": ["VQVAE"],
        "wgan_gp": ["WGANGP"],
    },
)
