"""A script that knows nothing of vgpu: python plain_sklearn.py data.csv

It prints what it finds; vgpu reads progress and scores from the lines. The target is the last
column, or the one named in VGPU_TARGET.
"""

import os
import sys

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, mean_squared_error, r2_score
from sklearn.model_selection import train_test_split

table = pd.read_csv(sys.argv[1])
target = os.environ.get('VGPU_TARGET') or table.columns[-1]
table = table.dropna(subset=[target])
y = table.pop(target)
for column in table.columns:
    if not pd.api.types.is_numeric_dtype(table[column]):
        table[column] = table[column].astype('category').cat.codes
classify = not pd.api.types.is_numeric_dtype(y) or (y.nunique() <= 20 and (y == y.round()).all())
print('%d rows, %d features, predicting %s' % (len(table), table.shape[1], target))

x_train, x_test, y_train, y_test = train_test_split(table, y, test_size=0.25, random_state=0)
kind = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
model = kind(max_iter=150, learning_rate=0.05, early_stopping=True, verbose=2, random_state=0)
model.fit(x_train, y_train)
predicted = model.predict(x_test)

if classify:
    print('Test accuracy: %.1f%%' % (100 * accuracy_score(y_test, predicted)))
    print('F1 (macro): %.4f' % f1_score(y_test, predicted, average='macro'))
else:
    print('MSE: %.4f' % mean_squared_error(y_test, predicted))
    print('MAE: %.4f' % mean_absolute_error(y_test, predicted))
    print('R2: %.4f' % r2_score(y_test, predicted))
