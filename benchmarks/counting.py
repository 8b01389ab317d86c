"""What a step hands to a GPU, counted on tensors that have shapes and no memory: kernels, bytes, FLOPs, waits.

A kernel is an operation that torch dispatches and that is no view. Its bytes are those of the tensors it reads and
writes, each once. Its time is the larger of its FLOPs at the rate of large products and its bytes at the rate of the
memory: no kernel is faster, and small ones are slower. Compiled graphs are counted as if a compiler fused all
elementwise and reducing operations that hang together into one kernel, and left products and attention as they are.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

aten = torch.ops.aten
FLASH, FLASH_BACK = (
    aten._scaled_dot_product_flash_attention.default,
    aten._scaled_dot_product_flash_attention_backward.default,
)
PRODUCTS = {aten.mm.default, aten.addmm.default, aten.addmm_.default, aten.bmm.default}
TILE = (128, 64)  # queries by keys: what flash attention computes at once with heads of 128
FREE = {aten.empty.memory_format, aten.empty_like.default, aten.empty_strided.default, aten.new_empty.default}


@dataclass(frozen=True)
class Machine:
    """Rates that no kernel passes."""

    flops: float  # per second, of large products in bfloat16
    bytes: float  # per second

    def seconds(self, flops: float, moved: float) -> float:
        """Of one kernel, at least."""
        return max(flops / self.flops, moved / self.bytes)


H200 = Machine(790e12, 3.84e12)  # four fifths of what its data sheet states


@dataclass
class Counts:
    """Of a step, or of a part of it."""

    kernels: int = 0
    bytes: float = 0
    flops: float = 0  # that the result needs
    computed: float = 0  # those, and what attention computes of its tiles for nothing
    seconds: float = 0  # at least, one kernel after another
    waits: list[str] = field(default_factory=list)  # where the CPU waits for the GPU
    copies: int = 0  # to the GPU

    def add(self, flops: float, computed: float, moved: float, machine: Machine, times: int = 1) -> None:
        """A kernel, so many times."""
        self.kernels += times
        self.bytes += times * moved
        self.flops += times * flops
        self.computed += times * computed
        self.seconds += times * machine.seconds(computed, moved)


class Counter(TorchDispatchMode):
    """Counts what is done on the meta device, as if it were a GPU; nothing is computed."""

    def __init__(self, machine: Machine = H200) -> None:
        super().__init__()
        self.counts, self.machine, self.asleep = Counts(), machine, 0
        self.attention: set[tuple[int, ...]] = set()  # distinct shapes

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        on_gpu = any(each.is_meta for each in given)
        if func is aten._local_scalar_dense.default and on_gpu:
            self.counts.waits.append("a number is read")
            return 1.0
        if func is aten._to_copy.default:
            to = torch.device(kwargs.get("device") or given[0].device)
            if on_gpu and to.type == "cpu":
                if not kwargs.get("non_blocking"):
                    self.counts.waits.append("a tensor is read")
                return torch.zeros(given[0].shape, dtype=kwargs.get("dtype") or given[0].dtype)
            self.counts.copies += not on_gpu and to.type == "meta"
        if func is aten._fused_adamw_.default:
            self._kernel(func, given, [])
            return None
        out = func(*args, **kwargs)
        made = [each for each in tree_leaves(out) if isinstance(each, torch.Tensor) and each.is_meta]
        if made and not self.asleep and func not in FREE and not _is_view(func, given, made):
            self._kernel(func, given, made, args)
        return out

    def _kernel(self, func: Any, given: Sequence[torch.Tensor], made: Sequence[torch.Tensor], args: Any = ()) -> None:
        if func in (FLASH, FLASH_BACK):
            query, key = args[0:2] if func is FLASH else args[1:3]
            self.attention.add((*query.shape[:3], key.shape[1]))
        flops, computed = work(func, args, made[0] if made else None)
        self.counts.add(flops, computed, moved(given, made), self.machine)


def _is_view(func: Any, given: Sequence[torch.Tensor], made: Sequence[torch.Tensor]) -> bool:
    """Whether all that comes out lies where something went in, and nothing was written."""
    if func._schema.is_mutable:
        return False
    places = {each.untyped_storage()._cdata for each in given}
    return bool(given) and all(each.untyped_storage()._cdata in places for each in made)


def moved(given: Sequence[torch.Tensor], made: Sequence[torch.Tensor]) -> float:
    """Bytes that are read and written, each tensor once."""
    different = {(each.untyped_storage()._cdata, each.storage_offset(), each.shape): each for each in (*given, *made)}
    return sum(each.numel() * each.element_size() for each in different.values())


def work(func: Any, args: Any, made: Any) -> tuple[float, float]:
    """FLOPs that an operation's result needs, and those that its kernel computes."""
    if func in (FLASH, FLASH_BACK):
        query, key = (each.shape for each in (args[0:2] if func is FLASH else args[1:3]))
        times = 4 if func is FLASH else 10  # two products forward, five back, 2 FLOPs each
        pairs, tiles = query[2] * key[2], _tiled(query[2], TILE[0]) * _tiled(key[2], TILE[1])
        return tuple(times * query[0] * query[1] * query[3] * each for each in (pairs, tiles))
    if func in PRODUCTS:
        shapes = [tuple(each.shape) for each in args[:3] if hasattr(each, "shape")]
        name = aten.addmm if func in (aten.addmm.default, aten.addmm_.default) else func.overloadpacket
        flops = flop_registry[name](*(torch.empty(shape, device="meta") for shape in shapes), out_val=made)
        return flops, flops
    return 0, 0


