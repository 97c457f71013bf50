"""Files of torch.save are read without PyTorch; batch normalisation becomes part of kernels."""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from training.pretrained import FILE, converted, folded, package_file, read_torch
from trendscope.errors import WeightsError
from trendscope.vision.detector import STAGES, Block, initial_variables
from trendscope.vision.serialisation import nested

MAGIC = 0x1950A86A20F9469CFC6C


class Global:
    """Pickled as the global of a module that need not be there."""

    def __init__(self, name):
        self.name = name


class Stored:
    """Pickled as a tensor over a storage."""

    def __init__(self, key, kind, count, offset, shape, strides):
        self.of = (key, kind, count, offset, shape, strides)


class Pickler(pickle._Pickler):
    """Writes what torch.save wrote; the pickler in Python, so that globals can be made up."""

    def persistent_id(self, obj):
        if isinstance(obj, tuple) and obj and obj[0] == "storage":
            return obj
        return None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Global):
            module, _, name = obj.name.rpartition(".")
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())  # type: ignore[attr-defined]
        elif isinstance(obj, Stored):
            key, kind, count, offset, shape, strides = obj.of
            storage = ("storage", Global(f"torch.{kind}"), key, "cpu", count, None)
            self.save(Global("torch._utils._rebuild_tensor_v2"))
            self.save((storage, offset, shape, strides, False, ()))
            self.write(pickle.REDUCE)  # type: ignore[attr-defined]
        else:
            super().save(obj, save_persistent_id)


def write(path, tensors, storages, magic=MAGIC):
    """A file as torch.save wrote it: `tensors` of `Stored`, `storages` of arrays by key."""
    with path.open("wb") as file:
        for part in (magic, 1001, {"little_endian": True}, tensors, sorted(storages)):
            Pickler(file, 2).dump(part)
        for key in sorted(storages):
            file.write(struct.pack("<q", len(storages[key])) + storages[key].tobytes())
    return path


def test_numbers_are_read_in_the_order_of_their_strides(tmp_path):
    storage = np.arange(8, dtype=np.float32)
    tensors = OrderedDict(
        rows=Stored("1", "FloatStorage", 8, 0, (2, 3), (3, 1)),
        columns=Stored("1", "FloatStorage", 8, 2, (2, 3), (1, 2)),
        count=Stored("2", "LongStorage", 1, 0, (), ()),
    )
    path = write(tmp_path / "a.pth", tensors, {"1": storage, "2": np.array([7], np.int64)})
    arrays = read_torch(path)
    assert arrays["rows"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert arrays["columns"].tolist() == [[2, 4, 6], [3, 5, 7]]
    assert arrays["count"].shape == () and arrays["count"] == 7


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(3, (2, 3), (3, 1)), (0, (2,), (8,)), (-1, (2,), (1,)), (0, (2,), (-1,))],
)
def test_no_tensor_reaches_beyond_its_storage(tmp_path, offset, shape, strides):
    tensors = {"a": Stored("1", "FloatStorage", 8, offset, shape, strides)}
    path = write(tmp_path / "a.pth", tensors, {"1": np.zeros(8, np.float32)})
    with pytest.raises(WeightsError, match=r"expected a file of torch\.save, found a tensor"):
        read_torch(path)


def test_a_pickle_may_ask_for_nothing_but_tensors(tmp_path):
    path = write(tmp_path / "a.pth", {"a": Global("os.system")}, {})
    with pytest.raises(WeightsError, match=r"asks for os\.system, which no weights need"):
        read_torch(path)


def test_other_files_are_refused(tmp_path):
    path = write(tmp_path / "a.pth", {}, {}, magic=1)
    with pytest.raises(WeightsError, match="another magic number, 1"):
        read_torch(path)
    whole = {"a": Stored("1", "FloatStorage", 2, 0, (2,), (1,))}
    path = write(tmp_path / "b.pth", whole, {"1": np.zeros(2, np.float32)})
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(WeightsError):
        read_torch(path)


def test_normalisation_becomes_part_of_the_kernel():
    generator = np.random.default_rng(0)
    arrays = {"c.weight": generator.normal(size=(2, 3, 1, 1)).astype(np.float32)}
    arrays |= {"n.running_mean": np.array([1.0, -2.0]), "n.running_var": np.array([4.0, 0.25])}
    arrays |= {"n.weight": np.array([3.0, 0.5]), "n.bias": np.array([0.1, 0.2])}
    kernel, bias = folded(arrays, "c", "n")
    x = generator.normal(size=(5, 3))
    plain = x @ arrays["c.weight"][:, :, 0, 0].T
    root = np.sqrt(arrays["n.running_var"] + 0.001)
    expected = (plain - arrays["n.running_mean"]) / root * arrays["n.weight"] + arrays["n.bias"]
    np.testing.assert_allclose(x @ kernel[0, 0] + bias, expected, rtol=1e-5, atol=1e-5)


# --- the package ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def original():
    try:
        return read_torch(package_file())
    except WeightsError as error:
        pytest.skip(str(error))


def test_its_arrays_fit_the_detector(original):
    tree = nested(converted(original))
    shapes = jax.tree.map(np.shape, initial_variables()["params"])
    for name in ("trunk", "features"):
        assert jax.tree.map(np.shape, tree[name]) == shapes[name]
    assert tree["imagenet"]["kernel"].shape == (1280, 1000)


def test_one_of_its_blocks_answers_as_its_formula_in_numpy(original):
    """Block 11 widens 112 channels to 672, has a kernel of 5 x 5 and stride 2, and no sum."""
    tree = nested(converted(original))["trunk"]["block11"]
    x = np.random.default_rng(0).normal(size=(1, 4, 4, 112)).astype(np.float32)
    output = Block(6, 192, 5, 2).apply({"params": tree}, jnp.asarray(x))

    def norm(y, name):
        of = {k: original[f"_blocks.11.{name}.{k}"] for k in
              ("running_mean", "running_var", "weight", "bias")}  # fmt: skip
        root = np.sqrt(of["running_var"].astype(float) + 1e-3)
        return (y - of["running_mean"]) / root * of["weight"] + of["bias"]

    def matrix(name):
        return original[f"_blocks.11.{name}.weight"][:, :, 0, 0].T.astype(float)

    wide = np.clip(norm(x @ matrix("_expand_conv"), "_bn0"), 0, 6)
    # SAME for a side of 4, a kernel of 5 and stride 2: 3 zeros, 1 before and 2 after.
    padded = np.pad(wide, ((0, 0), (1, 2), (1, 2), (0, 0)))
    kernel = original["_blocks.11._depthwise_conv.weight"][:, 0].astype(float)
    around = np.zeros((1, 2, 2, 672))
    for row in range(2):
        for column in range(2):
            window = padded[0, 2 * row : 2 * row + 5, 2 * column : 2 * column + 5]
            around[0, row, column] = np.einsum("ijc,cij->c", window, kernel)
    narrow = norm(np.clip(norm(around, "_bn1"), 0, 6) @ matrix("_project_conv"), "_bn2")
    np.testing.assert_allclose(output, narrow, rtol=1e-3, atol=1e-3)


def test_a_missing_array_is_named(original):
    fewer = {k: v for k, v in original.items() if k != "_fc.bias"}
    with pytest.raises(WeightsError, match=r"EfficientNet-Lite0 without '_fc.bias'"):
        converted(fewer)


def test_it_has_as_many_blocks_as_the_detector(original):
    blocks = {name.split(".")[1] for name in original if name.startswith("_blocks.")}
    assert len(blocks) == sum(count for *_, count in STAGES) == 16
    assert FILE.endswith(".pth")
