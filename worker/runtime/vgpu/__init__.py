"""Explicit metrics for scripts that run in vgpu. Outside vgpu every call is a cheap no-op.

    import vgpu
    vgpu.log(step=i, loss=0.12, val_accuracy=0.9)
    vgpu.progress(i, total)
    vgpu.report(y_true, y_pred)            # mse, rmse, mae, r2  or  accuracy, precision, recall, f1, ...

What is told here wins over what vgpu reads from printed lines.
"""

from ._channel import active
from ._report import report
from ._track import log, progress

__all__ = ['active', 'log', 'progress', 'report']
