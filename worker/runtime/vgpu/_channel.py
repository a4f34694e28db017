"""The pipe to the supervisor: newline-delimited JSON on the descriptor in VGPU_METRICS_FD."""

import json
import math
import os
import stat
import threading
import time

_lock = threading.Lock()
_fd = None
_known = None  # the value of VGPU_METRICS_FD that _fd was taken from


def _descriptor():
    # Looked up on each call: in a warm worker the variable appears after this module was imported.
    global _fd, _known
    value = os.environ.get('VGPU_METRICS_FD')
    if value != _known:
        _known, _fd = value, None
        try:
            fd = int(value)
            mode = os.fstat(fd).st_mode
            if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):  # never a file that took over a closed number
                _fd = fd
        except (TypeError, ValueError, OSError):
            pass
    return _fd


def active():
    """True when the script runs in vgpu and its metrics are taken."""
    return _descriptor() is not None


def number(value):
    """`value` as a finite float, or None (NumPy scalars, 0-d arrays and tensors count as numbers)."""
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def send(record):
    """Writes one record; a script must never fail because its telemetry did."""
    global _fd
    fd = _descriptor()
    if fd is None:
        return
    record['time'] = round(time.time() * 1000, 3)
    data = (json.dumps(record, separators=(',', ':'), allow_nan=False) + '\n').encode()
    with _lock:
        try:
            while data:
                data = data[os.write(fd, data) :]
        except OSError:
            _fd = None  # the supervisor is gone
