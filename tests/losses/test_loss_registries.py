import ast
import subprocess
import sys
from pathlib import Path

import pytest

from keras_genzoo import losses
from keras_genzoo.errors import GenzooError

ROOM = Path(losses.__file__).parent


def test_names_are_listed_without_keras():
    script = (
        "import sys, keras_genzoo.losses as losses\n"
        "print(*losses.ADVERSARIAL_LOSSES, *losses.RECONSTRUCTION_LOSSES)\n"
        "print('keras' in sys.modules or 'tensorflow' in sys.modules)"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert output == [*losses.ADVERSARIAL_LOSSES, *losses.RECONSTRUCTION_LOSSES, "False"]


def test_entries_are_the_losses_they_name():
    table = losses.ADVERSARIAL_LOSSES
    assert table["non_saturating"].discriminator is losses.discriminator_loss
    assert table["non_saturating"].generator is losses.non_saturating_generator_loss
    assert table["minimax"].discriminator is losses.discriminator_loss
    assert table["minimax"].generator is losses.minimax_generator_loss
    assert table["least_squares"].discriminator is losses.least_squares_discriminator_loss
    assert table["least_squares"].generator is losses.least_squares_generator_loss
    assert table["hinge"].discriminator is losses.hinge_discriminator_loss
    assert table["hinge"].generator is losses.hinge_generator_loss
    table = losses.RECONSTRUCTION_LOSSES
    kinds = {name: type(table[name]) for name in table}
    assert kinds == {
        "bernoulli": losses.Bernoulli,
        "squared_error": losses.SquaredError,
        "gaussian": losses.Gaussian,
        "continuous_bernoulli": losses.ContinuousBernoulli,
    }


def test_unknown_names_list_the_known_ones():
    with pytest.raises(GenzooError, match=r"adversarial loss 'hing'; did you mean 'hinge'\?"):
        losses.ADVERSARIAL_LOSSES["hing"]
    with pytest.raises(
        GenzooError, match=r"reconstruction loss.*known: bernoulli, .*squared_error"
    ):
        losses.RECONSTRUCTION_LOSSES["l1"]


def test_every_exported_name_exists_and_is_documented():
    for name in losses.__all__:
        assert getattr(losses, name).__doc__, name


def test_no_file_of_the_room_names_tensorflow():
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module]
            else:
                continue
            assert not any(module.split(".")[0] == "tensorflow" for module in modules), path.name


def test_public_functions_are_all_exported():
    public = {
        node.name
        for path in ROOM.glob("*.py")
        if path.stem not in ("__init__", "tensors")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    }
    constants = {
        *("ADVERSARIAL_LOSSES", "LEAST_LOG_SIGMA", "LOG_4", "PENALTIES"),
        "RECONSTRUCTION_LOSSES",
    }
    assert public == set(losses.__all__) - constants
