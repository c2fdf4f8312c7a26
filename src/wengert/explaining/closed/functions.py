"""Elementwise functions: their derivatives, and what is recognised when one is applied.

    log(1 + e^u) = softplus(u)      1/(1 + e^{-u}) = σ(u)       log Σ e^{u+c} = c + log Σ e^u
    e^u / Σ e^u = softmax(u)        e^u / (1 + e^u) = σ(u)      softmax(u + c) = softmax(u)

The last two of a row hold for any number c: with and without the shift by the maximum the terms are
the same. Sources: DLMF 4; Minka 2000, *Old and New Matrix Algebra Useful for Statistics*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from wengert.explaining.closed.algebra import (
    hadamard,
    multiply,
    power,
    times,
)
from wengert.explaining.closed.matrices import (
    log_determinant,
)
from wengert.explaining.closed.sums import (
    absolute,
    add,
    is_negative,
    negative,
    ones,
    parts_of,
    product,
    scale,
    split,
    subtract,
    transpose,
)
from wengert.explaining.closed.terms import (
    ONE,
    SCALAR,
    Apply,
    Det,
    Hadamard,
    Inner,
    LogSumExp,
    Ones,
    Product,
    Softmax,
    Sum,
    Symbol,
    Term,
    Transposed,
    is_zero,
    number,
    zero,
)


@dataclass(frozen=True, slots=True)
class Function:
    """An elementwise function.

    derivative: f′ as a term of the argument.
    parity: "odd" or "even" where it is.
    at_zero: its value at 0, where it is rational.
    """

    derivative: Callable[[Term], Term]
    parity: str | None = None
    at_zero: int | None = None


def apply(function: str, u: Term) -> Term:
    """An elementwise function of a term, with what is recognised."""
    record = FUNCTIONS[function]
    if is_zero(u) and record.at_zero is not None:
        return scale(record.at_zero, ones(u.shape))
    if isinstance(u, Transposed):
        return transpose(apply(function, u.of))
    if u.shape != SCALAR and u.shape[0] == 1:
        return transpose(apply(function, transpose(u)))
    recognise = RECOGNISED.get(function)
    found = None if recognise is None else recognise(u)
    if found is not None:
        return found
    if record.parity and is_negative(u):
        turned = apply(function, negative(u))
        return negative(turned) if record.parity == "odd" else turned
    return Apply(u.shape, function, u)


def derivative(function: str, u: Term) -> Term:
    """f′(u), of the shape of u."""
    return FUNCTIONS[function].derivative(u)


# ---------------------------------------------------------------------------------- recognising


def _one_and_exponential(u: Term) -> Term | None:
    """v where u is 1 + e^v."""
    if not isinstance(u, Sum) or len(u.parts) != 2:
        return None
    for one, other in (u.parts, u.parts[::-1]):
        if one == ones(u.shape) and isinstance(other, Apply) and other.function == "exp":
            return other.of
    return None


def _logarithm(u: Term) -> Term | None:
    """What a logarithm is written as; None where it stays one."""
    exponent = _one_and_exponential(u)
    if exponent is not None:
        return apply("softplus", exponent)
    if isinstance(u, Apply) and u.function == "exp":
        return u.of
    inside = u.of if isinstance(u, Apply) and u.function == "abs" else u
    if isinstance(inside, Det):
        return log_determinant(inside.of)
    if isinstance(u, Apply) and u.function == "sigmoid":
        return negative(apply("softplus", negative(u.of)))
    complement = subtract(ones(u.shape), u) if isinstance(u, Sum) else u
    if isinstance(complement, Apply) and complement.function == "sigmoid":  # log(1 − σ(v))
        return negative(apply("softplus", complement.of))
    if isinstance(u, Inner) and len(u.factors) == 2:
        row, column = transpose(u.factors[0]), u.factors[1]
        for one, other in ((row, column), (column, row)):
            if isinstance(one, Ones) and isinstance(other, Apply) and other.function == "exp":
                return log_sum_exp(other.of)
    return _logarithm_of_powers(u)


def _logarithm_of_powers(u: Term) -> Term | None:
    """log 1 = 0, log √u = ½ log u, log softmax(u) = u − log Σ e^u."""
    if u == ones(u.shape):
        return zero(u.shape)
    if u.shape == SCALAR:
        coefficient, powers, _ = split(u)
    else:
        coefficient, scalars, chain = split(u)
        array = product(u.shape, ONE, (), chain)
        powers = array.powers if isinstance(array, Hadamard) else ((array, ONE),)
        if scalars:
            return None
    if coefficient != 1 or len(powers) != 1:
        return None
    ((base, p),) = powers
    if isinstance(base, Softmax):
        return scale(p, log_softmax(base.of))
    return scale(p, apply("log", base)) if p.denominator != 1 else None


def _exponential(u: Term) -> Term | None:
    if isinstance(u, Apply) and u.function == "log":
        return u.of
    if isinstance(u, LogSumExp) and u.shape == SCALAR:
        return multiply(transpose(Ones(u.of.shape)), apply("exp", u.of))
    return None


def _modulus(u: Term) -> Term | None:
    """|c s u| = |c| |s| |u|; |u| = u where u ≥ 0."""
    coefficient, scalars, chain = (ONE, (), ()) if isinstance(u, Sum) else split(u)
    if isinstance(u, Sum) or (coefficient == 1 and not (scalars and chain)):
        bounded = absolute(u)
        if isinstance(u, Symbol) and "signs" in u.facts:
            return ones(u.shape)
        return None if bounded != u else u
    front = scale(abs(coefficient), number(1))
    if scalars and chain:
        inside = apply("abs", product(SCALAR, ONE, scalars, ()))
        return times(times(front, inside), apply("abs", product(u.shape, ONE, (), chain)))
    return times(front, apply("abs", product(u.shape, ONE, scalars, chain)))


def _shift(u: Term) -> tuple[Term, Term] | None:
    """(v, c) where the column u is v + c 1."""
    one = ones(u.shape)
    chain_of_ones = split(one)[2]
    shifts, rest = [], []
    for part in parts_of(u):
        coefficient, scalars, chain = split(part)
        if chain == chain_of_ones:
            shifts.append(product(SCALAR, coefficient, scalars, ()))
        else:
            rest.append(part)
    if not shifts or not rest:
        return None
    return add(*rest), add(*shifts)


def _shift_of_rows(u: Term) -> tuple[Term, Term] | None:
    """(v, c) where the matrix u is v + c 1ᵀ: each row is shifted by a number of its own."""
    shifts, rest = [], []
    for part in parts_of(u):
        coefficient, scalars, chain = split(part)
        if len(chain) > 1 and chain[-1] == transpose(Ones((u.shape[1], 1))):
            shifts.append(product((u.shape[0], 1), coefficient, scalars, chain[:-1]))
        else:
            rest.append(part)
    if not shifts or not rest:
        return None
    return add(*rest), add(*shifts)


def log_sum_exp(u: Term) -> Term:
    """log Σ e^u of a column; of each row of a matrix, a column."""
    if u.shape == SCALAR:
        return u
    found = _shift(u) if u.shape[1] == 1 else _shift_of_rows(u)
    if found is not None:
        return add(log_sum_exp(found[0]), found[1])
    return LogSumExp(SCALAR if u.shape[1] == 1 else (u.shape[0], 1), u)


def softmax(u: Term) -> Term:
    """e^u / Σ e^u of a column; of each row of a matrix."""
    if u.shape == SCALAR:
        return number(1)
    found = _shift(u) if u.shape[1] == 1 else _shift_of_rows(u)
    return softmax(found[0]) if found is not None else Softmax(u.shape, u)


def log_softmax(u: Term) -> Term:
    """u − log Σ e^u, of a column or of each row of a matrix."""
    total = log_sum_exp(u)
    if u.shape[1] == 1:
        return subtract(u, times(total, ones(u.shape)))
    return subtract(u, multiply(total, ones((1, u.shape[1]))))


def quotient(a: Term, b: Term) -> Term:
    """a / b: elementwise, or by a number; σ and softmax are recognised in it."""
    if b.shape == SCALAR and a.shape != SCALAR:
        found = _softmax_quotient(a, b)
        return found if found is not None else times(power(b, -1), a)
    exponent = _one_and_exponential(b)
    if exponent is not None:
        if a == ones(a.shape):
            return apply("sigmoid", negative(exponent))
        coefficient, scalars, chain = split(a) if not is_zero(a) else (ONE, (), ())
        top = apply("exp", exponent)
        if a == top:
            return apply("sigmoid", exponent)
        if chain and not scalars and product(a.shape, ONE, (), chain) == top:
            return scale(coefficient, apply("sigmoid", exponent))
        return hadamard(a, apply("sigmoid", negative(exponent)))
    return hadamard(a, power(b, -1))


def _softmax_quotient(a: Term, b: Term) -> Term | None:
    if not (isinstance(a, Apply) and a.function == "exp" and a.shape[1] == 1):
        return None
    return softmax(a.of) if b == multiply(transpose(Ones(a.shape)), a) else None


# ------------------------------------------------------------------------------- derivatives


def _unsigned(u: Term) -> Term:
    return negative(u) if is_negative(u) else _without_signs(u)


def _without_signs(u: Term) -> Term:
    """u without factors that are signs: an even function does not see them."""
    if isinstance(u, Product):
        scalars = [s for s in u.scalars if not _is_sign(s[0])]
        chain = u.factors
        return product(u.shape, u.coefficient, scalars, chain) if u.scalars else u
    if isinstance(u, Hadamard):
        kept = tuple(pair for pair in u.powers if not _is_sign(pair[0]))
        if kept and len(kept) < len(u.powers):
            single = len(kept) == 1 and kept[0][1] == 1
            return kept[0][0] if single else Hadamard(u.shape, kept)
    return u


def _is_sign(base: Term) -> bool:
    return isinstance(base, Symbol) and "signs" in base.facts


def _bell(u: Term) -> Term:
    """σ(u)(1 − σ(u)), which is even in u."""
    inside = _without_signs(_unsigned(u))
    s = apply("sigmoid", inside)
    return hadamard(s, subtract(ones(u.shape), s))


def _power_of(exponent: Fraction | int, inside: Callable[[Term], Term]) -> Callable[[Term], Term]:
    return lambda u: power(inside(u), exponent)


def _one_minus_square(u: Term) -> Term:
    return subtract(ones(u.shape), power(u, 2))


def _one_plus_square(u: Term) -> Term:
    return add(ones(u.shape), power(u, 2))


def _square_minus_one(u: Term) -> Term:
    return subtract(power(u, 2), ones(u.shape))


def _same(name: str) -> Callable[[Term], Term]:
    return lambda u: apply(name, u)


_HALF = Fraction(1, 2)

FUNCTIONS: dict[str, Function] = {
    "exp": Function(_same("exp"), at_zero=1),
    "log": Function(_power_of(-1, lambda u: u)),
    "sin": Function(_same("cos"), "odd", 0),
    "cos": Function(lambda u: negative(apply("sin", u)), "even", 1),
    "tan": Function(lambda u: add(ones(u.shape), power(apply("tan", u), 2)), "odd", 0),
    "sinh": Function(_same("cosh"), "odd", 0),
    "cosh": Function(_same("sinh"), "even", 1),
    "tanh": Function(lambda u: _one_minus_square(apply("tanh", u)), "odd", 0),
    "arcsin": Function(_power_of(-_HALF, _one_minus_square), "odd", 0),
    "arccos": Function(lambda u: negative(power(_one_minus_square(u), -_HALF))),
    "arctan": Function(_power_of(-1, _one_plus_square), "odd", 0),
    "arcsinh": Function(_power_of(-_HALF, _one_plus_square), "odd", 0),
    "arccosh": Function(_power_of(-_HALF, _square_minus_one)),
    "arctanh": Function(_power_of(-1, _one_minus_square), "odd", 0),
    "sigmoid": Function(_bell),
    "softplus": Function(_same("sigmoid")),
    "abs": Function(_same("sign"), "even", 0),
    "sign": Function(lambda u: zero(u.shape), "odd", 0),
    "relu": Function(_same("step")),
    "step": Function(lambda u: zero(u.shape)),
    "positive": Function(lambda u: zero(u.shape)),
    "nonnegative": Function(lambda u: zero(u.shape)),
    "erf": Function(
        lambda u: times(
            times(number(2), power(Symbol(SCALAR, "π"), -_HALF)),
            apply("exp", negative(power(u, 2))),
        ),
        "odd",
        0,
    ),
}
"""Every elementwise function of terms. σ = sigmoid; relu is max(u, 0), and step its slope, which is
½ at 0; positive is [u > 0] and nonnegative [u ≥ 0]."""

RECOGNISED: dict[str, Callable[[Term], Term | None]] = {
    "log": _logarithm,
    "exp": _exponential,
    "abs": _modulus,
}
"""What a function of a term is rewritten to before anything is differentiated."""
