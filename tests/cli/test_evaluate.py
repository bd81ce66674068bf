"""``genzoo evaluate``: what it measures, what it says of it, what it refuses."""

import dataclasses
import json
import re
import shutil
import signal
import time

import keras
import numpy as np
import pytest

from keras_genzoo.cli.evaluate import command
from keras_genzoo.data import Splits, load_dataset, open_source
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import (
    FEATURE_NETWORKS,
    SCORES,
    Options,
    Score,
    ScoreInputs,
    classifier,
    find_network,
)
from tests.cli.conftest import SMALL
from tests.models.cases import FEW
from tests.training import kill

# Scores see no difference between a gan and a dcgan.
ALL = [
    name if name == "gan" else pytest.param(name, marks=pytest.mark.slow)
    for name in SMALL
    if name != "dcgan"
]


@pytest.fixture
def trained(trained):
    """As elsewhere; of scores that other tests have left in the run, nothing is seen."""

    def get(model):
        run = trained(model)
        (run / "evaluation.json").unlink(missing_ok=True)
        return run

    return get


def digits(split="train", size=16):
    source = open_source("digits", split, image_size=size)
    return source.fetch(np.arange(source.num_images))


def save(path, images, labels=None):
    np.savez(path, images=images, **({} if labels is None else {"labels": labels}))


def read(path):
    return json.loads(path.read_text())


@pytest.mark.parametrize("model", ALL)
def test_a_run_is_scored_beside_its_floor(genzoo, trained, tmp_path, model):
    ended = genzoo("evaluate --features pixels -n 200 --out a.json", trained(model))
    assert ended.code == 0, ended.errors
    result = read(tmp_path / "a.json")
    protocol, scores, floor = (result[name] for name in ("protocol", "scores", "floor"))
    assert protocol["real"] == "digits, split test"
    assert (protocol["num_real"], protocol["num_fake"], protocol["steps"]) == (200, 200, 6)
    assert protocol["features"]["name"] == "pixels"
    assert len(protocol["features"]["checksum"]) == 64
    # After six steps all is noise, which is far from digits; other digits are near.
    assert 0 < floor["fid"] < scores["fid"] / 3
    assert floor["coverage"] > 0.7 > 0.3 > scores["coverage"]
    assert "200 images are few for 256 features" in result["warnings"][0]
    for name in (
        "FID ↓",
        "precision ↑",
        "real images",
        "test",
        protocol["features"]["checksum"][:12],
    ):
        assert name in ended.output
    assert ("reconstruction" in scores) == (model in ("ae", "vae"))
    assert ("likelihood" in scores) == (model == "vae")
    if model in FEW:
        genzoo("evaluate --features pixels -n 200 --out b.json", trained(model))
        assert read(tmp_path / "b.json") == result


@pytest.mark.slow
def test_scores_that_need_labels_of_a_conditional_model(genzoo, trained, tmp_path, monkeypatch):
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(classifier, "MAX_EPOCHS", 25)
    scores = "label_accuracy,fid_per_class,gan_train,class_histogram"
    ended = genzoo(f"evaluate --scores {scores} -n 250 --out a.json", trained("cgan"))
    assert ended.code == 0, ended.errors
    assert "training a classifier of digits 16x16x1, once" in ended.output
    result = read(tmp_path / "a.json")
    network = result["protocol"]["features"]
    assert network["name"] == "classifier"
    assert network["test_accuracy"] > 0.9
    assert network["num_images"] == 1200
    assert result["floor"]["label_accuracy"] > 0.9
    assert result["floor"]["gan_train"] > 0.5
    low, high = result["scores"]["label_accuracy_95"]
    assert 0 <= low <= result["scores"]["label_accuracy"] <= high < 0.5  # after six steps
    assert set(result["scores"]["fid_per_class"]) == {str(label) for label in range(10)}
    # The 250 images are those of ten classes: 25 generated of each, and about as many real ones.
    assert 10 < result["scores"]["fid_per_class_fewest_images"] <= 25
    histogram = result["floor"]["class_histogram"]
    assert list(histogram) == [str(label) for label in range(10)]
    assert sum(histogram.values()) == pytest.approx(1, abs=1e-3)
    assert result["protocol"]["classes"] == "in the shares of the real images"
    ended = genzoo("evaluate --scores fid -n 250 --out b.json", trained("cgan"))
    assert "training" not in ended.output


