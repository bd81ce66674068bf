"""The theory of GANs in one figure (thesis, chapter 5): D and D*, V and its optimum, mode collapse.

Discriminators and GANs are trained on known densities. The panels have letters, which the printed
numbers, the JSON file and the files of single panels refer to.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_genzoo.evaluation.theory import (
    COLLAPSES,
    LEARNS,
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
from keras_genzoo.files import write_json
from keras_genzoo.losses import LOG_4
from keras_genzoo.visualization.cure import cure_figure
from keras_genzoo.visualization.style import (
    GENERATED,
    REAL,
    new_figure,
    palette_colour,
    plain,
    save_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, OTHER, THIRD = palette_colour(0), palette_colour(6), palette_colour(2)
# matplotlib writes negative numbers with this sign.
MINUS = "\N{MINUS SIGN}"
MINUS_LOG_4 = f"{MINUS}log 4"
# Number of generated points drawn, and of points of a curve in the JSON file.
SHOWN, KEPT = 4000, 201


class Trained(NamedTuple):
    """Everything that is trained for the panels.

    Args:
        line: D trained against a fixed generator, in one dimension.
        plane: D trained against a fixed generator, in two dimensions.
        on_line: a GAN in one dimension.
        on_plane: a GAN in two dimensions.
        collapsed: a GAN in two dimensions whose generator learns faster than its discriminator.
    """

    line: OptimalDiscriminator
    plane: OptimalDiscriminator
    on_line: TrainedGAN
    on_plane: TrainedGAN
    collapsed: TrainedGAN


def draw_theory(
    out: str | os.PathLike,
    seed: int = 0,
    echo: Callable[[str], None] = lambda line: None,
    *,
    steps: tuple[int, int] = (3000, 4000),
    panels: bool = False,
) -> tuple[dict[str, Any], list[Path]]:
    """Train on known densities, draw the figures, and return the measurements and the files.

    The figure of the panels, and one of mode collapse and its cure during training, are written as
    PNG and SVG. A JSON file beside them holds the measurements, and the curves of each panel by its
    letter.

    Args:
        out: the file without suffix.
        seed: random seed of weights and points.
        echo: called with a line before each training.
        steps: updates of D when it is trained alone, and of both networks of a GAN (at least 100).
        panels: also write each panel as a file, with the panel's letter after the figure's name.

    Returns:
        the measurements by name, with the letters of their panels in the name; and the files.

    Raises:
        GenzooError: if a file cannot be written.
    """
    echo("training discriminators against fixed generators")
    line = train_discriminator(two_bumps(), broad(1), steps[0], seed=seed)
    plane = train_discriminator(ring(), broad(2), steps[0], seed=seed)
    echo("training a GAN on the line, and two on the plane")
    on_line, on_plane = (train_gan(data, steps[1], seed=seed) for data in (two_bumps(), ring()))
    collapsed = train_gan(ring(), steps[1], seed=seed, learning_rates=COLLAPSES)
    trained = Trained(line, plane, on_line, on_plane, collapsed)
    whole, of_cure, *single = figure_places(out, panels)
    files = save_figure(_figure(trained), whole)
    rows = {
        f"G faster than D (panel k): learning rates {_rates(COLLAPSES)}": collapsed,
        f"D faster than G (panel j): learning rates {_rates(LEARNS)}": on_plane,
    }
    files += save_figure(cure_figure(ring(), rows), of_cure)
    for letter, place in zip(_PANELS, single, strict=False):
        files += save_figure(_panel(trained, letter), place)
    measured, numbers = _measured(trained), numbers_place(out)
    run = {"seed": seed, "steps": {"D": steps[0], "GAN": steps[1]}}
    write_json(numbers, run | {"measured": measured, "curves": _curves(trained)})
    return measured, [*files, numbers]


def figure_places(out: str | os.PathLike, panels: bool) -> list[Path]:
    """Return the files of the two figures and, if asked for, of the panels, without suffix."""
    out = Path(out)
    parts = ["cure", *_PANELS] if panels else ["cure"]
    return [out, *(out.with_name(f"{out.name}-{part}") for part in parts)]


def numbers_place(out: str | os.PathLike) -> Path:
    """Return the JSON file of the figure's numbers."""
    out = Path(out)
    return out.with_name(f"{out.name}.json")


