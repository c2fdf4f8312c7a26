"""SciPy's special functions: one record each, by subject. Importing this package registers them."""

from wengert.ops.special import bessel, error, gamma, incomplete, logistic

__all__ = ["bessel", "error", "gamma", "incomplete", "logistic"]