def test_copies_of_the_training_images_are_found_memorised(genzoo, tmp_path, trained):
    from keras_genzoo.evaluation.features import Pixels

    (train, _), (test, _) = digits(), digits("test")
    memorised, fresh = (
        SCORES["memorisation"].measure(ScoreInputs(test[:150], fake, Pixels(), train_images=train))
        for fake in (train[:150], test[150:])
    )
    assert memorised["memorised_share"] == 1
    assert memorised["nearest_distance_ratio"] == 0
    assert fresh["memorised_share"] < 0.1
    assert fresh["nearest_distance_ratio"] == pytest.approx(1, abs=0.2)


def test_memorisation_needs_real_images_that_were_not_trained_on(refused, trained):
    arguments = "evaluate --scores memorisation --features pixels --split train"
    assert "needs a run, and real images that are not those of its training" in refused(
        arguments, trained("gan")
    )


def save_network(path, weight):
    """A feature network whose three features are the mean of an image times a weight."""
    images = keras.Input((16, 16, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(images)
    scaled = keras.layers.Dense(3, kernel_initializer=keras.initializers.Constant(weight))(pooled)
    keras.Model(images, scaled).save(path)


def test_a_usual_score_that_cannot_be_computed_costs_none_of_the_others(genzoo, trained, tmp_path):
    # Three images have no third nearest neighbour, but a distance.
    ended = genzoo("evaluate --features pixels -n 3 --out a.json", trained("gan"))
    assert ended.code == 0, ended.errors
    result = read(tmp_path / "a.json")
    # One subset has no deviation.
    assert set(result["scores"]) == {"fid", "kid", "kid_subsets"}
    assert set(result["floor"]) == set(result["scores"])
    [warning] = [line for line in result["warnings"] if "prdc" in line]
    assert warning.startswith("the score 'prdc' cannot be computed: ")
    assert f"warning: {warning}" in ended.output


def test_features_that_are_no_numbers_leave_what_needs_none(genzoo, refused, trained, tmp_path):
    save_network(tmp_path / "nan.keras", float("nan"))
    ended = genzoo("evaluate --features model:nan.keras -n 20 --out a.json", trained("ae"))
    assert ended.code == 0, ended.errors
    result = read(tmp_path / "a.json")
    assert set(result["scores"]) == {"reconstruction"}
    for name in ("fid", "kid", "prdc"):
        words = f"the score '{name}' cannot be computed: 20 of 20 rows of features are not finite"
        assert any(line.startswith(words) for line in result["warnings"])
    for name in ("fid", "kid", "prdc", "memorisation"):
        line = refused(f"evaluate --features model:nan.keras -n 20 --scores {name}", trained("ae"))
        assert f"the score '{name}' cannot be computed: " in line
        assert "rows of features are not finite" in line
    assert "no score can be computed; the score 'prdc'" in refused(
        "evaluate --features model:nan.keras -n 20", trained("gan")
    )


def test_a_floor_that_cannot_be_computed(genzoo, refused, trained, tmp_path):
    # Three images of class 0: two are measured, and the one that is left has no covariance.
    images, labels = digits(size=8)
    chosen = np.concatenate([np.flatnonzero(labels == 0)[:3], np.flatnonzero(labels == 1)[:87]])
    for name in ("real.npz", "fake.npz"):
        save(name, images[chosen], labels[chosen])
    orders = [np.random.default_rng(seed).permutation(90) for seed in range(20)]
    seed = next(seed for seed, order in enumerate(orders) if (order[:45] < 3).sum() == 2)
    arguments = (
        "evaluate --real real.npz --fake fake.npz --features pixels --scores fid_per_class -n 45"
        f" --seed {seed}"
    )
    line = refused(arguments)
    assert "the score 'fid_per_class' of other real images cannot be computed" in line
    assert line.endswith("--no-floor leaves it out")
    assert genzoo(f"{arguments} --no-floor").code == 0


@pytest.mark.slow
def test_the_result_names_the_weights_that_were_measured(genzoo, trained, tmp_path):
    arguments = "evaluate --scores fid --features pixels -n 50 --out"
    run = shutil.copytree(trained("gan"), tmp_path / "run")
    genzoo(f"{arguments} a.json", run)
    (run / "model.keras").unlink()
    (run / "checkpoints" / "step-00000006.npz").write_bytes(b"damaged")
    ended = genzoo(f"{arguments} b.json", run)
    assert "taking its checkpoint of step 3" in ended.output
    finished, unfinished = (read(tmp_path / f"{name}.json")["protocol"] for name in "ab")
    assert (
        finished["weights"]
        == "the finished model, of step 6; the last step, not one chosen by its score"
    )
    assert unfinished["weights"] == (
        "the checkpoint of step 3, of 6 asked for; the last step, not one chosen by its score"
    )
    assert (finished["steps"], unfinished["steps"]) == (6, 3)
    assert re.fullmatch(r"[0-9a-f]{16}", finished["weights_digest"])
    assert finished["weights_digest"] != unfinished["weights_digest"]


@pytest.mark.slow
def test_the_result_says_that_the_generator_is_an_average(genzoo, trained, tmp_path):
    genzoo("evaluate --scores fid --features pixels -n 50 --out a.json", trained("dcgan"))
    assert read(tmp_path / "a.json")["protocol"]["weights"] == (
        "the finished model, of step 6, averaged with decay 0.5; "
        "the last step, not one chosen by its score"
    )


@pytest.mark.slow
def test_a_vae_with_another_loss_has_all_scores_but_the_likelihood(genzoo, tmp_path):
    arguments = "fit vae --loss squared_error --hidden-units 16 --steps 4 --checkpoint-every 4"
    assert genzoo(f"{arguments} --out run").code == 0
    ended = genzoo("evaluate run --features pixels")
    assert ended.code == 0, ended.errors
    scores = read(tmp_path / "run" / "evaluation.json")["scores"]
    assert "reconstruction" in scores
    assert "likelihood" not in scores


@pytest.mark.slow
def test_classes_of_folders_are_matched_by_name(genzoo, refused, tmp_path):
    from PIL import Image

    images, labels = digits(size=8)
    for image, label in zip(images[:400], labels[:400], strict=True):
        for name in ("real", "fake") if label in (3, 7) else ("real",):
            folder = tmp_path / name / str(label)
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[..., 0]).save(folder / f"{len(list(folder.iterdir()))}.png")
    ended = genzoo("evaluate --real real --fake fake --scores label_accuracy --out a.json")
    assert ended.code == 0, ended.errors
    # Copies of real images: were classes matched by number, none would be of its class.
    assert read(tmp_path / "a.json")["scores"]["label_accuracy"] > 0.8
    without = "evaluate --real real --fake fake --labels none --features pixels --scores"
    assert "label_accuracy" in refused(f"{without} label_accuracy")
    assert genzoo(f"{without} fid").code == 0
    (tmp_path / "fake" / "3").rename(tmp_path / "fake" / "three")
    assert "has the class 'three', which real does not have" in refused(
        "evaluate --real real --fake fake --scores label_accuracy"
    )


@pytest.mark.slow
def test_a_fitted_sampler_brings_an_autoencoder_nearer_to_its_data(genzoo, trained, tmp_path):
    for sampler in ("normal", "mixture"):
        genzoo(
            f"evaluate --scores fid --features pixels --sampler {sampler} --no-floor"
            f" --out {sampler}.json",
            trained("ae"),
        )
    normal, mixture = (read(tmp_path / f"{name}.json") for name in ("normal", "mixture"))
    assert mixture["protocol"]["sampler"] == "mixture"
    assert mixture["scores"]["fid"] < normal["scores"]["fid"]
    assert "floor" not in normal


@pytest.mark.slow
def test_images_of_any_origin(genzoo, tmp_path):
    images, labels = digits(size=8)
    save("real.npz", images[:700], labels[:700])
    save("fake.npz", images[700:], labels[700:])
    ended = genzoo(
        "evaluate --real real.npz --fake fake.npz --features pixels --scores fid,prdc --out a.json"
    )
    assert ended.code == 0, ended.errors
    result = read(tmp_path / "a.json")
    assert result["protocol"]["num_real"] == 700
    assert result["scores"]["precision"] > 0.6
    assert "floor" not in result
    assert result["protocol"]["floor"].startswith("none: not as many other real images are left")
    noise = np.random.default_rng(0).integers(0, 256, images.shape, "uint8")
    save("noise.npz", noise)
    genzoo("evaluate --real digits --fake noise.npz --features pixels --scores fid --out b.json")
    assert read(tmp_path / "b.json")["scores"]["fid"] > 5 * result["scores"]["fid"]
    ended = genzoo("evaluate --real real.npz --fake fake.npz --scores fid")
    assert "warning: the classifier was trained on many of these real images" in ended.output


@pytest.mark.slow
def test_other_real_images_are_the_floor_of_images_of_any_origin(genzoo, tmp_path):
    images, _ = digits(size=8)
    save("real.npz", images)
    save("fake.npz", np.random.default_rng(0).integers(0, 256, images.shape, "uint8"))
    arguments = "evaluate --features pixels --scores fid,prdc --out a.json --force"
    splits = "--real digits --image-size 8 --fake fake.npz"
    for more, floor in (
        ("--real real.npz --fake fake.npz -n 600", "real.npz, the rest of split train, 600 images"),
        (f"{splits} -n 100", "digits, the rest of split test, 100 images"),
        (f"{splits} -n 297", "digits, a fifth of train, 297 images"),
        (f"{splits} --split train -n 290", "digits, the rest of split train, 290 images"),
    ):
        ended = genzoo(f"{arguments} {more}")
        assert ended.code == 0, ended.errors
        result = read(tmp_path / "a.json")
        assert result["protocol"]["floor"] == floor
        assert result["floor"]["fid"] < result["scores"]["fid"] / 10
        # Others than those measured: of the same images every sphere would hold its own centre.
        assert 0.5 < result["floor"]["precision"] < 1
    genzoo(f"{arguments} {splits} -n 100 --no-floor")
    result = read(tmp_path / "a.json")
    assert "floor" not in result
    assert "floor" not in result["protocol"]
    # A file without a split to train on.
    np.savez("test.npz", x_test=images[:200])
    genzoo(f"{arguments} --real test.npz --fake fake.npz -n 150")
    assert read(tmp_path / "a.json")["protocol"]["floor"].startswith("none")


def test_without_out_nothing_is_written_for_images(genzoo, tmp_path):
    save("fake.npz", digits(size=8)[0])
    before = set(tmp_path.rglob("*"))
    ended = genzoo("evaluate --real digits --fake fake.npz --features pixels --scores fid")
    assert "FID" in ended.output
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pixels", "classifier", "model"])
def test_a_feature_network_gives_the_same_whatever_the_batches(name, tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "MAX_EPOCHS", 5)
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "cache"))
    assert set(FEATURE_NETWORKS) == {"pixels", "classifier", "attributes", "model", "inception"}
    if name == "model":
        images = keras.Input((12, 12, 3))
        pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(5, 3)(images))
        keras.Model(images, pooled).save(tmp_path / "net.keras")
        name = f"model:{tmp_path / 'net.keras'}"
    real = Splits(lambda split: open_source("digits", split, image_size=16))
    network = find_network(name, real)
    images, _ = digits("test")
    whole, parts = network.compute(images[:50]), network.compute(images[:50], batch_size=7)
    np.testing.assert_allclose(whole.features, parts.features, atol=1e-4)
    if network.name == "classifier":
        np.testing.assert_allclose(whole.logits, parts.logits, atol=1e-4)
    with pytest.raises(ValueError, match="takes uint8 images"):
        network.compute(images.astype("float32"))


