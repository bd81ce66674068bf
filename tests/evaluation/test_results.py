"""Results in words: what stands in the table, what is left to the JSON, what a run has kept."""

import json
import re

from keras_genzoo.evaluation import results_of, score_rows, score_table, table, write_result
from keras_genzoo.evaluation.results import protocol_rows
from keras_genzoo.evaluation.score import TIMES


def result(**scores):
    return {"protocol": {"num_fake": 10}, "scores": scores, "warnings": []}


def test_a_number_that_is_not_finite_reads_the_same_before_and_after_it_is_kept(tmp_path):
    fresh = result(reconstruction={"mse": 0.0, "psnr": float("inf")})
    write_result(fresh, tmp_path / "a.json")
    kept = json.loads((tmp_path / "a.json").read_text())
    assert kept["scores"]["reconstruction"] == {"mse": 0.0, "psnr": None}
    assert score_rows(kept) == score_rows(fresh)
    assert ("reconstruction PSNR (dB) ↑", "not finite", "") in score_rows(kept)
    assert "not finite" in table(fresh)


def test_histograms_and_scores_of_many_classes_are_left_to_the_json():
    shares = {f"class {number}": 0.1 for number in range(10)}
    many = {f"class {number}": 1.0 for number in range(21)}
    rows = score_rows(result(fid=1.5, class_histogram=shares, fid_per_class=many))
    assert rows == [("FID ↓", "1.5", "")]
    # As results of before have it.
    assert score_rows(result(class_histogram=[0.5, 0.25, 0.25])) == []
    few = score_rows(result(fid_per_class={"cat": 1.0, "dog": 2.0}))
    assert [name for name, *_ in few] == ["FID of class cat ↓", "FID of class dog ↓"]


def test_the_accuracy_of_a_network_stands_beside_its_name():
    network = {"name": "classifier", "checksum": "0" * 64, "resize": "none", "tested_on": 40,
               "test_accuracy": 0.975, "accuracy_of_the_commoner": 0.1}  # fmt: skip
    rows = dict(protocol_rows({"protocol": {"features": network}}))
    assert rows["features"] == (
        "classifier (000000000000, held-out accuracy 0.9750 on 40 images, 0.1000 for always "
        "naming the commonest)"
    )


def test_the_file_keeps_bare_numbers_and_the_table_has_units_scales_and_arrows():
    scores = {"kid": 0.00125, "kid_std": 0.0002, "label_accuracy": 0.9948,
              "label_accuracy_95": [0.993, 0.996], "likelihood": {"elbo": -95.5},
              "new_score": 2.0}  # fmt: skip
    text = table(result(**scores) | {"floor": {"kid": 1e-4, "kid_std": 1e-5}})
    assert [re.split(r"\s{2,}", line) for line in text.splitlines()[2:]] == [
        ["score", "value", "real images"],
        [f"KID {TIMES} 1,000 ↓", "1.25 ± 0.2", "0.1 ± 0.01"],
        ["label accuracy (%) ↑", "99.48 (99.3 to 99.6)"],
        ["ELBO (nats) ↑", "-95.5"],
        ["new_score", "2"],
    ]


def test_a_column_without_a_value_is_left_out():
    assert score_table(result(fid=1.5)) == [("score", "value"), ("FID ↓", "1.5")]
    assert score_table(result(fid=1.5) | {"floor": {}})[0] == ("score", "value")


def test_results_of_a_run_are_told_by_the_weights_that_they_are_of(tmp_path):
    assert results_of(tmp_path, "aa", 12).current == []

    def of(steps, digest=None, **scores):
        one = result(**scores)
        one["protocol"] |= {"steps": steps} if steps else {}
        one["protocol"] |= {"weights_digest": digest} if digest else {}
        return one

    others = [of(12, "aa", fid=2.0), of(3, "bb", fid=3.0), of(12, "cc", fid=4.0), of(None, fid=5.0)]
    write_result(of(12, "aa", fid=1.0) | {"others": others}, tmp_path / "evaluation.json")
    found = results_of(tmp_path, "aa", 12)
    assert [one.values["scores"]["fid"] for one in found.current] == [1, 2]
    assert [(one.weights, one.values["scores"]["fid"]) for one in found.stale] == [
        ("step 12", 4), ("step 3", 3), ("unknown weights", 5)
    ]  # fmt: skip


def test_a_result_without_a_digest_is_of_the_weights_of_its_step(tmp_path):
    old = result(fid=1.0)
    old["protocol"]["steps"] = 3_000
    write_result(old, tmp_path / "evaluation.json")
    assert len(results_of(tmp_path, "aa", 3_000).current) == 1
    [stale] = results_of(tmp_path, "aa", 12_000).stale
    assert stale.weights == "step 3,000"
