"""The network beside the same one in other libraries: ``python -m tests.benchmarks.peers``.

On one core, in milliseconds of processor time, which hold on a busy machine too: medians of runs in
turn, all in one process. The other libraries get the shipped weights, and their answers are checked
against ours. Two things are compared: one look of the compiled network, and all the way from JPEGs
of 1080 x 1350 to what each shows. There the others do what is usually written, Pillow's whole
decoding and resizing, and batches; of people they look once, we twice.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import time
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median
from typing import Any, NamedTuple

import jax
import numpy as np
from PIL import Image

from tests.benchmarks.end_to_end import picture_file
from trendscope.vision.depthwise import same_padding
from trendscope.vision.detector import FINE_STAGE, STAGES
from trendscope.vision.images import decode
from trendscope.vision.loading import load_predictor
from trendscope.vision.outputs import softmax
from trendscope.vision.photo_detector import PhotoDetector, at, decided

BATCH = 16
"""Photos on their way to a verdict together."""

Network = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From pixels (n h w 3) to logits of photos and of cells, cells last in any order of axes."""


# --- the same network, written in the operations of any library -------------------------------


def network(ops: Any, params: dict, pixels: Any) -> tuple[Any, Any, Any]:
    """The detector's logits of photos and of cells, and what its boxes need, by `ops`."""

    def layer(x: Any, tree: dict, stride: int = 1, act: str | None = "relu6") -> Any:
        kernel = tree["kernel"]
        if kernel.ndim == 2:
            kernel = kernel[None, None]
        return ops.convolution(x, kernel, tree["bias"], stride, act)

    trunk = params["trunk"]
    x = layer(ops.scaled(pixels), trunk["stem"], 2)
    number = 0
    for stage, (expansion, _, _, stride, blocks) in enumerate(STAGES):
        for i in range(blocks):
            block = trunk[f"block{number}"]
            wide = layer(x, block["expand"]) if expansion > 1 else x
            wide = layer(wide, block["depthwise"], 1 if i else stride)
            narrow = layer(wide, block["project"], act=None)
            x = ops.add(x, narrow) if i else narrow
            number += 1
        if stage == FINE_STAGE:
            fine = x
    photo = layer(ops.mean(layer(x, params["features"])), params["photo"], act=None)
    coarse = ops.doubled(layer(x, params["coarse"], act=None))
    x = ops.relu(ops.add(layer(fine, params["fine"], act=None), coarse))
    x = layer(layer(x, params["around"]), params["cell"], act="relu")
    return photo, layer(x, params["cells"], act=None), layer(x, params["distances"], act=None)


class OnnxOperations:
    """Collects the nodes of an ONNX graph."""

    def __init__(self) -> None:
        self.nodes: list = []
        self.constants: list = []

    def node(self, kind: str, *inputs: Any, **attributes: Any) -> str:
        from onnx import helper, numpy_helper

        names = [each if isinstance(each, str) else f"c{id(each)}" for each in inputs]
        for each, name in zip(inputs, names, strict=True):
            if not isinstance(each, str):
                self.constants.append((each, numpy_helper.from_array(each, name)))
        self.nodes.append(helper.make_node(kind, names, [f"x{len(self.nodes)}"], **attributes))
        return f"x{len(self.nodes) - 1}"

    def scaled(self, x: str) -> str:
        x = self.node("Transpose", self.node("Cast", x, to=1), perm=[0, 3, 1, 2])
        return self.node("Div", self.node("Sub", x, np.float32([127])), np.float32([128]))

    def convolution(self, x: str, kernel: Any, bias: Any, stride: int, act: str | None) -> str:
        groups = kernel.shape[-1] if kernel.ndim == 3 else 1
        weights = np.ascontiguousarray(output_first(kernel))
        options = {"strides": [stride, stride], "group": groups, "auto_pad": "SAME_UPPER"}
        x = self.node("Conv", x, weights, bias, **options)
        if act == "relu6":
            return self.node("Clip", x, np.float32(0).reshape(()), np.float32(6).reshape(()))
        return self.relu(x) if act else x

    def relu(self, x: str) -> str:
        return self.node("Relu", x)

    def add(self, a: str, b: str) -> str:
        return self.node("Add", a, b)

    def mean(self, x: str) -> str:
        return self.node("GlobalAveragePool", x)

    def doubled(self, x: str) -> str:
        near = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.node("Resize", x, "", np.float32([1, 1, 2, 2]), mode="nearest", **near)


