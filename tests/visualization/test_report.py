"""The parts of a report: what they show, of which weights, and beside which numbers."""

import dataclasses
import html
import json
import re

import numpy as np
import pytest

from keras_genzoo.evaluation import write_result
from keras_genzoo.markup import weights_mark
from keras_genzoo.training import Run, settings_for
from keras_genzoo.training.build import build_model
from keras_genzoo.training.preparing import splits_of
from keras_genzoo.visualization import report_images
from keras_genzoo.visualization.report import _title
from keras_genzoo.visualization.report_head import origin, play, quote
from keras_genzoo.visualization.report_images import (
    Page,
    nearest_images,
    neighbours,
    reconstructions,
    samples,
    training,
)
from keras_genzoo.visualization.report_numbers import maps, scores, settings

SMALL = {
    "ae": {"hidden_units": [4], "latent_dim": 2},
    "vae": {"hidden_units": [4], "latent_dim": 2},
    "gan": {"generator_units": [4], "discriminator_units": [4]},
}


@pytest.fixture(scope="module")
def page_of(tmp_path_factory):
    """A function that gives the page of an untrained model, as of step 12,000."""
    pages = {}

    def make(name):
        if name not in pages:
            settings = settings_for(name, "digits", image_size=8, seed=1, **SMALL[name])
            data = {
                "image_shape": [8, 8, 1],
                "num_images": 1500,
                "num_classes": 10,
                "class_names": [str(number) for number in range(10)],
            }
            splits = splits_of(Run(tmp_path_factory.mktemp("x"), settings, data, {}))
            data["fingerprint"] = splits.train.fingerprint
            run = Run(tmp_path_factory.mktemp("runs"), settings, data, {})
            model = build_model(settings, (8, 8, 1), 10)
            model.step.assign(12_000)
            weights = "the finished model, of step 12,000"
            pages[name] = Page(run, model, weights, splits, False, None, 0, lambda line: None)
        return pages[name]

    return make


@pytest.fixture
def page(page_of, tmp_path):
    """The page of a GAN whose run folder is the test's own."""
    page = page_of("gan")
    return dataclasses.replace(page, run=dataclasses.replace(page.run, path=tmp_path))


def a_result(page, steps, fid, digest=None):
    protocol = {"steps": steps, "real": "digits, split test", "num_real": 297, "num_fake": 297}
    protocol["features"] = {"name": "pixels", "checksum": "0123456789abcdef", "resize": "none"}
    protocol["weights_digest"] = digest or page.digest
    return {"protocol": protocol, "scores": {"fid": fid}, "warnings": []}


def cells(part):
    """The text of each value in tables."""
    found = re.findall(r"<td>(.*?)</td>", part)
    return [html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in found]


# Of which weights ------------------------------------------------------------------------------


def test_a_score_of_other_weights_says_of_which_at_the_number_itself(page, tmp_path):
    write_result(a_result(page, 3000, 7.5, "f" * 16), tmp_path / "evaluation.json")
    assert "7.5 of step 3,000; the images above are of step 12,000" in cells(scores(page))


def test_a_score_of_other_weights_of_the_same_step_says_so_too(page, tmp_path):
    write_result(a_result(page, 12_000, 7.5, "f" * 16), tmp_path / "evaluation.json")
    assert "7.5 of other weights than the images above, also of step 12,000" in cells(scores(page))


def test_scores_of_the_weights_come_first_and_others_say_what_they_are(page, tmp_path):
    others = [a_result(page, 3000, 7.5, "f" * 16)]
    write_result(a_result(page, 12_000, 1.5) | {"others": others}, tmp_path / "evaluation.json")
    part = scores(page)
    values = [value for value in cells(part) if value.startswith(("1.5", "7.5"))]
    assert values == ["1.5", "7.5 of step 3,000; the images above are of step 12,000"]
    assert part.index("<details>") > part.index("1.5")


def kept_maps(page, folder, **numbers):
    folder.mkdir()
    names = {"pixels": {"distance": "pixels", "follows_background": 0.5}}
    for one in names.values():
        one |= {"num_real": 20, "num_generated": 3}
    (folder / "umap.json").write_text(json.dumps({"maps": names, **numbers}))
    points = np.random.default_rng(0).normal(size=(20, 2))
    images = np.zeros((20, 8, 8, 1), "uint8")
    arrays = {"pixels_real": points, "pixels_generated": points[:3]}
    np.savez(folder / "umap.npz", real_images=images, generated_images=images[:3], **arrays)


