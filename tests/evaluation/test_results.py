"""Results in words: what stands in the table, and what is left to the JSON."""

import json

from keras_genzoo.evaluation import score_rows, table, write_result
from keras_genzoo.evaluation.results import protocol_rows


def result(**scores):
    return {"protocol": {"num_fake": 10}, "scores": scores, "warnings": []}


def test_a_number_that_is_not_finite_reads_the_same_before_and_after_it_is_kept(tmp_path):
    fresh = result(reconstruction={"mse": 0.0, "psnr": float("inf")})
    write_result(fresh, tmp_path / "a.json")
    kept = json.loads((tmp_path / "a.json").read_text())
    assert kept["scores"]["reconstruction"] == {"mse": 0.0, "psnr": None}
    assert score_rows(kept) == score_rows(fresh)
    assert ("reconstruction.psnr", "not finite", "") in score_rows(kept)
    assert "not finite" in table(fresh)


def test_histograms_and_scores_of_many_classes_are_left_to_the_json():
    shares = {f"class {number}": 0.1 for number in range(10)}
    many = {f"class {number}": 1.0 for number in range(21)}
    rows = score_rows(result(fid=1.5, class_histogram=shares, fid_per_class=many))
    assert rows == [("fid", "1.5", "")]
    # As results of before have it.
    assert score_rows(result(class_histogram=[0.5, 0.25, 0.25])) == []
    few = score_rows(result(fid_per_class={"cat": 1.0, "dog": 2.0}))
    assert [name for name, *_ in few] == ["fid_per_class.cat", "fid_per_class.dog"]


def test_the_accuracy_of_a_network_stands_beside_its_name():
    network = {"name": "classifier", "checksum": "0" * 64, "resize": "none", "tested_on": 40,
               "test_accuracy": 0.975, "accuracy_of_the_commoner": 0.1}  # fmt: skip
    rows = dict(protocol_rows({"protocol": {"features": network}}))
    assert rows["features"] == (
        "classifier (000000000000, held-out accuracy 0.9750 on 40 images, 0.1000 for always "
        "naming the commonest)"
    )
