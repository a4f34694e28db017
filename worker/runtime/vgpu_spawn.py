"""The process that becomes the user's program, and the pipes that lead to it."""

import ctypes
import os

PR_SET_DUMPABLE = 4


def set_dumpable(value):
    try:
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, value, 0, 0, 0)
    except (OSError, AttributeError):
        pass


class ChildDone(BaseException):
    """Raised in the child once the program is through: nothing of the supervisor may run there."""

    def __init__(self, code):
        self.code = code


class Child:
    """Forked as soon as it is made; in the child, making it ends in ChildDone."""

    def __init__(self):
        self.order_r, self.order_w = os.pipe()
        self.status_r, self.status_w = os.pipe()
        self.out_r, self.out_w = os.pipe()
        self.err_r, self.err_w = os.pipe()
        self.metrics_r, self.metrics_w = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self._become_child()
        for fd in (self.order_r, self.status_w, self.out_w, self.err_w, self.metrics_w):
            os.close(fd)
        for fd in (self.status_r, self.out_r, self.err_r, self.metrics_r):
            os.set_blocking(fd, False)

    def _become_child(self):
        code = 70
        try:
            for fd in (self.order_w, self.status_r, self.out_r, self.err_r, self.metrics_r):
                os.close(fd)
            os.setsid()
            null = os.open('/dev/null', os.O_RDONLY)
            os.dup2(null, 0)
            os.close(null)
            os.dup2(self.out_w, 1)
            os.dup2(self.err_w, 2)
            os.close(self.out_w)
            os.close(self.err_w)
            os.set_inheritable(self.metrics_w, True)
            set_dumpable(1)
            try:
                # The kernel's out-of-memory killer takes the program, never the supervisor.
                with open('/proc/self/oom_score_adj', 'w') as file:
                    file.write('1000')
            except OSError:
                pass
            import vgpu_child

            code = vgpu_child.main(self.order_r, self.status_w, self.metrics_w)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        raise ChildDone(code)
