"""Settings of the small GANs on points of the plane: in the study, and in the page to play with.

Nothing is imported here, so that the page is written without TensorFlow.
"""

# The same for all losses and penalties, whatever their authors chose.
LEARNING_RATES = (3e-3, 3e-3)
# Weights of the penalties. On points of the plane they must be smaller than on images, since a
# discriminator that tells neighbouring modes apart is steep there; others keep their default.
WEIGHTS = {"wgan_gp": 0.1, "r1": 0.01, "r2": 0.01, "r1+r2": 0.01}
