"""Models and schedules by name; listing them imports neither Keras nor TensorFlow."""

from keras_genzoo.registry import Registry

# Each entry is a function from the share of the steps that are done to a factor from 1 to 0.
SCHEDULES = Registry(
    "schedule",
    {
        "cosine": "keras_genzoo.models.schedules:cosine",
        "linear": "keras_genzoo.models.schedules:linear",
        "step": "keras_genzoo.models.schedules:halves",
    },
)

MODELS = Registry(
    "model",
    {
        "ae": "keras_genzoo.models.autoencoder:Autoencoder",
        "vae": "keras_genzoo.models.vae:VAE",
        "gan": "keras_genzoo.models.gan:GAN",
        "dcgan": "keras_genzoo.models.dcgan:DCGAN",
        "cgan": "keras_genzoo.models.cgan:CGAN",
        "acgan": "keras_genzoo.models.acgan:ACGAN",
        "lsgan": "keras_genzoo.models.lsgan:LSGAN",
        "wgan_gp": "keras_genzoo.models.wgan_gp:WGANGP",
        "sngan": "keras_genzoo.models.sngan:SNGAN",
        "r3gan": "keras_genzoo.models.r3gan:R3GAN",
        "vqvae": "keras_genzoo.models.vqvae:VQVAE",
    },
)
