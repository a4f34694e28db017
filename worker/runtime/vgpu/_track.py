"""vgpu.log and vgpu.progress."""

import time

from ._channel import number, send

_last = 0.0


def log(step=None, **metrics):
    """Records metrics, one point each: vgpu.log(step=3, loss=0.2, accuracy=0.9).

    `step` is any number that grows (step, epoch, iteration). Values that are no finite numbers are
    left out.
    """
    values = {name: number(value) for name, value in metrics.items()}
    values = {name: value for name, value in values.items() if value is not None}
    if not values:
        return
    record = {'type': 'metric', 'metrics': values}
    if step is not None and number(step) is not None:
        record['step'] = number(step)
    send(record)


def progress(current, total=None, label=None):
    """Tells how far the script is; cheap to call often (at most 20 records a second are sent)."""
    global _last
    now = time.monotonic()
    current, total = number(current), number(total)
    if current is None or (now - _last < 0.05 and (total is None or current < total)):
        return
    _last = now
    record = {'type': 'progress', 'current': current}
    if total is not None:
        record['total'] = total
    if label is not None:
        record['label'] = str(label)[:100]
    send(record)
