"""Loops and branches: values and derivatives as those of the same programs written in Python."""

from __future__ import annotations

import numpy as np
import optree
import pytest
from flow_programs import BATCHES, MATRIX, PROGRAMS, ROWS, VECTOR
from law_flow import Unrolled, alike, check_program, check_vmap, floats, scalar

import wengert as wg
from support import interpreted
from wengert.graph.text import parse, show
from wengert.graph.types import array_type
from wengert.graph.verify import verify
from wengert.ops.leaves import seed
from wengert.tracing.session import outermost
from wengert.tracing.tracer import Tracer
from wengert.transforms.batch import batch
from wengert.transforms.pushforward import pushforward
from wengert.transforms.transpose import transpose

each = pytest.mark.parametrize("name", PROGRAMS)


@each
def test_a_program_is_what_it_is_unrolled(name):
    with interpreted():
        check_program(PROGRAMS[name], MATRIX, VECTOR, ROWS, order=2, jit=False)


@pytest.mark.long
@each
def test_a_program_is_what_it_is_unrolled_to_third_order_and_as_machine_code(name):
    check_program(PROGRAMS[name], MATRIX, VECTOR, ROWS, order=3)


@pytest.mark.long
@each
def test_a_program_under_vmap_is_each_instance(name):
    check_vmap(PROGRAMS[name], *BATCHES, order=2)


@pytest.mark.parametrize("name", ["plain", "while_", "cond_in_scan", "while_in_cond_in_scan"])
def test_some_programs_under_vmap(name):
    with interpreted():
        check_vmap(PROGRAMS[name], *BATCHES, both=name != "while_in_cond_in_scan")


@each
def test_graphs_are_valid_and_read_back(name):
    with outermost() as session:
        arrays = (MATRIX, VECTOR, ROWS)
        inputs = [session.input(a, array_type(a.shape, a.dtype)) for a in arrays]
        output = scalar(wg, PROGRAMS[name])(*(Tracer(node, session) for node in inputs)).node
        seeds = [seed(node) for node in inputs]
        (tangent,) = pushforward([output], dict(zip(inputs, seeds, strict=True)))
        pulled = [p for p in transpose([tangent], seeds, [seed(output)]) if p is not None]
        lanes = {inputs[1]: session.input(BATCHES[1], array_type((3, 3), VECTOR.dtype))}
        wide = batch([output], lanes, 3)
        for nodes in ([output], [tangent], pulled, wide):
            verify(nodes)
            text = show(nodes)
            assert parse(text) == list(nodes)
            assert show(parse(text)) == text


@pytest.mark.parametrize("name", ["plain", "while_in_scan", "cond_in_scan", "while_in_while"])
def test_linear_maps_of_programs(name):
    """linearize, vjp and linear_transpose hold the values that a loop left."""
    f, g = scalar(wg, PROGRAMS[name]), scalar(Unrolled, PROGRAMS[name])
    rng = np.random.default_rng(3)
    t = rng.uniform(-1, 1, 3)
    push = wg.linearize(lambda x: f(MATRIX, x, ROWS), VECTOR)[1]
    expected = wg.jvp(lambda x: g(MATRIX, x, ROWS), (VECTOR,), (t,))[1]
    for _ in range(2):
        alike(push(t), expected, 1e-12, "linearize")
    pull = wg.vjp(lambda x: f(MATRIX, x, ROWS), VECTOR)[1]
    slope = wg.grad(lambda x: g(MATRIX, x, ROWS))(VECTOR)
    for _ in range(2):
        alike(pull(2.0)[0], 2 * slope, 1e-12, "vjp")
    back = wg.linear_transpose(lambda u: push(u), VECTOR)
    alike(back(1.0)[0], slope, 1e-12, "the transpose of the pushforward")


@pytest.mark.parametrize("name", ["plain", "while_", "cond_in_scan"])
def test_jacobians_in_both_modes(name):
    def vector(flow):
        def f(x):
            leaves = optree.tree_leaves(PROGRAMS[name](flow, MATRIX, x, ROWS))
            return np.concatenate([np.reshape(leaf, -1) for leaf in leaves])

        return f

    expected = wg.jacrev(vector(Unrolled))(VECTOR)
    for jacobian in (wg.jacfwd, wg.jacrev, wg.jacobian, wg.jit(wg.jacrev(vector(wg)))):
        if isinstance(jacobian, type(wg.jit(np.sin))):
            alike(jacobian(VECTOR), expected, 1e-12, "jit of jacrev")
        else:
            alike(jacobian(vector(wg))(VECTOR), expected, 1e-12, str(jacobian))
    f, g = scalar(wg, PROGRAMS[name]), scalar(Unrolled, PROGRAMS[name])
    ours = wg.hessian(lambda x: f(MATRIX, x, ROWS))(VECTOR)
    alike(ours, wg.hessian(lambda x: g(MATRIX, x, ROWS))(VECTOR), 1e-11, "hessian")


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.complex128])
@pytest.mark.parametrize("name", ["plain", "while_", "fori", "cond_in_scan", "structures"])
def test_other_dtypes(name, dtype):
    def program(fl, a, x, rows):
        sums = (lambda v: np.sum(v.real)) if np.dtype(dtype).kind == "c" else np.sum
        if name == "while_":
            return fl.while_loop(
                lambda c: sums(c * np.conj(c)) < 20, lambda c: c * 1.3 + np.sin(a @ c) ** 2, x
            )
        if name == "cond_in_scan":

            def step(c, r):
                return fl.cond(sums(c * r) > 0, lambda: np.sin(a @ c) * x, lambda: c**2 * r), c

            return fl.scan(step, x, rows)
        return PROGRAMS[name](fl, a, x, rows)

    turn = np.exp(0.3j) if np.dtype(dtype).kind == "c" else 1.0
    args = [(part * turn).astype(dtype) for part in (MATRIX, VECTOR, ROWS)]
    rtol = 1e-12 if dtype == np.complex128 else 3e-5
    with interpreted():
        check_program(program, *args, order=2, rtol=rtol, jit=False)


def test_arguments_that_are_integers_have_no_derivative():
    assert floats((MATRIX, 3)) == (0,)

    def f(n, x):
        return wg.fori_loop(0, n, lambda i, c: c * x + i, x)

    expected = f(np.int64(3), 2.0)
    assert expected == ((2.0 * 2) * 2 + 1) * 2 + 2
    assert wg.jit(f)(3, 2.0) == expected
    assert wg.grad(wg.jit(f), argnums=1)(3, 2.0) == 4 * 2.0**3 + 1
    np.testing.assert_array_equal(
        wg.vmap(f, (0, None))(np.array([0, 3, 1]), 2.0), [2.0, expected, 4.0]
    )
