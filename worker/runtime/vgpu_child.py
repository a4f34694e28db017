"""What runs between the fork and the user's first line: imports ahead of need, then the program.

A warm worker imports NumPy, pandas and scikit-learn here before it has a task, and the same process
then becomes the task, so nothing is shared with any other. A program that is no Python script, or
whose environment would have changed how Python starts, replaces the process instead.
"""

import atexit
import gc
import json
import os
import signal
import struct
import sys

IN = '/vgpu/in'
FARM_LIMIT = 2000
# Read when an interpreter or a numeric library starts: too late for a process that already has.
STARTUP_PREFIXES = ('PYTHON', 'LD_', 'OMP_', 'OPENBLAS_', 'MKL_', 'KMP_', 'BLIS_', 'NUMEXPR_', 'MALLOC_', 'GLIBC_', 'LC_', 'LANG')


def say(fd, message):
    data = json.dumps(message).encode() + b'\n'
    while data:
        data = data[os.write(fd, data) :]


def read_exactly(fd, count):
    data = b''
    while len(data) < count:
        more = os.read(fd, count - len(data))
        if not more:
            os._exit(0)  # the supervisor ended before there was a task
        data += more
    return data


def preload(names):
    """Imports what it can; a missing module only makes the worker less warm."""
    for name in names:
        try:
            __import__(name)
        except Exception:
            pass
    # What was imported ahead stays for good: the collector need never look at it again.
    gc.collect()
    gc.freeze()


def link_farm(source, target):
    """Makes the bundle's files appear in the working folder, so that relative paths work as at home.

    Folders are real (a script may write next to its files), files are links to the read-only bundle.
    """
    left = FARM_LIMIT
    for where, folders, files in os.walk(source):
        relative = os.path.relpath(where, source)
        here = target if relative == '.' else os.path.join(target, relative)
        if relative != '.':
            os.makedirs(here, exist_ok=True)
        for name in files:
            left -= 1
            if left < 0:
                return
            try:
                os.symlink(os.path.join(where, name), os.path.join(here, name))
            except FileExistsError:
                pass


def main(order_r, status_w, metrics_w):
    names = [n for n in os.environ.pop('VGPU_PRELOAD', '').split(',') if n]
    if names:
        preload(names)
    say(status_w, {'event': 'ready', 'warm': bool(names), 'python': sys.version.split()[0]})
    (length,) = struct.unpack('<I', read_exactly(order_r, 4))
    order = json.loads(read_exactly(order_r, length))
    os.close(order_r)
    return perform(order, status_w, metrics_w, fresh=not names)


def perform(order, status_w, metrics_w, fresh):
    env = order.get('env', {})
    os.environ.pop('VGPU_CTL', None)
    os.environ.update(env)
    os.environ['VGPU_METRICS_FD'] = str(metrics_w)
    out = os.environ.get('VGPU_OUTPUT', '/vgpu/out')
    bundle = os.path.join(IN, 'bundle')
    try:
        if os.path.isdir(bundle):
            link_farm(bundle, out)
    except OSError as error:
        print('vgpu: the working folder is incomplete: %s' % error, file=sys.stderr)
    os.chdir(out)
    command = order['command']
    if command['kind'] == 'exec':
        say(status_w, {'event': 'started'})
        os.close(status_w)
        argv = command['argv']
        # Python ignores SIGPIPE; other programs count on it.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        try:
            os.execvpe(argv[0], argv, os.environ)
        except OSError as error:
            print('vgpu: cannot run %s: %s' % (argv[0], error.strerror), file=sys.stderr)
            return 126 if error.errno == 13 else 127
    path = os.path.join(bundle, command['script'])
    limit_threads(order.get('cpu'), fresh)
    if any(key.startswith(STARTUP_PREFIXES) for key in env):
        os.set_inheritable(status_w, True)
        here = os.path.abspath(__file__)
        task = json.dumps({'path': path, 'args': command['args'], 'status': status_w})
        os.execve(sys.executable, [sys.executable, '-u', here, task], os.environ)
    return run_script(path, command['args'], status_w)


def limit_threads(cpu, fresh):
    """As many threads as the worker has cores: more only take turns."""
    if not cpu:
        return
    count = max(1, round(cpu))
    for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'):
        os.environ.setdefault(name, str(count))
    os.environ.setdefault('LOKY_MAX_CPU_COUNT', str(count))
    if not fresh and 'threadpoolctl' in sys.modules:
        try:
            sys.modules['threadpoolctl'].threadpool_limits(count)
        except Exception:
            pass


def run_script(path, args, status_w):
    """Runs `path` as `python path args…` would, in this process."""
    import types

    sys.argv = [path, *args]
    # The supervisor's own folder gives way to the script's, as in any Python run.
    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [os.path.dirname(path)] + [p for p in sys.path if p not in (own, '')] + [own]
    os.set_inheritable(status_w, False)
    try:
        with open(path, 'rb') as file:
            source = file.read()
    except OSError as error:
        say(status_w, {'event': 'started'})
        print("vgpu: can't open file %r: %s" % (path, error.strerror), file=sys.stderr)
        return 2
    module = types.ModuleType('__main__')
    module.__file__ = path
    module.__builtins__ = __builtins__
    module.__loader__ = None
    sys.modules['__main__'] = module
    say(status_w, {'event': 'started'})
    try:
        exec(compile(source, path, 'exec'), module.__dict__)
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return (error.code or 0) & 0xFF
        print(error.code, file=sys.stderr)
        return 1
    except BaseException as error:
        report(error, status_w)
        return 1
    return 0


def report(error, status_w):
    import traceback

    kind = type(error)
    # Our own frames come first; the user's begin at the script.
    trace = error.__traceback__.tb_next if error.__traceback__ else None
    error.__traceback__ = trace
    try:
        text = ''.join(traceback.format_exception(kind, error, trace))
        message = str(error)
    except BaseException as inner:  # a hostile __str__
        text = message = '<%s while describing %s>' % (type(inner).__name__, kind.__name__)
    name = kind.__name__ if kind.__module__ in ('builtins', '__main__') else kind.__module__ + '.' + kind.__name__
    try:
        say(status_w, {'event': 'exception', 'type': name[:200], 'message': message[:4096], 'traceback': text[-16384:]})
    except OSError:
        pass
    try:
        sys.excepthook(kind, error, trace)
    except BaseException:
        sys.stderr.write(text)


def end(code):
    """Ends the process as Python does, less the unloading of libraries, which takes longer than many a script.

    In Python's order: other threads, exit handlers, the program's own objects (a file that was never
    closed is written out then), the standard streams.
    """
    import threading

    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        bundle = os.path.join(IN, 'bundle') + os.sep
        for module in list(sys.modules.values()):
            names = getattr(module, '__dict__', {})
            if names is globals():
                continue
            if module is sys.modules.get('__main__') or str(names.get('__file__') or '').startswith(bundle):
                names.clear()
        gc.collect()
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    os._exit(code)


if __name__ == '__main__':
    task = json.loads(sys.argv[1])
    end(run_script(task['path'], task['args'], task['status']))
