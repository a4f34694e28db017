"""The peer of bench/ingest.ts: the steps of an import, written with pandas. Prints seconds and peak memory."""

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
    options |= {'decimal': ',', 'thousands': '.'}
table = pd.read_csv(path, **options)
if kind == 'dirty':
    table['weight'] = pd.to_numeric(
        table['weight'].str.replace(' kg', '', regex=False).str.replace('.', '', regex=False).str.replace(',', '.', regex=False),
        errors='coerce',
    )
    table['day'] = pd.to_datetime(table['day'], format='%d.%m.%Y', errors='coerce')
else:
    table['day'] = pd.to_datetime(table['day'], format='%Y-%m-%d', errors='coerce')
table = table[table[target].notna()]


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


for name in table.columns:
    column = table[name]
    quantiles, _ = figures(column)
    if name == target or pd.api.types.is_datetime64_any_dtype(column):
        continue
    if quantiles is not None:
        cleaned = column.clip(quantiles[0.01], quantiles[0.99]).fillna(quantiles[0.5])
    else:
        cleaned = column.fillna(column.mode()[0])
    outcome(cleaned)
    table[name] = cleaned

table.to_csv(out + '.csv', index=False)
table.to_parquet(out + '.parquet', compression='zstd')
print(json.dumps({
    'seconds': time.perf_counter() - imported,
    'cpu': time.process_time() - busy,
    'mib': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    'rows': len(table),
}))
