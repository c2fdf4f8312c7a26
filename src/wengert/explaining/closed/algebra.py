"""Constructors of terms in normal form: products of all kinds.

    multiply   a chain: numbers go in front, inner products become numbers, diag(v) u is v ∘ u
    hadamard   elementwise products: powers of equal bases are merged; (u vᵀ) ∘ M is
               diag(u) M diag(v)
    power      x^p ; a power of a power only where it is the same number: √(x²) is |x|
    total      1ᵀ(u ∘ v) = uᵀ v, 1ᵀ(A ∘ B)1 = tr(Aᵀ B), in a form that depends on the product alone
    trace      cyclic, and the transpose of a trace is the trace

Products are not distributed over Sums, unless these hold a differential: differentials must come
to the end of chains of their own. Sources: Magnus & Neudecker, *Matrix Differential Calculus*;
Petersen & Pedersen, *The Matrix Cookbook*.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, starmap

from wengert.explaining.closed.facts import is_nonnegative
from wengert.explaining.closed.parts import (
    bases_of,
    between_diagonals,
    cyclic_orientation,
    inverted_run,
    oriented,
    outer,
    roots,
    turned_last,
    with_numbers,
)
from wengert.explaining.closed.sums import (
    Power,
    add,
    diag,
    gathered,
    is_transposed_sum,
    ones,
    parts_of,
    primitive,
    product,
    rational_power,
    scale,
    split,
    transpose,
)
from wengert.explaining.closed.terms import (
    ONE,
    SCALAR,
    Diag,
    Diagonal,
    Hadamard,
    Identity,
    Inner,
    Inverse,
    Ones,
    Product,
    Shape,
    Softmax,
    Sum,
    Symbol,
    Term,
    Trace,
    Transposed,
    Unit,
    is_zero,
    number,
    zero,
)

__all__ = [
    "chained",
    "diagonal",
    "hadamard",
    "inner",
    "multiply",
    "power",
    "scale",
    "times",
    "total",
    "total_of_powers",
    "trace",
    "transpose",
]


# ------------------------------------------------------------------ powers and elementwise products


def power(term: Term, exponent: Fraction | int) -> Term:
    """term^exponent: of a number, or of each element of an array."""
    exponent = Fraction(exponent)
    if exponent == 1:
        return term
    if exponent == 0:
        return ones(term.shape)
    if is_zero(term):
        if exponent < 0:
            raise ZeroDivisionError("a power of zero")
        return term
    if term.shape != SCALAR:
        return _elementwise_power(term, exponent)
    coefficient, scalars, _ = split(term)
    root = rational_power(coefficient, exponent)
    if exponent.denominator == 1:
        inside: list[Power] = [(base, p * exponent) for base, p in scalars]
        return product(SCALAR, root or ONE, gathered(inside), ())
    rest, inside = roots(scalars, exponent)
    if root is None or (rest and coefficient < 0):
        rest_term = product(SCALAR, coefficient, rest, ())
        root = ONE
    else:
        rest_term = product(SCALAR, ONE, rest, ())
    if rest_term != number(1):
        inside.append((rest_term, exponent))
    return product(SCALAR, root, gathered(inside), ())


def hadamard(a: Term, b: Term) -> Term:
    """The elementwise product of two terms of one shape, or a number times a term."""
    if a.shape == SCALAR or b.shape == SCALAR:
        return times(a, b)
    if a.shape != b.shape:
        raise ValueError(f"an elementwise product of shapes {a.shape} and {b.shape}")
    if is_zero(a) or is_zero(b):
        return zero(a.shape)
    if a.shape[0] == 1:
        return transpose(hadamard(transpose(a), transpose(b)))
    if a.moving and isinstance(a, Sum):
        return add(*[hadamard(part, b) for part in a.parts])
    if b.moving and isinstance(b, Sum):
        return add(*[hadamard(a, part) for part in b.parts])
    coefficient, scalars, bases = bases_of(a)
    other, more, others = bases_of(b)
    array = _of_powers(a.shape, [*bases, *others])
    return with_numbers(coefficient * other, [*scalars, *more], array)


def _elementwise_power(term: Term, exponent: Fraction) -> Term:
    if term.shape[0] == 1:
        return transpose(_elementwise_power(transpose(term), exponent))
    coefficient, scalars, bases = bases_of(term)
    front = power(product(SCALAR, coefficient, scalars, ()), exponent)
    if exponent.denominator == 1:
        raised = [(base, p * exponent) for base, p in bases]
        return times(front, _of_powers(term.shape, raised))
    if not is_nonnegative(product(SCALAR, coefficient, scalars, ())):
        return Hadamard(term.shape, ((term, exponent),))
    under, outside = roots(bases, exponent)
    if under:
        outside.append((_of_powers(term.shape, under), exponent))
    return times(front, _of_powers(term.shape, outside))


def _of_powers(shape: Shape, bases: Sequence[Power]) -> Term:
    """The array of elementwise powers."""
    left = right = None
    kept: list[Power] = []
    for base, p in bases:
        base, before, after = between_diagonals(base)
        if before is not None:  # M ∘ (diag(u) N) = diag(u) (M ∘ N)
            left = power(before, p) if left is None else hadamard(left, power(before, p))
        if after is not None:
            right = power(after, p) if right is None else hadamard(right, power(after, p))
        ends = outer(base)
        if ends is None:
            if not isinstance(base, Ones):
                kept.append((base, p))
            continue
        u, v = ends  # of a matrix u vᵀ
        left = power(u, p) if left is None else hadamard(left, power(u, p))
        right = power(v, p) if right is None else hadamard(right, power(v, p))
    powers = gathered(kept)
    if not powers and left is None and right is None:
        return ones(shape)
    if not powers:
        u = Ones((shape[0], 1)) if left is None else left
        v = Ones((shape[1], 1)) if right is None else right
        return multiply(u, transpose(v))
    array: Term = (
        powers[0][0] if len(powers) == 1 and powers[0][1] == 1 else Hadamard(shape, powers)
    )
    if left is not None and not isinstance(left, Ones):
        array = multiply(diag(left), array)
    if right is not None and not isinstance(right, Ones):
        array = multiply(array, diag(right))
    return array


def times(a: Term, b: Term) -> Term:
    """A number times a term."""
    if b.shape == SCALAR:
        a, b = b, a
    if is_zero(a) or is_zero(b):
        return zero(b.shape)
    if isinstance(a, Sum) and a.moving:
        return add(*[times(part, b) for part in a.parts])
    if isinstance(b, Sum) and (b.moving or not a.free):
        return add(*[times(a, part) for part in b.parts])
    common, a = primitive(a)
    if b.shape == SCALAR:
        other, b = primitive(b)
        common *= other
    coefficient, scalars, _ = split(a)
    return with_numbers(common * coefficient, scalars, b)


# ------------------------------------------------------------------------------------------- chains


def multiply(*terms: Term) -> Term:
    """The matrix product of terms, from left to right."""
    result = terms[0]
    for term in terms[1:]:
        result = _multiply(result, term)
    return result


def _multiply(a: Term, b: Term) -> Term:
    if a.shape == SCALAR or b.shape == SCALAR:
        return times(a, b)
    if a.shape[1] != b.shape[0]:
        raise ValueError(f"a product of shapes {a.shape} and {b.shape}")
    shape = (a.shape[0], b.shape[1])
    if is_zero(a) or is_zero(b):
        return zero(shape)
    if a.moving and (isinstance(a, Sum) or is_transposed_sum(a)):
        return add(*[_multiply(part, b) for part in parts_of(a)])
    if b.moving and (isinstance(b, Sum) or is_transposed_sum(b)):
        return add(*[_multiply(a, part) for part in parts_of(b)])
    coefficient, scalars, chain = split(a)
    other, more, rest = split(b)
    return chained(shape, coefficient * other, [*scalars, *more], [*chain, *rest])


def chained(
    shape: Shape,
    coefficient: Fraction,
    scalars: Sequence[Power],
    chain: Sequence[Term],
) -> Term:
    """A product whose chain is not in normal form yet."""
    if any(starmap(_is_mean_of_deviations, pairwise(chain))):
        return zero(shape)
    chain = _reduced(list(chain))
    for k, factor in enumerate(chain):
        common, chain[k] = primitive(factor)
        coefficient *= common
    front: Term | None = None
    start = None
    k = 0
    while k < len(chain):
        factor = chain[k]
        if factor.shape[0] == 1:
            start = k
        elif factor.shape[1] == 1 and start is not None:
            value = inner(chain[start : k + 1])
            front = value if front is None else times(front, value)
            del chain[start : k + 1]
            k, start = start - 1, None
        k += 1
    if not chain:
        rest = product(shape, coefficient, gathered(scalars), ())
        return rest if front is None else times(rest, front)
    array = _diagonals_applied(shape, chain)
    result = with_numbers(coefficient, scalars, array)
    return result if front is None else times(front, result)


def _is_mean_of_deviations(a: Term, b: Term) -> bool:
    """Whether a product is 1ᵀ(X − ⅟ₙ 1 1ᵀX) or its transpose, which is 0."""
    row, matrix = (transpose(b), transpose(a)) if isinstance(b, Ones) else (a, b)
    if not (isinstance(row, Transposed) and isinstance(row.of, Ones)):
        return False
    parts = parts_of(matrix)
    starts = [split(part)[2][:1] == (row.of,) for part in parts]
    if len(parts) < 2 or not any(starts) or all(starts):
        return False
    return is_zero(add(*[_multiply(row, part) for part in parts]))


def _reduced(chain: list[Term]) -> list[Term]:
    """A chain without identities and without factors that cancel; diagonals that meet are one."""
    if len(chain) > 1:
        without = [factor for factor in chain if not isinstance(factor, Identity)]
        chain = without or chain[:1]
    k = 0
    while k + 1 < len(chain):
        merged = _meeting(chain[k], chain[k + 1])
        if merged is None:
            k += 1
            continue
        chain[k : k + 2] = [] if isinstance(merged, Identity) and len(chain) > 2 else [merged]
        k = max(k - 1, 0)
    for k, factor in enumerate(chain):
        run = inverted_run(factor)
        for start in (k + 1, k - len(run)) if run else ():
            if start >= 0 and tuple(chain[start : start + len(run)]) == run:
                first, last = min(start, k), max(start + len(run), k + 1)
                return _reduced(chain[:first] + chain[last:]) or [Identity(factor.shape)]
    return chain


def _meeting(a: Term, b: Term) -> Term | None:
    """One factor for two that stand side by side, where there is one."""
    if isinstance(a, Diag) and isinstance(b, Diag):
        both = diag(hadamard(a.of, b.of))
        return both if isinstance(both, Diag | Identity) else None
    if a.shape[0] == a.shape[1] and a.shape == b.shape:
        if (isinstance(a, Inverse) and a.of == b) or (isinstance(b, Inverse) and b.of == a):
            return Identity(a.shape)
        if isinstance(a, Transposed) and isinstance(b, Transposed):
            met = _meeting(b.of, a.of)
            if met is not None:
                return transpose(met)
        for first, second in ((a, b), (b, a)):
            if isinstance(first, Symbol):
                if "orthogonal" in first.facts and second == transpose(first):
                    return Identity(a.shape)
                if "idempotent" in first.facts and second == first:
                    return first
    return None


def _diagonals_applied(shape: Shape, chain: list[Term]) -> Term:
    """diag(v) u is v ∘ u, where a chain ends in a column; likewise where it begins with a row."""
    if chain[-1].shape[1] == 1 and len(chain) > 1:
        for k in range(len(chain) - 2, -1, -1):
            factor = chain[k]
            if isinstance(factor, Diag):
                tail = product((factor.shape[0], 1), ONE, (), chain[k + 1 :])
                tail = hadamard(factor.of, tail)
                if k == 0:
                    return tail
                return multiply(product((shape[0], factor.shape[0]), ONE, (), chain[:k]), tail)
    elif chain[0].shape[0] == 1 and len(chain) > 1 and any(isinstance(f, Diag) for f in chain):
        return transpose(_diagonals_applied(shape[::-1], [transpose(f) for f in reversed(chain)]))
    return product(shape, ONE, (), chain)


# ----------------------------------------------------------------- inner products, sums of elements


def inner(chain: Sequence[Term]) -> Term:
    """The number of a chain from a row to a column."""
    chain = list(chain)
    if any(isinstance(factor, Diag) for factor in chain):
        array = _diagonals_applied((chain[1].shape[0], 1), chain[1:])
        return _multiply(chain[0], array)
    left, right = transpose(chain[0]), chain[-1]
    if len(chain) == 2:
        return total_of_powers(left, right)
    if isinstance(left, Ones) and isinstance(right, Ones) and len(chain) == 3:
        matrix = chain[1]
        if isinstance(matrix, Hadamard):
            return total(matrix)
    return oriented(chain)


def total_of_powers(left: Term, right: Term) -> Term:
    """leftᵀ right of two columns, in a form that depends on left ∘ right alone."""
    both = hadamard(left, right)
    if is_zero(both):
        return both
    coefficient, scalars, bases = bases_of(both)
    return times(product(SCALAR, coefficient, gathered(scalars), ()), _total(both.shape, bases))


def _total(shape: Shape, bases: list[Power]) -> Term:
    """1ᵀ (u^∘p ∘ v^∘q ∘ …) of columns."""
    moving = [base for base, p in bases if base.moving and p == 1]
    if moving:
        right = moving[-1]
        left = _of_powers(shape, [pair for pair in bases if pair[0] is not right])
        return _paired(left, right)
    if len(bases) == 1:
        base, p = bases[0]
        if p == 1:
            return _plain_total(base)
        if p == 2:
            return _paired(base, base)
        return Inner(SCALAR, (transpose(Ones(shape)), Hadamard(shape, ((base, p),))))
    if all(p == 2 for _, p in bases):
        half = Hadamard(shape, tuple((base, ONE) for base, _ in bases))
        return _paired(half, half)
    lefts = [k for k, (_, p) in enumerate(bases) if p == 1] or [0]
    chosen = lefts[0]
    left = _of_powers(shape, [bases[chosen]])
    return _paired(left, _of_powers(shape, bases[:chosen] + bases[chosen + 1 :]))


def _plain_total(base: Term) -> Term:
    """1ᵀ u."""
    match base:
        case Ones():
            return number(base.shape[0])
        case Unit() | Softmax():
            if base.shape[1] == 1:
                return number(1)
        case Sum(parts=parts):
            return add(*[total(part) for part in parts])
        case Diagonal(of=of):
            return trace(of)
    return _paired(Ones(base.shape), base)


def _paired(left: Term, right: Term) -> Term:
    """leftᵀ right of two columns without further thought."""
    if isinstance(left, Unit) and isinstance(right, Unit):
        return number(1) if left == right else zero(SCALAR)
    first = split(transpose(left))[2]
    second = split(right)[2]
    chain = _reduced([*first, *second])
    if any(factor.shape == SCALAR for factor in chain):
        raise AssertionError("a number in a chain")
    return oriented(chain)


def total(term: Term) -> Term:
    """The sum of all elements."""
    if term.shape == SCALAR or is_zero(term):
        return term if term.shape == SCALAR else zero(SCALAR)
    if term.shape[0] == 1:
        return total(transpose(term))
    if isinstance(term, Sum):
        return add(*[total(part) for part in term.parts])
    if term.shape[1] == 1:
        return total_of_powers(Ones(term.shape), term)
    coefficient, scalars, bases = bases_of(term)
    front = product(SCALAR, coefficient, gathered(scalars), ())
    return times(front, _total_of_matrix(term.shape, bases))


def _total_of_matrix(shape: Shape, bases: list[Power]) -> Term:
    """1ᵀ (A^∘p ∘ B^∘q ∘ …) 1 = tr(Aᵀ B) for two matrices."""
    moving = [pair for pair in bases if pair[0].moving]
    if len(bases) == 1 and bases[0][1] == 2:
        return trace(multiply(transpose(bases[0][0]), bases[0][0]))
    if len(bases) == 1:
        (base, p) = bases[0]
        left, right = transpose(Ones((shape[0], 1))), Ones((shape[1], 1))
        if p == 1:
            if isinstance(base, Diag):
                return total(base.of)
            if isinstance(base, Identity):
                return number(shape[0])
            if isinstance(base, Sum):
                return total(base)
            return multiply(left, base, right)
        return Inner(SCALAR, (left, Hadamard(shape, ((base, p),)), right))
    if all(p == 2 for _, p in bases):
        half = Hadamard(shape, tuple((base, ONE) for base, _ in bases))
        return trace(multiply(transpose(half), half))
    chosen = moving[0] if moving else bases[0]
    rest = _of_powers(shape, [pair for pair in bases if pair is not chosen])
    return trace(multiply(transpose(rest), _of_powers(shape, [chosen])))


# ----------------------------------------------------------------------------- traces and diagonals


def trace(term: Term) -> Term:
    """The sum of the diagonal."""
    if term.shape == SCALAR:
        return term
    if is_zero(term):
        return zero(SCALAR)
    if len(parts_of(term)) > 1:
        return add(*[trace(part) for part in parts_of(term)])
    coefficient, scalars, chain = split(term)
    return times(product(SCALAR, coefficient, gathered(scalars), ()), _trace(chain))


def _trace(chain: tuple[Term, ...]) -> Term:
    for k, factor in enumerate(chain):
        if factor.shape[0] == 1:
            rotated = chain[k:] + chain[:k]
            return chained(SCALAR, ONE, (), rotated)
        if isinstance(factor, Diag) and len(chain) > 1:
            rest = product(factor.shape, ONE, (), chain[k + 1 :] + chain[:k])
            return _multiply(transpose(factor.of), diagonal(rest))
    if len(chain) == 1:
        (only,) = chain
        if isinstance(only, Identity):
            return number(only.shape[0])
        if isinstance(only, Diag):
            return total(only.of)
        if isinstance(only, Transposed):
            return trace(only.of)
        return Trace(SCALAR, chain)
    reduced = _reduced(list(chain))
    if len(reduced) > 1:
        ends = _meeting(reduced[-1], reduced[0])
        if ends is not None:
            return trace(chained(ends.shape, ONE, (), [ends, *reduced[1:-1]]))
    if len(reduced) < len(chain):
        return _trace(tuple(reduced))
    rotations = [chain[k:] + chain[:k] for k in range(len(chain))]
    rotations += [tuple(transpose(factor) for factor in reversed(r)) for r in rotations]
    return Trace(SCALAR, min(rotations, key=cyclic_orientation))


def diagonal(term: Term) -> Term:
    """The diagonal of a matrix, as a column."""
    shape = (min(term.shape), 1)
    if is_zero(term):
        return zero(shape)
    if len(parts_of(term)) > 1:
        return add(*map(diagonal, parts_of(term)))
    coefficient, scalars, chain = split(term)
    matrix = product(term.shape, ONE, (), chain)
    ends = outer(matrix)
    if ends is not None and term.shape[0] == term.shape[1]:
        column = hadamard(*ends)
    elif isinstance(matrix, Diag):
        column = matrix.of
    elif isinstance(matrix, Identity):
        column = Ones(shape)
    elif isinstance(matrix, Transposed):
        column = diagonal(matrix.of)
    elif isinstance(matrix, Product) and any(isinstance(f, Diag) for f in chain):
        column = _diagonal_around(chain)
    else:
        column = Diagonal(shape, min(matrix, transpose(matrix), key=turned_last))
    return times(product(SCALAR, coefficient, scalars, ()), column)


def _diagonal_around(chain: tuple[Term, ...]) -> Term:
    """The diagonal of P diag(v) N is (P ∘ Nᵀ) v."""
    k = next(
        (k for k, f in enumerate(chain) if isinstance(f, Diag) and f.moving),
        next(k for k, f in enumerate(chain) if isinstance(f, Diag)),
    )
    middle = chain[k]
    assert isinstance(middle, Diag)
    if k == 0:
        return hadamard(middle.of, diagonal(multiply(*chain[1:])))
    if k == len(chain) - 1:
        return hadamard(diagonal(multiply(*chain[:-1])), middle.of)
    return multiply(hadamard(multiply(*chain[:k]), transpose(multiply(*chain[k + 1 :]))), middle.of)