@pytest.mark.slow
@pytest.mark.real_data
def test_attributes_of_faces_are_learnt(test_data, monkeypatch):
    monkeypatch.setattr(classifier, "MAX_EPOCHS", 10)
    places = {"data_dir": test_data / "tensorflow_datasets", "image_size": 16}
    real = Splits(lambda split: open_source("celeb_a", split, **places))
    network = find_network(None, real)
    assert network.name == "attributes"
    assert network.details["test_accuracy"] > network.details["accuracy_of_the_commoner"] + 0.02
    images, _ = real.held_out.sample(10)
    assert network.compute(images).logits.shape == (10, 40)


def test_a_foreign_graph_is_not_inception(genzoo, trained, tmp_path):
    (tmp_path / "graph.pb").write_bytes(b"\x0a\x00nonsense")
    ended = genzoo("evaluate --features inception:graph.pb", trained("gan"))
    assert "is not the Inception graph of 2015" in ended.errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("evaluate", "a run, or both --real and --fake"),
        ("evaluate --real digits", "a run, or both --real and --fake"),
        ("evaluate RUN --real digits --fake digits", "a run, or both"),
        ("evaluate RUN --scores fdi", "unknown score 'fdi'; did you mean 'fid'?"),
        ("evaluate RUN --features pixel", "did you mean 'pixels'"),
        ("evaluate RUN --features model", "write the feature network as model:PATH"),
        ("evaluate RUN --features pixels:x", "write the feature network as pixels"),
        ("evaluate RUN --features model:none.keras", "there is no feature network none.keras"),
        ("evaluate RUN --features inception:none.pb", "there is no Inception graph at none.pb"),
        (
            "evaluate RUN -n 5000",
            "5000 images were asked for, and digits, split test, has 297",
        ),
        (
            "evaluate --real digits --image-size 8 --fake plain.npz --split train -n 301",
            "301 images were asked for, and plain.npz, split train, has 300",
        ),
        (
            "evaluate --real few.npz --fake few.npz --features pixels --scores fid_per_class",
            "class 1 has 1 real images and 1 generated ones",
        ),
        ("evaluate RUN --split valid", "digits has no split 'valid'"),
        (
            "evaluate RUN --scores likelihood",
            "the score 'likelihood' needs a model with a likelihood: an estimate of log p(x), or a "
            "posterior and a loss that is a log-likelihood, such as 'bernoulli'; this is a GAN on",
        ),
        (
            "evaluate RUN --scores reconstruction",
            "needs a model that encodes and reconstructs images; this is a GAN on digits",
        ),
        ("evaluate RUN --scores modes", "needs a model of stacked images, such as stacked_mnist"),
        ("evaluate RUN --scores label_accuracy", "needs generated images with class labels"),
        (
            "evaluate RUN --sampler mixture --features pixels",
            "--sampler is for models with an encoder",
        ),
        ("evaluate RUN --sampler mixtur", "did you mean 'mixture'"),
        ("evaluate RUN --scores likelihod", "did you mean 'likelihood'"),
        ("evaluate RUN --binarization dynamc", "did you mean 'dynamic'"),
        ("evaluate RUN --seed 4294967296", "4294967296 is not in the range"),
        (
            "evaluate RUN --features pixels -n 3 --scores prdc",
            "the score 'prdc' cannot be computed",
        ),
        ("evaluate RUN --out a.txt", "a.txt has none of the suffixes .json"),
        ("evaluate nowhere", "is not a run"),
        ("evaluate --real digits --fake small.npz", "bring both to one size with --image-size"),
        ("evaluate --real digits --fake plain.npz --scores likelihood", "needs a model"),
        (
            "evaluate --real plain.npz --fake plain.npz --scores fid_per_class",
            "the score 'fid_per_class' needs generated images with class labels",
        ),
        ("evaluate RUN --features attributes", "digits has no attributes to train on"),
        (
            "evaluate --real plain.npz --fake plain.npz --features classifier",
            "has no class labels to train a classifier on",
        ),
    ],
)
def test_what_cannot_be_scored_is_refused(refused, trained, tmp_path, arguments, words):
    run = trained("gan")
    images, _ = digits(size=8)
    save("plain.npz", images[:300])
    save("small.npz", images[:300, :6, :6])
    save("few.npz", images[:3], np.array([0, 0, 1]))
    before = set(tmp_path.rglob("*"))
    assert words in refused(arguments.replace("RUN", str(run)))
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.slow
def test_a_result_of_another_protocol_is_not_replaced_unasked(genzoo, refused, trained):
    run, arguments = trained("gan"), "evaluate --scores fid --features pixels"
    assert genzoo(arguments, run).code == 0
    assert "evaluation.json: its scores have another protocol (--seed 0, not 1)" in refused(
        f"{arguments} --seed 1", run
    )
    assert genzoo(f"{arguments} --seed 1 --force", run).code == 0


