# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
#   kernelspec:
#     name: python3
#     display_name: Python 3
#     language: python
# ---
# %% [markdown]
# # Modern GANs
#
# Since [DCGAN](05_dcgan.py) hundreds of GANs have been published. Most of them change one of a few
# things, and those can be chosen one by one. A GAN here is a point on axes:
#
# | argument of the model | names |
# |---|---|
# | `architecture` | `dense`, `dcgan`, `residual`, `r3gan` |
# | `conditioning` | `concat`, `projection`, `auxiliary_classifier`, `embedding` |
# | `discriminator_normalization` | `batch`, `layer`, `spectral`, `none` |
# | `packing` | a number: images that D judges as one |
#
# | argument of `compile` | names |
# |---|---|
# | `loss` | `non_saturating`, `minimax`, `least_squares`, `hinge`, `wasserstein`, `relativistic` |
# | `penalty` on D's slope | `wgan_gp`, `r1`, `r2`, `r1+r2` |
# | `augmentation` of what D sees | `diffaugment`, `ada` |
# | `discriminator_steps` | updates of D for one of G |
#
# ## Names are points
#
# The named models are such points with their papers' defaults, and no code of their own.

# %%
import keras_genzoo as genzoo
from keras_genzoo.errors import GenzooError

for name in ("dcgan", "lsgan", "acgan", "wgan_gp", "sngan", "r3gan"):
    model = genzoo.models.MODELS[name](image_shape=(32, 32, 3))
    model.compile()
    config, compiled = model.get_config(), model.get_compile_config()
    normalization = config["discriminator_normalization"] or model.architecture.normalization
    penalty = type(model.penalty).__name__ if model.penalty else "no penalty"
    print(
        f"{name:8}{config['architecture']:10}{compiled['loss']:16}{penalty:17}"
        f"normalisation of D: {normalization:9} {model.discriminator_steps} steps of D"
    )

# %% [markdown]
# In short, what each of them is about:
#
# - **LSGAN** ([1611.04076](https://arxiv.org/abs/1611.04076)): least squares in place of
#   cross-entropy, so that an image that fools $D$ and lies far from the data still has a gradient.
# - **WGAN-GP** ([1704.00028](https://arxiv.org/abs/1704.00028)): $D$ estimates the Wasserstein
#   distance, $E[D(x)] - E[D(G(z))]$, which means something only if its slope is bounded: the
#   penalty $10 (\|\nabla D(\hat x)\| - 1)^2$ at points between real and generated images.
# - **SNGAN** ([1802.05957](https://arxiv.org/abs/1802.05957)): the slope is bounded by dividing
#   each weight matrix by its largest singular value; hinge loss, residual networks.
# - **AC-GAN** ([1610.09585](https://arxiv.org/abs/1610.09585)): $D$ also names the class; see [the
#   conditional GAN](06_cgan.py).
# - **R3GAN** ([2501.05441](https://arxiv.org/abs/2501.05441)): a relativistic loss, $D$ says how
#   much more real one image is than another, with the zero-centred penalties R1 and R2,
#   $\frac\gamma2 \|\nabla D\|^2$ at real and at generated images; no normalisation and no other
#   trick.
#
# ## Any other point
#
# A point without a name is as good. What has no meaning is refused, with what to take instead.

# %%
own = genzoo.models.DCGAN(
    (32, 32, 3), architecture="residual", discriminator_normalization="spectral", packing=2
)
own.compile(loss="relativistic", penalty="r1", augmentation="diffaugment")
print("two images are judged as one of", own.discriminator.input_shape[1:])
for options in ({"loss": "wasserstein"}, {"penalty": "r1"}):
    try:
        genzoo.models.DCGAN((32, 32, 3)).compile(**options)
    except GenzooError as error:
        print(f"{options}: {error}\n")

# %% [markdown]
# ## Which point keeps all modes?
#
# Mode collapse is best counted where the modes are known: Gaussians of the plane, 8 on a circle
# and 25 on a grid. A small study, which takes seconds: two losses, without a penalty and with R1 +
# R2, three random seeds each.

# %%
cases = genzoo.evaluation.study_stability(
    seeds=3, steps=1000, losses=["non_saturating", "relativistic"], penalties=["none", "r1+r2"]
)
for case in cases:
    numbers = case.summary()
    print(
        f"{case.data:12}  {case.loss:15} {case.penalty:6} ends well: {case.well} of 3, "
        f"modes {numbers['modes']:4.1f}, points near a mode {numbers['quality']:.0%}"
    )

# %% [markdown]
# A GAN ends well here if it covers all modes, each by a fifth of its share of points or more, and
# half of its points lie within three deviations of a mode. On the 8 Gaussians R1 + R2 helps both
# losses: all seeds end well, and without a penalty not all do. On the 25 Gaussians this study says
# nothing, since nothing has learnt them after 1,000 steps. A comparison of GANs that are not
# trained to the end compares how fast they start.
#
# The study at full length, `genzoo theory --stability`, takes 20 minutes of one core: 4,000 steps,
# five seeds. Of five, so many end well on the 25 Gaussians:
#
# | loss | no penalty | `wgan_gp` | `r1` | `r2` | `r1+r2` |
# |---|---|---|---|---|---|
# | `non_saturating` | 0 | 5 | 5 | 5 | 5 |
# | `minimax` | 0 | 5 | 5 | 5 | 5 |
# | `least_squares` | 0 | 3 | 0 | 2 | 5 |
# | `hinge` | 1 | 5 | 5 | 5 | 4 |
# | `wasserstein` | | 4 | 5 | 4 | 5 |
# | `relativistic` | 1 | 5 | 5 | 5 | 5 |
#
# On these data the penalty decides, for all losses but least squares; five seeds cannot tell 4
# from 5. The claim of R3GAN that R1 alone diverges, made on StackedMNIST, does not show here.
# Points of the plane are no images: the weights of the penalties are a hundredth of those for
# images, and learning rates are the same for all, whatever their authors chose.
#
# ## On images
#
# ```bash
# genzoo fit r3gan
# genzoo fit gan --loss wasserstein --penalty wgan_gp --discriminator-steps 5
# genzoo fit dcgan --loss relativistic --penalty r1+r2 --discriminator-normalization none
# genzoo bench lsgan-digits dcgan-hinge-digits wgan_gp-digits --images 60000 --seeds 0,1,2
# ```
#
# The last line trains recipes within one budget of images, scores them alike and draws one table
# with the deviation over seeds. A loss, a penalty or an architecture of your own joins these axes:
# [own losses](12_own_losses.py). Augmentation matters most where data are few: [few
# images](14_few_images.py). Next: [VQ-VAE](09_vqvae.py), back to likelihoods.
