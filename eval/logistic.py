"""Ridge logistic regression, by Newton's method."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def logistic(x: Floats, y: Floats, *, ridge: float) -> Floats:
    """Bias and weights, shape [features + 1].

    Args:
        x: shape [rows, features], of about one scale.
        y: shape [rows], 0 or 1.
        ridge: penalty on the weights' squares; the bias is free.
    """
    ones = np.column_stack([np.ones(len(x)), x])
    weights = np.zeros(ones.shape[1])
    penalty = np.diag([0.0] + [ridge] * x.shape[1])
    for _ in range(50):
        p = probabilities(weights, x)
        hessian = ones.T @ (ones * (p * (1 - p))[:, None]) + penalty
        step = np.linalg.solve(hessian, ones.T @ (y - p) - penalty @ weights)
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def probabilities(weights: Floats, x: Floats) -> Floats:
    """Of 1, for each row of `x`; shape [rows]."""
    result: Floats = 1 / (1 + np.exp(-(weights[0] + x @ weights[1:])))
    return result
