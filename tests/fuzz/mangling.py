"""Ways to spoil a file: by its bytes, by its format's own fields, and by links in its place."""

import copy
import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HUGE = (0, 1, 2**7, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**45, 2**62, 2**63 - 1, 2**64 - 1)
Random = np.random.Generator


def mangle(path: Path, folder: Path, outside: Path, random: Random) -> str:
    """Spoil a file in one or two ways; return them in words.

    Args:
        path: the file.
        folder: the folder of the case.
        outside: a folder that links may lead to.
        random: decides how.
    """
    if random.random() < 0.06:
        return _link(path, folder, outside, random)
    ways = list(_BYTES)
    of_format = _FORMATS.get(path.suffix.lower(), ())
    words = []
    for _ in range(1 + (random.random() < 0.2)):
        choose = of_format if of_format and random.random() < 0.6 else ways
        way = _one(choose, random)
        path.write_bytes(way(path.read_bytes(), random))
        words.append(way.__name__.strip("_"))
    return ", ".join(words)


def _one(choices, random: Random) -> Any:
    return choices[int(random.integers(len(choices)))]


def _link(path: Path, folder: Path, outside: Path, random: Random) -> str:
    targets = {
        "a file outside": outside / "secret.txt",
        "a folder outside": outside,
        "nothing": outside / "missing",
        "itself": path,
    }
    name = _one(list(targets), random)
    path.unlink()
    if random.random() < 0.5 and path.parent != folder and name == "a folder outside":
        # The folder that the file is in becomes a link, too.
        os.rename(path.parent, path.parent.with_name(path.parent.name + "-old"))  # noqa: PTH104
        path.parent.symlink_to(targets[name])
        return "link of its folder to a folder outside"
    path.symlink_to(targets[name])
    return f"link to {name}"


# Bytes ---------------------------------------------------------------------------------------


def _place(data: bytes, random: Random) -> int:
    """Return a place in a file, more often near its ends, where the headers are."""
    if not data:
        return 0
    end = min(len(data), 300)
    choice = random.random()
    if choice < 0.4:
        return int(random.integers(end))
    if choice < 0.7:
        return len(data) - 1 - int(random.integers(end))
    return int(random.integers(len(data)))