@pytest.mark.parametrize(
    ("digest", "step", "words"),
    [
        ("f" * 16, 3000, "the maps are of step 3,000, and the model is of step 12,000"),
        (None, 12_000, ""),
    ],
)
def test_maps_of_other_weights_say_so_at_the_numbers_of_each(page, tmp_path, digest, step, words):
    kept_maps(page, tmp_path / "umap", weights_digest=digest or page.digest, step=step)
    data = re.search(r'id="map-data">(.*?)</script>', maps(page), re.DOTALL)[1]
    assert [panel["stale"] for panel in json.loads(data)["panels"]] == [words]


# What tells runs apart --------------------------------------------------------------------------


def test_a_title_tells_runs_apart(page):
    title = "gan on digits, latent size 32, step 12,000"
    assert _title(page.run, page.model) == title
    noted = dataclasses.replace(page.run, recipe="gan-digits", begun="2026-01-31T12:00:00+00:00")
    assert _title(noted, page.model) == f"{title}, recipe gan-digits, begun 2026-01-31"


def test_settings_are_shown_as_they_were_decided(page):
    left = page.run.settings.replace(image_size=None, channels=None)
    run = dataclasses.replace(page.run, settings=left)
    part = settings(dataclasses.replace(page, run=run))
    rows = dict(re.findall(r"<th>(.*?)</th><td>(.*?)</td>", part))
    assert (rows["image_size"], rows["channels"], rows["loss"]) == ("8", "1", "non_saturating")


# What fits a model -----------------------------------------------------------------------------


def test_an_autoencoder_shows_reconstructions_and_says_that_it_does_not_generate(page_of):
    page = page_of("ae")
    assert "it does not generate" in reconstructions(page)
    assert samples(page) == neighbours(page) == ""
    assert maps(dataclasses.replace(page, measure=True)) == ""


def test_a_vae_shows_reconstructions_and_samples(page_of):
    page = page_of("vae")
    assert "32 images of digits, split test; below each its reconstruction" in reconstructions(page)
    assert "does not generate" not in reconstructions(page)
    assert "64 images generated by the finished model, of step 12,000" in samples(page)


def test_the_caption_of_curves_tells_means_of_training_from_held_out_losses(page_of, tmp_path):
    page = page_of("vae")
    page = dataclasses.replace(page, run=dataclasses.replace(page.run, path=tmp_path))
    for column, words in [("loss", ""), ("val_loss", "; dotted: of held-out images")]:
        (tmp_path / "history.csv").write_text(f"step,loss,{column}\n1,2.0,3.0\n")
        assert f"Means over the steps between two checkpoints{words}" in training(page)
        assert ("held-out" in training(page)) == bool(words)


def test_a_gan_has_no_reconstructions(page_of):
    assert reconstructions(page_of("gan")) == ""


def test_samples_are_of_other_noise_than_the_sample_grids_of_training(page_of):
    page = page_of("gan")
    of_training = dataclasses.replace(page, seed=page.run.settings.seed)
    assert "seed 2" in samples(of_training)
    assert "seed 0" in samples(page)


# Copies ----------------------------------------------------------------------------------------


def test_a_copy_is_found_in_whatever_block_it_lies(page_of):
    train = page_of("gan").splits.train
    copied = np.array([0, 399, 400, 1499])
    images, _ = train.fetch(copied)
    numbers = nearest_images(images, train, train.num_images, block=400)
    assert numbers.shape == (4, 6)
    np.testing.assert_array_equal(numbers[:, 0], copied)


def test_all_training_images_are_searched(page_of):
    assert "the nearest of 1,500 training images" in neighbours(page_of("gan"))


def test_of_very_many_training_images_the_share_is_said(page_of, monkeypatch):
    monkeypatch.setattr(report_images, "MOST_COMPARED", 500)
    assert "the nearest of 500 of 1,500 training images" in neighbours(page_of("gan"))


# The sentence to quote -------------------------------------------------------------------------


