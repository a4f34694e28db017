"""
The peer of bench/ingest.ts: the steps of an import, written with pandas. Prints seconds and peak memory.
Left out, in its favour: which words stood for missing values and how cells were written before, since pandas
forgets them while it reads; the look for malformed rows beyond what its reader refuses; syncing to disk.
"""

import codecs
import csv
import hashlib
import json
import resource
import sys
import time

import numpy as np
import pandas as pd

imported = time.perf_counter()
busy = time.process_time()
path, out, target, kind = sys.argv[1:5]

with open(path, 'rb') as file:
    digest = hashlib.file_digest(file, 'sha256').hexdigest()
encoding = 'utf-8'
decoder = codecs.getincrementaldecoder('utf-8')()
with open(path, 'rb') as file:
    try:
        while chunk := file.read(1 << 20):
            decoder.decode(chunk)
    except UnicodeDecodeError:
        encoding = 'cp1252'
with open(path, newline='', encoding=encoding) as file:
    dialect = csv.Sniffer().sniff(file.read(65536), delimiters=',;\t|')

options = {'sep': dialect.delimiter, 'encoding': encoding, 'na_values': ['k.A.', '-', '?']}
if kind == 'dirty':
    # As text: thousands='.' would make a number of 15.03.2024.
    options |= {'decimal': ',', 'thousands': '.', 'dtype': {'day': 'str'}}
table = pd.read_csv(path, **options)
if kind == 'dirty':
    table['weight'] = pd.to_numeric(
        table['weight'].str.replace(' kg', '', regex=False).str.replace('.', '', regex=False).str.replace(',', '.', regex=False),
        errors='coerce',
    )
    table['day'] = pd.to_datetime(table['day'], format='%d.%m.%Y', errors='coerce')
else:
    table['day'] = pd.to_datetime(table['day'], format='%Y-%m-%d', errors='coerce')
without = table[target].isna()
table[without].to_csv(out + '.rejected.csv')
table = table[~without]
report = {'sha256': digest, 'encoding': encoding, 'rejected': int(without.sum()), 'columns': {}}


def figures(column):
    if pd.api.types.is_numeric_dtype(column):
        quantiles = column.quantile([0.01, 0.25, 0.5, 0.75, 0.99])
        histogram = np.histogram(column.dropna(), 20)
        return quantiles, (column.count(), column.nunique(), column.min(), column.max(), column.mean(), column.std(), histogram)
    return None, (column.count(), column.nunique(), column.value_counts().head(10))


def outcome(column):
    if pd.api.types.is_numeric_dtype(column):
        return column.min(), column.max(), column.mean(), column.std(), np.histogram(column.dropna(), 20)
    return column.count()


def is_row_number(column, distinct):
    whole = pd.api.types.is_integer_dtype(column)
    return whole and column.max() - column.min() + 1 == len(column) and distinct >= 0.9 * len(column)


for name in table.columns:
    column = table[name]
    quantiles, measured = figures(column)
    missing = int(column.isna().sum())
    entry = {'before': measured, 'missing': missing}
    report['columns'][name] = entry
    if quantiles is not None:
        reach = 3 * (quantiles[0.75] - quantiles[0.25])
        entry['outliers'] = int(((column < quantiles[0.25] - reach) | (column > quantiles[0.75] + reach)).sum())
    if name == target or pd.api.types.is_datetime64_any_dtype(column):
        continue
    cleaned = column
    if quantiles is not None:
        if not is_row_number(column, measured[1]):
            outside = (column < quantiles[0.01]) | (column > quantiles[0.99])
            cleaned = column.clip(quantiles[0.01], quantiles[0.99])
            entry['clipped'] = int(outside.sum())
            entry['examples'] = list(zip(column[outside].head(5), cleaned[outside].head(5)))
        if missing:
            cleaned = cleaned.fillna(quantiles[0.5])
    elif missing:
        cleaned = column.fillna(column.mode()[0])
    if cleaned is not column:
        entry['after'] = outcome(cleaned)
        table[name] = cleaned

with open(out + '.json', 'w') as file:
    json.dump(report, file, default=str)
table.to_csv(out + '.csv', index=False)
table.to_parquet(out + '.parquet', compression='snappy')
print(json.dumps({
    'seconds': time.perf_counter() - imported,
    'cpu': time.process_time() - busy,
    'mib': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    'rows': len(table),
}))
