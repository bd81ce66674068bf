"""``--features inception``: the graph is read as the reference does, and fetched once."""

import gzip
import io
import json
import tarfile

import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.data import open_source
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import (
    FeatureStatistics,
    feature_statistics,
    frechet_distance,
    inception_score,
)
from keras_genzoo.evaluation.inception import GRAPH, Inception, fetch_inception

WIDTH, CLASSES = 5, 4


def weights():
    rng = np.random.default_rng(0)
    filters, to_logits = rng.normal(size=(3, WIDTH)), rng.normal(size=(WIDTH, CLASSES))
    return filters.astype("float32"), to_logits.astype("float32")


def frozen_graph(pool="pool_3"):
    """A graph with the names of Inception's: the features are five mixtures of the mean colour."""
    filters, to_logits = weights()
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(tf.float32, (None, None, 3), name="Cast")
        images = tf.expand_dims(image, 0, name="ExpandDims")
        mixed = tf.nn.conv2d(images, filters[None, None], 1, "SAME", name="conv")
        pooled = tf.reduce_mean(mixed, (1, 2), keepdims=True, name=pool)
        flat = tf.reshape(pooled, (-1, WIDTH), name="pool_3/_reshape")
        constant = tf.constant(to_logits, name="softmax/weights")
        tf.matmul(flat, constant, name="softmax/logits/MatMul")
    return graph.as_graph_def().SerializeToString()


def expected(images):
    filters, to_logits = weights()
    features = images.mean(axis=(1, 2)) @ filters
    return features, features @ to_logits


def archive(graph, name=GRAPH):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as members:
        for path, content in {"LICENSE": b"Apache", name: graph}.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            members.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def colours(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, 1, 1, 3)).repeat(6, 1).repeat(6, 2).astype("uint8")


