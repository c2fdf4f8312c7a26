"""What the steps are called: by the user's variables where there are any, else by number."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from wengert.explaining.formulas import ATOM, NAME, Formula
from wengert.explaining.notation import name_in_latex, numbered, plain, subscripted
from wengert.explaining.partials import literal_formula
from wengert.graph.literals import full, literal
from wengert.graph.node import Node
from wengert.tracing.session import Session


def names_of(
    session: Session,
    order: Sequence[Node],
    inputs: Mapping[Node, str],
    variables: Mapping[Node, str],
    shown: Collection[Node],
) -> dict[Node, Formula]:
    """The name of each node; a constant that is not shown as a step is called by its value.

    variables: the user's, of the nodes that were bound to any. A variable that several values were
    bound to, one after the other, gives them numbers: x⁽¹⁾, x⁽²⁾, ….
    """
    steps = set(shown)
    count: Counter[str] = Counter()  # of what a name is when it is typed
    names: dict[Node, str] = {}
    for node, parameter in inputs.items():
        name = subscripted(parameter)
        count[plain(name)] += 1
        again = count[plain(name)] > 1  # x1 and x_1
        names[node] = numbered(name, count[plain(name)]) if again else name
    taken = set(names.values())
    bound = {
        node: subscripted(variables[node])
        for node in order
        if node in variables and node not in inputs and node in steps
    }
    several = {key for key, times in Counter(map(plain, bound.values())).items() if times > 1}
    several |= count.keys()
    count = Counter({key: times for key, times in count.items() if times > 1})
    for node, name in bound.items():
        count[plain(name)] += 1
        names[node] = numbered(name, count[plain(name)]) if plain(name) in several else name
    taken.update(names.values())
    step, outside = (_free_letter(letters, taken) for letters in ("vzuqy", "ckabd"))
    found: dict[Node, Formula] = {}
    for node in order:
        if node in names:
            name = names[node]
        elif node not in steps:
            value = literal(node) if node.op is full else session.values[node]
            found[node] = literal_formula(value.item())
            continue
        else:
            letter = step if node.args else outside
            count[letter] += 1
            name = subscripted(f"{letter}{count[letter]}")
        found[node] = Formula(name, name_in_latex(name), NAME if "⁽" in name else ATOM)
    return found


def _free_letter(letters: str, taken: set[str]) -> str:
    """The first of these letters that no name consists of but for its digits."""
    used = {plain(name).rstrip("0123456789") for name in taken}
    return next((letter for letter in letters if letter not in used), letters[0] + "v")


def outside_names(
    f: Callable[..., Any], session: Session, held: Mapping[str, Any]
) -> dict[Node, str]:
    """The variables that hold the arrays which a function reads from outside; `held`: arguments
    that it is passed as they are."""
    names = {id(value): name for name, value in held.items()}
    function = inspect.unwrap(f)
    if inspect.isfunction(function):
        outside = inspect.getclosurevars(function)
        found = {**outside.globals, **outside.nonlocals}
        names |= {id(value): name for name, value in found.items()}
    return {node: names[id(value)] for node, value in session.captures if id(value) in names}
