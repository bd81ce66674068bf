"""A loss of one's own is one function: here one-sided label smoothing (1606.03498), by name."""

import keras
from keras import ops

import keras_genzoo as genzoo


def smoothed_discriminator_loss(real_logits, fake_logits):
    """Cross-entropy with the target 0.9 in place of 1 for real images."""
    real = ops.softplus(-real_logits) + 0.1 * real_logits
    return ops.mean(real) + ops.mean(ops.softplus(fake_logits))


smoothed = genzoo.losses.AdversarialLoss(
    discriminator=smoothed_discriminator_loss,
    generator=genzoo.losses.non_saturating_generator_loss,
)
genzoo.losses.ADVERSARIAL_LOSSES.register("smoothed", smoothed)

keras.utils.set_random_seed(0)
model = genzoo.models.GAN(image_shape=(8, 8, 1), latent_dim=16)
model.compile(loss="smoothed")
history = model.fit(genzoo.data.load_dataset("digits", batch_size=50), epochs=10, verbose=2).history
print(f"D(x) {history['real_score'][-1]:.2f}, D(G(z)) {history['fake_score'][-1]:.2f}")
