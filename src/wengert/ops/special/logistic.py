"""The logistic function and its kin, and what entropies are made of."""

from __future__ import annotations

from wengert.graph.literals import constant
from wengert.graph.node import Node
from wengert.graph.op import Op
from wengert.ops import linear
from wengert.ops.arithmetic import negative
from wengert.ops.domain import Box
from wengert.ops.elementary import log1p
from wengert.ops.logic import logical_or, not_equal
from wengert.ops.powers import log
from wengert.ops.special import native
from wengert.ops.special.algebra import minus, over, plus, times
from wengert.ops.special.ufunc import special

# σ' = σ(x) σ(−x), to full precision in both tails
expit: Op = special(
    "expit",
    lambda y, x: times(y, expit(negative(x))),
    label="σ({0})",
    domain=Box(((-4, 4),), kinds="f"),
    native=native.logistic,
)
logit: Op = special(
    "logit",
    lambda y, x: plus(over(1, x), over(1, minus(1, x))),
    label="logit {0}",
    domain=Box(((0.2, 0.8),), kinds="f"),
    native=native.logit,
)
log_expit: Op = special(
    "log_expit",
    lambda y, x: expit(negative(x)),
    label="log σ({0})",
    domain=Box(((-4, 4),), kinds="f"),
    native=native.log_expit,
)


# --------------------------------------------------------------------------------- entropies


def _ratio(x: Node, y: Node) -> Node:
    """x / y, and 0 where both are 0: there the functions below are 0 for all y."""
    zero = constant(0, x)
    return linear.masked(logical_or(not_equal(x, zero), not_equal(y, zero)), over(x, y))


xlogy: Op = special(
    "xlogy",
    lambda z, x, y: log(y),
    lambda z, x, y: _ratio(x, y),
    label="{0} log {1}",
    domain=Box(((0.3, 2), (0.3, 2))),
    native=native.xlogy,
)
xlog1py: Op = special(
    "xlog1py",
    lambda z, x, y: log1p(y),
    lambda z, x, y: _ratio(x, plus(1, y)),
    label="{0} log(1 + {1})",
    domain=Box(((0.3, 2), (-0.5, 2))),
    native=native.xlog1py,
)
entr: Op = special(
    "entr",
    lambda y, x: minus(-1, log(x)),
    label="−{0} log {0}",
    domain=Box(((0.2, 2),), kinds="f"),
    native=native.entr,
)


def _log_ratio(x: Node, y: Node, more: float) -> Node:
    """log(x/y) + more, and 0 at x = y = 0: on the boundary that a pair of zeros stays on."""
    zero = constant(0, x)
    inside = logical_or(not_equal(x, zero), not_equal(y, zero))
    return linear.masked(inside, plus(log(over(x, y)), more) if more else log(over(x, y)))


rel_entr: Op = special(
    "rel_entr",
    lambda z, x, y: _log_ratio(x, y, 1),
    lambda z, x, y: negative(_ratio(x, y)),
    label="{0} log({0}/{1})",
    domain=Box(((0.2, 2), (0.2, 2)), kinds="f"),
    native=native.rel_entr,
)
kl_div: Op = special(
    "kl_div",
    lambda z, x, y: _log_ratio(x, y, 0),
    lambda z, x, y: linear.masked(not_equal(y, constant(0, y)), over(minus(y, x), y)),
    label="{0} log({0}/{1}) − {0} + {1}",
    domain=Box(((0.2, 2), (0.2, 2)), kinds="f"),
)
