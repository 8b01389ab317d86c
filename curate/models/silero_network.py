"""Silero's network in numpy: its published weights, read from the ONNX file of its package, without a runtime.

A probability of speech for each frame of 512 samples: magnitudes of four short spectra, four convolutions, an LSTM that
remembers, a sigmoid. onnxruntime convolves frame by frame; one product of matrices for all frames takes a third of the
time, and the probabilities are the same to 1e-5. (The package's .safetensors are weights of another training.)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WINDOW, HOP, AHEAD = 256, 128, 64  # samples of a spectrum, between two, and mirrored at the end of a frame
STRIDES = (1, 2, 2, 1)  # of the convolutions over the four spectra
UNITS = 128
# ONNX keeps the LSTM's gates in the order input, output, forget, cell.
GATES = {"input": 0, "output": 1, "forget": 2, "cell": 3}
# The order here, and whether a gate is a sigmoid, (1 + tanh(x / 2)) / 2: so one tanh serves all four.
ORDER = {"cell": False, "forget": True, "input": True, "output": True}


class Memory(NamedTuple):
    """What the LSTM remembers from frame to frame; `hidden` is twice the LSTM's own (see `Network._remember`)."""

    hidden: Floats
    cell: Floats


class Network:
    """The network; one serves any number of listeners."""

    def __init__(self, path: Path) -> None:
        weights = dict(tensors(path.read_bytes()))
        self._window = weights["stft.forward_basis_buffer"][0, 0].copy()  # the cosine of 0 Hz
        self._convolutions = [_columns(weights, number) for number in range(len(STRIDES))]
        recurrent = sorted(name for name in weights if name.startswith("onnx::LSTM"))  # inputs, hidden, biases
        inputs, hidden, biases = (weights[name][0] for name in recurrent)
        self._inputs = _gates(inputs).T.copy()
        self._hidden = np.asfortranarray(_gates(hidden) / 2)  # by columns: half the time of a product by rows
        self._biases = _gates(biases[: 4 * UNITS] + biases[4 * UNITS :])
        self._output = weights["output.weight"].ravel() / 2
        self._output_bias = weights["output.bias"][0]

    def forget(self) -> Memory:
        """The memory before anything was heard."""
        return Memory(np.zeros(UNITS, np.float32), np.zeros(UNITS, np.float32))

    def probabilities(self, frames: Floats, memory: Memory) -> tuple[Floats, Memory]:
        """How likely somebody speaks in each frame (frames, 64 samples before it and its 512), and what is remembered.

        Frames follow one another; `memory` is what came out of the ones before.
        """
        remembered, memory = self._remember(self._encoded(frames), memory)
        heard = np.maximum(remembered, 0) @ self._output + self._output_bias
        return np.asarray(1 / (1 + np.exp(-heard)), dtype=np.float32), memory

    def _encoded(self, frames: Floats) -> Floats:
        """(frames, UNITS): each frame by itself."""
        import scipy.fft  # slow to import

        whole = np.concatenate([frames, frames[:, -2 : -2 - AHEAD : -1]], axis=1)
        cut = np.lib.stride_tricks.sliding_window_view(whole, WINDOW, axis=1)[:, ::HOP]
        parts = scipy.fft.rfft(cut * self._window, axis=2).view(np.float32)
        parts *= parts
        heard = np.sqrt(parts[..., ::2] + parts[..., 1::2])
        for (weights, bias), stride in zip(self._convolutions, STRIDES, strict=True):
            heard = _convolved(heard, weights, bias, stride)
        return np.asarray(heard[:, 0])

    def _remember(self, encoded: Floats, memory: Memory) -> tuple[Floats, Memory]:
        """(frames, UNITS): twice the LSTM's hidden state after each frame.

        Each step is few and short vector operations, as calling numpy costs as much as they do: the cell and the gates
        lie side by side (cell, cell gate, forget, input, output), so that one product serves forget and input; halves
        that the sigmoids leave are in the weights.
        """
        given = encoded @ self._inputs
        given += self._biases
        hidden_after = np.empty((len(given), UNITS), np.float32)
        state = np.empty(5 * UNITS, np.float32)
        cell, gates, sigmoids = state[:UNITS], state[UNITS:], state[2 * UNITS :]
        old_and_new, kept_and_let_in = state[: 2 * UNITS], state[2 * UNITS : 4 * UNITS]
        let_out, products = state[4 * UNITS :], np.empty(2 * UNITS, np.float32)
        kept, let_in = products[:UNITS], products[UNITS:]
        ones, halves = np.ones(3 * UNITS, np.float32), np.full(UNITS, 0.5, np.float32)  # faster than scalars
        hidden, weights = memory.hidden, self._hidden
        cell[:] = memory.cell
        for step, after in zip(given, hidden_after, strict=True):
            np.dot(weights, hidden, gates)
            np.add(gates, step, gates)
            np.tanh(gates, gates)
            np.add(sigmoids, ones, sigmoids)
            np.multiply(kept_and_let_in, old_and_new, products)
            np.add(kept, let_in, cell)
            np.multiply(cell, halves, cell)
            np.tanh(cell, after)
            np.multiply(after, let_out, after)
            hidden = after
        return hidden_after, Memory(hidden.copy(), cell.copy())