def _measured(trained: Trained) -> dict[str, dict[str, Any]]:
    """Return the measurements; their names hold the letters of the panels that show them."""
    fixed = {"1-D, G fixed (a, b)": trained.line, "2-D, G fixed (b, e to h)": trained.plane}
    gans = {
        "GAN 1-D (d, i)": (two_bumps(), trained.on_line, LEARNS),
        "GAN 2-D (d, j, l)": (ring(), trained.on_plane, LEARNS),
        "GAN 2-D, G faster than D (d, k, l)": (ring(), trained.collapsed, COLLAPSES),
    }
    measured: dict[str, dict[str, Any]] = {
        name: {
            "value": one.value,
            "optimal_value": one.optimal_value,
            "mean_error_of_D": one.mean_error,
        }
        for name, one in fixed.items()
    }
    for name, (data, gan, rates) in gans.items():
        measured[name] = {
            "value": gan.values[-1][1],
            "optimal_value": -LOG_4,
            "JS_before": gan.divergence_before,
            "JS_after": gan.divergence,
            "modes": f"{gan.covered} of {len(data.means)}",
            "learning_rates": f"G {rates[0]:g}, D {rates[1]:g}",
        }
    return measured


def _curves(trained: Trained) -> dict[str, dict[str, Any]]:
    """Return the curves of the panels by letter, without images and generated points."""
    some = np.linspace(0, len(trained.line.points) - 1, KEPT).round().astype(int)
    scores = _scores()
    gans = {"i": trained.on_line, "j": trained.on_plane, "k": trained.collapsed}
    curves: dict[str, dict[str, Any]] = {
        "a": {
            "x": trained.line.points[some, 0].tolist(),
            "D": trained.line.learnt[some].tolist(),
            "D*": trained.line.optimal[some].tolist(),
        },
        "b": {"1-D": trained.line.values, "2-D": trained.plane.values},
        "c": {"D(G(z))": scores.tolist()}
        | {name: gradient.tolist() for name, gradient in generator_gradients(scores).items()},
    }
    curves["d"] = {letter: gan.values for letter, gan in gans.items()}
    curves["l"] = {letter: gans[letter].coverage(ring()) for letter in "jk"}
    return curves


# The figure --------------------------------------------------------------------------------------


def _figure(trained: Trained) -> "Figure":
    figure = new_figure(18, 12.5)
    for axes, letter in zip(figure.subplots(3, 4).flat, _PANELS, strict=True):
        _PANELS[letter](axes, letter, trained)
    return figure


def _panel(trained: Trained, letter: str) -> "Figure":
    figure = new_figure(4.8, 4.2)
    _PANELS[letter](figure.subplots(), letter, trained)
    return figure


def _discriminator(axes: "Axes", letter: str, trained: Trained) -> None:
    plain(axes, f"({letter}) D trained, and D* = p_d / (p_d + p_g)")
    line = trained.line
    x = line.points[:, 0]
    for mixture, colour, name in ((two_bumps(), REAL, "p_d"), (broad(1), GENERATED, "p_g")):
        density = mixture.density(line.points)
        axes.fill_between(x, density / 4, color=colour, alpha=0.3, linewidth=0, label=f"{name} / 4")
    axes.plot(x, line.optimal, color="black", linewidth=2.5, alpha=0.35, label="D*")
    axes.plot(x, line.learnt, color=INK, linestyle="--", linewidth=1.3, label="D trained")
    axes.set(xlabel="x", ylim=(0, 1.2))
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper center")


