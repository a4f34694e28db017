"""The worker's end of the control channel: a socket that only the host may speak to.

JSON lines in both directions; what they say is in docs/worker.md.
"""

import json
import os
import select
import socket
import struct

MAX_ORDER = 4 * 1024 * 1024
MAX_HOSTS = 4


class Hosts:
    """Servers that are connected; several for a moment, when one takes over from another.

    poll: where descriptors are registered. greeting: gives the messages that a new connection begins
    with. obey: called with a connection and each order that came through it.
    """

    def __init__(self, folder, poll, greeting, obey):
        self.poll = poll
        self.greeting = greeting
        self.obey = obey
        self.connections = {}
        self.inboxes = {}  # descriptor -> the part of an order that has come
        self.listener = self._listen(os.path.join(folder, 'sup.sock'))
        self.poll.register(self.listener, select.POLLIN)

    @staticmethod
    def _listen(path):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        # Bound under another name and renamed: whoever finds the path finds it listening.
        listener.bind(path + '.new')
        os.chmod(path + '.new', 0o666)
        listener.listen(4)
        os.rename(path + '.new', path)
        listener.setblocking(False)
        return listener

    def serve(self, fd):
        """Takes what is ready at a descriptor, if it is one of these."""
        if fd == self.listener.fileno():
            self._accept()
        elif fd in self.connections:
            self._hear(self.connections[fd])

    def _accept(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        pid, _, _ = struct.unpack('3i', connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        # A process outside this PID namespace has number 0 in here; nothing inside can have it.
        if pid != 0 or len(self.connections) >= MAX_HOSTS:
            connection.close()
            return
        connection.setblocking(False)
        self.connections[connection.fileno()] = connection
        self.poll.register(connection.fileno(), select.POLLIN)
        for message in self.greeting():
            self.send(connection, message)

    def send(self, connection, message):
        try:
            connection.setblocking(True)
            connection.settimeout(0.5)
            connection.sendall(json.dumps(message).encode() + b'\n')
            connection.setblocking(False)
        except OSError:
            self._drop(connection)

    def tell(self, message):
        """Says it to every server that is connected."""
        for connection in list(self.connections.values()):
            self.send(connection, message)

    def _drop(self, connection):
        if self.connections.pop(connection.fileno(), None) is not None:
            self.poll.unregister(connection.fileno())
        self.inboxes.pop(connection.fileno(), None)
        connection.close()

    def _hear(self, connection):
        try:
            data = connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b''
        if not data:
            self._drop(connection)
            return
        inbox = self.inboxes.get(connection.fileno(), b'') + data
        *lines, rest = inbox.split(b'\n')
        if len(rest) > MAX_ORDER:
            self._drop(connection)
            return
        self.inboxes[connection.fileno()] = rest
        for line in lines:
            try:
                order = json.loads(line)
            except ValueError:
                self._drop(connection)
                return
            self.obey(connection, order)
