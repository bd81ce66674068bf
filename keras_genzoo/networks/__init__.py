"""Encoders, decoders, generators, discriminators and U-Nets, each a function that builds a network.

Except for batch normalisation, grouped convolution, codebooks, dropout and seeded noise they use
only ``keras`` layers and ``keras.ops``. Losses and training are in ``models``.
"""

import lazy_loader

from keras_genzoo import backend

backend.require_tensorflow()

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "ada": ["ADA", "COLOUR", "GEOMETRY"],
        "architectures": [
            "Architecture",
            "AutoencoderArchitecture",
            "ConvolutionalArchitecture",
            "ConvolutionalAutoencoder",
            "DenseArchitecture",
            "DenseAutoencoder",
            "GatedAutoencoder",
        ],
        "augmentation": ["POLICIES", "Augmentation", "DiffAugment"],
        "code_prior": ["CausalBlock", "CodePrior", "CodeSampler", "standard_normal_cdf"],
        "codebook": ["Codebook", "plain_lookup", "plain_nearest"],
        "conditioning": [
            "AuxiliaryClassifier",
            "Concatenation",
            "Conditioning",
            "EmbeddedClass",
            "Projection",
            "append_label_planes",
            "append_one_hot",
        ],
        "convolutional": [
            "convolutional_discriminator",
            "convolutional_generator",
            "resolutions",
        ],
        "convolutional_coding": [
            "convolutional_decoder",
            "convolutional_encoder",
            "convolutional_gaussian_encoder",
        ],
        "dense": [
            "dense_decoder",
            "dense_discriminator",
            "dense_encoder",
            "dense_gaussian_encoder",
            "dense_generator",
        ],
        "grid_coding": ["ConvolutionalGrid", "check_halvings"],
        "group_normalization": ["GroupNormalization"],
        "grouped": ["GroupedConv2D"],
        "hierarchy": ["Hierarchy", "dense_hierarchy"],
        "normalization": [
            "BatchNormalization",
            "ConditionalBatchNormalization",
            "Normalization",
        ],
        "policy": ["layers_under"],
        "r3gan": ["R3GANArchitecture"],
        "randomness": [
            "Dropout",
            "SeededNormal",
            "fold_in",
            "normal",
            "rows_of_global_batch",
            "uniform",
        ],
        "registry": [
            "ARCHITECTURES",
            "AUGMENTATIONS",
            "AUTOENCODER_ARCHITECTURES",
            "CONDITIONINGS",
            "GRID_ARCHITECTURES",
            "NORMALIZATIONS",
        ],
        "residual": [
            "ResidualArchitecture",
            "residual_discriminator",
            "residual_generator",
        ],
        "seeding": ["randomness_kept", "seeded"],
        "spectral": ["SpectralConv2D", "SpectralDense"],
        "unet": ["velocity_unet"],
    },
)
