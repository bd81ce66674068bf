"""The runtime that runs models in a page: LiteRT.js, of its npm package, checked by its hash.

Of ONNX Runtime Web and LiteRT.js, both run the package's models at equal speed on one thread;
LiteRT.js is smaller (2.8 against 3.7 MB compressed), keeps weights in half precision, and takes a
``.tflite`` file, which TensorFlow writes without another package. The build taken here does without
relaxed SIMD, which not all browsers have.
"""

import base64
import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.cache import cache_folder, keep, say_damaged
from keras_genzoo.evaluation.fetching import download
from keras_genzoo.text import shown

PACKAGE, VERSION = "@litertjs/core", "2.5.3"
LICENCE = "Apache-2.0, Google LLC"
URL = f"https://registry.npmjs.org/{PACKAGE}/-/core-{VERSION}.tgz"
SIZE = 11_817_097
# As 'npm view @litertjs/core@2.5.3 dist.integrity' gives it.
INTEGRITY = (
    "sha512-PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8I"
    "wqgqCIkviYGr9OFDL1kCnN4nzWoyJQ=="
)
# The files of the package that a page takes, each with its sha256.
FILES = {
    "dist/index.js": "e7daccc3a31eef890848a737ccb863ded5f046a6b40c3fdc0556495adeb5d9b3",
    "wasm/litert_wasm_compat_internal.js": (
        "4d8f894b7883654fd6e8439730aa41e79ceaab7d19184fc4f1f0b0f1a2a2c8a5"
    ),
    "wasm/litert_wasm_compat_internal.wasm": (
        "5255c8ad06eabdbd2522cdebf6b22fc10faf74625c23a49b9e072570cd1fa41c"
    ),
}

Echo = Callable[[str], None]


class Runtime(NamedTuple):
    """What a page takes of the package.

    Args:
        module: the library, an ES module.
        glue: the script that starts the WebAssembly.
        wasm: the WebAssembly.
    """

    module: str
    glue: str
    wasm: bytes


def open_runtime(
    path: str | os.PathLike | None = None,
    *,
    url: str = URL,
    echo: Echo = lambda line: None,
) -> Runtime:
    """Return the runtime: of ``path``, of the cache, or fetched now and kept there.

    Args:
        path: the package's tarball, or the folder that it unpacks to, on this machine.
        url: where the tarball is fetched.
        echo: called with a line when it is fetched, and if it cannot be kept.

    Raises:
        GenzooError: if it cannot be fetched or read, or is not the package of this version.
    """
    if path is not None:
        return _local(Path(path).expanduser())
    file = cache_folder() / "litert" / f"core-{VERSION}.tgz"
    try:
        content = file.read_bytes()
    except OSError:
        content = b""
    if content:
        if _integrity(content) == INTEGRITY:
            return _of_tarball(content)
        say_damaged(file, "it is fetched anew", echo)
    echo(
        f"fetching the runtime of the page, {PACKAGE} {VERSION}, {SIZE / 1e6:.0f} MB, once; it is "
        f"kept in {shown(file)}"
    )
    try:
        with io.BytesIO() as archive:
            download(url, SIZE, archive)
            content = archive.getvalue()
    except (OSError, HTTPException) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise GenzooError(
            f"cannot fetch the runtime of the page ({reason}); fetch {URL} by other means, and "
            "name that file with --runtime PATH"
        ) from error
    runtime = _checked(content, url)
    keep(file, lambda temporary: temporary.write_bytes(content), echo)
    return runtime


def _local(path: Path) -> Runtime:
    if path.is_dir():
        return _of_folder(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise GenzooError(
            f"cannot read the runtime {path} ({error.strerror}); name the file of {URL}, or the "
            "folder that it unpacks to"
        ) from error
    return _checked(content, str(path))


def _checked(content: bytes, name: str) -> Runtime:
    """Return the runtime of a tarball whose hash is that of the package.

    Raises:
        GenzooError: if it is another.
    """
    if _integrity(content) != INTEGRITY:
        raise GenzooError(
            f"{name} is not the package {PACKAGE} {VERSION}: its sha512 is another; name the file "
            f"of {URL} with --runtime PATH"
        )
    return _of_tarball(content)


def _integrity(content: bytes) -> str:
    """Return the hash of a package as npm writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode("ascii")


def _of_tarball(content: bytes) -> Runtime:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        files = {name: archive.extractfile(f"package/{name}") for name in FILES}
        return _runtime({name: file.read() for name, file in files.items() if file is not None})


def _of_folder(folder: Path) -> Runtime:
    """Return the runtime of an unpacked package, or of the folder that it was unpacked in.

    Raises:
        GenzooError: if a file is missing, or is another.
    """
    if (folder / "package").is_dir():
        folder = folder / "package"
    parts = {}
    for name, checksum in FILES.items():
        try:
            parts[name] = (folder / name).read_bytes()
        except OSError as error:
            raise GenzooError(
                f"{folder} is not the package {PACKAGE} {VERSION}: cannot read {name} "
                f"({error.strerror}); name the folder that {URL} unpacks to"
            ) from error
        if hashlib.sha256(parts[name]).hexdigest() != checksum:
            raise GenzooError(
                f"{folder / name} is not that of {PACKAGE} {VERSION}: its sha256 is another; name "
                f"the folder that {URL} unpacks to"
            )
    return _runtime(parts)


def _runtime(parts: dict[str, bytes]) -> Runtime:
    module, glue, wasm = (parts[name] for name in FILES)
    return Runtime(module.decode(), glue.decode(), wasm)


def runtime_script(module: str) -> str:
    """Return the library as a plain script, which a page may hold without loading a module.

    It gives ``LiteRT`` with what a page uses, and ``startRuntime(options)``, where ``options`` are
    those of Emscripten. The library's own way loads a script by its address.

    Args:
        module: ``Runtime.module``.
    """
    importing = 'import { createWasmLib } from "@litertjs/wasm-utils";'
    before, after = module.split(importing)
    after = after[: after.rindex("export {")]
    return (
        "const { LiteRT, startRuntime } = (() => {\n"
        "let options;\n"
        "const createWasmLib = async (Kind) => new Kind(await ModuleFactory(options), null);\n"
        f"{before}{after}"
        "const start = (given) => { options = given; return loadLiteRt('runtime.js'); };\n"
        "return { LiteRT: { loadAndCompile, Tensor }, startRuntime: start };\n"
        "})();\n"
    )
