"""Logistic regression on data that no worker holds as a whole.

    L(w) = ½ ‖w‖² + Σ_s Σ_i ln(1 + exp(−yᵢ xᵢᵀ w))        over the rows i of each shard s

Value, gradient and Hessian products are sums over shards, so that each worker of a Dask cluster
computes its own, and one vector travels. L-BFGS needs gradients; Newton's method with conjugate
gradients needs products of the Hessian as well, and comes with fewer steps.

The data are made where they are needed: each shard is a Dask graph, which another worker computes
again if the one that holds it dies.

Topic: sums over shards, and second order without a Hessian.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize

from wengert import distributed

Array = NDArray[np.float64]
ROWS, COLUMNS, SHARDS = 2_000, 20, 8


def loss(w: Array, x: Array, y: Array) -> float:
    """The sum over the rows of one shard; logaddexp(0, z) = ln(1 + eᶻ) does not overflow."""
    return np.sum(np.logaddexp(0.0, -y * (x @ w)))


def shard(number: int) -> tuple[Array, Array]:
    """Data of a known law: labels are right with probability σ(xᵀ w*)."""
    rng = np.random.default_rng(number)
    truth = np.linspace(-1, 1, COLUMNS)
    x = rng.normal(size=(ROWS, COLUMNS))
    y = np.where(rng.uniform(size=ROWS) < 1 / (1 + np.exp(-x @ truth)), 1.0, -1.0)
    return x, y


def fitted(shards: Any, client: Any = None) -> dict[str, OptimizeResult]:
    """The minimum of L by two methods."""
    data = distributed.scatter(shards, client)
    sums = distributed.value_and_grad(loss, shards=data, client=client)
    product = distributed.hvp(loss, shards=data, client=client)

    def fun(w: Array) -> tuple[float, Array]:
        value, gradient = sums(w)
        return value + w @ w / 2, gradient + w

    start = np.zeros(COLUMNS)
    return {
        "L-BFGS": minimize(fun, start, jac=True, method="L-BFGS-B", tol=1e-12),
        "Newton-CG": minimize(
            fun,
            start,
            jac=True,
            hessp=lambda w, v: product(w, v) + v,
            method="Newton-CG",
            options={"xtol": 1e-10},
        ),
    }


def comparisons() -> dict[str, tuple[object, object]]:
    """What is computed, and what it must be: −Xᵀ(σ(−z) y) and Xᵀ diag(σ(z) σ(−z)) X v."""
    shards = [shard(k) for k in range(2)]
    x, y = (np.concatenate(parts) for parts in zip(*shards, strict=True))
    w, v = np.linspace(-0.5, 1, COLUMNS), np.cos(np.arange(COLUMNS))
    wrong = 1 / (1 + np.exp(y * (x @ w)))
    return {
        "gradient": (
            distributed.value_and_grad(loss, shards=shards)(w)[1],
            -x.T @ (wrong * y),
        ),
        "Hessian times v": (
            distributed.hvp(loss, shards=shards)(w, v),
            x.T @ (wrong * (1 - wrong) * (x @ v)),
        ),
    }


def main() -> None:
    import dask
    from distributed import Client, LocalCluster

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        parts = [dask.delayed(shard)(k) for k in range(SHARDS)]
        print(f"{SHARDS} shards of {ROWS} rows and {COLUMNS} columns on 2 workers")
        for name, result in fitted(parts, client).items():
            error = np.abs(result.x - np.linspace(-1, 1, COLUMNS)).max()
            print(
                f"{name:10} {result.nit:3} steps {result.nfev:4} gradients "
                f"{result.get('nhev', 0):4} Hessian products   L = {result.fun:.6f}   "
                f"largest error of w {error:.3f}"
            )


if __name__ == "__main__":
    main()
