"""Programs with loops and branches, each a function of a flow (see `law_flow`) and of arrays: a
matrix, a vector, and the rows that a loop runs over."""

from __future__ import annotations

from typing import Any

import numpy as np

import wengert as wg

_rng = np.random.default_rng(0)
MATRIX = _rng.uniform(-1, 1, (3, 3))
VECTOR = _rng.uniform(0.5, 1.5, 3)
ROWS = _rng.uniform(-1, 1, (5, 3))
BATCHES = (
    np.stack([MATRIX, MATRIX * 0.5, -MATRIX]),
    np.stack([VECTOR, VECTOR * 0.7, VECTOR + 0.1]),
    np.stack([ROWS, -ROWS, ROWS * 0.3]),
)

# ---------------------------------------------------------------------------------- scan


def plain(fl, a, x, rows):
    return fl.scan(lambda c, r: (np.tanh(a @ c + r), np.sin(c) * r), x, rows)


def backwards(fl, a, x, rows):
    return fl.scan(lambda c, r: (np.tanh(a @ c + r), np.sin(c) * r), x, rows, reverse=True)


def nested(fl, a, x, rows):
    def outer(c, r):
        inner, ys = fl.scan(lambda d, row: (np.sin(d * row) + r, d), c, a)
        return inner * np.exp(-(c**2)), np.sum(ys, 0)

    return fl.scan(outer, x, rows)


def by_length(fl, a, x, rows):
    return fl.scan(lambda c, _: (np.sin(a @ c), None), x, None, length=4)


def without_carry(fl, a, x, rows):
    return fl.scan(lambda _, r: (None, np.exp(a @ r)), None, rows)


def structures(fl, a, x, rows):
    def step(c, s):
        return {"u": c["u"] * np.sin(s["p"]), "n": c["n"] + 1}, (c["u"], [c["n"], s["q"]])

    return fl.scan(step, {"u": x, "n": 0}, {"p": rows, "q": np.arange(5)})


def counting(fl, a, x, rows):
    def step(c, r):
        return (c[0] * np.cos(c[1] * r), c[1] + 1), c[0]

    return fl.scan(step, (x, 0), rows)


def empty(fl, a, x, rows):
    return fl.scan(lambda c, r: (np.tanh(a @ c + r), None), x, rows[:0])


def once(fl, a, x, rows):
    return fl.scan(lambda c, r: (np.tanh(a @ c + r), c), x, rows[:1])


def in_place(fl, a, x, rows):
    def step(c, r):
        c[0] = np.sin(c[1]) * r[0]
        c[1:] *= r[1:]
        c += 0.1
        return c, c[::-1]

    return fl.scan(step, x * 1.0, rows)


def handed_round(fl, a, x, rows):
    def step(c, r):
        return (c[1], c[2], np.sin(x * r + c[0])), None

    return fl.scan(step, (x, np.zeros(3), np.zeros(3)), rows)


def constant_carry(fl, a, x, rows):
    return fl.scan(lambda c, r: ((c[0] * r, x * 1.0, c[2]), c[1]), (x, np.zeros(3), a), rows)


def flag(fl, a, x, rows):
    def step(c, r):
        return (np.where(c[1], c[0] * r, np.sin(c[0])), np.sum(r) > 0), c[0]

    return fl.scan(step, (x, True), rows)


def inner_gradient(fl, a, x, rows):
    def step(c, r):
        slope = wg.grad(lambda u: np.sum(np.sin(a @ u) * u))(c)
        return np.tanh(slope) * r, slope

    return fl.scan(step, x, rows)


def closed_scan(fl, a, x, rows):
    big = np.exp(a @ x)
    return fl.scan(lambda c, r: (np.tanh(c * big) + np.cos(r), np.sum(big)), x, rows)


# ------------------------------------------------------------------------- while and fori


def while_(fl, a, x, rows):
    return fl.while_loop(lambda c: np.sum(c**2) < 20, lambda c: c * 1.3 + np.sin(a @ c) ** 2, x)


def while_counting(fl, a, x, rows):
    return fl.while_loop(lambda s: s[0] < 4, lambda s: (s[0] + 1, np.sin(a @ s[1])), (0, x))


def while_closed(fl, a, x, rows):
    bound = np.sum(np.exp(x)) + 10
    return fl.while_loop(lambda c: np.sum(c**2) < bound, lambda c: c * 1.3 + x**2, rows[0])


def never(fl, a, x, rows):
    return fl.while_loop(lambda c: np.sum(c**2) < 0, lambda c: c * a[0], x)


def fori(fl, a, x, rows):
    return fl.fori_loop(1, 4, lambda i, c: np.tanh(a @ c) * i, x)


