"""Random single layers of PyTorch, each also as a text for `imlp dense --layer`.

layers.py save FOLDER      writes layers.tsv (name, text) and NAME.safetensors
layers.py compare FOLDER   compares with NAME.dense.safetensors
"""

import random
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import interpolate

from common import ROUNDOFF, Dense, load, randomize, save

# Layers of each kind.
COUNT = 12

pick = random.Random(11)


def number(low, high):
    return pick.randint(low, high)


def pair(low, high):
    return number(low, high), number(low, high)


def text(kind, **options):
    """imlp's text: pairs are written 3x5."""

    def value(v):
        if isinstance(v, bool):
            return str(v).lower()
        return "x".join(map(str, v)) if isinstance(v, tuple) else str(v)

    inner = ", ".join(f"{key}={value(v)}" for key, v in options.items())
    return f"{kind}({inner})"


def image(kernel, dilation):
    """A size on which the dilated kernel fits without padding."""
    return tuple((k - 1) * d + 1 + number(0, 5) for k, d in zip(kernel, dilation))


def channels(groups):
    return groups * number(1, 3), groups * number(1, 3)


def conv2d():
    groups, kernel, dilation = number(1, 3), pair(1, 4), pair(1, 2)
    inputs, outputs = channels(groups)
    size = image(kernel, dilation)
    mode = pick.choice(["zeros", "reflect", "replicate", "circular"])
    stride, padding = pair(1, 3), tuple(number(0, min(3, n - 1)) for n in size)
    # PyTorch's word for any padding of one axis; it needs stride 1.
    same = pick.random() < 0.2 and all((k - 1) * d < n for k, d, n in zip(kernel, dilation, size))
    if same:
        stride, padding = (1, 1), "same"
    options = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
    bias = pick.random() < 0.5
    layer = nn.Conv2d(inputs, outputs, kernel, bias=bias, padding_mode=mode, **options)
    words = text(
        "conv2d", **{"in": inputs}, out=outputs, kernel=kernel, input=size, padding_mode=mode, **options
    )
    return words, layer, (inputs, *size)


def conv1d():
    groups, kernel, dilation = number(1, 3), number(1, 4), number(1, 3)
    inputs, outputs = channels(groups)
    (size,) = image((kernel,), (dilation,))
    mode = pick.choice(["zeros", "reflect", "replicate", "circular"])
    options = dict(
        stride=number(1, 3), padding=number(0, min(3, size - 1)), dilation=dilation, groups=groups
    )
    bias = pick.random() < 0.5
    layer = nn.Conv1d(inputs, outputs, kernel, bias=bias, padding_mode=mode, **options)
    words = text(
        "conv1d", **{"in": inputs}, out=outputs, kernel=kernel, input=size, padding_mode=mode, **options
    )
    return words, layer, (inputs, size)


def conv_transpose2d():
    groups, kernel, stride, dilation = number(1, 3), pair(1, 4), pair(1, 3), pair(1, 2)
    inputs, outputs = channels(groups)
    output_padding = tuple(number(0, max(s, d) - 1) for s, d in zip(stride, dilation))
    padding = tuple(number(0, (k - 1) * d // 2) for k, d in zip(kernel, dilation))
    options = dict(
        stride=stride, padding=padding, output_padding=output_padding, dilation=dilation, groups=groups
    )
    size = pair(1, 5)
    bias = pick.random() < 0.5
    layer = nn.ConvTranspose2d(inputs, outputs, kernel, bias=bias, **options)
    words = text(
        "conv-transpose2d", **{"in": inputs}, out=outputs, kernel=kernel, input=size, **options
    )
    return words, layer, (inputs, *size)


def avg_pool2d():
    inputs, kernel, stride = number(1, 3), pair(1, 4), pair(1, 3)
    padding = tuple(number(0, k // 2) for k in kernel)
    size = image(kernel, (1, 1))
    options = dict(stride=stride, padding=padding, count_include_pad=pick.random() < 0.5)
    words = text("avg_pool2d", **{"in": inputs}, kernel=kernel, input=size, **options)
    return words, nn.AvgPool2d(kernel, **options), (inputs, *size)


def adaptive_avg_pool2d():
    inputs, size, target = number(1, 3), pair(1, 9), pair(1, 9)
    words = text("adaptive_avg_pool2d", **{"in": inputs}, size=target, input=size)
    return words, nn.AdaptiveAvgPool2d(target), (inputs, *size)


class Bilinear(nn.Module):
    def __init__(self, size, align_corners):
        super().__init__()
        self.size, self.align_corners = size, align_corners

    def forward(self, x):
        return interpolate(x, self.size, mode="bilinear", align_corners=self.align_corners)


def bilinear_resize():
    inputs, size, target, corners = number(1, 3), pair(1, 9), pair(1, 9), pick.random() < 0.5
    words = text("bilinear-resize", **{"in": inputs}, size=target, input=size, align_corners=corners)
    return words, Bilinear(target, corners), (inputs, *size)


def batch_norm():
    channels, size = number(1, 5), pair(1, 4)
    layer = nn.BatchNorm2d(channels, affine=pick.random() < 0.7)
    return text("batch_norm", **{"in": channels}, input=size), layer, (channels, *size)


def linear():
    inputs, outputs = number(1, 9), number(1, 9)
    layer = nn.Linear(inputs, outputs, bias=pick.random() < 0.5)
    return text("dense", **{"in": inputs}, out=outputs), layer, (inputs,)


KINDS = [
    conv2d,
    conv1d,
    conv_transpose2d,
    avg_pool2d,
    adaptive_avg_pool2d,
    bilinear_resize,
    batch_norm,
    linear,
]


def layers():
    for kind in KINDS:
        for i in range(COUNT):
            yield f"{kind.__name__}{i}", *kind()


def save_all(folder):
    lines = []
    for name, words, layer, _ in layers():
        tensors = randomize(layer).state_dict()
        if tensors:
            save(folder / f"{name}.safetensors", tensors)
        lines.append(f"{name}\t{words}\n")
    (folder / "layers.tsv").write_text("".join(lines))


def compare_all(folder):
    """In double precision, where all that differs are entries rounded to float32.

    A coefficient may be a product, a quotient or a sum of several: 8 roundings.
    """
    for name, words, layer, shape in layers():
        path = folder / f"{name}.safetensors"
        if path.exists():
            layer.load_state_dict(load(path))
        x = torch.randn(4, *shape, dtype=torch.float64)
        dense = Dense(folder / f"{name}.dense.safetensors")
        flat = x.flatten(1)
        with torch.no_grad():
            expected = layer.double().eval()(x).flatten(1)
            got = dense("", flat)
            bound = 8 * ROUNDOFF * dense.absolute(flat)
        assert got.shape == expected.shape, f"{words}: {got.shape}, expected {expected.shape}"
        worst = ((got - expected).abs() - bound).max().item()
        assert worst <= 0, f"{words}: {worst:.1e} beyond rounding"
    print(f"{len(KINDS) * COUNT} layers agree")


if __name__ == "__main__":
    {"save": save_all, "compare": compare_all}[sys.argv[1]](Path(sys.argv[2]))
