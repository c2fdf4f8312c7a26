"""Automatic differentiation for people who write NumPy."""