def test_a_result_of_images_of_any_origin_is_not_replaced_unasked(genzoo, refused, tmp_path):
    save("fake.npz", digits(size=8)[0])
    arguments = "evaluate --real digits --fake fake.npz --features pixels --scores fid --out a.json"
    assert genzoo(arguments).code == 0
    assert "a.json exists" in refused(arguments)
    assert genzoo(f"{arguments} --force").code == 0


@pytest.mark.slow
def test_ctrl_c_ends_in_one_line_and_keeps_the_scores_so_far(trained, tmp_path):
    run = shutil.copytree(trained("vae"), tmp_path / "run")
    process = kill.genzoo("evaluate", run, "--features", "pixels", "--num-samples", 10**6)
    while process.poll() is None and not (run / "evaluation.json").exists():
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    code, _, errors = kill.finish(process)
    assert code == 130
    assert errors.splitlines() == [
        "stopped; the scores computed so far are kept, and the same command goes on"
    ]
    assert set(read(run / "evaluation.json")["scores"]) >= {"fid", "kid", "precision"}


def test_the_flags_have_the_defaults_of_the_options():
    given = command.make_context("evaluate", []).params
    assert {one.name: given[one.name] for one in dataclasses.fields(Options)} == vars(Options())


def test_every_score_says_what_it_needs():
    needs_nothing = {"fid", "kid", "prdc", "augmentation_leak"}
    assert needs_nothing == {name for name in SCORES if not SCORES[name].needs}