def test_the_sentence_names_model_data_steps_and_what_the_score_is_of(page, tmp_path):
    one = a_result(page, 12_000, 1.5) | {"floor": {"fid": 0.25}}
    write_result(one, tmp_path / "evaluation.json")
    assert quote(page) == (
        "gan on digits, 12,000 steps of 64: FID 1.5 (of pixels, 297 images; real images 0.25)."
    )
    assert origin(page) == f"The finished model, of step 12,000; weights {page.digest}."


def test_the_sentence_quotes_no_score_of_other_weights(page, tmp_path):
    write_result(a_result(page, 3000, 7.5, "f" * 16), tmp_path / "evaluation.json")
    assert "no scores of these weights" in origin(page)
    assert quote(page) == "gan on digits, 12,000 steps of 64."


def test_the_sentence_of_an_autoencoder_quotes_its_reconstructions(page_of, tmp_path):
    page = page_of("ae")
    page = dataclasses.replace(page, run=dataclasses.replace(page.run, path=tmp_path))
    one = a_result(page, 12_000, 1.5)
    del one["protocol"]["features"]
    one["scores"] = {"reconstruction": {"mse": 0.125, "psnr": 20.0, "ssim": 0.5}}
    write_result(one, tmp_path / "evaluation.json")
    assert quote(page).endswith(": reconstruction MSE 0.125 (297 images), reconstruction SSIM 0.5.")


def test_the_sentence_says_once_what_scores_were_measured_with(page, tmp_path):
    one = a_result(page, 12_000, 20.627) | {"floor": {"fid": 12.679, "label_accuracy": 0.99327}}
    one["protocol"] |= {"num_fake": 1000, "sampler": "mixture"}
    one["protocol"]["features"]["name"] = "model:/home/a/own.keras"
    one["scores"]["label_accuracy"] = 1.0
    likelihood = {"log_likelihood": -93.2333, "binarization": "dynamic", "num_images": 200}
    one["scores"]["likelihood"] = likelihood
    write_result(one, tmp_path / "evaluation.json")
    assert quote(page).partition(": ")[2] == (
        "FID 20.6 (own.keras features, 1,000 generated images and 297 real images, sampler "
        "mixture; real images 12.7), label accuracy 100 % (real images 99.3 %), log-likelihood "
        "-93.2 nats (200 images, dynamic binarization)."
    )


def test_the_sentence_takes_each_score_from_the_first_result_that_has_it(page, tmp_path):
    newest, older = a_result(page, 12_000, 7.5), a_result(page, 12_000, 1.5)
    newest["scores"] = {"likelihood": {"log_likelihood": -93.2333, "num_images": 200}}
    write_result(newest | {"others": [older]}, tmp_path / "evaluation.json")
    assert quote(page).partition(": ")[2] == (
        "FID 1.5 (of pixels, 297 images), log-likelihood -93.2 nats (200 images)."
    )


def test_a_result_that_lacks_what_it_was_measured_with_is_no_crash(page, tmp_path):
    one = {"protocol": {"weights_digest": page.digest}, "scores": {"fid": 1.5}, "warnings": []}
    write_result(one, tmp_path / "evaluation.json")
    assert quote(page).endswith(": FID 1.5.")


# The page to play with -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("digest", "remark"),
    [
        (None, ""),
        ("f" * 16, "that page has other weights than the images below"),
        ("", "that page does not say which weights it has"),
    ],
)
def test_a_page_to_play_with_is_linked_and_says_if_its_weights_are_others(
    page, tmp_path, digest, remark
):
    assert play(page, tmp_path / "report.html") == ""
    mark = weights_mark(page.digest if digest is None else digest) if digest != "" else ""
    (tmp_path / "playground.html").write_text(f"<head>{mark}</head>")
    link = play(page, tmp_path / "report.html")
    assert 'href="./playground.html"' in link
    assert re.findall("<small>(.*)</small>", link) == ([remark] if remark else [])


def test_the_link_leads_from_the_report_to_the_run_wherever_both_lie(page, tmp_path):
    run = tmp_path / 'a run: "mine"'
    run.mkdir()
    (run / "playground.html").touch()
    page = dataclasses.replace(page, run=dataclasses.replace(page.run, path=run))
    link = play(page, tmp_path / "reports" / "page.html")
    assert re.search('href="(.*?)"', link)[1] == "../a%20run%3A%20%22mine%22/playground.html"
