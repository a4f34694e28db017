"""Scores with NumPy alone, by the definitions that scikit-learn documents.

Where a score is undefined (a constant target, a class that is absent), it is left out or 0 as
scikit-learn does with zero_division=0.
"""

import numpy as np


def regression(true, predicted):
    """mse, rmse, mae, r2; outputs of several columns are averaged with equal weight."""
    true = np.asarray(true, dtype=float)
    predicted = np.asarray(predicted, dtype=float)
    true = true.reshape(len(true), -1)
    predicted = predicted.reshape(len(predicted), -1)
    error = true - predicted
    mse = np.mean(error**2, axis=0)
    scores = {'mse': mse.mean(), 'rmse': np.sqrt(mse).mean(), 'mae': np.abs(error).mean()}
    spread = np.mean((true - true.mean(axis=0)) ** 2, axis=0)
    if len(true) > 1:
        # A constant target: 1 when it was met exactly, else 0.
        r2 = np.where(spread > 0, 1 - mse / np.where(spread > 0, spread, 1), np.where(mse > 0, 0.0, 1.0))
        scores['r2'] = r2.mean()
    return {name: float(value) for name, value in scores.items()}


def _divide(a, b):
    return np.divide(a, b, out=np.zeros(len(a)), where=b != 0)


def classification(true, predicted, labels):
    """Scores, confusion matrix (row = true) and per-class table from class indices into `labels`."""
    count = len(labels)
    matrix = np.bincount(true * count + predicted, minlength=count * count).reshape(count, count)
    hits = np.diag(matrix).astype(float)
    support = matrix.sum(axis=1).astype(float)
    precision = _divide(hits, matrix.sum(axis=0).astype(float))
    recall = _divide(hits, support)
    f1 = _divide(2 * hits, matrix.sum(axis=0) + support)
    weight = support / support.sum()
    scores = {
        'accuracy': hits.sum() / support.sum(),
        'precision_macro': precision.mean(),
        'recall_macro': recall.mean(),
        'f1_macro': f1.mean(),
        'precision_weighted': precision @ weight,
        'recall_weighted': recall @ weight,
        'f1_weighted': f1 @ weight,
        'balanced_accuracy': recall[support > 0].mean(),
    }
    if count == 2:  # the second label is the positive one
        scores.update(precision=precision[1], recall=recall[1], f1=f1[1])
    else:
        scores.update(
            precision=scores['precision_macro'], recall=scores['recall_macro'], f1=scores['f1_macro']
        )
    per_class = {
        str(label): {'precision': precision[i], 'recall': recall[i], 'f1': f1[i], 'support': int(support[i])}
        for i, label in enumerate(labels)
    }
    return {name: float(value) for name, value in scores.items()}, matrix, per_class


def roc_auc(positive, score):
    """Area under the ROC curve by the rank (Mann-Whitney) formula, ties counted half; None if one-sided."""
    positive = np.asarray(positive, dtype=bool)
    score = np.asarray(score, dtype=float)
    ones = int(positive.sum())
    zeros = len(positive) - ones
    if not ones or not zeros or not np.isfinite(score).all():
        return None
    values, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[inverse.ravel()][positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def log_loss(true, proba):
    """Mean negative log of the probability given to the true class, rows normalised."""
    proba = np.asarray(proba, dtype=float)
    proba = np.clip(proba / proba.sum(axis=1, keepdims=True), np.finfo(float).eps, 1)
    return float(-np.log(proba[np.arange(len(true)), true]).mean())