def test_every_score_names_the_values_that_it_gives():
    from keras_genzoo.evaluation.features import Features, Pixels

    (real, labels), rng = digits(size=8), np.random.default_rng(0)
    inputs = ScoreInputs(real[:200], real[200:400], Pixels(), labels[:200], labels[200:400],
                        train_images=real[400:])  # fmt: skip
    logits = Features(np.zeros((200, 2), "float32"), rng.normal(size=(200, 10)))
    for name in ("fid", "kid", "prdc", "fid_per_class", "memorisation", "parzen"):
        assert set(SCORES[name].measure(inputs)) <= set(SCORES[name].values)
    inputs.__dict__["real"] = inputs.__dict__["fake"] = logits
    for name in ("inception_score", "class_histogram", "label_accuracy"):
        assert set(SCORES[name].measure(inputs)) <= set(SCORES[name].values)
    values = [value for name in SCORES for value in SCORES[name].values]
    assert len(values) == len(set(values))


def test_features_of_real_images_are_kept_by_content(cache):
    from keras_genzoo.evaluation.features import Pixels
    from keras_genzoo.evaluation.inputs import kept_features

    images = np.stack([batch.numpy() for batch in load_dataset("digits", batch_size=1).take(3)])[
        :, 0
    ]
    folder = cache / "features"
    before = set(folder.glob("*"))
    first = kept_features(Pixels(), images)
    [file] = set(folder.glob("*")) - before
    np.testing.assert_array_equal(kept_features(Pixels(), images).features, first.features)
    assert len(set(folder.glob("*")) - before) == 1
    file.write_bytes(file.read_bytes()[:-40])
    np.testing.assert_array_equal(kept_features(Pixels(), images).features, first.features)
    kept_features(Pixels(), images[::-1])
    assert len(set(folder.glob("*")) - before) == 2