def _tiled(length: int, tile: int) -> int:
    return -(-length // tile) * tile


class Graphs:
    """A compiler for torch.compile that compiles nothing: it counts graphs, and what a compiled one would launch."""

    def __init__(self, counter: Counter) -> None:
        self.forward = self.backward = 0
        self._counter = counter

    def backend(self) -> Any:
        """For `torch.compile(backend=...)`."""
        from torch._dynamo.backends.common import aot_autograd

        return aot_autograd(fw_compiler=self._compiler("forward"), bw_compiler=self._compiler("backward"))

    def _compiler(self, way: str) -> Callable[..., Any]:
        from functorch.compile import make_boxed_func

        def compiler(graph: Any, _: Any) -> Any:
            setattr(self, way, getattr(self, way) + 1)
            own = fused(graph)

            def run(*args: Any) -> Any:
                for flops, moved_here in own:
                    self._counter.counts.add(flops, flops, moved_here, self._counter.machine)
                with self._sleeping():
                    return graph(*args)

            return make_boxed_func(run)

        return compiler

    @contextmanager
    def _sleeping(self) -> Iterator[None]:
        self._counter.asleep += 1
        try:
            yield
        finally:
            self._counter.asleep -= 1


def fused(graph: Any) -> list[tuple[float, float]]:
    """(FLOPs, bytes) of each kernel of a graph, at the sizes that it was traced with.

    Operations between products are one kernel where they hang together. A tensor is in memory if it enters or leaves
    the graph, a product, or a group; each kernel reads and writes such tensors once, and nothing else.
    """
    nodes = [node for node in graph.graph.nodes if node.op == "call_function" and _tensors(node)]
    group = {node: node for node in nodes if node.target not in PRODUCTS}

    def root(node: Any) -> Any:
        while group[node] is not node:
            node = group[node]
        return node

    for node in group:
        for other in node.all_input_nodes:
            if other in group:
                group[root(other)] = root(node)
    outputs = set(next(each for each in graph.graph.nodes if each.op == "output").all_input_nodes)
    kernels: dict[Any, tuple[float, dict[Any, float]]] = {}
    for node in nodes:
        own = root(node) if node in group else node
        tensors = kernels.setdefault(own, (0.0, {}))[1]
        outside = [each for each in node.all_input_nodes if each not in group or root(each) is not own]
        written = node in outputs or any(each not in group or root(each) is not own for each in node.users)
        for each in [*outside, *([node] if written or (own is node and node not in group) else [])]:
            tensors[each] = _size(each)
        if node.target in PRODUCTS:
            values = [each.meta["val"] for each in node.args[:3] if hasattr(each, "meta")]
            shapes = [torch.empty([_hint(size) for size in value.shape], device="meta") for value in values]
            kernels[own] = (work(node.target, shapes, None)[0], tensors)
    moving = [(flops, sum(tensors.values())) for flops, tensors in kernels.values()]
    return [each for each in moving if each[1]]


def _tensors(node: Any) -> list[torch.Tensor]:
    return [each for each in tree_leaves(node.meta.get("val")) if isinstance(each, torch.Tensor)]


def _size(node: Any) -> float:
    return float(sum(math.prod(map(_hint, each.shape)) * each.element_size() for each in _tensors(node)))


def _hint(size: Any) -> int:
    """A size, and of one that may change what it was when the graph was traced; to ask for it would fix it."""
    return int(size.node.hint if isinstance(size, torch.SymInt) else size)
