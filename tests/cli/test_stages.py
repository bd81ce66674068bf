"""A model that trains in stages on the command line: one stage alone, the next, what follows."""

import contextlib
import io
import json
import shutil

import pytest

from tests.training.kill import run_here

pytestmark = pytest.mark.slow

FIT = (
    "fit vqvae --image-size 8 --batch-size 16 --num-codes 8 --filters 4 --residual-blocks 1"
    " --prior-width 8 --prior-blocks 1 --prior-heads 2 --steps 4 --prior-steps 4"
    " --checkpoint-every 2"
)


def run_well(*arguments):
    """Run the command to its good end in this process; return what it said."""
    said = io.BytesIO()
    stream = io.TextIOWrapper(said, encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(stream):
        run_here(*arguments)
    return said.getvalue().decode()


@pytest.fixture(scope="module")
def first_and_said(tmp_path_factory):
    """A run of which only the first stage is trained, and what was said of it."""
    out = tmp_path_factory.mktemp("stages") / "first"
    return out, run_well(*FIT.split(), "--stage", "autoencoder", "--out", out)


@pytest.fixture(scope="module")
def whole_and_said(first, tmp_path_factory):
    """The same run after its second stage, and what was said of that."""
    out = shutil.copytree(first, tmp_path_factory.mktemp("stages") / "whole")
    return out, run_well("fit", "--resume", out)


@pytest.fixture(scope="module")
def first(first_and_said):
    return first_and_said[0]


@pytest.fixture(scope="module")
def whole(whole_and_said):
    return whole_and_said[0]


def test_a_stage_alone_says_how_to_go_on(first_and_said, whole_and_said):
    out, said = first_and_said
    assert "the stage autoencoder is done, at step 4" in said
    assert f"go on with: genzoo fit --resume {out}" in said
    out, said = whole_and_said
    assert "stage prior: to step 8" in said
    assert f"model: {out}/model.keras" in said


def test_before_its_prior_is_trained_a_run_reconstructs_and_does_not_sample(
    genzoo, refused, first, tmp_path
):
    line = "the stage 'prior' has not been trained"
    assert line in refused("sample", first)
    # Before a classifier is trained for the features.
    for command in ("evaluate", "umap --out map"):
        assert f"{line}, and samples are drawn from it; go on with" in refused(command, first)
    usual = "evaluate --features pixels -n 50 --no-floor --out a.json"
    assert genzoo(f"{usual} --sampler reconstruction --scores fid", first).code == 0
    assert genzoo(f"{usual} --scores codes --force", first).code == 0
    assert genzoo("reconstruct --out images.png", first).code == 0
    ended = genzoo("figures --out figures", first)
    assert f"no real_and_generated: {line}" in ended.output
    names = {file.stem for file in (tmp_path / "figures").iterdir()}
    assert {"codes", "reconstructions_and_walk", "latent_map"} <= names
    assert "real_and_generated" not in names
    assert genzoo("report --no-measure --out report.html", first).code == 0
    report = (tmp_path / "report.html").read_text()
    assert "There are no samples here: the stage &#x27;prior&#x27; has not been trained" in report


def test_a_whole_run_is_sampled_scored_and_drawn(genzoo, refused, whole, tmp_path):
    assert genzoo("sample --out samples.png", whole).code == 0
    assert genzoo("interpolate --out path.png", whole).code == 0
    usual = "evaluate --features pixels -n 100 --no-floor"
    for sampler in ("normal", "reconstruction"):
        ended = genzoo(
            f"{usual} --sampler {sampler} --scores fid,codes --out {sampler}.json", whole
        )
        assert ended.code == 0, ended.errors
    normal, sent_back = (
        json.loads((tmp_path / f"{name}.json").read_text())["scores"]
        for name in ("normal", "reconstruction")
    )
    assert normal["fid"] != sent_back["fid"]
    assert set(normal["codes"]) == {
        *("in_use", "num_codes", "perplexity", "bits", "reconstruction_bits"),
    }
    ended = genzoo(f"{usual} --scores likelihood --out bound.json", whole)
    found = json.loads((tmp_path / "bound.json").read_text())["scores"]["likelihood"]
    assert "log_likelihood" not in found
    assert found["elbo"] < 0
    assert "drawn from its own prior" in refused(f"{usual} --sampler mixture", whole)
    genzoo("figures --out figures", whole)
    names = {file.stem for file in (tmp_path / "figures").iterdir()}
    assert {"codes", "real_and_generated", "curves"} <= names
    assert genzoo("report --no-measure --out report.html", whole).code == 0
    assert ">Codes</h2>" in (tmp_path / "report.html").read_text()


def test_stages_that_are_not_there_are_refused(refused, first):
    assert "vae is trained in one stage" in refused("fit vae --stage prior")
    assert "unknown stage 'priors'" in refused("fit --resume", first, "--stage", "priors")
    words = refused(f"{FIT} --stage prior")
    assert "a new run begins with the stage 'autoencoder'" in words
    words = refused(f"{FIT} --num-codes 65")
    assert "a batch of 16 images has 4 codes each, fewer in all than the 65 codes" in words
    assert "cannot be halved 2 times" in refused(f"{FIT} --image-size 10")
    assert "is trained in stages" in refused("bench vqvae-digits vae-digits --images 640")
