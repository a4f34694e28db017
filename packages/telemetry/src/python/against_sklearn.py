"""Compares vgpu.report with scikit-learn on many random predictions; prints the largest difference per score."""

import json
import warnings

import numpy as np
import vgpu
from sklearn import metrics as m

warnings.filterwarnings('ignore')
rng = np.random.default_rng(20261121)
worst = {}


def compare(name, ours, theirs):
    difference = abs(ours - theirs) / max(1.0, abs(theirs))
    worst[name] = max(worst.get(name, 0.0), float(difference))


for case in range(300):
    n = int(rng.integers(2, 300))
    true = rng.normal(size=n) * 10.0 ** rng.integers(-3, 6)
    guess = true + rng.normal(size=n) * 10.0 ** rng.integers(-3, 6)
    ours = vgpu.report(true, guess, task='regression')
    compare('mse', ours['mse'], m.mean_squared_error(true, guess))
    compare('rmse', ours['rmse'], m.root_mean_squared_error(true, guess))
    compare('mae', ours['mae'], m.mean_absolute_error(true, guess))
    compare('r2', ours['r2'], m.r2_score(true, guess))

for case in range(300):
    n, k = int(rng.integers(2, 300)), int(rng.integers(2, 7))
    names = np.array(['c%d' % i for i in range(k)]) if case % 2 else np.arange(k)
    true, guess = names[rng.integers(0, k, n)], names[rng.integers(0, k, n)]
    proba = rng.random((n, k)).round(int(rng.integers(1, 4))) + 0.01
    proba /= proba.sum(axis=1, keepdims=True)
    whole = len(np.unique(np.concatenate([true, guess]))) == k
    ours = vgpu.report(true, guess, proba if whole else None, task='classification')
    compare('accuracy', ours['accuracy'], m.accuracy_score(true, guess))
    compare('balanced_accuracy', ours['balanced_accuracy'], m.balanced_accuracy_score(true, guess))
    for average in ('macro', 'weighted'):
        p, r, f, _ = m.precision_recall_fscore_support(true, guess, average=average, zero_division=0)
        compare('precision_' + average, ours['precision_' + average], p)
        compare('recall_' + average, ours['recall_' + average], r)
        compare('f1_' + average, ours['f1_' + average], f)
    if k == 2 and whole:
        for score, function in (('precision', m.precision_score), ('recall', m.recall_score), ('f1', m.f1_score)):
            compare(score, ours[score], function(true, guess, pos_label=names[1], zero_division=0))
    if whole and len(np.unique(true)) == k:
        area = m.roc_auc_score(true, proba[:, 1]) if k == 2 else m.roc_auc_score(true, proba, multi_class='ovr')
        compare('roc_auc', ours['roc_auc'], area)
        compare('log_loss', ours['log_loss'], m.log_loss(true, proba))

print(json.dumps(worst))