# Scores of a person's own -----------------------------------------------------------------------

MY_SCORES = '''
import numpy as np
from keras_genzoo.evaluation import SCORES, Display, Score


def contrast(inputs):
    """Standard deviation of the generated images' pixels."""
    return np.float32(inputs.fake_images.std())


def weights(inputs):
    """Size of the model."""
    return {"weights": inputs.model.count_params(), "per_image": [1.5, len(inputs.real_images)]}


def broken(inputs):
    return 1 / 0


SCORES.register("contrast", Score(contrast))
SCORES.register(
    "weights",
    Score(weights, of="model", gives={"weights": Display("weights", "↓", "numbers"),
                                      "per_image": None}),
)
SCORES.register("broken", Score(broken, usual=False))
'''


def test_a_value_that_a_score_does_not_declare_is_refused():
    with pytest.raises(GenzooError, match="it gives another; name that in gives="):
        Score(lambda inputs: {"another": 1.0}, gives=("one",)).measure(None)


@pytest.fixture
def own(tmp_path, process):
    """Run the command in a process of its own, beside a module with scores."""
    (tmp_path / "my_scores.py").write_text(MY_SCORES)

    return process


def test_own_scores_are_named_in_the_help_only_if_they_are_imported(own):
    assert "contrast" in own("--import my_scores evaluate --help").stdout
    assert "contrast" not in own("evaluate --help").stdout
    ended = own("evaluate run --scores contrast")
    assert ended.returncode == 2
    assert "unknown score 'contrast'" in ended.stderr