def _flip(data: bytes, random: Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(int(random.integers(1, 9)) if spoilt else 0):
        spoilt[_place(data, random)] ^= 1 << int(random.integers(8))
    return bytes(spoilt)


def _cut(data: bytes, random: Random) -> bytes:
    return data[: _place(data, random)]


def _number(data: bytes, random: Random) -> bytes:
    """Write an extreme number over some bytes."""
    at, size = _place(data, random), _one((1, 2, 4, 8), random)
    number = _one(HUGE, random) % 2 ** (8 * size)
    return data[:at] + number.to_bytes(size, _one(("little", "big"), random)) + data[at + size :]


def _leave_out(data: bytes, random: Random) -> bytes:
    at = _place(data, random)
    return data[:at] + data[at + int(random.integers(1, 64)) :]


def _repeat(data: bytes, random: Random) -> bytes:
    at, length = _place(data, random), int(random.integers(1, 64))
    return data[: at + length] + data[at : at + length] * int(random.integers(1, 9)) + data[at:]


def _noise(data: bytes, random: Random) -> bytes:
    return random.bytes(int(random.integers(0, 2 * len(data) + 2)))


def _noise_behind(data: bytes, random: Random) -> bytes:
    return data[: 1 + _place(data, random)] + random.bytes(int(random.integers(1, 500)))


_BYTES = (_flip, _flip, _cut, _number, _number, _leave_out, _repeat, _noise, _noise_behind)


# JSON ----------------------------------------------------------------------------------------

# What json cannot write itself: put in as text, in place of the key.
_RAW = {
    "@deep": "[" * 100_000 + "]" * 100_000,
    "@deeper": '{"a":' * 5_000 + "1" + "}" * 5_000,
    "@digits": "9" * 5_000,
    "@float": "1e999",
    "@nan": "NaN",
    "@surrogate": '"\\ud800"',
}
_VALUES = (
    None, True, False, 0, 1, -1, 3, 7, 0.5, -0.5, 1e300, 5e-324, 10**9, 2**31, 2**63, 10**30,
    10**400, "", "a", "\x1b[31m\n\x00", "x" * 100_000, "../outside", "/etc/passwd", [], {}, [[]],
    [1], ["a"], {"a": 1}, [10**9] * 4, [1] * 3000, *_RAW,
)  # fmt: skip


def _json_value(data: bytes, random: Random) -> bytes:
    """Replace, leave out or add values of a JSON."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return data
    for _ in range(int(random.integers(1, 4))):
        places = list(_places(tree))
        if not places:
            break
        holder, key = _one(places, random)
        if random.random() < 0.15:
            del holder[key]
        elif random.random() < 0.1 and isinstance(holder, dict):
            holder[_one(("a", "__class__", "latent_dim", "0"), random)] = _new_value(random)
        else:
            holder[key] = _new_value(random)
    if random.random() < 0.05:
        tree = _new_value(random)
    text = json.dumps(tree)
    for name, raw in _RAW.items():
        text = text.replace(f'"{name}"', raw)
    return text.encode()


def _new_value(random: Random) -> Any:
    # A copy: in the tree it may be changed, and so come to hold itself.
    return copy.deepcopy(_one(_VALUES, random))


def _places(tree: Any):
    if not isinstance(tree, dict | list):
        return
    for key, value in tree.items() if isinstance(tree, dict) else list(enumerate(tree)):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _json_number(data: bytes, random: Random) -> bytes:
    """Make one of the numbers of a JSON an extreme one."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return data
    numbers = [
        (holder, key)
        for holder, key in _places(tree)
        if isinstance(holder[key], int) and not isinstance(holder[key], bool)
    ]
    if numbers:
        holder, key = _one(numbers, random)
        holder[key] = _one((10**5, 10**7, 10**9, 2**31 - 1, 2**45, 10**18, -1, 0), random)
    return json.dumps(tree).encode()


# Arrays and archives -------------------------------------------------------------------------


def _header(data: bytes, random: Random) -> bytes:
    """Change the header of an array, and leave the array."""
    if not data.startswith(b"\x93NUMPY") or len(data) < 10:
        return data
    length = struct.unpack("<H", data[8:10])[0]
    shapes = (
        (2**45, 8, 8, 3), (2**30,), (2**62, 2**62), (-1,), (), (0, 8, 8, 3), (12, 10**5, 10**5, 3),
        (12, 8, 8, 2), (10**9,), (1,) * 40, (2**63, 1), (12, 8, 8, 3), (10**30,),
    )  # fmt: skip
    kinds = (
        "|u1",
        "<i8",
        "<f4",
        "|O",
        "<U99999999",
        "|S2147483647",
        "|V8",
        "<c16",
        "|b1",
        "<m8[s]",
    )
    fields = {
        "descr": _one(kinds, random) if random.random() < 0.5 else "|u1",
        "fortran_order": bool(random.random() < 0.3),
        "shape": _one(shapes, random),
    }
    text = repr(fields).encode()
    if random.random() < 0.1:
        text = _one((b"{'descr': " + b"(" * 5000, b"[" * 9999, b"1" * 60000, b""), random)
    text += b" " * (-(10 + len(text) + 1) % 64) + b"\n"
    return data[:8] + struct.pack("<H", len(text)) + text + data[10 + length :]


def _inside(spoil: dict[str, tuple[Callable, ...]]) -> Callable:
    """Return a way to spoil one member of an archive, whose checksums are right afterwards."""

    def _member(data: bytes, random: Random) -> bytes:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
        except Exception:  # What was spoilt before.
            return data
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            chosen = _one(list(members), random) if members else None
            for name, content in members.items():
                if name == chosen:
                    way = _one(spoil.get(Path(name).suffix, _BYTES), random)
                    content = way(content, random)
                archive.writestr(name, content)
        return buffer.getvalue()

    _member.__name__ = "member"
    return _member


def _members(data: bytes, random: Random) -> bytes:
    """Leave out, rename, repeat or add members of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except Exception:  # What was spoilt before.
        return data
    buffer = io.BytesIO()
    names = (
        "../outside/secret.txt",
        "/etc/x.png",
        "a\x1b.png",
        "images.npy",
        "config.json",
        "b/" * 99,
    )
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            choice = random.random()
            if choice < 0.2:
                continue
            archive.writestr(_one(names, random) if choice < 0.4 else name, content)
        if random.random() < 0.3:
            archive.writestr(_one(names, random), b" " * 2**26)
    return buffer.getvalue()


def _declared(data: bytes, random: Random) -> bytes:
    """Change the sizes that an archive declares of a member, in both of its tables."""
    number = struct.pack("<I", _one(HUGE, random) % 2**32)
    spoilt = bytearray(data)
    for magic, offset in ((b"PK\x01\x02", 20), (b"PK\x03\x04", 18)):
        at = spoilt.find(magic)
        at = spoilt.find(magic, at + 4) if random.random() < 0.5 else at
        if 0 <= at < len(spoilt) - 60:
            field = at + offset + _one((0, 4, 4, -4), random)
            spoilt[field : field + 4] = number
    return bytes(spoilt)


# Images, tables and records ------------------------------------------------------------------


def _png_size(data: bytes, random: Random) -> bytes:
    """Declare another size in a PNG's header, with its checksum."""
    if not data.startswith(b"\x89PNG") or len(data) < 33:
        return data
    sizes = 0, 1, 9, 10**4, 10**5, 2**31 - 1, 2**32 - 1
    header = b"IHDR" + struct.pack(">II", _one(sizes, random), _one(sizes, random)) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def _cell(data: bytes, random: Random) -> bytes:
    """Change a cell of a table of text."""
    rows = [row.split(b",") for row in data.split(b"\n")]
    row = _one(rows, random)
    values = (
        b"",
        b"nan",
        b"inf",
        b"1e999",
        b"a",
        b"-1",
        b'"',
        b"\0",
        b"9" * 5000,
        b"x" * 200_000,
        b"\xff",
    )
    row[int(random.integers(len(row)))] = _one(values, random)
    if random.random() < 0.2:
        row.append(_one(values, random))
    return b"\n".join(b",".join(row) for row in rows) * _one((1, 1, 1, 1000), random)


def _length(data: bytes, random: Random) -> bytes:
    """Change the length of the first record, or the sizes in the header of IDX."""
    at = _one((0, 4, 8, 12), random)
    number = _one(HUGE, random)
    if random.random() < 0.5:
        return data[:at] + struct.pack("<Q", number) + data[at + 8 :]
    return data[:at] + struct.pack(">I", number % 2**32) + data[at + 4 :]


_JSON = (_json_value, _json_value, _json_number)
_IN_ARRAYS = _inside({".npy": (_header, _header, _flip)})
_IN_MODEL = _inside({".json": _JSON})
_FORMATS = {
    ".json": _JSON,
    ".npy": (_header,),
    ".npz": (_IN_ARRAYS, _IN_ARRAYS, _members, _declared),
    ".keras": (_IN_MODEL, _IN_MODEL, _IN_MODEL, _members, _declared),
    ".zip": (_inside({".png": (_png_size, *_BYTES)}), _members, _declared),
    ".png": (_png_size,),
    ".csv": (_cell,),
    "": (_length,),
}
