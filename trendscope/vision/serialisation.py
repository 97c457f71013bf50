"""Weights files: safetensors with a JSON header, checked leaf by leaf."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from trendscope.errors import WeightsError
from trendscope.vision.network import Variables, initial_variables
from trendscope.vision.weights import Header, damaged, read_header


def write_weights(path: Path, header: Header, variables: Variables) -> None:
    """Writes a weights file beside `path` and renames it into place."""
    arrays = {name: np.asarray(leaf, np.float32) for name, leaf in _leaves(variables)}
    part = path.with_name(path.name + ".part")
    part.write_bytes(save(arrays, {"trendscope": header.to_json()}))
    os.replace(part, path)


def read_weights(path: Path) -> tuple[Header, Variables]:
    """Reads a weights file and checks every array against the architecture in its header.

    Raises:
        WeightsError: The file is damaged, of another format, or holds other arrays; the message
            names the first one that differs, with the expected and the actual shape.
    """
    header, arrays = _read_file(path)
    shapes = jax.eval_shape(lambda: initial_variables(header.architecture))
    expected = {name: leaf.shape for name, leaf in _leaves(shapes)}
    for name in sorted(expected | arrays):
        actual = arrays[name].shape if name in arrays else "nothing"
        if actual != expected.get(name, "nothing"):
            wanted = expected.get(name, "nothing")
            raise WeightsError(f"{path}: array {name}: expected {wanted}, found {actual}")
        if not np.isfinite(arrays[name]).all():
            raise WeightsError(f"{path}: array {name} holds values that are not finite numbers")
    return header, _nested(arrays)


def _read_file(path: Path) -> tuple[Header, dict[str, np.ndarray]]:
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, ValueError, TypeError, OSError) as error:
        raise damaged(path, error) from error
    return read_header(path), arrays


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value


def _nested(arrays: Mapping[str, np.ndarray]) -> Variables:
    tree: Variables = {}
    for name, array in arrays.items():
        *path, leaf = name.split("/")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = array
    return tree
