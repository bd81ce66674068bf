"""Models, schedules and solvers by name; listing them imports neither Keras nor TensorFlow."""

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

# Each entry is a ``Solver`` of the equation by which a flow makes images.
SOLVERS = Registry(
    "solver",
    {
        "euler": "keras_genzoo.models.solvers:EULER",
        "midpoint": "keras_genzoo.models.solvers:MIDPOINT",
        "heun": "keras_genzoo.models.solvers:HEUN",
    },
)

MODELS = Registry(
    "model",
    {
        "ae": "keras_genzoo.models.autoencoder:Autoencoder",
        "vae": "keras_genzoo.models.vae:VAE",
        "iwae": "keras_genzoo.models.iwae:IWAE",
        "cvae": "keras_genzoo.models.cvae:CVAE",
        "hvae": "keras_genzoo.models.hvae:HVAE",
        "gan": "keras_genzoo.models.gan:GAN",
        "dcgan": "keras_genzoo.models.dcgan:DCGAN",
        "cgan": "keras_genzoo.models.cgan:CGAN",
        "acgan": "keras_genzoo.models.acgan:ACGAN",
        "lsgan": "keras_genzoo.models.lsgan:LSGAN",
        "wgan_gp": "keras_genzoo.models.wgan_gp:WGANGP",
        "sngan": "keras_genzoo.models.sngan:SNGAN",
        "r3gan": "keras_genzoo.models.r3gan:R3GAN",
        "flow": "keras_genzoo.models.flow:Flow",
        "vqvae": "keras_genzoo.models.vqvae:VQVAE",
    },
)
