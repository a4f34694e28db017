"""First process of a worker: starts the user's program, carries its output, tells how it ended.

Pure standard library, Python 3.9 or later (a user's own image may be older than ours). It is the
container's init: it cannot be killed from inside, reaps what is orphaned, and ends everything when
the task ends. It shares a user id with the program it watches, so it trusts nothing of it: it is
not dumpable (no /proc access, no ptrace), takes orders only from outside the PID namespace, and
what the program could forge concerns that program alone.

Environment: VGPU_CTL (folder with the ring and the control socket), VGPU_PRELOAD (modules that a
warm worker imports before it has a task). Orders and answers: see docs/worker.md.
"""

import errno
import json
import os
import select
import signal
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from vgpu_spawn import Child, ChildDone, set_dumpable

CTL = os.environ.get('VGPU_CTL', '/vgpu/ctl')
# The ring lies in a folder that the program cannot change; sockets and the last word in one that we can.
OWN = os.path.join(CTL, 's')
MAX_STATUS = 64 * 1024


def now_ms():
    return time.time() * 1000


def oom_kills():
    """How often the kernel killed a process of this worker for its memory; 0 where it does not say."""
    for path in ('/sys/fs/cgroup/memory.events', '/sys/fs/cgroup/memory/memory.oom_control'):
        try:
            with open(path) as file:
                for line in file:
                    key, _, value = line.partition(' ')
                    if key == 'oom_kill':
                        return int(value)
        except (OSError, ValueError):
            pass
    return 0


def kill_the_rest():
    """Ends every process of the container. Only its first process may: anywhere else -1 means the whole machine."""
    if os.getpid() != 1:
        return
    try:
        os.kill(-1, signal.SIGKILL)
    except OSError:
        pass


