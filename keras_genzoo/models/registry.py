"""The models by name; listing them imports neither Keras nor TensorFlow."""

from keras_genzoo.registry import Registry

MODELS = Registry(
    "model",
    {
        "ae": "keras_genzoo.models.autoencoder:Autoencoder",
        "vae": "keras_genzoo.models.vae:VAE",
        "gan": "keras_genzoo.models.gan:GAN",
        "dcgan": "keras_genzoo.models.dcgan:DCGAN",
        "cgan": "keras_genzoo.models.cgan:CGAN",
    },
)