@pytest.mark.slow
def test_own_scores_are_measured_shown_and_kept(own, genzoo, trained, tmp_path):
    run = shutil.copytree(trained("gan"), tmp_path / "run")
    measured = "--import my_scores evaluate run --features pixels -n 50 --scores"
    # A broken score is one line, and nothing of what is kept is lost.
    ended = own(f"{measured} contrast,weights,fid", f"{measured} broken")
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert "the score 'broken' cannot be computed: ZeroDivisionError: division by zero" in line
    result = read(run / "evaluation.json")
    # A score of images is measured on other real images, too; one of the model is not.
    assert result["scores"]["contrast"] > 0
    assert 0 < result["floor"]["contrast"] < 128
    assert result["scores"]["weights"] > 100
    assert result["scores"]["per_image"] == [1.5, 50]
    assert "weights" not in result["floor"]
    rows = {line.split("  ")[0].strip() for line in ended.stdout.splitlines()}
    assert {"contrast", "weights (numbers) ↓", "FID ↓"} <= rows
    assert "per_image" not in ended.stdout
    # Without the module, its values stay in the file and are shown by their names.
    ended = genzoo("evaluate run --features pixels -n 50 --scores kid")
    assert ended.code == 0, ended.errors
    assert read(run / "evaluation.json")["scores"].items() >= result["scores"].items()
    assert "contrast" in ended.output
