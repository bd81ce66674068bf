"""Chapter 5 in one figure: D against D*, the value against its optimum, and both gradients."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_genzoo.evaluation.theory import (
    OptimalDiscriminator,
    TrainedGAN,
    broad,
    generator_gradients,
    ring,
    train_discriminator,
    train_gan,
    two_bumps,
)
from keras_genzoo.losses import LOG_4
from keras_genzoo.visualization.style import (
    GENERATED,
    REAL,
    colour_of,
    new_figure,
    plain,
    save_figure,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, OTHER = colour_of(0), colour_of(6)


def draw_theory(
    out: Path, seed: int = 0, echo: Callable[[str], None] = lambda line: None
) -> tuple[dict[str, Any], list[Path]]:
    """Train on known densities, draw the result, and return what was measured and the files.

    Args:
        out: where, without suffix.
        seed: key of weights and points.
        echo: told what takes long.

    Raises:
        GenzooError: if a file cannot be written.
    """
    echo("training discriminators against generators that stand still")
    line = train_discriminator(two_bumps(), broad(1), seed=seed)
    plane = train_discriminator(ring(), broad(2), seed=seed)
    echo("training a GAN")
    gan = train_gan(two_bumps(), seed=seed)
    files = save_figure(_figure(line, plane, gan), out)
    measured = {
        name: {
            "value": one.value,
            "optimal_value": one.optimal_value,
            "mean_error_of_D": one.mean_error,
        }
        for name, one in (("1-D", line), ("2-D", plane))
    }
    measured["GAN"] = {
        "value": gan.values[-1][1],
        "optimal_value": -LOG_4,
        "JS_before": gan.divergence_before,
        "JS_after": gan.divergence,
    }
    return measured, files


def _figure(line: OptimalDiscriminator, plane: OptimalDiscriminator, gan: TrainedGAN) -> "Figure":
    figure = new_figure(13, 8)
    axes = figure.subplots(2, 3)
    _discriminator(axes[0, 0], line)
    _planes(figure, axes[0, 1:], plane)
    _values(axes[1, 0], line, plane)
    _gan(axes[1, 1], gan)
    _gradients(axes[1, 2])
    return figure


def _discriminator(axes, line: OptimalDiscriminator) -> None:
    plain(axes, "D learnt, and D* = p_d / (p_d + p_g)")
    x = line.points[:, 0]
    for mixture, colour, name in ((two_bumps(), REAL, "p_d"), (broad(1), GENERATED, "p_g")):
        density = mixture.density(line.points)
        axes.fill_between(x, density / 4, color=colour, alpha=0.3, linewidth=0, label=f"{name} / 4")
    axes.plot(x, line.optimal, color="black", linewidth=2.5, alpha=0.35, label="D*")
    axes.plot(x, line.learnt, color=INK, linestyle="--", linewidth=1.3, label="D learnt")
    axes.set(xlabel="x", ylim=(0, 1.05))
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper center")


def _planes(figure, all_axes, plane: OptimalDiscriminator) -> None:
    side = round(np.sqrt(len(plane.points)))
    titles = "D learnt, eight Gaussians on a circle", "D*"
    for axes, values, title in zip(all_axes, (plane.learnt, plane.optimal), titles, strict=True):
        plain(axes, title)
        image = axes.imshow(
            values.reshape(side, side).T,
            origin="lower",
            extent=(-1, 1, -1, 1),
            vmin=0,
            vmax=1,
            cmap="cividis",
        )
    figure.colorbar(image, ax=all_axes, shrink=0.8, label="D(x)")


def _values(axes, line: OptimalDiscriminator, plane: OptimalDiscriminator) -> None:
    plain(axes, "V(D, G) while D is trained, and -log 4 + 2 JS")
    for one, name, colour in ((line, "1-D", INK), (plane, "2-D", OTHER)):
        axes.plot(*zip(*one.values, strict=True), color=colour, linewidth=1, label=name)
        axes.axhline(one.optimal_value, color=colour, linestyle="--", linewidth=1.2)
    axes.axhline(-LOG_4, color="0.5", linestyle=":", label="-log 4")
    axes.set(xlabel="step", ylabel="V")
    axes.legend(frameon=False, fontsize=8)


def _gan(axes, gan: TrainedGAN) -> None:
    plain(axes, "a GAN trained to its end: V, and what it makes")
    axes.plot(*zip(*gan.values, strict=True), color=INK, linewidth=1)
    axes.axhline(-LOG_4, color="0.5", linestyle=":", label="-log 4")
    axes.set(xlabel="step", ylabel="V", ylim=(-LOG_4 - 0.15, 0.75 - LOG_4))
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    inset = plain(axes.inset_axes([0.35, 0.5, 0.62, 0.45]))
    x = np.linspace(-1, 1, 400)[:, None]
    inset.hist(gan.generated[:, 0], 60, (-1, 1), density=True, color=GENERATED, alpha=0.4)
    inset.plot(x, two_bumps().density(x), color="black", linewidth=1)
    inset.set_title("generated (bars) and p_d", fontsize=8)
    inset.tick_params(labelsize=7)


def _gradients(axes) -> None:
    plain(axes, "pull at the logit of a generated image")
    scores = np.linspace(0.001, 0.999, 400)
    styles = {"minimax": (OTHER, "--"), "non_saturating": (INK, "-")}
    for name, gradient in generator_gradients(scores).items():
        colour, style = styles[name]
        words = name.replace("_", "-")
        axes.plot(scores, gradient, color=colour, linestyle=style, label=words)
    note = "early in training:\nminimax vanishes"
    arrow = {"arrowstyle": "->", "color": "0.4"}
    axes.annotate(note, (0.02, 0.02), (0.5, 0.1), fontsize=8, arrowprops=arrow)
    axes.set(xlabel="D(G(z))", ylabel="|dL / dlogit|")
    axes.legend(frameon=False, fontsize=8, loc="upper center")
