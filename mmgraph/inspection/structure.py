"""The layers of a model and how they are wired, seen in one forward: so what depends on the data is seen too."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry
from torch.utils.weak import WeakTensorKeyDictionary

from mmgraph.inspection.hooked import hooked
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.recorder import first_tensor
from mmgraph.inspection.undisturbed import uncollected, undisturbed, unwrapped
from mmgraph.runs.structure import INPUT, OUTPUT, Connection, Layer, Structure

ITEMS = 32
"""Rows of a batch that run to find out shapes, times and operations."""
MOST_CONNECTIONS = 20_000
_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_WHOLE_MODELS = (nn.Transformer, nn.TransformerEncoder, nn.TransformerDecoder)
_NOT_SHOWN = frozenset(
    "to size dim view reshape contiguous clone detach float half double type type_as flatten unflatten squeeze"  # noqa: SIM905
    " unsqueeze transpose permute movedim t expand expand_as chunk split unbind narrow select numel stride"
    " is_floating_point empty_like zeros_like ones_like new_zeros new_empty new_ones repeat repeat_interleave item"
    " tolist numpy cpu cuda pad dropout getitem get setitem".split()
)
"""Operations on the way that say nothing about a model."""

Origin = tuple[str, tuple[str, ...]]
"""A box that gave a tensor, and what happened to it since."""


@uncollected()
def structure(model: nn.Module, inputs: Inputs | None) -> Structure:
    """Layers, parameters, and, from one forward of the uncompiled model on some inputs, shapes, times, floating-point
    operations and wiring. The model stays as it was. Waits for the GPU.

    A box of the wiring is a module without modules inside, one of torch.nn, or one that itself uses the weights of what
    is inside, as a recurrent network does; one without weights is a box "name#2" of its own when it runs again. What
    lies between two boxes is an operation on the way, and a box where several tensors meet.

    Differs: FLOPs count products of matrices, convolutions and attention, two for a multiplication with its addition,
        as torch.utils.flop_counter does; other operations count for nothing.
    """
    model = unwrapped(model)
    names = {module: name or "model" for name, module in model.named_modules()}
    boxes = {module for module in names if _is_box(module)}
    inner = {part for box in boxes for part in box.modules() if part is not box}
    learned = {module: _learned(module) for module in names}
    seen = _Seen(names, boxes - inner, learned)
    seconds: dict[str, float] = {}
    items, remark = None, ""
    if inputs is None:
        remark = "The wiring is not known: this recipe runs its model in a way of its own."
    else:
        few = inputs if inputs.is_graph else inputs.first(ITEMS)
        items = None if inputs.is_graph else few.count
        try:
            with undisturbed(model):
                with seen, _Operations(seen.counted):
                    output = model(*few.args, **few.kwargs)
                seen.ended(output)
                seconds = _seconds(model, names, few)
        except Exception as error:  # in somebody's model: its layers can be listed all the same
            remark = f"The model could not be run to see its wiring ({type(error).__name__}: {error})."
    layers = tuple(
        Layer(
            name,
            type(module).__name__,
            learned[module],
            seen.shapes.get(name),
            seen.flops[name] if name in seen.runs else None,
            seconds.get(name),
            seen.runs[name],
            module in inner or module not in boxes | seen.whole,
        )
        for module, name in names.items()
    )
    return Structure(layers, seen.connections(), items, remark)


def _is_box(module: nn.Module) -> bool:
    if isinstance(module, _CONTAINERS + _WHOLE_MODELS):
        return False
    return not any(True for _ in module.children()) or type(module).__module__.startswith("torch.nn.")


class _Run(NamedTuple):
    """A module that is running: from where its inputs came, and what was known when it began."""

    name: str
    origins: list[Origin]
    depth: int
    ended: int
    links: int
    meetings: Counter[str]


def _unseen(hook: Callable[..., None]) -> Callable[..., None]:
    """What a hook asks of tensors is no operation of the model; to look at it takes longer than to answer."""

    @functools.wraps(hook)
    def quiet(*given: Any) -> None:
        with torch._C.DisableTorchFunction():
            hook(*given)

    return quiet


class _Seen(TorchFunctionMode):
    """Follows tensors from box to box in the forward that runs inside `with`."""

    def __init__(
        self, names: Mapping[nn.Module, str], boxes: set[nn.Module], learned: Mapping[nn.Module, int]
    ) -> None:
        super().__init__()
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.runs: Counter[str] = Counter()
        self.flops: Counter[str] = Counter()
        self._names, self._boxes, self._learned = names, boxes, learned
        self._origins = WeakTensorKeyDictionary()
        self._links: dict[tuple[str, str], str] = {}
        self._meetings: Counter[str] = Counter()
        self._depth = 0
        self.whole: set[nn.Module] = set()
        self._ended = 0
        self._running: list[_Run] = []
        self._last: list[Origin] = []
        self._stack = ExitStack()
        self._weights = {
            id(held)
            for module in names
            for held in (*module._parameters.values(), *module._buffers.values())
            if held is not None
        }

    def __enter__(self) -> _Seen:
        self._stack.enter_context(hooked(self._names, self._begin, self._end))
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self._stack.close()

    def ended(self, output: Any) -> None:
        """Say what came out of the model."""
        for origin in self._origins_of(output) or self._last:
            self._link(origin, OUTPUT)

    def counted(self, flops: int) -> None:
        """So many operations were done by whatever runs now."""
        for name in dict.fromkeys(run.name for run in self._running):
            self.flops[name] += flops

    def connections(self) -> tuple[Connection, ...]:
        """What goes where."""
        found = [Connection(source, target, way) for (source, target), way in self._links.items()]
        return tuple(found[:MOST_CONNECTIONS])

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if self._depth == 0:
            name = getattr(func, "__name__", "")
            if name not in ("__get__", "__set__") or _gives_tensor(result):
                self._passed(name, (args, kwargs), result)
        return result

    def _passed(self, name: str, given: Any, result: Any) -> None:
        if not _gives_tensor(result):
            return
        origins = self._origins_of(given)
        sources = dict.fromkeys(origin[0] for origin in origins)
        plain = name.strip("_").removeprefix("r") if name.startswith("__") else name.strip("_")
        hidden = plain in _NOT_SHOWN
        if len(sources) > 1 and not hidden:
            self._meetings[plain] += 1
            number = self._meetings[plain]
            box = plain if number == 1 else f"{plain}#{number}"
            for origin in origins:
                self._link(origin, box)
            origins = [(box, ())]
        elif not hidden:
            origins = [(source, way if plain in way else (*way, plain)) for source, way in origins]
        if origins:
            self._came_from(result, origins)

    @_unseen
    def _begin(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        # What nobody followed up to here came in with the inputs.
        given = (args, kwargs)
        origins = self._origins_of(given)
        if not origins and self._depth == 0:
            origins = list(self._last) if self._running else [(INPUT, ())]
        self._running.append(
            _Run(
                self._names[module],
                origins,
                self._depth,
                self._ended,
                len(self._links),
                self._meetings.copy(),
            )
        )
        if not self._running[:-1]:
            self._came_from(given, [(INPUT, ())])
            self._last = [(INPUT, ())]
        if module in self._boxes and self._depth == 0:
            name = self._box_name(module)
            for origin in origins:
                self._link(origin, name)
            self._depth = 1

    @_unseen
    def _end(self, module: nn.Module, _args: Any, _kwargs: Any, output: Any) -> None:
        run = self._running.pop()
        name, origins, depth = run.name, run.origins, run.depth
        ran_others = self._ended > run.ended
        self._ended += 1
        self.runs[name] += 1
        tensor = first_tensor(output)
        if tensor is not None:
            self.shapes.setdefault(name, tuple(tensor.shape))
        self._depth = depth
        if depth:
            return
        if not ran_others and self._learned[module] and module not in self._boxes:
            self._be_whole(module, run)
        if module in self._boxes:
            self._last = [(self._box_name(module, done=True), ())]
            self._came_from(output, self._last)
        else:
            for one in _tensors(output):
                if one not in self._origins:
                    self._came_from(one, self._last or origins)

    def _be_whole(self, module: nn.Module, run: _Run) -> None:
        """A box after all, for it has worked alone: what was noted of its operations is forgotten."""
        self.whole.add(module)
        self._boxes.add(module)
        while len(self._links) > run.links:
            self._links.popitem()
        self._meetings = run.meetings
        for origin in run.origins:
            self._link(origin, run.name)

    def _box_name(self, module: nn.Module, *, done: bool = False) -> str:
        """What learns is one box however often it runs; what does not, such as a ReLU, is one for each time."""
        name = self._names[module]
        run = self.runs[name] + (0 if done else 1)
        return name if run == 1 or self._learned[module] else f"{name}#{run}"

    def _link(self, origin: Origin, target: str) -> None:
        source, way = origin
        if source != target:
            self._links.setdefault((source, target), ", ".join(way))

    def _origins_of(self, value: Any) -> list[Origin]:
        found: dict[str, Origin] = {}
        for tensor in _tensors(value):
            for origin in self._origins.get(tensor, ()):
                found.setdefault(origin[0], origin)
        return list(found.values())

    def _came_from(self, value: Any, origins: list[Origin]) -> None:
        for tensor in _tensors(value):
            if id(tensor) not in self._weights:
                self._origins[tensor] = list(origins)


class _Operations(TorchDispatchMode):
    """Tells `counted(flops)` of every product of matrices, convolution and attention that runs inside `with`."""

    def __init__(self, counted: Callable[[int], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._counted = counted

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else the first operation imports torch._dynamo, which takes seconds

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self._counted(_flops(formula, args, kwargs or {}, result))
        return result


def _flops(formula: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any) -> int:
    plain = getattr(formula, "__wrapped__", None)
    if plain is None:
        return int(formula(*args, **kwargs, out_val=result))
    # torch's way from tensors to shapes, which is made for any nesting, takes longer than the operation itself.
    shapes = [_shape(value) for value in args]
    named = {name: _shape(value) for name, value in kwargs.items()}
    return int(plain(*shapes, **named, out_shape=_shape(result)))


def _shape(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.shape
    return type(value)(map(_shape, value)) if isinstance(value, (tuple, list)) else value


def _seconds(model: nn.Module, names: Mapping[nn.Module, str], inputs: Inputs) -> dict[str, float]:
    """Time of each module in one forward, all its runs together."""
    on_gpu = any(weight.is_cuda for weight in model.parameters())
    found: dict[str, float] = {}
    started: list[float] = []

    def now() -> float:
        if on_gpu:
            torch.cuda.synchronize()  # else the time of starting a kernel would be taken for that of running it
        return time.perf_counter()

    def begin(_module: nn.Module, _args: Any, _kwargs: Any) -> None:
        started.append(now())

    def end(module: nn.Module, _args: Any, _kwargs: Any, _output: Any) -> None:
        name = names[module]
        found[name] = found.get(name, 0.0) + now() - started.pop()

    with hooked(names, begin, end):
        model(*inputs.args, **inputs.kwargs)
    return found


def _learned(module: nn.Module) -> int:
    """Numbers that a module and those inside it learn."""
    # Most modules have none inside: not to look for them takes a quarter of the time.
    weights = module.parameters() if module._modules else set(module._parameters.values())
    return sum(weight.numel() for weight in weights if weight is not None and not is_lazy(weight))


def _gives_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, (tuple, list)) and any(map(_gives_tensor, value)))


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for entry in value:
            yield from _tensors(entry)
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _tensors(entry)
