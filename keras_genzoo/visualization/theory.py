"""Chapter 5 in one figure: D against D*, the value against its optimum, and both gradients."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_genzoo.evaluation.theory import (
    Mixture,
    OptimalDiscriminator,
    TrainedGAN,
    broad,
    generator_gradients,
    grid,
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
# Generated points in the figure.
SHOWN = 4000


def draw_theory(
    out: str | os.PathLike,
    seed: int = 0,
    echo: Callable[[str], None] = lambda line: None,
    *,
    steps: tuple[int, int] = (3000, 6000),
) -> tuple[dict[str, Any], list[Path]]:
    """Train on known densities, draw the result, and return what was measured and the files.

    Args:
        out: where, without suffix.
        seed: key of weights and points.
        echo: told what takes long.
        steps: updates of D alone, and of both networks of a GAN (at least 100).

    Raises:
        GenzooError: if a file cannot be written.
    """
    echo("training discriminators against generators that stand still")
    line = train_discriminator(two_bumps(), broad(1), steps[0], seed=seed)
    plane = train_discriminator(ring(), broad(2), steps[0], seed=seed)
    echo("training a GAN on the line, and one on the plane")
    gans = [(data, train_gan(data, steps[1], seed=seed)) for data in (two_bumps(), ring())]
    files = save_figure(_figure(line, plane, gans), out)
    measured: dict[str, Any] = {
        name: {
            "value": one.value,
            "optimal_value": one.optimal_value,
            "mean_error_of_D": one.mean_error,
        }
        for name, one in (("1-D", line), ("2-D", plane))
    }
    for data, gan in gans:
        measured[f"GAN {data.dimensions}-D"] = {
            "value": gan.values[-1][1],
            "optimal_value": -LOG_4,
            "JS_before": gan.divergence_before,
            "JS_after": gan.divergence,
            "modes": f"{gan.covered} of {len(data.means)}",
        }
    return measured, files


def _figure(
    line: OptimalDiscriminator,
    plane: OptimalDiscriminator,
    gans: list[tuple[Mixture, TrainedGAN]],
) -> "Figure":
    figure = new_figure(17, 8)
    axes = figure.subplots(2, 4)
    _discriminator(axes[0, 0], line)
    _planes(figure, axes[0, 1:3], plane)
    _values(axes[0, 3], line, plane)
    _gan_values(axes[1, 0], gans)
    (on_line, on_plane) = gans
    _generated_on_line(axes[1, 1], *on_line)
    _generated_on_plane(axes[1, 2], *on_plane)
    _gradients(axes[1, 3])
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
    figure.colorbar(image, ax=all_axes, shrink=0.8, pad=0.01, label="D(x)")


def _values(axes, line: OptimalDiscriminator, plane: OptimalDiscriminator) -> None:
    plain(axes, "V(D, G) while D is trained, and -log 4 + 2 JS")
    for one, name, colour in ((line, "1-D", INK), (plane, "2-D", OTHER)):
        axes.plot(*zip(*one.values, strict=True), color=colour, linewidth=1, label=name)
        axes.axhline(one.optimal_value, color=colour, linestyle="--", linewidth=1.2)
    axes.axhline(-LOG_4, color="0.5", linestyle=":", label="-log 4")
    axes.set(xlabel="step", ylabel="V")
    axes.legend(frameon=False, fontsize=8)


def _gan_values(axes, gans: list[tuple[Mixture, TrainedGAN]]) -> None:
    plain(axes, "V(D, G) while both are trained")
    for (data, gan), colour in zip(gans, (INK, OTHER), strict=True):
        steps, values = zip(*gan.values, strict=True)
        axes.plot(steps, values, color=colour, linewidth=1, label=f"{data.dimensions}-D")
    axes.axhline(-LOG_4, color="0.5", linestyle=":", label="-log 4")
    note = "V is -log 4 + 2 JS only where D = D*:\nthis D may see less than there is"
    axes.text(0.97, 0.55, note, fontsize=8, ha="right", transform=axes.transAxes)
    axes.set(xlabel="step", ylabel="V")
    axes.legend(frameon=False, fontsize=8)


def _generated_on_line(axes, data: Mixture, gan: TrainedGAN) -> None:
    plain(axes, _outcome(data, gan))
    x = np.linspace(-1, 1, 400)[:, None]
    heights, *_ = axes.hist(
        gan.generated[:, 0],
        bins=60,
        range=(-1, 1),
        density=True,
        color=GENERATED,
        alpha=0.4,
        label="generated",
    )
    axes.plot(x, data.density(x), color="black", linewidth=1.3, label="p_d")
    axes.set(xlabel="x", ylim=(0, 1.2 * max(heights.max(), data.density(x).max())))
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper center")


def _generated_on_plane(axes, data: Mixture, gan: TrainedGAN) -> None:
    plain(axes, _outcome(data, gan))
    points = grid(2)
    side = round(np.sqrt(len(points)))
    axes.contour(
        *(points[:, axis].reshape(side, side) for axis in (0, 1)),
        data.density(points).reshape(side, side),
        # One and two deviations around each component.
        levels=[data.density(data.means).max() * np.exp(-(d**2) / 2) for d in (2, 1)],
        colors="black",
        linewidths=1,
    )
    shown = gan.generated[:SHOWN]
    axes.scatter(
        *shown.T,
        s=3,
        color=GENERATED,
        alpha=0.35,
        linewidths=0,
        label="generated",
        rasterized=True,
    )
    axes.plot([], [], color="black", linewidth=1, label="p_d, at 1 and 2 deviations")
    axes.set(xlim=(-1, 1), ylim=(-1, 1.25), aspect="equal")
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", markerscale=3)


def _outcome(data: Mixture, gan: TrainedGAN) -> str:
    modes = f"{gan.covered} of {len(data.means)} modes"
    return f"a GAN's: {modes}, JS {gan.divergence_before:.2f} → {gan.divergence:.2f}"


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
