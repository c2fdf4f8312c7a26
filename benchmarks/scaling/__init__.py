"""Derivatives at scale against their peers: sparse matrices, mixed mode, curvature, memory."""
