"""Derivatives of functions that are sums over shards of data, on the workers of a Dask cluster.

    f(params) = Σ_s f(params, shard_s)        value, gradient and Hessian products are sums as well

The function travels to each worker once, by cloudpickle, and is traced and compiled there; machine
code never travels. The shards' results are added along a fixed tree, so that the sum is the same,
bit for bit, whichever worker did what, and the same as in this process alone (`client=None`) on a
processor of the same kind.

    shards.py      what shards may be, and where they lie
    trees.py       the fixed tree
    workers.py     what a worker keeps and runs
    calls.py       one call on all shards: here, or on a cluster; progress; shards that were lost
    functions.py   value_and_grad, hvp, jacobian, hessian_operator

On a cluster it needs Dask, `pip install 'wengert[distributed]'`; without a client it does not.
"""

from wengert.distributed.calls import ShardLostError
from wengert.distributed.functions import hessian_operator, hvp, jacobian, value_and_grad
from wengert.distributed.shards import Shards, scatter

__all__ = [
    "ShardLostError",
    "Shards",
    "hessian_operator",
    "hvp",
    "jacobian",
    "scatter",
    "value_and_grad",
]