def fori_indexing(fl, a, x, rows):
    def step(i, state):
        c, seen = state
        r = wg.numpy.asarray(rows)[i] if fl is wg else rows[i]
        seen[i] = c * r
        return np.sin(c) * r, seen

    return fl.fori_loop(0, 4, step, (x, rows * 1.0))


# -------------------------------------------------------------------------------- branches


def cond(fl, a, x, rows):
    return fl.cond(x[0] > 0, lambda u: np.sin(a @ u), lambda u: u**2, x)


def cond_closed(fl, a, x, rows):
    big = np.exp(a @ x)
    return fl.cond(np.sum(x) > 100, lambda: big * 2, lambda: np.sin(big) * x)


def cond_of_kinds(fl, a, x, rows):
    return fl.cond(np.sum(x) > 0, lambda: (1.0, x, a), lambda: (x[0], np.zeros(3), a.T))


def cond_with_gradient(fl, a, x, rows):
    y = np.exp(x)
    return fl.cond(x[0] > 0, lambda: wg.grad(lambda z: np.sum(np.sin(a @ z)))(y), lambda: y)


def switch(fl, a, x, rows):
    def step(c, k):
        return fl.switch(k, [lambda u: np.sin(a @ u), lambda u: u**2, lambda u: u * x], c), c

    return fl.scan(step, x, np.array([0, 1, 2, 5, -1]))


# ---------------------------------------------------------------------- inside one another


def cond_in_scan(fl, a, x, rows):
    def step(c, r):
        return fl.cond(np.sum(c * r) > 0, lambda: np.sin(a @ c) * x, lambda: c**2 * r), c

    return fl.scan(step, x, rows)


def while_in_scan(fl, a, x, rows):
    def step(c, r):
        def grow(d):
            return 1.5 * d + 0.1 * r**2 + np.cos(a @ d) * 0.1

        return fl.while_loop(lambda d: np.sum(d**2) < 3, grow, np.tanh(c)), c

    return fl.scan(step, x, rows)


def scan_in_while(fl, a, x, rows):
    def body(c):
        last, _ = fl.scan(lambda d, r: (d + np.sin(d * r) ** 2 + 0.2, None), c[0], rows)
        return last, c[1] + 1

    return fl.while_loop(lambda c: np.sum(c[0]) < 10, body, (x, 0))


def while_in_while(fl, a, x, rows):
    def body(c):
        u, n = c

        def grow(d):
            return d * 1.3 + 0.1 * np.sin(a @ d) ** 2

        inner = fl.while_loop(lambda d: np.sum(d**2) < 4 + n, grow, np.tanh(u))
        return inner * np.sin(u) + 0.1, n + 1

    return fl.while_loop(lambda c: c[1] < 4, body, (x, 0))


def while_in_cond_in_scan(fl, a, x, rows):
    def step(c, r):
        def grow(e):
            return e * 1.4 + np.sin(a @ e) ** 2

        def yes(d):
            return fl.while_loop(lambda e: np.sum(e**2) < 4, grow, d)

        return fl.cond(np.sum(r) > 0, yes, lambda d: np.cos(d) * x, np.tanh(c)), np.sum(c)

    return fl.scan(step, x, rows)


def cond_in_scan_in_while(fl, a, x, rows):
    def body(c):
        def step(d, r):
            new = fl.cond(np.sum(r) > 0, lambda e: np.tanh(a @ e) + 1, lambda e: e * 1.2 + x, d)
            return new, np.sum(d)

        last, sums = fl.scan(step, c[0] * 0.1, rows)
        return last, c[1] + np.mean(sums)

    return fl.while_loop(lambda c: c[1] < 6, body, (x, 0.0))


def all_in_switch_in_while(fl, a, x, rows):
    def whiles(d):
        return fl.while_loop(lambda e: np.sum(e**2) < 4, lambda e: e * 1.4 + np.sin(a @ e) ** 2, d)

    def scans(d):
        return fl.scan(lambda e, r: (e * np.cos(r), None), d, rows)[0]

    def body(s):
        return fl.switch(s[1], [lambda d: np.sin(a @ d), whiles, scans], s[0]), s[1] + 1

    return fl.while_loop(lambda s: s[1] < 4, body, (x, 0))


# --------------------------------------------------------------------------- linear algebra


def factorised_once(fl, a, x, rows):
    """The factors of a matrix from outside are computed once, and handed on."""
    m = a + 3 * np.eye(3)
    return fl.scan(lambda c, r: (np.linalg.solve(m, c * r), c), np.linalg.solve(m, x), rows)


