"""Silero's network: its published weights, read from the ONNX file of its package.

A probability of speech for each frame of 512 samples: magnitudes of four short spectra, four convolutions, an LSTM that
remembers, a sigmoid. onnxruntime convolves frame by frame, so all before the LSTM is products of matrices here, for all
frames at once; numpy calls nine functions for each step of the LSTM, so that node alone is cut out of the file and run
by onnxruntime. The probabilities are the whole file's to 1e-5. (The package's .safetensors are weights of another
training.)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FRAME, BEFORE, MIRRORED = 512, 64, 64  # samples: the model hears those before again, and its last ones backwards
WINDOW, HOP, SPECTRA = 256, 128, 4  # samples of a spectrum, between two: half of that; and how many a frame has
STRIDES = (1, 2, 2, 1)  # of the convolutions over the spectra
AT_ONCE = 48  # frames whose spectra are made at a time: they stay in the processor's cache
TAPS = 3  # of each convolution, the middle one on its place
UNITS = 128


class Memory(NamedTuple):
    """What is remembered from frame to frame: the last samples, and the LSTM's two states, each (1, 1, UNITS)."""

    before: Floats
    hidden: Floats
    cell: Floats


class Network:
    """The network; one serves any number of listeners."""

    def __init__(self, path: Path) -> None:
        model = path.read_bytes()
        weights = dict(tensors(model))
        self._window = weights["stft.forward_basis_buffer"][0, 0].copy()  # the cosine of 0 Hz
        self._convolutions = [Convolution(weights, number) for number in range(len(STRIDES))]
        self._output = weights["output.weight"].ravel().copy()
        self._output_bias = weights["output.bias"][0]
        self._session, self._heard = _session(model)

    def forget(self) -> Memory:
        """The memory before anything was heard."""
        nothing = np.zeros((1, 1, UNITS), np.float32)
        return Memory(np.zeros(BEFORE, np.float32), nothing, nothing)

    def probabilities(self, samples: Floats, memory: Memory) -> tuple[Floats, Memory]:
        """How likely somebody speaks in each frame, and what is remembered.

        `samples` are whole frames of 512 that follow one another; `memory` is what came out of the ones before.
        """
        encoded = self._encoded(samples, memory.before)[:, np.newaxis]
        given = {self._heard: encoded, "h": memory.hidden, "c": memory.cell}
        remembered, hidden, cell = self._session.run(None, given)
        heard = np.maximum(remembered.reshape(-1, UNITS), 0) @ self._output + self._output_bias
        probabilities = np.asarray(1 / (1 + np.exp(-heard)), dtype=np.float32)
        return probabilities, Memory(samples[-BEFORE:].copy(), hidden, cell)

    def _encoded(self, samples: Floats, before: Floats) -> Floats:
        """(frames, UNITS): each frame by itself."""
        heard = np.empty((len(samples) // FRAME, SPECTRA * (WINDOW // 2 + 1)), np.float32)
        for start in range(0, len(heard), AT_ONCE):
            part = samples[start * FRAME : (start + AT_ONCE) * FRAME]
            self._magnitudes(part, before, heard[start : start + AT_ONCE])
            before = part[-BEFORE:]
        for convolution in self._convolutions:
            heard = convolution(heard)
        return heard

    def _magnitudes(self, samples: Floats, before: Floats, into: Floats) -> None:
        """Those of the spectra of each frame, one after the other in a row of `into`."""
        import scipy.fft  # slow to import

        whole = np.concatenate([before, samples, np.zeros(MIRRORED, np.float32)])
        halves, frames = whole.reshape(-1, HOP), samples.reshape(-1, FRAME)
        windowed = np.empty((len(halves) - 1, WINDOW), np.float32)
        np.multiply(halves[:-1], self._window[:HOP], out=windowed[:, :HOP])
        np.multiply(halves[1:], self._window[HOP:], out=windowed[:, HOP:])
        mirrored = frames[:, -2 : -2 - MIRRORED : -1]
        np.multiply(mirrored, self._window[-MIRRORED:], out=windowed[SPECTRA - 1 :: SPECTRA, -MIRRORED:])
        np.abs(scipy.fft.rfft(windowed, axis=1, overwrite_x=True), out=into.reshape(len(windowed), -1))


class Convolution:
    """One of the convolutions over the places of a frame; beside them is nothing, and what comes out negative is 0."""

    def __init__(self, weights: dict[str, Floats], number: int) -> None:
        kernel = weights[f"encoder.{number}.weight"]  # (channels out, channels in, taps)
        self._out, self._in, _ = kernel.shape
        self._weights = kernel.transpose(2, 1, 0).reshape(-1, self._out).copy()
        self._bias = weights[f"encoder.{number}.bias"]
        self._stride = STRIDES[number]

    def __call__(self, heard: Floats) -> Floats:
        """(frames, places x channels in) to (frames, places x channels out).

        The channels of neighbouring places lie side by side: what a place is made of is some of the columns.
        """
        places = heard.shape[1] // self._in
        centres = range(0, places, self._stride)
        made = np.empty((len(heard), len(centres), self._out), np.float32)
        for number, centre in enumerate(centres):
            first, last = max(centre - TAPS // 2, 0), min(centre + TAPS // 2 + 1, places)
            missing = first - (centre - TAPS // 2)
            weights = self._weights[missing * self._in : (missing + last - first) * self._in]
            np.matmul(heard[:, first * self._in : last * self._in], weights, out=made[:, number])
        made += self._bias
        return np.maximum(made, 0, out=made).reshape(len(heard), -1)


# ---- out of an ONNX file

# A protobuf: of the model, field 7 is the graph; of that, 1 are the nodes, 2 is the name, 5 are the initial tensors, 11
# what goes in, 12 what comes out; of a node, 1 are the names of what goes in, 2 of what comes out, 4 is the operator;
# of a tensor, 1 is a dimension, 2 the type (1 is float32), 8 the name, 9 the bytes; of what goes in or comes out, 1 is
# the name, 2 the type.
MODEL_GRAPH, NODES, TENSORS, INPUTS, OUTPUTS = 7, 1, 5, 11, 12
ANY_FLOATS = bytes([0x0A, 2, 8, 1])  # a type: a tensor of float32 of any shape


def _session(model: bytes) -> tuple[Any, str]:
    """The LSTM of a model as a session of onnxruntime, and the name of its input."""
    import onnxruntime  # slow to import

    alone, heard = recurrent(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(alone, options, providers=["CPUExecutionProvider"]), heard


def recurrent(model: bytes) -> tuple[bytes, str]:
    """A model that is the LSTM of `model` and nothing else, and the name of what it hears."""
    fields = list(_fields(model))
    graph = list(_fields(dict(fields)[MODEL_GRAPH]))
    node = next(each for number, each in graph if number == NODES and dict(_fields(each)).get(4) == b"LSTM")
    named = list(_fields(node))
    inputs = [bytes(name) for number, name in named if number == 1]
    outputs = [bytes(name) for number, name in named if number == 2]
    kept = [(TENSORS, each) for number, each in graph if number == TENSORS and dict(_fields(each))[8] in inputs]
    known = {dict(_fields(each))[8] for _, each in kept}
    ends = [(INPUTS, name) for name in inputs if name and name not in known] + [(OUTPUTS, name) for name in outputs]
    described = [(number, _message([(1, name), (2, ANY_FLOATS)])) for number, name in ends]
    alone = _message([(NODES, node), (2, b"recurrent"), *kept, *described])
    return _message([(number, alone if number == MODEL_GRAPH else each) for number, each in fields]), inputs[0].decode()


def _message(fields: list[tuple[int, Any]]) -> bytes:
    """A protobuf message of numbers and bytes."""
    made = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            made += _coded(number << 3) + _coded(value)
        else:
            made += _coded(number << 3 | 2) + _coded(len(value)) + value
    return bytes(made)


def _coded(value: int) -> bytes:
    """A number of any length, seven bits a byte."""
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)


def tensors(model: bytes) -> Iterator[tuple[str, Floats]]:
    """The float tensors of an ONNX model and their names."""
    graph = dict(_fields(model))[MODEL_GRAPH]
    for field, tensor in _fields(graph):
        if field == TENSORS:
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
    value = message[at]
    if value < 128:  # as most are
        return value, at + 1
    value = shift = 0
    while True:
        byte = message[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
