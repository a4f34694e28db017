"""Writer of the telemetry ring: one memory-mapped file on tmpfs, one producer, one consumer.

Pure standard library. The layout is described in docs/telemetry.md and read by
packages/telemetry/src/ring/. The writer never blocks and makes no system call of its own:
where the reader lags, records are dropped and counted, and a `dropped` record tells the reader
where the gap lies once there is room again.

    ring = RingWriter.open('/run/vgpu/ring')
    ring.control({'event': 'started', 'pid': pid})
    while ring.drain(stdout_fd, STDOUT): ...   # likewise STDERR, and EVENT for the metrics pipe
    ring.control({'event': 'exit', 'code': 0, 'signal': None})
    ring.close()
"""

import json
import mmap
import os
import struct
import time
import zlib

MAGIC = b'VGPURING'
VERSION = 1
HEADER_SIZE = 4096
DEFAULT_CAPACITY = 4 * 1024 * 1024

STDOUT, STDERR, EVENT, CONTROL, DROPPED = 1, 2, 3, 4, 5

RECORD = struct.Struct('<IBBHQII')  # payload length, type, flags, reserved, time ns, crc32, mark
RECORD_SIZE = RECORD.size  # 24
MAX_PAYLOAD = 128 * 1024
CHUNK = 64 * 1024
# Space that only control records may use, so that a flood of output never hides how a task ended.
CONTROL_RESERVE = 64 * 1024
# Below this much room a chunk is not worth a record.
MIN_CHUNK = 512

# Each position is stored twice, the second time xor CHECK: neither side takes a torn value.
CHECK = 0x9E3779B97F4A7C15
MARK = 0x52474E31
# Indices of 64-bit words in the header.
_HEAD, _HEAD_CHECK, _LOST_RECORDS, _LOST_BYTES, _CLOSED = 8, 9, 10, 11, 12
_TAIL, _TAIL_CHECK = 16, 17


class RingError(Exception):
    """The file is not a ring that this writer can use."""


def create(path, capacity=DEFAULT_CAPACITY, mode=0o600):
    """Creates an empty ring file of `capacity` data bytes (a multiple of 4096, at least 256 KiB)."""
    if capacity % 4096 or capacity < 256 * 1024:
        raise RingError('capacity must be a multiple of 4096 and at least 262144, got %d' % capacity)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        os.ftruncate(fd, HEADER_SIZE + capacity)
        # Word by word because the magic goes last: a reader that sees it sees a whole header.
        os.pwrite(fd, struct.pack('<IIQ', VERSION, HEADER_SIZE, capacity), 8)
        os.pwrite(fd, struct.pack('<QQ', 0, CHECK), _HEAD * 8)
        os.pwrite(fd, struct.pack('<QQ', 0, CHECK), _TAIL * 8)
        os.pwrite(fd, MAGIC, 0)
    finally:
        os.close(fd)


