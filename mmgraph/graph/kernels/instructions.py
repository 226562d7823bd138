"""Instructions of the processor that numba does not write by itself, for use in kernels.

Where a processor lacks one, the compiler puts several others in its place; results are the same.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
"""Keys that `count_below` looks at side by side."""

_BYTE, _INT32, _INT64 = (ir.IntType(bits) for bits in (8, 32, 64))


@intrinsic  # type: ignore[untyped-decorator]
def wide_vectors(typing_context: Any) -> tuple[Any, Any]:
    """Let the compiler use 512-bit vectors in this kernel where the processor has them.

    By default it stays with 256 bits, which is better for code that is vectorised here and there.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        # llvmlite lists the attributes it knows, in a set; this one is for x86 alone and ignored elsewhere. Should
        # llvmlite keep them in another way one day, the kernel is only slower.
        attributes = builder.function.attributes
        if isinstance(attributes, set):
            set.add(attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(typing_context: Any, array: Any, index: Any) -> tuple[Any, Any]:
    """Bring an entry of a contiguous array into the cache and do not wait for it.

    The index counts all entries, row after row; one beyond the array does no harm.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), _INT32, _INT32, _INT32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        place = builder.bitcast(_address(context, builder, signature, arguments), _BYTE.as_pointer())
        reading, in_all_caches, data = _INT32(0), _INT32(3), _INT32(1)
        builder.call(function, [place, reading, in_all_caches, data])
        return context.get_dummy_value()

    return types.void(array, types.uint64), generate


@intrinsic  # type: ignore[untyped-decorator]
def count_below(typing_context: Any, keys: Any, start: Any, count: Any, key: Any) -> tuple[Any, Any]:
    """How many of keys[start : start + count] are smaller than a key; count ≤ LANES.

    The array must go on for LANES from `start`, whatever is there.

    Shapes:
        keys (n,) int64.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(_INT64, LANES)
        place = _address(context, builder, signature, arguments)
        several = builder.load(builder.bitcast(place, vector.as_pointer()), align=_INT64.width // 8)
        undefined, zeros = (
            ir.Constant(vector, ir.Undefined),
            ir.Constant(ir.VectorType(_INT32, LANES), [0] * LANES),
        )
        first = builder.insert_element(undefined, arguments[3], _INT32(0))
        smaller = builder.icmp_signed("<", several, builder.shuffle_vector(first, undefined, zeros))
        bits = builder.zext(builder.bitcast(smaller, ir.IntType(LANES)), _INT64)
        counted = builder.sub(builder.shl(_INT64(1), arguments[2]), _INT64(1))
        return builder.ctpop(builder.and_(bits, counted))

    return types.int64(keys, types.uint64, types.uint64, types.int64), generate


def _address(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
    """Where the entry of the first argument lies that the second argument names."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])