def _columns(weights: dict[str, Floats], number: int) -> tuple[Floats, Floats]:
    """The weights of a convolution as (taps x channels in, channels out), and its bias."""
    kernel = weights[f"encoder.{number}.weight"]
    return kernel.transpose(2, 1, 0).reshape(-1, len(kernel)).copy(), weights[f"encoder.{number}.bias"]


def _convolved(heard: Floats, weights: Floats, bias: Floats, stride: int) -> Floats:
    """(frames, places, channels) convolved over three places, with a zero beside both ends; what is negative is 0."""
    frames, places, channels = heard.shape
    rows = np.zeros((frames, -(-places // stride), 3, channels), np.float32)
    before, after = heard[:, stride - 1 : places - 1 : stride], heard[:, 1::stride]
    rows[:, 1:, 0] = before
    rows[:, :, 1] = heard[:, ::stride]
    rows[:, : after.shape[1], 2] = after
    out = rows.reshape(-1, 3 * channels) @ weights
    out += bias
    return np.maximum(out, 0, out=out).reshape(frames, rows.shape[1], -1)


def _gates(rows: Floats) -> Floats:
    """Rows of the LSTM in ORDER; those of sigmoids halved."""
    parts = rows.reshape(4, UNITS, *rows.shape[1:])
    return np.concatenate([parts[GATES[name]] * np.float32(0.5 if half else 1) for name, half in ORDER.items()])


# ---- weights out of an ONNX file


def tensors(model: bytes) -> Iterator[tuple[str, Floats]]:
    """The float tensors of an ONNX model and their names.

    A protobuf: of the model, field 7 is the graph; of that, field 5 the initial tensors; of a tensor, field 1 is a
    dimension, 2 the type (1 is float32), 8 the name, 9 the bytes.
    """
    graph = dict(_fields(model))[7]
    for field, tensor in _fields(graph):
        if field == 5:
            facts = list(_fields(tensor))
            known = dict(facts)
            if known[2] == 1:
                shape = [value for number, value in facts if number == 1]
                yield bytes(known[8]).decode(), np.frombuffer(known[9], "<f4").reshape(shape)


def _fields(message: Any) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a protobuf message: a number, or bytes."""
    message, at = memoryview(message), 0
    while at < len(message):
        key, at = _number(message, at)
        if key & 7 == 0:
            value, at = _number(message, at)
        else:
            size, at = _number(message, at) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], at)
            value, at = message[at : at + size], at + size
        yield key >> 3, value


def _number(message: Any, at: int) -> tuple[int, int]:
    """A variable-length number, seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
