"""Trains a model on any table: python train.py data.csv [--target COLUMN] [--model mlp|linear|forest]

Classification or regression is found out from the target. The table is split into training,
validation and test rows; each epoch trains for a share of --seconds, prints its losses, and the
model that did best on the validation rows is scored on the test rows.

Needs pandas and scikit-learn. In vgpu the path comes from the job's data, the target from the
data set, and files written to VGPU_OUTPUT are kept. Runs without vgpu just as well.
"""

import argparse
import copy
import os
import pathlib
import pickle
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.metrics import classification_report, log_loss, mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

try:
    import vgpu
except ImportError:  # outside vgpu
    vgpu = None

MAX_CLASSES = 20
BATCH = 256
MAX_TREES = 200
# However slow the machine, a run makes this many updates (or trees, five at a time, a tenth of that).
MIN_UPDATES = 600


def arguments():
    parser = argparse.ArgumentParser(description='Train a model on a CSV file.')
    parser.add_argument('path', nargs='?', default=os.environ.get('VGPU_DATASET'), help='the CSV file')
    parser.add_argument('--target', default=os.environ.get('VGPU_TARGET'), help='default: the last column')
    parser.add_argument('--model', choices=['mlp', 'linear', 'forest'], default='mlp')
    parser.add_argument('--epochs', type=int, default=20)
    parser.add_argument('--seconds', type=float, default=3.0, help='training time, shared by the epochs')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    if not args.path:
        parser.error('no data: give a path or set VGPU_DATASET')
    return args


def load(path, target):
    table = pd.read_csv(path)
    target = target or table.columns[-1]
    if target not in table.columns:
        raise SystemExit('no column %r in %s; it has: %s' % (target, path, ', '.join(map(str, table.columns))))
    table = table.dropna(subset=[target])
    y = table.pop(target)
    x = table.dropna(axis=1, how='all')
    # A text column in which every row differs is a name or an id: nothing to learn from.
    text = [c for c in x.columns if not pd.api.types.is_numeric_dtype(x[c])]
    names = [c for c in text if x[c].nunique() > 0.9 * len(x)]
    return x.drop(columns=names), y, target


