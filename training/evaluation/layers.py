"""The network's layers in the order of their calls: kind, output size, parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from trendscope.vision.network import GarmentNet, initial_variables
from trendscope.vision.outputs import Variables
from trendscope.vision.weights import Architecture


@dataclass(frozen=True)
class Layer:
    """One call of one layer.

    Attributes:
        name: Name in the weights file.
        kind: Operation, such as ``Conv 3 x 3``.
        output: Shape of what it gives for one image, without the batch axis.
        parameters: Trained numbers in it.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int


def parameter_count(variables: Variables) -> int:
    """Trained numbers in the network; running means and variances are not trained."""
    return sum(prod(leaf.shape) for leaf in jax.tree.leaves(variables["params"]))


def layers(architecture: Architecture) -> list[Layer]:
    """Traces the network on one image without computing anything and lists its layers."""
    shapes = jax.eval_shape(lambda: initial_variables(architecture))
    side = architecture.size
    pixels = np.zeros((1, side, side, 3), np.float32)
    rows: list[Layer] = []

    def record(
        call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], context: Any
    ) -> Any:
        output = call(*args, **kwargs)
        module = context.module
        if module.path and context.method_name == "__call__":
            name = module.path[-1]
            count = parameter_count({"params": shapes["params"].get(name, {})})
            rows.append(Layer(name, _kind(module), output.shape[1:], count))
        return output

    with nn.intercept_methods(record):
        jax.eval_shape(GarmentNet(architecture).apply, shapes, pixels)
    return rows


def _kind(module: nn.Module) -> str:
    kind = type(module).__name__
    if isinstance(module, nn.Conv):
        return f"{kind} {' x '.join(map(str, np.atleast_1d(module.kernel_size)))}"
    if isinstance(module, nn.Dropout):
        return f"{kind} {module.rate:g}, training only"
    return kind
