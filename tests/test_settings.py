"""Settings of the process: with and without machine code."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import wengert as wg
from wengert.compiler import pipeline


@pytest.fixture
def compiled(monkeypatch):
    """The sizes of the programs that are compiled; afterwards, machine code is on."""
    found = []
    own = pipeline.object_code

    def object_code(text, passes=()):
        found.append(len(text))
        return own(text)

    monkeypatch.setattr(pipeline, "object_code", object_code)
    yield found
    wg.set_native(True)


def norm(x):
    return np.sum(x * np.tanh(x))


def test_nothing_is_compiled_while_machine_code_is_off(compiled):
    x = np.linspace(0.0, 1.0, 7)
    wg.set_native(False)
    plain, derivative = wg.jit(norm), wg.grad(norm)
    without = [(plain(x), derivative(x)) for _ in range(3)]
    assert compiled == []
    wg.set_native(True)
    native = wg.jit(norm)
    with_machine_code = [(native(x), derivative(x)) for _ in range(3)]
    assert compiled
    for (a, da), (b, db) in zip(without, with_machine_code, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-15)
        np.testing.assert_allclose(da, db, rtol=1e-14)


def test_calls_that_were_seen_keep_their_machine_code():
    try:
        f = wg.jit(np.log)
        assert f(0.0) == -np.inf
        wg.set_native(False)
        with np.errstate(all="raise"):
            assert f(0.0) == -np.inf
            with pytest.raises(FloatingPointError):
                f(np.zeros(3))
    finally:
        wg.set_native(True)


@pytest.mark.parametrize(
    "value, on",
    [(None, True), ("", True), ("on", True), ("off", False), ("0", False), (" OFF ", False)],
)
def test_the_environment_says_how_it_begins(value, on):
    env = {key: own for key, own in os.environ.items() if key != "WENGERT_NATIVE"}
    if value is not None:
        env["WENGERT_NATIVE"] = value
    text = "from wengert import settings; print(settings.native)"
    found = subprocess.run(
        [sys.executable, "-c", text], env=env, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == str(on)
