"""Secrets of a task: files on the worker's own tmpfs, and `***` where the program prints one.

Pure standard library. What is masked: every line of a secret's value that has eight characters or
more, as it is and as JSON writes it, wherever it appears whole. Shorter ones would turn ordinary words
into stars, and whoever means to get a secret out has other ways: the mask is against accidents.
"""

import base64
import json
import os
import re

FOLDER = '/run/secrets'
SHORTEST = 8  # characters
STARS = b'***'
CHUNK = 64 * 1024


def store(secrets, folder=FOLDER):
    """Writes `[{'file': name, 'value': base64}]` as files that their owner may read; returns the values."""
    values = []
    for secret in secrets:
        value = base64.b64decode(secret['value'])
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(os.path.join(folder, secret['file']), flags, 0o400)
        try:
            left = memoryview(value)
            while left:
                left = left[os.write(fd, left) :]
        finally:
            os.close(fd)
        values.append(value)
    try:
        os.chmod(folder, 0o500)
    except PermissionError:
        pass  # Podman mounts it for everybody in the container: that is us alone
    return values


def _length(line):
    try:
        return len(line.decode())
    except UnicodeDecodeError:
        return len(line)


def patterns_of(values):
    """What to look for, longest first so that a value which holds another goes as a whole."""
    found = set()
    for value in values:
        for line in re.split(rb'[\r\n]+', value):
            if _length(line) < SHORTEST:
                continue
            found.add(line)
            try:
                text = line.decode()
            except UnicodeDecodeError:
                continue
            for plain_ascii in (True, False):
                found.add(json.dumps(text, ensure_ascii=plain_ascii)[1:-1].encode())
    return sorted(found, key=lambda one: (-len(one), one))


class TextMask:
    """Masks text that is there as a whole."""

    def __init__(self, patterns):
        self._find = _finder(patterns)

    def __call__(self, text):
        data = str(text).encode('utf-8', 'surrogatepass')
        return self._find.sub(STARS, data).decode('utf-8', 'replace')


class Masker:
    """Masks a stream that arrives in pieces: what may be the start of a secret waits for what follows."""

    def __init__(self, patterns):
        self._find = _finder(patterns)
        self._patterns = patterns
        self._held = b''

    def feed(self, data):
        """Takes more of the stream; gives out what can be no part of a secret any more."""
        data = self._held + data
        out, at = [], 0
        start = self._open_start(data, at)
        while True:
            match = self._find.search(data, at)
            # One that begins where something longer may have begun waits as well.
            if match is None or match.start() >= start:
                break
            out += (data[at : match.start()], STARS)
            at = match.end()
            if at > start:
                start = self._open_start(data, at)
        self._held = data[start:]
        return b''.join((*out, data[at:start]))

    def end(self):
        """What was held back, at the end of the stream."""
        held, self._held = self._held, b''
        return self._find.sub(STARS, held)

    def _open_start(self, data, least):
        """The first place from `least` on where everything that follows is the beginning of a secret."""
        best = len(data)
        for pattern in self._patterns:
            at = data.find(pattern[:1], max(least, len(data) - len(pattern) + 1))
            while 0 <= at < best:
                if pattern.startswith(data[at:]):
                    best = at
                    break
                at = data.find(pattern[:1], at + 1)
        return best

    def drain(self, fd, ring, kind):
        """As RingWriter.drain, with the mask in between."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return None
        self._write(ring, kind, self.feed(data) if data else self.end())
        return len(data)

    def flush(self, ring, kind):
        self._write(ring, kind, self.end())

    @staticmethod
    def _write(ring, kind, data):
        for at in range(0, len(data), CHUNK):
            ring.write(kind, data[at : at + CHUNK])


def _finder(patterns):
    return re.compile(b'|'.join(re.escape(one) for one in patterns))