def _values(axes: "Axes", letter: str, trained: Trained) -> None:
    plain(axes, f"({letter}) V(D, G) while D alone is trained")
    parts = ((trained.line, "1-D (a)", INK), (trained.plane, "2-D (g)", OTHER))
    for one, name, colour in parts:
        axes.plot(*zip(*one.values, strict=True), color=colour, linewidth=1, label=name)
        axes.axhline(one.optimal_value, color=colour, linestyle="--", linewidth=1.2)
    axes.plot([], [], color="0.3", linestyle="--", label=f"{MINUS_LOG_4} + 2 JS")
    axes.axhline(-LOG_4, color="0.5", linestyle=":", label=MINUS_LOG_4)
    axes.set(xlabel="step", ylabel="V (nats)")
    axes.legend(frameon=False, fontsize=8, loc="center right")


def _gradients(axes: "Axes", letter: str, trained: Trained) -> None:
    plain(axes, f"({letter}) gradient of G's loss by the logit")
    scores = _scores()
    styles = {"minimax": (OTHER, "--"), "non_saturating": (INK, "-")}
    for name, gradient in generator_gradients(scores).items():
        colour, style = styles[name]
        words = name.replace("_", "-")
        axes.plot(scores, gradient, color=colour, linestyle=style, label=words)
    note = "early in training:\nminimax vanishes"
    arrow = {"arrowstyle": "->", "color": "0.4"}
    axes.annotate(note, (0.02, 0.01), (0.28, 0.02), fontsize=8, arrowprops=arrow)
    axes.set(xlabel="D(G(z))", ylabel="|dL / dlogit|")
    axes.legend(frameon=False, fontsize=8, loc="upper center")


def _scores() -> np.ndarray:
    return np.linspace(0.001, 0.999, KEPT)


def _gan_values(axes: "Axes", letter: str, trained: Trained) -> None:
    plain(axes, f"({letter}) V(D, G) while both are trained")
    parts = (
        (trained.on_line, "1-D (i)", INK, "-"),
        (trained.on_plane, "2-D (j)", OTHER, "-"),
        (trained.collapsed, "2-D, G faster than D (k)", THIRD, "--"),
    )
    for gan, name, colour, style in parts:
        steps, values = zip(*gan.values, strict=True)
        axes.plot(steps, values, color=colour, linestyle=style, linewidth=1, label=name)
    axes.axhline(-LOG_4, color="0.5", linestyle=":", label=MINUS_LOG_4)
    lost = trained.collapsed
    value = f"{lost.values[-1][1]:.2f}".replace("-", MINUS)
    note = (
        f"V is {MINUS_LOG_4} + 2 JS only where D = D*:\n"
        f"in (k), V is {value} and JS {lost.divergence:.2f}"
    )
    axes.text(0.98, 0.73, note, fontsize=8, ha="right", va="top", transform=axes.transAxes)
    low, high = axes.get_ylim()
    axes.set(xlabel="step", ylabel="V (nats)", ylim=(low, high + 0.6 * (high - low)))
    axes.legend(frameon=False, fontsize=8, loc="upper right")


def _data_density(axes: "Axes", letter: str, trained: Trained) -> None:
    _density(axes, f"({letter}) p_d: eight Gaussians on a circle", ring())


def _generated_density(axes: "Axes", letter: str, trained: Trained) -> None:
    _density(axes, f"({letter}) p_g of the fixed generator", broad(2))


def _density(axes: "Axes", title: str, mixture: Mixture) -> None:
    # Both panels of densities have the scale of the data's density, so that they can be compared.
    most = ring().density(ring().means).max()
    _image(axes, title, mixture.density(grid(2)), most, "magma", "density")


def _learnt(axes: "Axes", letter: str, trained: Trained) -> None:
    title = f"({letter}) D trained on (e) against (f)"
    _image(axes, title, trained.plane.learnt, 1, "cividis", "D(x)")


def _optimal(axes: "Axes", letter: str, trained: Trained) -> None:
    title = f"({letter}) D* = p_d / (p_d + p_g) of (e) and (f)"
    _image(axes, title, trained.plane.optimal, 1, "cividis", "D*(x)")


