"""Runs a command with its output and metrics going into a ring: into_ring.py RING COMMAND..."""

import os
import select
import subprocess
import sys

import vgpu_ring as r

ring = r.RingWriter.open(sys.argv[1])
metrics_r, metrics_w = os.pipe()
env = dict(os.environ, VGPU_METRICS_FD=str(metrics_w))
child = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, pass_fds=[metrics_w])
os.close(metrics_w)
ring.control({'event': 'started', 'pid': child.pid})
streams = {child.stdout.fileno(): r.STDOUT, child.stderr.fileno(): r.STDERR, metrics_r: r.EVENT}
while streams:
    for fd in select.select(list(streams), [], [])[0]:
        if ring.drain(fd, streams[fd]) == 0:
            del streams[fd]
code = child.wait()
ring.control({'event': 'exit', 'code': code, 'signal': None})
ring.close()