def cached(path):
    return path / "cache" / "inception" / GRAPH


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache without Inception."""
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "cache"))


def test_features_are_those_of_the_pool_and_logits_have_no_bias(tmp_path):
    (tmp_path / "graph.pb").write_bytes(frozen_graph())
    network = Inception(tmp_path / "graph.pb")
    images = np.random.default_rng(0).integers(0, 256, (7, 9, 8, 3), "uint8")
    computed = network.compute(images, batch_size=3)
    features, logits = expected(images)
    np.testing.assert_allclose(computed.features, features, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(computed.logits, logits, rtol=1e-4, atol=1e-3)
    grey = network.compute(images[..., :1]).features
    np.testing.assert_allclose(grey, expected(images[..., :1].repeat(3, -1))[0], rtol=1e-4)


def test_scores_are_those_of_the_graphs_features(genzoo, tmp_path):
    (tmp_path / "graph.pb").write_bytes(frozen_graph())
    for name, seed in (("real", 0), ("fake", 1)):
        np.savez(tmp_path / f"{name}.npz", images=colours(80, seed))
    ended = genzoo(
        "evaluate --real real.npz --fake fake.npz --features inception:graph.pb "
        "--scores fid,inception_score --out a.json"
    )
    assert ended.code == 0, ended.errors
    result = json.loads((tmp_path / "a.json").read_text())
    assert result["protocol"]["features"]["name"] == "inception"
    (real, _), (fake, logits) = (
        expected(open_source(str(tmp_path / f"{name}.npz")).sample(80, 0)[0])
        for name in ("real", "fake")
    )
    distance = frechet_distance(feature_statistics(real), feature_statistics(fake))
    assert result["scores"]["fid"] == pytest.approx(distance, rel=1e-4)
    score = inception_score(logits)
    assert result["scores"]["inception_score"] == pytest.approx(score.mean, rel=1e-4)


def test_the_distance_is_to_the_statistics_that_come_with_a_reference_batch(genzoo, tmp_path):
    (tmp_path / "graph.pb").write_bytes(frozen_graph())
    whole, _ = expected(colours(500, 7))
    mean, covariance = whole.mean(axis=0), np.cov(whole, rowvar=False)
    np.savez(tmp_path / "real.npz", arr_0=colours(80), mu=mean, sigma=covariance)
    np.savez(tmp_path / "fake.npz", images=colours(80, 1))
    line = "evaluate --real real.npz --fake fake.npz --no-floor --features"
    ended = genzoo(f"{line} inception:graph.pb --scores fid --out a.json")
    assert "statistics of FID" in ended.output
    result = json.loads((tmp_path / "a.json").read_text())
    assert result["protocol"]["fid_real"] == "mu and sigma as stored with the real images"
    fake, _ = expected(open_source(tmp_path / "fake.npz").sample(80, 0)[0])
    distance = frechet_distance(FeatureStatistics(500, mean, covariance), feature_statistics(fake))
    assert result["scores"]["fid"] == pytest.approx(distance, rel=1e-4)
    # They are of no other network's features, whatever the size.
    ended = genzoo(f"{line} pixels --scores fid")
    assert "statistics of FID" not in ended.output


@pytest.mark.usefixtures("own_cache")
def test_the_graph_is_fetched_once(genzoo, serve, tmp_path):
    graph = frozen_graph()
    content = archive(graph, f"inception/{GRAPH}")
    url, requests = serve(content)
    said = []
    for _ in range(2):
        network = fetch_inception(url, len(content), said.append)
        assert network.details == {"file": str(cached(tmp_path))}
    assert cached(tmp_path).read_bytes() == graph
    names = [GRAPH, GRAPH.replace(".pb", ".sha256")]
    assert sorted(path.name for path in cached(tmp_path).parent.iterdir()) == names
    assert len(said) == len(requests) == 1
    assert f"it is kept in {cached(tmp_path)}" in said[0]
    # Now no network is needed.
    np.savez(tmp_path / "real.npz", images=colours(30))
    ended = genzoo(
        "evaluate --real real.npz --fake real.npz --features inception --scores fid --out a.json"
    )
    assert ended.code == 0, ended.errors
    told = json.loads((tmp_path / "a.json").read_text())["protocol"]["features"]
    assert told["file"] == str(cached(tmp_path))


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("damage", ["empty", "foreign", "one bit"])
def test_a_damaged_graph_is_fetched_anew(serve, tmp_path, damage):
    graph = frozen_graph()
    content = archive(graph)
    url, requests = serve(content)
    fetch_inception(url, len(content))
    flipped = graph.replace(weights()[1].tobytes(), (weights()[1] + 1).tobytes())
    assert flipped != graph
    cached(tmp_path).write_bytes(
        {"empty": b"", "foreign": b"\x0a\x00x", "one bit": flipped}[damage]
    )
    said = []
    fetch_inception(url, len(content), said.append)
    assert len(said) == len(requests) == 2
    assert said[0].startswith(f"{cached(tmp_path)} is damaged or not what it should be; it is fet")
    assert cached(tmp_path).read_bytes() == graph


def test_a_graph_that_cannot_be_kept_is_used(serve, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "file" / "cache"))
    content = archive(frozen_graph())
    url, _ = serve(content)
    said = []
    network = fetch_inception(url, len(content), said.append)
    images = colours(3)
    np.testing.assert_allclose(network.compute(images).features, expected(images)[0], rtol=1e-4)
    assert network.details == {"file": url}
    assert len(said) == 2
    assert "GENZOO_CACHE names another folder" in said[1]


def with_a_wrong_sum(content):
    return content[:-8] + bytes(4) + content[-4:]


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    ("content", "size", "words"),
    [
        (archive(frozen_graph()), 1, "the archive has .* bytes, and should have"),
        (archive(frozen_graph()), -1, "the archive has more than"),
        (archive(frozen_graph())[:-300], 0, "ended before the end-of-stream|unexpected end"),
        (with_a_wrong_sum(archive(frozen_graph())), 0, "CRC check failed"),
        (b"no archive at all", 0, "Not a gzipped file"),
        (gzip.compress(b"no archive inside", mtime=0), 0, "cannot fetch the Inception graph"),
        (archive(frozen_graph(), "another.pb"), 0, f"the archive holds no {GRAPH}"),
        (archive(b"\x0a\x00nonsense"), 0, "is not the Inception graph of 2015"),
        (archive(frozen_graph("pool_4")), 0, "it has no node 'pool_3'"),
    ],
    ids=[
        "one byte short",
        "one byte too many",
        "cut",
        "wrong sum",
        "not gzip",
        "not tar",
        "another file",
        "not a graph",
        "another graph",
    ],
)
def test_what_is_not_the_graph_is_not_kept(serve, tmp_path, content, size, words):
    url, _ = serve(content)
    with pytest.raises(GenzooError, match=words) as refused:
        fetch_inception(url, len(content) + size)
    assert "\n" not in str(refused.value)
    assert not cached(tmp_path).exists()
    assert not list(tmp_path.rglob(".tmp-*"))


@pytest.mark.usefixtures("own_cache")
def test_an_address_that_is_not_there(serve):
    url, _ = serve(b"")
    with pytest.raises(GenzooError, match=r"(?i)cannot fetch .*not found"):
        fetch_inception(url + ".not", 1)


@pytest.mark.usefixtures("own_cache")
def test_without_a_network_one_line_says_what_to_do(refused, tmp_path, monkeypatch):
    # A proxy at which no one listens.
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    np.savez(tmp_path / "real.npz", images=colours(30))
    line = refused("evaluate --real real.npz --fake real.npz --features inception --scores fid")
    assert "cannot fetch the Inception graph" in line
    assert "fetch https://storage.googleapis.com/" in line
    assert f"put {GRAPH} at {cached(tmp_path)}, or name it as inception:PATH" in line
