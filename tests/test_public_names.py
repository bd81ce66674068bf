"""Names of the packages are imported on first use; the stubs list them, for type checkers too."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import keras_genzoo

ROOT = Path(keras_genzoo.__file__).parent
PACKAGES = [
    ".".join(stub.relative_to(ROOT.parent).parent.parts) for stub in ROOT.rglob("__init__.pyi")
]


@pytest.mark.parametrize("name", PACKAGES)
def test_each_name_of_a_package_is_in_the_module_that_its_stub_names(name):
    package = importlib.import_module(name)
    assert package.__all__
    for public in package.__all__:
        assert getattr(package, public) is not None


@pytest.mark.slow
def test_type_checkers_know_names_that_are_imported_on_first_use(tmp_path):
    pytest.importorskip("mypy")
    code = tmp_path / "theirs.py"
    code.write_text(
        "import keras_genzoo as genzoo\n"
        "from keras_genzoo.training import Run\n"
        "reveal_type(genzoo.models.VAE((8, 8, 1), 2).generate(3))\n"
        "preset = genzoo.models.from_preset('cgan_mnist')\n"
        "preset.decode(preset.sample_latents(2), class_labels=[1, 2])\n"
        "preset.generate(2, temperature=0.5)\n"
        "Run.open(3)\n"
        "genzoo.models.VEA\n"
    )
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--no-error-summary"]
    result = subprocess.run(
        [*command, "--cache-dir", str(tmp_path / "cache"), "--follow-imports=silent", str(code)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"MYPYPATH": str(ROOT.parent), "PATH": ""},
    )
    found = [line.partition(": ")[2] for line in result.stdout.splitlines()]
    assert [line.partition("[")[0].partition("; ")[0] for line in found] == [
        'note: Revealed type is "numpy.ndarray',
        'error: Argument 1 to "open" of "Run" has incompatible type "int"',
        'error: Module has no attribute "VEA"  ',
    ]
