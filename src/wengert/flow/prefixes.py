"""`associative_scan`: all partial results of an operation whose order of evaluation is free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.tracing.trees import flatten, unflatten


def associative_scan(
    fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """All partial results of an associative operation, in a logarithmic number of steps.

    Parameters
    ----------
    fn
        (a, b) -> a ∘ b on structures of arrays, elementwise along `axis`: it is given whole slices.
    elems
        A structure of arrays with the same extent along `axis`.
    reverse
        Whether the results begin at the end.

    Returns
    -------
    A structure like `elems`: x₀, x₀∘x₁, x₀∘x₁∘x₂, …

    Examples
    --------
    >>> import numpy as np, wengert as wg
    >>> wg.associative_scan(np.add, np.arange(1.0, 5.0))
    array([ 1.,  3.,  6., 10.])

    Source: Blelloch 1990, *Prefix sums and their applications*.
    """
    leaves, spec = flatten(elems)
    if not leaves:
        return elems
    axes = [axis % max(np.ndim(leaf), 1) for leaf in leaves]
    extents = {np.shape(leaf)[a] for leaf, a in zip(leaves, axes, strict=True)}
    if len(extents) != 1:
        raise WengertValueError(
            f"associative_scan is given arrays of the extents {sorted(extents)} along axis {axis}"
        )

    def cut(leaf: Any, k: int, *entries: Any) -> Any:
        return leaf[(slice(None),) * k + (slice(*entries),)]

    def sliced(parts: Sequence[Any], *entries: Any) -> list[Any]:
        return [cut(part, a, *entries) for part, a in zip(parts, axes, strict=True)]

    def combined(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
        return flatten(fn(unflatten(spec, a), unflatten(spec, b)))[0]

    def joined(parts: Sequence[Sequence[Any]]) -> list[Any]:
        return [
            np.concatenate(group, axis=a)
            for group, a in zip(zip(*parts, strict=True), axes, strict=True)
        ]

    def interleaved(even: Sequence[Any], odd: Sequence[Any]) -> list[Any]:
        found = []
        for a, b, k in zip(even, odd, axes, strict=True):
            n = np.shape(b)[k]
            pairs = np.stack([cut(a, k, 0, n), b], axis=k + 1)
            shape = list(np.shape(b))
            shape[k] = 2 * n
            flat = np.reshape(pairs, shape)
            found.append(np.concatenate([flat, cut(a, k, n, None)], axis=k))
        return found

    def prefixes(parts: Sequence[Any]) -> list[Any]:
        n = np.shape(parts[0])[axes[0]]
        if n < 2:
            return list(parts)
        odd = prefixes(combined(sliced(parts, 0, n - 1, 2), sliced(parts, 1, None, 2)))
        before = sliced(odd, 0, (n - 1) // 2)
        even = joined([sliced(parts, 0, 1), combined(before, sliced(parts, 2, None, 2))])
        return interleaved(even, odd)

    if reverse:
        turned = prefixes(sliced(leaves, None, None, -1))
        return unflatten(spec, sliced(turned, None, None, -1))
    return unflatten(spec, prefixes(leaves))