def _image(
    axes: "Axes", title: str, values: np.ndarray, most: float, cmap: str, label: str
) -> None:
    plain(axes, title)
    side = round(np.sqrt(len(values)))
    image = axes.imshow(
        values.reshape(side, side).T,
        origin="lower",
        extent=(-1, 1, -1, 1),
        vmin=0,
        vmax=most,
        cmap=cmap,
    )
    axes.set(xlabel="x₁", ylabel="x₂")
    axes.figure.colorbar(image, ax=axes, shrink=0.8, pad=0.02, label=label)


def _on_line(axes: "Axes", letter: str, trained: Trained) -> None:
    data, gan = two_bumps(), trained.on_line
    plain(axes, f"({letter}) GAN: {_outcome(data, gan)}")
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
    top = 1.2 * max(np.max(heights), data.density(x).max())
    axes.set(xlabel="x", ylabel="density", ylim=(0, top))
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper center")


def _on_plane(axes: "Axes", letter: str, trained: Trained) -> None:
    _points(axes, f"({letter}) GAN", trained.on_plane)


def _collapsed(axes: "Axes", letter: str, trained: Trained) -> None:
    _points(axes, f"({letter}) G faster than D", trained.collapsed)


def _points(axes: "Axes", title: str, gan: TrainedGAN) -> None:
    data, points = ring(), grid(2)
    plain(axes, f"{title}: {_outcome(data, gan)}")
    side = round(np.sqrt(len(points)))
    axes.contour(
        *(points[:, axis].reshape(side, side) for axis in (0, 1)),
        data.density(points).reshape(side, side),
        # Contours at one and two standard deviations around each component.
        levels=[data.density(data.means).max() * np.exp(-(d**2) / 2) for d in (2, 1)],
        colors="black",
        linewidths=1,
    )
    axes.scatter(
        gan.generated[:SHOWN, 0],
        gan.generated[:SHOWN, 1],
        s=3,
        color=GENERATED,
        alpha=0.35,
        linewidths=0,
        label="generated",
        rasterized=True,
    )
    axes.plot([], [], color="black", linewidth=1, label="p_d, at 1 and 2 deviations")
    axes.set(xlim=(-1, 1), ylim=(-1, 1.25), aspect="equal", xlabel="x₁", ylabel="x₂")
    axes.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", markerscale=3)


def _outcome(data: Mixture, gan: TrainedGAN) -> str:
    modes = f"{gan.covered} of {len(data.means)} modes"
    return f"{modes}, JS {gan.divergence_before:.2f} → {gan.divergence:.2f}"


def _coverage(axes: "Axes", letter: str, trained: Trained) -> None:
    plain(axes, f"({letter}) modes that the generator makes")
    parts = (
        (trained.on_plane, f"(j): learning rates {_rates(LEARNS)}", OTHER, "-"),
        (trained.collapsed, f"(k): learning rates {_rates(COLLAPSES)}", THIRD, "--"),
    )
    modes = len(ring().means)
    for gan, name, colour, style in parts:
        axes.plot(*zip(*gan.coverage(ring()), strict=True), style, color=colour, label=name)
    axes.axhline(modes, color="0.5", linestyle=":", label=f"p_d: {modes}")
    axes.set(
        xlabel="step", ylabel="modes", ylim=(-0.3, 1.35 * modes), yticks=range(0, modes + 1, 2)
    )
    axes.legend(frameon=False, fontsize=8, loc="upper right")


def _rates(rates: tuple[float, float]) -> str:
    return "G {:g}, D {:g}".format(*rates)


_PANELS: dict[str, Callable[["Axes", str, Trained], None]] = dict(
    zip(
        "abcdefghijkl",
        (
            _discriminator,
            _values,
            _gradients,
            _gan_values,
            _data_density,
            _generated_density,
            _learnt,
            _optimal,
            _on_line,
            _on_plane,
            _collapsed,
            _coverage,
        ),
        strict=True,
    )
)
