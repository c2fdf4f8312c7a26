"""A feedforward network that reads handwritten digits.

Layer by layer, with v₀ the pixels of an image,

    vₖ = σ(vₖ₋₁ wₖ + bₖ)        σ(z) = 1/(1 + e⁻ᶻ)

and the last layer gives scores s = vₖ₋₁ wₖ + bₖ, one a digit, that the softmax turns into
probabilities e^{s_c} / Σ e^s. Training minimises the cross-entropy, the mean over the images of
−log p of the right digit, by stochastic gradient descent with momentum (Polyak 1964):

    u ← μ u − η ∇L(w)        w ← w + u.

The parameters are a list of dicts, one a layer; so is the gradient. The images are real: 1797 of
8 × 8 pixels (Alpaydin & Kaynak 1998, in scikit-learn), of which a quarter is kept for the test.

Topic: reverse mode through a program with many parameters (backpropagation; Rumelhart, Hinton &
Williams 1986).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import wengert as wg

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Parameters = list[dict[str, Array]]

SIZES = (64, 48, 24, 10)
EPOCHS = 40


# --------------------------------------------------------------------------------- the network


def initial(rng: np.random.Generator, sizes: tuple[int, ...] = SIZES) -> Parameters:
    """Random weights that keep the variance from layer to layer (Glorot & Bengio 2010)."""
    return [
        {"w": rng.normal(scale=np.sqrt(2 / (m + n)), size=(m, n)), "b": np.zeros(n)}
        for m, n in pairwise(sizes)
    ]


def sigmoid(z: Array) -> Array:
    """σ(z), in the form that cannot overflow."""
    return (1 + np.tanh(z / 2)) / 2


def scores(parameters: Parameters, images: Array) -> Array:
    """One score for each image and digit, shape (images, 10)."""
    *hidden, last = parameters
    v = images
    for layer in hidden:
        v = sigmoid(v @ layer["w"] + layer["b"])
    return v @ last["w"] + last["b"]


def loss(parameters: Parameters, images: Array, digits: Labels) -> float:
    """The cross-entropy: the mean over the images of log Σ e^s − s_digit."""
    s = scores(parameters, images)
    s = s - np.max(s, axis=1, keepdims=True)
    right = np.eye(s.shape[1])[digits]
    return np.mean(np.log(np.sum(np.exp(s), axis=1)) - np.sum(right * s, axis=1))


def accuracy(parameters: Parameters, images: Array, digits: Labels) -> float:
    """The fraction of images whose highest score is that of the right digit."""
    return float(np.mean(np.argmax(scores(parameters, images), axis=1) == digits))


# ---------------------------------------------------------------------------------- training


class Epoch(NamedTuple):
    """Where training stands after it has seen each image once more."""

    loss: float
    parameters: Parameters


def train(
    images: Array,
    digits: Labels,
    epochs: int,
    batch: int = 48,
    rate: float = 0.3,
    momentum: float = 0.9,
    seed: int = 0,
) -> Iterator[Epoch]:
    """Stochastic gradient descent with momentum, an epoch at a time."""
    rng = np.random.default_rng(seed)
    method, parameters = wg.optimize.momentum(rate, momentum), initial(rng)
    velocity = method.init(parameters)
    for _ in range(epochs):
        losses = []
        for part in np.split(rng.permutation(len(images)), range(batch, len(images), batch)):
            value, gradient = wg.value_and_grad(loss)(parameters, images[part], digits[part])
            losses.append(value)
            parameters, velocity = method.step(gradient, parameters, velocity)
        yield Epoch(float(np.mean(losses)), parameters)


def load() -> tuple[Array, Array, Labels, Labels]:
    """Images (pixels from 0 to 1) and digits: for training, for the test."""
    images, digits = load_digits(return_X_y=True)
    return train_test_split(images / 16, digits, test_size=0.25, random_state=0, stratify=digits)


def main(epochs: int = EPOCHS) -> float:
    images, test_images, digits, test_digits = load()
    bar = Progress(
        TextColumn("training"),
        BarColumn(),
        TextColumn("epoch {task.completed}/{task.total}  loss {task.fields[loss]:.4f}"),
        TimeElapsedColumn(),
    )
    with bar:
        task = bar.add_task("training", total=epochs, loss=np.nan)
        for epoch in train(images, digits, epochs):
            bar.update(task, advance=1, loss=epoch.loss)
    reached = accuracy(epoch.parameters, test_images, test_digits)
    print(
        f"{100 * reached:.1f} % of {len(test_digits)} images that it has not seen are read rightly"
    )
    return reached


if __name__ == "__main__":
    main()
