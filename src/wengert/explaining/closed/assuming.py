"""What is assumed of arguments and captured arrays, checked against the examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wengert.errors import WengertValueError
from wengert.explaining.closed.facts import FACTS, IMPLIED

_OF_MATRICES = FACTS - {"signs", "positive"}


def assumptions(assume: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """name -> facts, with what follows from them."""
    assumed = {}
    for name, stated in assume.items():
        facts = frozenset([stated] if isinstance(stated, str) else stated)
        unknown = facts - FACTS
        if unknown:
            raise WengertValueError(
                f"assume: {name} cannot be {', '.join(map(repr, sorted(unknown)))}; what may be "
                f"assumed is {', '.join(sorted(FACTS))}"
            )
        assumed[name] = facts.union(*(IMPLIED.get(fact, ()) for fact in facts))
    return assumed


def check_facts(name: str, facts: frozenset[str], value: Any, is_variable: bool) -> None:
    """An error where an example contradicts what is assumed of it."""
    if is_variable and facts & _OF_MATRICES:
        raise WengertValueError(
            f"assume: {name} is what the function is differentiated by, and its elements vary "
            "freely: only constants can be assumed to be symmetric, diagonal, …"
        )
    array = np.asarray(value, float)
    for fact in sorted(facts):
        square = array.ndim == 2 and array.shape[0] == array.shape[1]
        if (fact in _OF_MATRICES and not square) or not _HOLDS[fact](array):
            raise WengertValueError(f"assume: the {name} of the example is not {_called(fact)}")


def _called(fact: str) -> str:
    return "an array of +1 and -1" if fact == "signs" else fact


_HOLDS: dict[str, Callable[[Any], bool]] = {
    "symmetric": lambda a: np.array_equal(a, a.T),
    "diagonal": lambda a: not np.any(a - np.diag(np.diag(a))),
    "orthogonal": lambda a: np.allclose(a.T @ a, np.eye(len(a)), rtol=0, atol=1e-10),
    "idempotent": lambda a: np.allclose(a @ a, a),
    "positive definite": lambda a: bool(
        np.array_equal(a, a.T) and np.linalg.eigvalsh(a).min(initial=1.0) > 0
    ),
    "signs": lambda a: bool(np.all(np.abs(a) == 1)),
    "positive": lambda a: bool(np.all(a > 0)),
}
