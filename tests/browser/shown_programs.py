"""The programs whose pictures the tests look at."""

from __future__ import annotations

import numpy as np


def L(w1, w2):
    v1 = np.log(w1)
    v2 = w2 * v1
    return v2 + np.sqrt(v2)


def layer(W, b, x):
    h = np.tanh(W @ x + b)
    z = h * np.sum(h**2)
    return np.mean((z - 1) ** 2)


def recurrence(x, w):
    """2,002 steps: 400 rounds of five."""
    total = 0.0
    for k in range(400):
        x = np.sin(x) * w
        y = x + k
        total = total + y * y
    return total


def unkind(x):
    return np.sin(x)


unkind.__name__ = "</script><img src=x onerror=alert(1)>"


def helper(a):
    b = np.exp(-a)
    return b / (1 + b)


def looping(x, w):
    """Each round goes through another function and back."""
    for _ in range(60):
        y = np.sin(x) * w
        x = x + helper(y)
    return x


def squares(xs):
    return sum(x * x for x in xs)
