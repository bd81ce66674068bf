"""A flow on the command line: its options of sampling, figures and scores, and bad input."""

import json

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow


def arrays(path):
    with np.load(path) as file:
        return dict(file)


def test_images_are_made_as_asked(genzoo, trained, tmp_path):
    run = trained("flow")
    made = {}
    for name, options in {
        "default": "",
        "same": "--solver midpoint --solver-steps 2 --guidance 1",
        "another": "--solver heun --solver-steps 3 --guidance 8",
    }.items():
        ended = genzoo(f"sample -n 12 --class 3 {options} --out {name}.npz", run)
        assert ended.code == 0, ended.errors
        made[name] = arrays(tmp_path / f"{name}.npz")["images"]
    np.testing.assert_array_equal(made["default"], made.pop("same"))
    assert (made["default"] != made["another"]).any()
    ended = genzoo("interpolate --rows 2 --steps 4 --class 1 --solver euler --out a.png", run)
    assert ended.code == 0, ended.errors
    with Image.open(tmp_path / "a.png") as grid:
        assert grid.size[0] > 4 * 8


def test_scores_say_how_images_were_made_and_are_kept_apart(genzoo, copy):
    run = copy("flow")
    asked = "evaluate --features pixels -n 10 --no-floor --scores"
    ended = genzoo(f"{asked} fid,likelihood --solver euler --solver-steps 3 --guidance 2", run)
    assert ended.code == 0, ended.errors
    result = json.loads((run / "evaluation.json").read_text())
    assert result["protocol"]["sampling"] == "euler, 3 steps, 6 network calls, guidance 2"
    likelihood = result["scores"]["likelihood"]
    assert (likelihood["num_samples"], likelihood["num_images"]) == (1, 10)
    nats = likelihood["bits_per_dim"] * 64 * np.log(2)
    assert likelihood["log_likelihood"] == pytest.approx(-nats)
    ended = genzoo(f"{asked} fid --force", run)
    assert ended.code == 0, ended.errors
    result = json.loads((run / "evaluation.json").read_text())
    assert result["protocol"]["sampling"] == "midpoint, 2 steps, 4 network calls, guidance 1"


def test_figures_show_the_path_and_quality_against_network_calls(genzoo, trained, tmp_path):
    ended = genzoo("figures --sweep 1,2 -n 50 --out figures", trained("flow"))
    assert ended.code == 0, ended.errors
    names = {path.stem for path in (tmp_path / "figures").glob("*.png")}
    assert names == {"curves", "real_and_generated", "classes", "path", "quality"}
    facts = json.loads((tmp_path / "figures" / "figures.json").read_text())["quality"]
    points = {(p["solver"], p["network_calls"]): p["fid"] for p in facts["points"]}
    two_calls = {(solver, calls) for solver in ("midpoint", "heun") for calls in (2, 4)}
    assert set(points) == {("euler", 1), ("euler", 2), *two_calls}
    assert len(set(points.values())) == len(points)
    assert facts["protocol"]["num_fake"] == 50


def test_an_export_has_its_own_steps(genzoo, trained, tmp_path):
    ended = genzoo(
        "export --format keras --solver euler --solver-steps 1 --verify --out out --name flow",
        trained("flow"),
    )
    assert ended.code == 0, ended.errors
    card = json.loads((tmp_path / "out" / "flow-generate.keras.json").read_text())
    assert card["facts"]["sampling"] == "euler, 1 step, 1 network call, guidance 1"
    assert card["signatures"]["generate"]["inputs"]["z"]["shape"] == ["batch", 8, 8, 1]


def test_a_report_has_the_path(genzoo, copy):
    run = copy("flow")
    assert genzoo("report --no-measure", run).code == 0
    page = (run / "report.html").read_text()
    assert "From noise to images" in page
    assert "Noise on its way to images, midpoint, 2 steps, 4 network calls" in page


def test_held_out_images_come_with_their_classes(trained):
    header = (trained("flow") / "history.csv").read_text().splitlines()[0]
    assert "val_velocity_loss" in header.split(",")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("fit flow --guidance 2", "this flow knows no classes; leave it out, or train with"),
        ("fit flow --image-size 18", "18x18 pixels do not divide by 4; take an image size of 16"),
        ("fit flow --solver huen", "unknown solver 'huen'; did you mean 'heun'?"),
        ("fit flow --solver-steps 0", "solver_steps must be at least 1, not 0"),
        ("fit flow --unet-filters 0,4", "unet_filters must be at least 1, not 0"),
        ("fit flow --latent-dim 3", "flow has no setting 'latent_dim'; it belongs to ae"),
    ],
)
def test_bad_settings_are_refused(refused, arguments, words):
    assert words in refused(arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("sample --solver rk45", "unknown solver 'rk45'; known: euler, heun, midpoint"),
        ("sample --solver-steps 0", "solver_steps must be from 1 to 10000, not 0"),
        ("sample --guidance -1", "guidance must be 0 or more, not -1"),
        ("sample --class 10", "unknown class '10'"),
        ("interpolate --images 0,1", "a flow has no encoder, and interpolates between points"),
        ("figures -n 5", "-n is the number of images that --sweep measures"),
        ("figures --sweep 0", "solver_steps must be from 1 to 10000, not 0"),
        ("evaluate --sampler mixture", "its solver is chosen by --solver"),
    ],
)
def test_bad_requests_are_refused(refused, trained, arguments, words):
    assert words in refused(arguments, trained("flow"))


@pytest.mark.parametrize(
    "arguments",
    ["sample --solver-steps 3", "export --solver euler", "evaluate --guidance 2"],
)
def test_a_model_of_one_pass_has_no_solver(refused, trained, arguments):
    assert "that is for models with a solver, such as flow" in refused(arguments, trained("gan"))
    assert "such as flow" in refused("figures --sweep 1,2", trained("gan"))