def factorised_at_each_step(fl, a, x, rows):
    def step(c, r):
        m = a + 3 * np.eye(3) + np.outer(r, c) * 0.1
        return np.linalg.solve(m, c) + r, np.linalg.det(m)

    return fl.scan(step, x, rows)


def factorised_in_a_branch(fl, a, x, rows):
    return fl.cond(x[0] > 0, lambda: np.linalg.solve(a + 3 * np.eye(3), x), lambda: x)


def factorised_in_while(fl, a, x, rows):
    m = a + 3 * np.eye(3)
    return fl.while_loop(lambda c: np.sum(c**2) > 0.01, lambda c: np.linalg.solve(m, c), x)


# ------------------------------------------------------------------------------ checkpoint


def checkpoints(fl, a, x, rows):
    """A chain of checkpoints, which read traced values from outside too."""
    layer = fl.checkpoint(lambda c, r: np.tanh(a @ c + r) * np.exp(-c * c))
    for r in rows:
        x = layer(x, r)
    return x


def checkpoint_in_checkpoint(fl, a, x, rows):
    inner = fl.checkpoint(lambda c, r: np.sin(a @ c) * r)

    def outer(c):
        for r in rows:
            c = inner(c, r) + x
        return {"c": c, "d": (c * x, 2.0)}

    return fl.checkpoint(outer)(x)


def checkpoint_in_scan(fl, a, x, rows):
    def step(c, r):
        new = fl.checkpoint(lambda d: np.sin(a @ np.exp(-d * d)) + r)(c)
        return new, np.where(new > 0, new, c * x)

    return fl.scan(step, x, rows)


def scan_in_checkpoint(fl, a, x, rows):
    def loop(c, rows):
        return fl.scan(lambda d, r: (np.tanh(a @ d + r), np.sin(d) * x), c, rows)

    c, ys = fl.checkpoint(loop)(x, rows)
    return fl.checkpoint(loop)(c, ys)


def scans_in_checkpoints_in_scan(fl, a, x, rows):
    def segment(c, rows):
        return fl.scan(lambda d, r: (np.tanh(a @ d + r), np.sin(d)), c, rows)

    return fl.scan(fl.checkpoint(segment), x, np.reshape(np.concatenate([rows, rows]), (5, 2, 3)))


def branches_in_checkpoint(fl, a, x, rows):
    def f(c, r):
        c = fl.cond(np.sum(c * r) > 0, lambda: np.sin(a @ c), lambda: c * r)
        return fl.while_loop(lambda d: np.sum(d * d) < 4, lambda d: 1.5 * d + r, c)

    return fl.scan(lambda c, r: (fl.checkpoint(f)(c, r), c), x, rows)


def checkpoint_in_branches(fl, a, x, rows):
    def f(c, r):
        yes = fl.checkpoint(lambda: np.sin(a @ c) + r)
        return fl.cond(np.sum(c * r) > 0, yes, fl.checkpoint(lambda: c * r))

    return fl.scan(lambda c, r: (f(c, r), c), x, rows)


def factorised_in_checkpoint(fl, a, x, rows):
    def f(m, c):
        return np.linalg.solve(m, np.sin(c)) * np.linalg.slogdet(m)[1]

    m = a + 3 * np.eye(3)
    return fl.checkpoint(f)(m, x) + np.linalg.solve(m, x)


# ------------------------------------------------------------------------------ map, prefixes


def mapped(fl, a, x, rows):
    return fl.map(lambda r: np.outer(np.sin(a @ r), x), rows)


def prefixes(fl, a, x, rows):
    if fl is not wg:
        return np.cumprod(rows * x, 1), np.cumsum(rows[::-1], 0)[::-1]
    products = wg.associative_scan(np.multiply, rows * x, axis=1)
    return products, wg.associative_scan(np.add, rows, reverse=True)


def affine_prefixes(fl, a, x, rows):
    """The states of a linear recurrence, as products of affine maps."""
    maps = np.stack([a * k + np.eye(3) for k in (1.0, 0.5, 0.2, -0.3, 0.7)])
    if fl is wg:

        def after(p: Any, q: Any) -> Any:
            return q[0] @ p[0], np.einsum("nij,nj->ni", q[0], p[1]) + q[1]

        return wg.associative_scan(after, (maps, rows * x))
    found = [(maps[0], rows[0] * x)]
    for k in range(1, 5):
        found.append((maps[k] @ found[-1][0], maps[k] @ found[-1][1] + rows[k] * x))
    return tuple(np.stack([part[k] for part in found]) for k in range(2))


PROGRAMS = {
    name: value
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == __name__
}
