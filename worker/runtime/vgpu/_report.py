"""vgpu.report: final scores from true and predicted values."""

from ._channel import number, send

MAX_CLASSES = 50  # a larger confusion matrix helps nobody and would not fit a record


def _task(true, predicted, proba):
    import numpy as np

    if proba is not None:
        return 'classification'
    for values in (true, predicted):
        if values.dtype.kind not in 'fiub':
            return 'classification'  # strings, objects
        if values.dtype.kind == 'b':
            return 'classification'
    if true.ndim > 1 and true.shape[1] > 1:
        return 'regression'
    for values in (true, predicted):
        if values.dtype.kind == 'f' and not np.equal(np.mod(values, 1), 0).all():
            return 'regression'
    # Whole numbers: classes are few and come again and again; counts and prices do not.
    classes = len(np.unique(true))
    return 'classification' if classes <= 20 or classes <= len(true) / 20 and classes <= 100 else 'regression'


def _flat(values):
    import numpy as np

    if hasattr(values, 'detach'):
        values = values.detach().cpu()  # tensors
    values = np.asarray(values)
    return values.reshape(len(values)) if values.ndim == 2 and values.shape[1] == 1 else values


def _auc(true, proba, labels):
    import numpy as np

    from ._scores import roc_auc

    if len(labels) == 2:
        return roc_auc(true == 1, proba if proba.ndim == 1 else proba[:, -1])
    if proba.ndim != 2 or proba.shape[1] != len(labels):
        return None
    each = [roc_auc(true == i, proba[:, i]) for i in range(len(labels))]
    return None if None in each else float(np.mean(each))  # one against the rest, macro


def report(y_true, y_pred, y_proba=None, task=None):
    """Computes the scores of a prediction, sends them to vgpu, and returns them as a dict.

    y_true, y_pred: one value per row (lists, NumPy arrays, pandas columns, tensors).
    y_proba: class probabilities (rows x classes, in the order of the sorted labels) or, with two
        classes, the score of the second; adds roc_auc and log_loss.
    task: 'classification' or 'regression'; found out from the values if not given.

    Raises ValueError where the lengths differ, nothing was predicted, or the task is unknown.
    """
    import numpy as np

    from . import _scores

    true, predicted = _flat(y_true), _flat(y_pred)
    proba = None if y_proba is None else _flat(y_proba)
    if len(true) != len(predicted) or (proba is not None and len(proba) != len(true)):
        raise ValueError(
            'vgpu.report: y_true has %d rows, y_pred %d%s'
            % (len(true), len(predicted), '' if proba is None else ', y_proba %d' % len(proba))
        )
    if not len(true):
        raise ValueError('vgpu.report: no rows')
    if task not in (None, 'classification', 'regression'):
        raise ValueError("vgpu.report: task must be 'classification' or 'regression', not %r" % (task,))
    task = task or _task(true, predicted, proba)
    record = {'type': 'report', 'task': task}
    if task == 'regression':
        scores = _scores.regression(true, predicted)
    else:
        if true.ndim > 1 or predicted.ndim > 1:
            raise ValueError('vgpu.report: classification takes one label per row')
        if true.dtype.kind not in 'fiub' or predicted.dtype.kind not in 'fiub':
            true, predicted = true.astype(str), predicted.astype(str)
        labels, index = np.unique(np.concatenate([true, predicted]), return_inverse=True)
        index = index.ravel()
        if len(labels) == 1 and set(labels.tolist()) <= {0, 1}:
            labels, index = np.array([0, 1]), np.full(len(index), int(labels[0]))
        true, predicted = index[: len(true)], index[len(true) :]
        if len(labels) > 2000:
            raise ValueError("vgpu.report: %d classes; is this task='regression'?" % len(labels))
        scores, matrix, per_class = _scores.classification(true, predicted, labels.tolist())
        if proba is not None:
            auc = _auc(true, proba, labels)
            if auc is not None:
                scores['roc_auc'] = auc
            if proba.ndim == 2 and proba.shape[1] == len(labels):
                scores['log_loss'] = _scores.log_loss(true, proba)
        if len(labels) <= MAX_CLASSES:
            record['confusion'] = {'labels': [str(x) for x in labels.tolist()], 'matrix': matrix.tolist()}
            record['perClass'] = {
                name: {key: round(float(value), 6) for key, value in row.items()} for name, row in per_class.items()
            }
    # Infinite or undefined scores (a diverged model) are left out rather than sent as something else.
    record['scores'] = {name: value for name, value in scores.items() if number(value) is not None}
    send(record)
    return scores