class Supervisor:
    def __init__(self, child):
        # After the fork: the child has imports of its own to do meanwhile.
        from vgpu_hosts import Hosts
        from vgpu_output import Output

        self.child = child
        self.poll = select.poll()
        self.output = Output(child, os.path.join(CTL, 'ring'), self.poll)
        self.poll.register(child.status_r, select.POLLIN)
        self.wake_r, self.wake_w = os.pipe()
        os.set_blocking(self.wake_r, False)
        os.set_blocking(self.wake_w, False)
        signal.set_wakeup_fd(self.wake_w, warn_on_full_buffer=False)
        self.poll.register(self.wake_r, select.POLLIN)
        self.hosts = Hosts(OWN, self.poll, self._greeting, self._obey)
        self.status_inbox = b''
        self.ready = None
        self.order = None
        self.started_at = None
        self.exception = None
        self.ended = None  # wait status of the program
        self.deadline = None  # seconds, time.monotonic: when the time limit strikes
        self.kill_at = None
        self.grace = 5.0
        self.timed_out = False
        self.stopped = False

    # -- host ------------------------------------------------------------------------------------

    def _greeting(self):
        return [message for message in (self.ready, self._started_message()) if message]

    def _started_message(self):
        return {'event': 'started', 'at': self.started_at} if self.started_at else None

    def _obey(self, connection, order):
        if order.get('op') != 'run':
            return
        if self.order is not None:
            self.hosts.send(connection, {'event': 'refused', 'message': 'this worker already has a task'})
            return
        secrets = order.pop('secrets', None)
        if secrets:
            try:
                self._keep_secrets(secrets)
            except OSError as error:
                self.hosts.send(connection, {'event': 'refused', 'message': 'its secrets cannot be stored: %s' % error})
                return
        self.order = order
        if order.get('ports'):
            import vgpu_relay

            vgpu_relay.start(OWN, order['ports'])
        self.grace = order.get('graceMs', 5000) / 1000
        data = json.dumps(order).encode()
        try:
            os.write(self.child.order_w, struct.pack('<I', len(data)))
            while data:
                data = data[os.write(self.child.order_w, data) :]
            os.close(self.child.order_w)
        except OSError:
            pass  # the child died; its end is noticed by wait

    def _keep_secrets(self, secrets):
        import vgpu_secrets

        values = vgpu_secrets.store(secrets)
        patterns = vgpu_secrets.patterns_of(values)
        if patterns:
            self.output.mask(patterns)

    # -- program ---------------------------------------------------------------------------------

    def _hear_status(self):
        while True:
            try:
                data = os.read(self.child.status_r, 65536)
            except BlockingIOError:
                return
            if not data:
                try:
                    self.poll.unregister(self.child.status_r)
                except KeyError:
                    pass
                return
            self.status_inbox = (self.status_inbox + data)[-MAX_STATUS:]
            *lines, self.status_inbox = self.status_inbox.split(b'\n')
            for line in lines:
                try:
                    self._take_status(json.loads(line))
                except (ValueError, AttributeError, TypeError):
                    pass

    def _take_status(self, message):
        event = message.get('event')
        if event == 'ready' and self.ready is None:
            self.ready = {'event': 'ready', 'warm': bool(message.get('warm')), 'python': message.get('python')}
            self.hosts.tell(self.ready)
        elif event == 'started' and self.started_at is None:
            self.started_at = now_ms()
            limit = self.order.get('timeLimitMs') if self.order else None
            if limit:
                self.deadline = time.monotonic() + limit / 1000
            self.output.ring.control({'event': 'started', 'pid': self.child.pid})
            self.hosts.tell(self._started_message())
        elif event == 'exception':
            masked = self.output.masked
            self.exception = {
                'type': masked(message.get('type', ''))[:200],
                'message': masked(message.get('message', ''))[:4096],
                'traceback': masked(message.get('traceback', ''))[-16384:],
            }

    def _reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.child.pid:
                self.ended = status

    def _signal_program(self, number):
        try:
            os.killpg(self.child.pid, number)
        except OSError:
            try:
                os.kill(self.child.pid, number)
            except OSError:
                pass

    def stop(self, *_):
        """SIGTERM from the engine: ask the program, then insist."""
        if self.stopped:
            return
        self.stopped = True
        self.kill_at = time.monotonic() + self.grace
        self._signal_program(signal.SIGTERM)

    def _check_time(self):
        now = time.monotonic()
        if self.deadline is not None and now >= self.deadline and not self.timed_out:
            self.timed_out = True
            self.kill_at = now + self.grace
            self._signal_program(signal.SIGTERM)
        if self.kill_at is not None and now >= self.kill_at:
            self.kill_at = now + 1.0
            self._signal_program(signal.SIGKILL)
            kill_the_rest()

    def _timeout(self):
        ends = [t for t in (None if self.timed_out else self.deadline, self.kill_at) if t is not None]
        return 5.0 if not ends else min(5.0, max(0.0, min(ends) - time.monotonic()))

    # -- main ------------------------------------------------------------------------------------

    def run(self):
        while self.ended is None:
            ready = [fd for fd, _ in self.poll.poll(int(self._timeout() * 1000) + 1)]
            ready = self.output.gather(ready)
            # Status before output: what "started" and the first line say keeps its order.
            if self.child.status_r in ready:
                self._hear_status()
            self.output.pump(ready)
            for fd in ready:
                if fd == self.wake_r:
                    try:
                        os.read(self.wake_r, 4096)
                    except BlockingIOError:
                        pass
                else:
                    self.hosts.serve(fd)
            self._check_time()
            self._reap()
        return self._finish()

    def _finish(self):
        ended_at = now_ms()
        self._hear_status()
        killed = oom_kills()
        # Whatever outlived the program ends now. Output still in the pipes is taken first and last.
        self.output.drain()
        kill_the_rest()
        give_up = time.monotonic() + 1.0
        while self._reap() and time.monotonic() < give_up:
            time.sleep(0.002)
        self.output.drain()
        self.output.flush()
        if os.WIFSIGNALED(self.ended):
            number = os.WTERMSIG(self.ended)
            try:
                name = signal.Signals(number).name
            except ValueError:
                name = 'SIG%d' % number
            code = 128 + number
        else:
            name, code = None, os.WEXITSTATUS(self.ended)
        result = {
            'event': 'exit',
            'code': code,
            'signal': name,
            'oom': killed > 0 and name == 'SIGKILL' and not self.stopped and not self.timed_out,
            'oomKills': killed,
            'timedOut': self.timed_out,
            'stopped': self.stopped,
            'exception': self.exception,
            'startedAt': self.started_at,
            'endedAt': ended_at,
        }
        if self.exception:
            self.output.ring.control({'event': 'exception', **self.exception})
        self.output.ring.control({k: result[k] for k in ('event', 'code', 'signal', 'oom', 'timedOut', 'stopped')})
        self.output.ring.close()
        self._leave_word(result)
        self.hosts.tell(result)
        return code

    @staticmethod
    def _leave_word(result):
        # For a server that is away just now.
        try:
            fd = os.open(os.path.join(OWN, 'exit.json'), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
            os.write(fd, json.dumps(result).encode())
            os.close(fd)
        except OSError:
            pass


def main():
    if os.getpid() != 1:
        print('vgpu supervisor: not the first process of a container', file=sys.stderr)
        return 71
    set_dumpable(0)
    child = Child()
    try:
        supervisor = Supervisor(child)
    except Exception as error:
        print('vgpu supervisor: %s: %s' % (type(error).__name__, error), file=sys.stderr)
        return 71
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    supervisor._reap()
    return supervisor.run()


if __name__ == '__main__':
    try:
        status = main()
    except ChildDone as done:
        import vgpu_child

        vgpu_child.end(done.code)
    except OSError as error:
        print('vgpu supervisor: %s' % (errno.errorcode.get(error.errno, error)), file=sys.stderr)
        os._exit(71)
    os._exit(status)
