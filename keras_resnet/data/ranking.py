"""The rank of the true class among the scores of all: what top-1 and top-5 errors count."""

import numpy as np


def ranks(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many classes come before the true one; of equal scores the lower label comes first.

    Args:
        scores: (n, classes), larger for likelier.
        labels: integers (n,).

    Returns:
        Integers (n,): 0 where the best class is the true one, below 5 where top-5 has it. Where
        a score is NaN or infinite, which is no prediction, the number of classes.

    Example:

    >>> ranks(np.array([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]]), np.array([2, 1]))
    array([1, 1])
    """
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    earlier = np.arange(scores.shape[1]) < labels[:, None]
    before = ((scores > own) | ((scores == own) & earlier)).sum(axis=1)
    return np.where(np.isfinite(scores).all(axis=1), before, scores.shape[1])
