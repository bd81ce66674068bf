"""The parts of networks by name; listing the names imports neither Keras nor TensorFlow.

>>> list(ARCHITECTURES), list(NORMALIZATIONS)
(['dense', 'dcgan', 'residual', 'r3gan'], ['batch', 'layer', 'spectral', 'none'])
"""

from keras_genzoo.registry import Registry

# Each entry is a class whose objects are an ``Architecture``.
ARCHITECTURES = Registry(
    "architecture",
    {
        "dense": "keras_genzoo.networks.architectures:DenseArchitecture",
        "dcgan": "keras_genzoo.networks.architectures:ConvolutionalArchitecture",
        "residual": "keras_genzoo.networks.residual:ResidualArchitecture",
        "r3gan": "keras_genzoo.networks.r3gan:R3GANArchitecture",
    },
)

# Each entry is a class whose objects are an ``AutoencoderArchitecture``.
AUTOENCODER_ARCHITECTURES = Registry(
    "autoencoder architecture",
    {
        "dense": "keras_genzoo.networks.architectures:DenseAutoencoder",
        "gated": "keras_genzoo.networks.architectures:GatedAutoencoder",
        "convolutional": "keras_genzoo.networks.architectures:ConvolutionalAutoencoder",
    },
)

# Each entry is a class whose objects are an ``AutoencoderArchitecture`` with grids of features in
# place of latent vectors.
GRID_ARCHITECTURES = Registry(
    "grid architecture",
    {"convolutional": "keras_genzoo.networks.grid_coding:ConvolutionalGrid"},
)

# Each entry is a class whose objects are a ``Conditioning``.
CONDITIONINGS = Registry(
    "conditioning",
    {
        "concat": "keras_genzoo.networks.conditioning:Concatenation",
        "projection": "keras_genzoo.networks.conditioning:Projection",
        "auxiliary_classifier": "keras_genzoo.networks.conditioning:AuxiliaryClassifier",
        "embedding": "keras_genzoo.networks.conditioning:EmbeddedClass",
    },
    prefix="conditioning_",
)

# Each entry is a class whose objects are an ``Augmentation``.
AUGMENTATIONS = Registry(
    "augmentation",
    {
        "diffaugment": "keras_genzoo.networks.augmentation:DiffAugment",
        "ada": "keras_genzoo.networks.ada:ADA",
    },
    prefix="augmentation_",
)

# Each entry is a ``Normalization`` of a discriminator's hidden layers.
NORMALIZATIONS = Registry(
    "normalization",
    {
        "batch": "keras_genzoo.networks.normalization:BATCH",
        "layer": "keras_genzoo.networks.normalization:LAYER",
        "spectral": "keras_genzoo.networks.normalization:SPECTRAL",
        "none": "keras_genzoo.networks.normalization:NONE",
    },
)
