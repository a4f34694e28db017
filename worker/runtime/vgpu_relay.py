"""Carries streams between Unix sockets in the control folder and TCP ports on the worker's loopback.

A worker has no network. For each port that its task declared the server may open
`<ctl>/s/port-<n>.sock`; what arrives there goes to 127.0.0.1:<n> inside. It runs as a process of its
own: the program may kill it, and then only loses its ports.
"""

import os
import socket


def start(folder, ports):
    """Binds the sockets at once (a caller may connect as soon as the task started), then forks."""
    listeners = []
    for port in ports:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        path = os.path.join(folder, 'port-%d.sock' % port)
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen(64)
        listeners.append((int(port), listener))
    if os.fork() == 0:
        try:
            import asyncio

            asyncio.run(_serve(listeners))
        finally:
            os._exit(0)
    for _, listener in listeners:
        listener.close()


async def _serve(listeners):
    import asyncio

    async def copy(reader, writer):
        try:
            while True:
                data = await reader.read(65536)
                if not data:
                    break
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except (OSError, ConnectionError):
            writer.close()

    def handler(port):
        async def handle(reader, writer):
            try:
                inner_reader, inner_writer = await asyncio.open_connection('127.0.0.1', port)
            except OSError:
                writer.close()
                return
            await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))
            inner_writer.close()
            writer.close()

        return handle

    for port, listener in listeners:
        await asyncio.start_unix_server(handler(port), sock=listener)
    await asyncio.Event().wait()
