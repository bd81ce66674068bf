"""A person's own generator and discriminator in a GAN of the zoo, saved and loaded again."""

import keras

import keras_genzoo as genzoo

keras.utils.set_random_seed(0)
latent_dim, shape = 16, (8, 8, 1)
generator = keras.Sequential(
    [
        keras.Input((latent_dim,)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(64, activation="tanh"),  # images in [-1, 1]
        keras.layers.Reshape(shape),
    ]
)
discriminator = keras.Sequential(
    [
        keras.Input(shape),
        keras.layers.Conv2D(32, 3, activation="leaky_relu"),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(1),  # a logit, not a probability
    ]
)
model = genzoo.models.GAN(shape, latent_dim, generator=generator, discriminator=discriminator)
model.compile()
model.fit(genzoo.data.load_dataset("digits", batch_size=50), epochs=30, verbose=2)
model.save("own_networks.keras")
again = genzoo.models.load_model("own_networks.keras")
assert (again.generate(4, seed=1) == model.generate(4, seed=1)).all()
print("saved and loaded: own_networks.keras")
