"""Taylor coefficients through loops and branches: one holder that carries all of them.

The body of a holder is expanded as any graph is, on further parameters for the coefficients of
those it has, and yields the coefficients of its results beside them. So a loop for K coefficients
is one loop, of which a step costs what K coefficients of its body cost.

    scan:    c_{t+1}, y_t = body(c_t, x_t)    with the series of c, x and y in place of their values
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wengert.control.branching import branch
from wengert.control.repeating import repeat
from wengert.control.scanning import parts, scan
from wengert.control.splitting import has_tangent, strong, written
from wengert.graph.body import Body, body_of
from wengert.graph.node import Node
from wengert.graph.op import Tangent
from wengert.ops.leaves import item, parameter

Coefficients = Sequence[Tangent]
"""Those of degree 1, 2, … of a node; None is zero."""

Expand = Callable[[Sequence[Node], Mapping[Node, Coefficients], int], list[Tangent]]
"""`wengert.derivatives.series.expanded`."""


def through_holder(
    node: Node, given: Sequence[Coefficients], degree: int, expand: Expand
) -> list[Coefficients]:
    """The coefficients 1 to `degree` of each result of a holder, from those of its inputs."""
    return _THROUGH[node.op.name](node, given, degree, expand)


@dataclass(frozen=True, slots=True)
class Expanded:
    """A body with the series of some of its parameters.

    names: for each parameter those of its coefficients that are not zero by structure, by degree.
    results: for each output its coefficients.
    """

    names: list[dict[int, Node]]
    results: list[Coefficients]


def _expanded(
    body: Body, present: Sequence[Sequence[bool]], degree: int, expand: Expand
) -> Expanded:
    """present: for each parameter, which of its coefficients there are."""
    names = [
        {d: parameter(("series", k, d), strong(param.type)) for d, flag in enumerate(flags) if flag}
        for k, (param, flags) in enumerate(zip(body.params, present, strict=True))
    ]
    given = {
        param: [own.get(d) for d in range(degree)]
        for param, own in zip(body.params, names, strict=True)
        if own
    }
    found = expand(body.outputs, given, degree) if given else [None] * degree * len(body.outputs)
    count = range(len(body.outputs))
    return Expanded(names, [found[k * degree : (k + 1) * degree] for k in count])


def _present(given: Coefficients) -> list[bool]:
    return [part is not None for part in given]


def _settled(
    body: Body,
    given: Sequence[Coefficients],
    carried: range,
    degree: int,
    expand: Expand,
) -> Expanded:
    """The body of a loop with the series of all its steps: a carry has one if it is given one, or a
    step gives it one."""
    present = [_present(own) for own in given]
    for k in carried:
        present[k] = [any(present[k])] * degree
    while True:
        found = _expanded(body, present, degree, expand)
        more = [
            k
            for place, k in enumerate(carried)
            if not any(present[k])
            and has_tangent(body.params[k])
            and any(part is not None for part in found.results[place])
        ]
        if not more:
            return found
        for k in more:
            present[k] = [True] * degree


def _through_scan(
    node: Node, given: Sequence[Coefficients], degree: int, expand: Expand
) -> list[Coefficients]:
    body, n_consts, n_carry, length, reverse = node.params
    own = parts(node)
    series = list(given[len(own.count) :])
    carried = range(n_consts, n_consts + n_carry)
    found = _settled(body, series, carried, degree, expand)
    inputs = _Inputs(body, found, series, (*own.consts, *own.carry, *own.xs))
    outputs, places = _results(body, found, n_carry, carried)
    of_consts, of_carry, of_xs = (
        inputs.over(range(n_consts)),
        inputs.over(carried),
        inputs.over(range(carried.stop, len(body.params))),
    )
    held = scan(
        body_of(outputs, [*of_consts[0], *of_carry[0], *of_xs[0]]),
        of_consts[1],
        of_carry[1],
        of_xs[1],
        length,
        reverse,
        *own.count,
    )
    return _picked(held, places, len(body.outputs), degree, lambda place: place)


def _through_repeat(
    node: Node, given: Sequence[Coefficients], degree: int, expand: Expand
) -> list[Coefficients]:
    condition, body, n_asked, n_consts = node.params
    series = list(given[n_asked:])
    asked, inner = node.args[:n_asked], node.args[n_asked:]
    carried = range(n_consts, len(body.params))
    found = _settled(body, series, carried, degree, expand)
    inputs = _Inputs(body, found, series, inner)
    outputs, places = _results(body, found, len(carried), carried)
    of_consts, of_carry = inputs.over(range(n_consts)), inputs.over(carried)
    added = of_carry[0][len(carried) :]
    held = repeat(
        body_of(condition.outputs, [*condition.params, *added]),
        body_of(outputs, [*of_consts[0], *of_carry[0]]),
        asked,
        of_consts[1],
        of_carry[1],
    )
    carries = len(of_carry[0])
    coefficients = _picked(
        held, places, len(body.outputs), degree, lambda place: place + (place >= carries)
    )
    steps: Coefficients = [None] * degree  # the number of steps lies between carries and tapes
    return [*coefficients[: len(carried)], steps, *coefficients[len(carried) :]]


def _through_branch(
    node: Node, given: Sequence[Coefficients], degree: int, expand: Expand
) -> list[Coefficients]:
    index, *operands = node.args
    series = given[1:]
    present = [_present(own) for own in series]
    found = [_expanded(body, present, degree, expand) for body in node.params]
    count = len(node.params[0].outputs)
    shown = [
        (k, d)
        for k in range(count)
        for d in range(degree)
        if any(own.results[k][d] is not None for own in found)
    ]
    bodies = []
    for body, own in zip(node.params, found, strict=True):
        names = [name for each in own.names for name in each.values()]
        coefficients = [written(own.results[k][d], body.outputs[k]) for k, d in shown]
        bodies.append(body_of([*body.outputs, *coefficients], [*body.params, *names]))
    moved = [part for own in series for part in own if part is not None]
    held = branch(index, [*operands, *moved], *bodies)
    places = {key: count + place for place, key in enumerate(shown)}
    return _picked(held, places, count, degree, lambda place: place)


class _Inputs:
    """The inputs of a loop with those of the coefficients: as parameters, and as they begin."""

    def __init__(
        self,
        body: Body,
        found: Expanded,
        series: Sequence[Coefficients],
        values: Sequence[Node],
    ) -> None:
        self._body, self._found, self._series, self._values = body, found, series, values

    def over(self, places: range) -> tuple[list[Node], list[Node]]:
        """(parameters, values) of the inputs at some places: themselves, then the coefficients."""
        params = [self._body.params[k] for k in places]
        values = [self._values[k] for k in places]
        for k in places:
            for d, name in self._found.names[k].items():
                params.append(name)
                values.append(written(self._series[k][d], self._values[k]))
        return params, values


def _results(
    body: Body, found: Expanded, n_carry: int, carried: range
) -> tuple[list[Node], dict[tuple[int, int], int]]:
    """The outputs of a loop's step with the coefficients, and where those of (output, degree) are:
    the carries and theirs come first, each of them a coefficient for every parameter."""
    outputs = list(body.outputs[:n_carry])
    places: dict[tuple[int, int], int] = {}
    for k, param in enumerate(carried):
        for d in found.names[param]:
            places[k, d] = len(outputs)
            outputs.append(written(found.results[k][d], body.outputs[k]))
    outputs += body.outputs[n_carry:]
    for k in range(n_carry, len(body.outputs)):
        for d, part in enumerate(found.results[k]):
            if part is not None:
                places[k, d] = len(outputs)
                outputs.append(part)
    return outputs, places


def _picked(
    held: Node,
    places: Mapping[tuple[int, int], int],
    count: int,
    degree: int,
    place_of: Callable[[int], int],
) -> list[Coefficients]:
    """The coefficients of each result, from a holder that has them at some places."""
    return [
        [item(held, place_of(places[k, d])) if (k, d) in places else None for d in range(degree)]
        for k in range(count)
    ]


_THROUGH: dict[str, Callable[..., list[Coefficients]]] = {
    "scan": _through_scan,
    "repeat": _through_repeat,
    "branch": _through_branch,
}
HOLDERS = frozenset(_THROUGH)
"""The ops whose bodies are expanded."""