def onnx_runtime(params: dict) -> Network:
    import onnxruntime
    from onnx import TensorProto, helper

    ops = OnnxOperations()
    names = network(ops, params, "pixels")
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", "h", "w", 3])
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
    constants = [constant for _, constant in ops.constants]
    graph = helper.make_graph(ops.nodes, "detector", [pixels], outputs, constants)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options)

    def run(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        photo, cells, _ = session.run(None, {"pixels": pixels})
        return photo[:, :, 0, 0], cells.transpose(0, 2, 3, 1)

    return run


class TorchOperations:
    """Collects the layers of a PyTorch module while they run for the first time."""

    def __init__(self) -> None:
        self.weights: list = []
        self.next = 0

    def scaled(self, x: Any) -> Any:
        self.next = 0
        return (x.permute(0, 3, 1, 2).float() - 127) / 128

    def convolution(self, x: Any, kernel: Any, bias: Any, stride: int, act: str | None) -> Any:
        import torch
        from torch.nn import functional

        if self.next == len(self.weights):
            weights = torch.tensor(output_first(kernel))
            weights = weights.contiguous(memory_format=torch.channels_last)
            self.weights.append((weights, torch.tensor(bias)))
        weights, bias = self.weights[self.next]
        self.next += 1
        groups = weights.shape[0] if kernel.ndim == 3 else 1
        if kernel.shape[0] > 1:
            down, across = (same_padding(size, len(kernel), stride) for size in x.shape[2:])
            x = functional.pad(x, (*across, *down))
        x = functional.conv2d(x, weights, bias, stride, groups=groups)
        if act == "relu6":
            return functional.relu6(x, inplace=True)
        return self.relu(x) if act else x

    def relu(self, x: Any) -> Any:
        return x.relu()

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def mean(self, x: Any) -> Any:
        return x.mean((2, 3), keepdim=True)

    def doubled(self, x: Any) -> Any:
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def pytorch(params: dict) -> Network:
    import torch

    torch.set_num_threads(1)
    ops = TorchOperations()

    def run(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode():
            photo, cells, _ = network(ops, params, torch.from_numpy(pixels))
        return photo[:, :, 0, 0].numpy(), cells.permute(0, 2, 3, 1).numpy()

    return run


class KerasOperations:
    """Layers of Keras, with their weights."""

    def __init__(self) -> None:
        from keras import layers

        self.layers = layers

    def scaled(self, x: Any) -> Any:
        return self.layers.Rescaling(1 / 128, -127 / 128)(x)

    def convolution(self, x: Any, kernel: Any, bias: Any, stride: int, act: str | None) -> Any:
        options = {"strides": stride, "padding": "same", "activation": act}
        if kernel.ndim == 3:
            layer = self.layers.DepthwiseConv2D(len(kernel), **options)
            kernel = kernel[..., None]
        else:
            layer = self.layers.Conv2D(kernel.shape[-1], len(kernel), **options)
        x = layer(x)
        layer.set_weights([kernel, bias])
        return x

    def relu(self, x: Any) -> Any:
        return self.layers.ReLU()(x)

    def add(self, a: Any, b: Any) -> Any:
        return self.layers.Add()([a, b])

    def mean(self, x: Any) -> Any:
        return self.layers.GlobalAveragePooling2D(keepdims=True)(x)

    def doubled(self, x: Any) -> Any:
        return self.layers.UpSampling2D()(x)


def keras_model(params: dict) -> Network:
    import keras

    pixels = keras.Input((None, None, 3))
    model = keras.Model(pixels, network(KerasOperations(), params, pixels))

    def run(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        photo, cells, _ = model.predict(pixels, verbose=0, batch_size=BATCH)
        return photo[:, 0, 0], cells

    return run


def output_first(kernel: np.ndarray) -> np.ndarray:
    """A kernel as PyTorch and ONNX have it: outputs, inputs of a group, rows, columns."""
    return (kernel[:, :, None] if kernel.ndim == 3 else kernel).transpose(3, 2, 0, 1)


class Peer(NamedTuple):
    """A library: what to import, what to install, and the network in it."""

    name: str
    modules: tuple[str, ...]
    install: str
    network: Callable[[dict], Network]


PEERS = (
    Peer("ONNX Runtime", ("onnx", "onnxruntime"), "onnx onnxruntime", onnx_runtime),
    Peer("PyTorch", ("torch",), "torch", pytorch),
    Peer("Keras", ("keras", "tensorflow"), "keras tensorflow-cpu", keras_model),
)


# --- what is measured ----------------------------------------------------------------------------


def verdicts(predictor: PhotoDetector, photos: list[bytes], people: bool) -> None:
    """From files to verdicts as the product does it; `people` says whether it looks twice."""
    rgb = [decode(photo, max_side=predictor.decoded_side).rgb for photo in photos]
    views = [predictor.prepare(each) for each in rgb]
    first = predictor.look([view.single for view in views])
    second = predictor.look([view.people for view in views]) if people else None
    for row, view in enumerate(views):
        larger = at(second, row) if second else None
        decided(at(first, row), larger, predictor.header.gate, view.size)


def usual(run: Network, photos: list[bytes], size: tuple[int, int]) -> None:
    """From files to categories as it is usually written, in one batch."""
    opened = [Image.open(io.BytesIO(photo)).convert("RGB") for photo in photos]
    photo, cells = run(np.stack([np.asarray(each.resize(size[::-1])) for each in opened]))
    softmax(photo).argmax(-1)
    softmax(cells).argmax(-1)


def processor_time(runs: dict[str, Callable[[], object]], times: int) -> dict[str, float]:
    """Medians of milliseconds of processor time; all take turns."""
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(times + 1):
        for name, run in runs.items():
            begun = time.process_time()
            run()
            if number:  # The first compiles.
                spent[name].append(1000 * (time.process_time() - begun))
    return {name: median(each) for name, each in spent.items()}


def check(predictor: PhotoDetector, run: Network, pixels: np.ndarray) -> None:
    """The other library must give our probabilities."""
    ours = predictor.look([*pixels])
    for mine, theirs in zip((ours.photo, ours.cells), run(pixels), strict=True):
        np.testing.assert_allclose(softmax(theirs), mine, atol=1e-3)


def rows(times: int) -> list[dict]:
    predictor = load_predictor()
    assert isinstance(predictor, PhotoDetector)
    params = jax.tree.map(np.asarray, predictor._variables)["params"]
    photos = [picture_file("1080x1350", seed) for seed in range(BATCH)]
    there = [peer for peer in PEERS if all(map(find_spec, peer.modules))]
    networks = {peer.name: peer.network(params) for peer in there}
    side, larger = (predictor.header.side,) * 2, predictor.header.people
    table = []
    for size, people in ((side, False), (larger, True)):
        pixels = np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8)
        looks = {"trendscope": lambda x=pixels: predictor.look([*x])}
        whole = {"trendscope": lambda p=people: verdicts(predictor, photos, p)}
        for name, run in networks.items():
            check(predictor, run, pixels)
            looks[name] = lambda run=run, x=pixels: run(x)
            whole[name] = lambda run=run, size=size: usual(run, photos, size)
        what = f"one look at {size[0]} x {size[1]}"
        table.append({"what": what, **processor_time(looks, times)})
        spent = processor_time(whole, max(3, times // 4))
        what = f"photo to verdict, {'people' if people else 'one garment'}"
        table.append({"what": what, **{name: each / BATCH for name, each in spent.items()}})
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=21)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    table = rows(arguments.times)
    if arguments.json:
        print(json.dumps(table))
        return
    names = ["trendscope", *(peer.name for peer in PEERS)]
    print(f"| ms of processor time | {' | '.join(names)} |\n|---|{'---:|' * len(names)}")
    for row in table:
        cells = [f"{row['trendscope']:.1f}"]
        for peer in PEERS:
            missing = f"pip install {peer.install}"
            ratio = row.get(peer.name, 0) / row["trendscope"]
            cells.append(f"{row[peer.name]:.1f} ({ratio:.2f} x)" if ratio else missing)
        print(f"| {row['what']} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