class RingWriter:
    """The single producer. Not safe to share between threads or processes."""

    def __init__(self, fd):
        size = os.fstat(fd).st_size
        if size < HEADER_SIZE + 4096:
            raise RingError('ring file too small: %d bytes' % size)
        self._map = mmap.mmap(fd, size)
        version, header_size, capacity = struct.unpack_from('<IIQ', self._map, 8)
        if self._map[:8] != MAGIC or version != VERSION or header_size != HEADER_SIZE:
            raise RingError('not a ring of version %d' % VERSION)
        if capacity + HEADER_SIZE != size:
            raise RingError('header says %d data bytes, file has %d' % (capacity, size - HEADER_SIZE))
        self._view = memoryview(self._map)
        # Casting gives single aligned 8-byte stores, which struct does not promise.
        self._words = self._view[:HEADER_SIZE].cast('Q')
        self._data = self._view[HEADER_SIZE:]
        self._capacity = capacity
        self._head = self._words[_HEAD]
        self._tail = 0
        self._pending_records = 0
        self._pending_bytes = 0
        self._scratch = bytearray(CHUNK)

    @classmethod
    def open(cls, path, capacity=DEFAULT_CAPACITY):
        """Opens the ring at `path`, creating it with `capacity` bytes where there is none."""
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            create(path, capacity)
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            return cls(fd)
        finally:
            os.close(fd)  # the mapping stays

    @property
    def dropped(self):
        """(records, bytes) lost so far because the reader lagged."""
        return self._words[_LOST_RECORDS], self._words[_LOST_BYTES]

    def _free(self):
        words = self._words
        tail = words[_TAIL]
        if words[_TAIL_CHECK] == tail ^ CHECK and self._tail <= tail <= self._head:
            self._tail = tail
        return self._capacity - (self._head - self._tail)

    def _publish(self, kind, length, crc, now):
        head = self._head
        self._copy(head, RECORD.pack(length, kind, 0, 0, now, crc, (head & 0xFFFFFFFF) ^ MARK))
        head += (RECORD_SIZE + length + 7) & ~7
        self._head = head
        self._words[_HEAD] = head
        self._words[_HEAD_CHECK] = head ^ CHECK

    def _copy(self, position, data):
        start = position % self._capacity
        end = start + len(data)
        if end <= self._capacity:
            self._data[start:end] = data
        else:
            cut = self._capacity - start
            self._data[start:] = data[:cut]
            self._data[: end - self._capacity] = data[cut:]

    def _lose(self, length):
        self._pending_records += 1
        self._pending_bytes += length
        self._words[_LOST_RECORDS] += 1
        self._words[_LOST_BYTES] += length

    def _put(self, kind, payload, now):
        self._copy(self._head + RECORD_SIZE, payload)
        self._publish(kind, len(payload), zlib.crc32(payload), now)

    def _mark_gap(self, now):
        if self._pending_records:
            self._put(DROPPED, struct.pack('<QQ', self._pending_records, self._pending_bytes), now)
            self._pending_records = self._pending_bytes = 0

    def _room(self, kind):
        """Payload bytes that one more record of this kind may have."""
        room = self._free() - RECORD_SIZE - 8
        if kind != CONTROL:
            room -= CONTROL_RESERVE
        if self._pending_records:
            room -= RECORD_SIZE + 16
        return room

    def write(self, kind, payload, now=None):
        """Writes one record; False if it was dropped (ring full, or longer than MAX_PAYLOAD)."""
        length = len(payload)
        if length > MAX_PAYLOAD or length > self._room(kind):
            self._lose(length)
            return False
        if now is None:
            now = time.time_ns()
        self._mark_gap(now)
        self._put(kind, payload, now)
        return True

    def event(self, record):
        """Writes one metric or event record (a JSON-able mapping)."""
        return self.write(EVENT, json.dumps(record, separators=(',', ':')).encode() + b'\n')

    def control(self, record):
        """Writes one control record: {'event': 'started' | 'exit' | 'exception', ...}."""
        return self.write(CONTROL, json.dumps(record, separators=(',', ':')).encode())

    def drain(self, fd, kind):
        """Moves what `fd` holds (at most 64 KiB) into the ring, without a copy in between.

        Returns the bytes read, 0 at end of file, None if a non-blocking fd had nothing.
        """
        room = self._room(kind)
        try:
            if room < MIN_CHUNK:
                got = os.readv(fd, [self._scratch])
                if got:
                    self._lose(got)
                return got
            now = time.time_ns()
            self._mark_gap(now)
            want = min(room, CHUNK)
            start = (self._head + RECORD_SIZE) % self._capacity
            first = self._data[start : start + want]
            if len(first) == want:
                got = os.readv(fd, [first])
                crc = zlib.crc32(first[:got])
            else:
                second = self._data[: want - len(first)]
                got = os.readv(fd, [first, second])
                crc = zlib.crc32(first[:got])
                if got > len(first):
                    crc = zlib.crc32(second[: got - len(first)], crc)
        except BlockingIOError:
            return None
        if got:
            self._publish(kind, got, crc, now)
        return got

    def close(self):
        """Tells the reader that no more records come, and unmaps the file."""
        if self._map is None:
            return
        if self._room(CONTROL) >= 0:
            self._mark_gap(time.time_ns())
        self._words[_CLOSED] = 1
        self._words.release()
        self._data.release()
        self._view.release()
        self._map.close()
        self._map = None
