"""What the program prints and reports, on its way into the ring: masked where the task has secrets."""

import fcntl
import select
import time

from vgpu_ring import EVENT, STDERR, STDOUT, RingWriter

GATHER = 0.004  # seconds: bursts of output gather so that wake-ups stay few
FLOOD = 256 * 1024  # bytes moved in one wake-up
PIPE = 1024 * 1024  # bytes that wait in a pipe
F_SETPIPE_SZ = 1031


class Output:
    def __init__(self, child, ring, poll):
        self.ring = RingWriter.open(ring)
        self.poll = poll
        self.streams = {child.out_r: STDOUT, child.err_r: STDERR, child.metrics_r: EVENT}
        self.masks = {}  # descriptor -> Masker, for a task with secrets
        self.masked = str  # the same for a text of our own
        self.last_wake = 0.0
        self.last_moved = 0
        for fd in self.streams:
            try:
                fcntl.fcntl(fd, F_SETPIPE_SZ, PIPE)
            except OSError:
                pass
            poll.register(fd, select.POLLIN)

    def mask(self, patterns):
        import vgpu_secrets

        self.masks = {fd: vgpu_secrets.Masker(patterns) for fd in self.streams}
        self.masked = vgpu_secrets.TextMask(patterns)

    def gather(self, ready):
        """Waits a moment for more where output trickles; what is ready then."""
        if not any(fd in self.streams for fd in ready):
            return ready
        # A flood fills the pipes by itself: waiting would only hold it up.
        if time.monotonic() - self.last_wake < GATHER * 2 and self.last_moved < FLOOD:
            time.sleep(GATHER)
            ready = [fd for fd, _ in self.poll.poll(0)]
        self.last_wake = time.monotonic()
        return ready

    def pump(self, ready):
        """Moves what the ready pipes hold, within bounds; how many bytes."""
        moved = 0
        for fd in ready:
            if fd not in self.streams:
                continue
            mask = self.masks.get(fd)
            for _ in range(16):
                if mask is None:
                    got = self.ring.drain(fd, self.streams[fd])
                else:
                    got = mask.drain(fd, self.ring, self.streams[fd])
                if got == 0:
                    del self.streams[fd]
                    self.poll.unregister(fd)
                if not got:
                    break
                moved += got
        self.last_moved = moved
        return moved

    def drain(self):
        """All that the pipes hold, within bounds: a daemon may print for ever."""
        for _ in range(64):
            if not self.streams or not self.pump(list(self.streams)):
                return

    def flush(self):
        """What masks hold back of streams that never came to their end."""
        for fd, mask in self.masks.items():
            if fd in self.streams:
                mask.flush(self.ring, self.streams[fd])