def is_classification(y):
    if not pd.api.types.is_numeric_dtype(y) or pd.api.types.is_bool_dtype(y):
        return True
    # Few distinct whole numbers, each of them often, are classes; in a short table of measurements each is rare.
    return bool((y == y.round()).all()) and y.nunique() <= min(MAX_CLASSES, max(2, len(y) // 5))


def preprocessing(x):
    numbers = [c for c in x.columns if pd.api.types.is_numeric_dtype(x[c]) and not pd.api.types.is_bool_dtype(x[c])]
    words = [c for c in x.columns if c not in numbers]
    one_hot = OneHotEncoder(handle_unknown='infrequent_if_exist', max_categories=30, sparse_output=False)
    return ColumnTransformer(
        [
            ('numbers', make_pipeline(SimpleImputer(strategy='median'), StandardScaler()), numbers),
            ('words', make_pipeline(SimpleImputer(strategy='constant', fill_value='missing'), one_hot), words),
        ]
    )


class Learner:
    """One model that can be trained bit by bit; targets are class numbers, or scaled values."""

    def __init__(self, kind, classes, seed):
        self.kind, self.classes = kind, classes
        if kind == 'forest':
            forest = RandomForestRegressor if classes is None else RandomForestClassifier
            self.model = forest(n_estimators=0, warm_start=True, min_samples_leaf=2, random_state=seed)
        elif kind == 'mlp':
            network = MLPRegressor if classes is None else MLPClassifier
            self.model = network(hidden_layer_sizes=(64, 32), alpha=1.0, learning_rate_init=1e-3, random_state=seed)
        elif classes is None:
            self.model = SGDRegressor(eta0=0.002, random_state=seed)
        else:
            self.model = SGDClassifier(loss='log_loss', alpha=1e-3, random_state=seed)

    def train(self, x, y, seconds, updates, rng):
        """Trains for `seconds`, and for at least `updates` batches however long they take."""
        end = time.monotonic() + seconds
        done = 0
        while True:
            if self.kind == 'forest':
                if self.model.n_estimators >= MAX_TREES:
                    return
                self.model.n_estimators += 5
                self.model.fit(x, y)
                done += 50
            else:
                order = rng.permutation(len(x))
                for at in range(0, len(x), BATCH):
                    rows = order[at : at + BATCH]
                    more = {} if self.classes is None else {'classes': np.arange(self.classes)}
                    self.model.partial_fit(x[rows], y[rows], **more)
                    done += 1
                    if done >= updates and time.monotonic() > end:
                        break
            if done >= updates and time.monotonic() > end:
                return

    def loss(self, x, y):
        if self.classes is None:
            return mean_squared_error(y, self.model.predict(x))
        return log_loss(y, self.model.predict_proba(x), labels=np.arange(self.classes))


def main():
    args = arguments()
    warnings.filterwarnings('ignore', category=ConvergenceWarning)
    x, y, target = load(args.path, args.target)
    classify = is_classification(y)
    print('%s: %d rows, %d columns, target %r (%s)' % (
        pathlib.Path(args.path).name, len(x), x.shape[1], target, 'classification' if classify else 'regression'))
    if classify:
        values = y if pd.api.types.is_numeric_dtype(y) else y.astype(str)
        labels, encoded = np.unique(np.asarray(values), return_inverse=True)
        # A class of a single row can be in one part only: then the parts are drawn without regard to classes.
        strata = encoded if np.bincount(encoded).min() >= 5 else None
    else:
        labels, encoded, strata = None, y.to_numpy(dtype=float), None

    rows = np.arange(len(x))
    rest, test = train_test_split(rows, test_size=0.2, random_state=args.seed, stratify=strata)
    train, valid = train_test_split(
        rest, test_size=0.2, random_state=args.seed, stratify=None if strata is None else strata[rest])
    prepare = preprocessing(x).fit(x.iloc[train])
    parts = {name: prepare.transform(x.iloc[index]) for name, index in
             (('train', train), ('valid', valid), ('test', test))}
    center, scale = (0.0, 1.0) if classify else (encoded[train].mean(), encoded[train].std() or 1.0)
    wanted = encoded if classify else (encoded - center) / scale

    learner = Learner(args.model, len(labels) if classify else None, args.seed)
    rng = np.random.default_rng(args.seed)
    best, best_loss = None, float('inf')
    seconds, updates = args.seconds / args.epochs, MIN_UPDATES // args.epochs
    for epoch in range(1, args.epochs + 1):
        learner.train(parts['train'], wanted[train], seconds, updates, rng)
        loss = learner.loss(parts['train'], wanted[train])
        val_loss = learner.loss(parts['valid'], wanted[valid])
        if val_loss < best_loss:
            best, best_loss = copy.deepcopy(learner.model), val_loss
        print('Epoch %d/%d - loss: %.4f - val_loss: %.4f' % (epoch, args.epochs, loss, val_loss), flush=True)
        if vgpu:
            vgpu.log(step=epoch, loss=loss, val_loss=val_loss)
            vgpu.progress(epoch, args.epochs, label='epochs')
    best = learner.model if best is None else best

    predicted = best.predict(parts['test'])
    if classify:
        truth, answer = labels[encoded[test]], labels[predicted]
        print(classification_report(truth, answer, zero_division=0))
        proba = best.predict_proba(parts['test']) if set(truth) | set(answer) == set(labels) else None
        scores = vgpu.report(truth, answer, proba, task='classification') if vgpu else {}
    else:
        truth, answer = encoded[test], predicted * scale + center
        mse = mean_squared_error(truth, answer)
        print('MSE: %.6g  RMSE: %.6g' % (mse, mse**0.5))
        scores = vgpu.report(truth, answer, task='regression') if vgpu else {}
    for name, value in scores.items():
        print('%s: %.4f' % (name, value))

    out = pathlib.Path(os.environ.get('VGPU_OUTPUT', '.'))
    pd.DataFrame({'row': test, 'true': truth, 'predicted': answer}).to_csv(out / 'predictions.csv', index=False)
    with open(out / 'model.pkl', 'wb') as file:
        pickle.dump({'prepare': prepare, 'model': best, 'labels': labels, 'scale': (center, scale)}, file)


if __name__ == '__main__':
    main()
