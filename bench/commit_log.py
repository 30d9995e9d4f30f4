"""What the broker's own log says of transactions: when each was committed, and when readers saw it.

A reader's clock would tell when the reader came to look, and clients do not show the marks that end
transactions. So the segment files of the bench's broker are read: the header of each batch holds the
broker's time of append, the producer, and whether it is a mark. Nothing is decompressed.
"""

import math
import struct
from dataclasses import dataclass

import harness

# Record batch, version 2: offset, length, leader epoch, version, CRC, attributes, last offset's delta,
# first and last time, producer, its epoch, sequence number, count.
HEADER = struct.Struct(">qiibIhiqqqhii")
LENGTH_FROM = 12  # the length counts what comes behind itself
TRANSACTIONAL, MARK = 0x10, 0x20
COMMITTED = 1  # the type of a mark; 0 is aborted
APPEND_TIME = 0x08


@dataclass(frozen=True)
class Commit:
    """One transaction's part in one partition. Times are the broker's, in ms since 1970."""

    at: int  # its mark was appended
    visible_at: float  # a read_committed reader is given its first record; inf: not yet
    producer: tuple  # id, epoch
    records: int


class PartitionLog:
    """The log of one partition, read on at each call."""

    def __init__(self, topic, partition):
        self._folder = harness.STACK_DIR / "kafka" / "data" / f"{topic}-{partition}"
        self._read_to = {}  # segment file: bytes
        self._open = {}  # producer id: [offset of its first record, records]
        self._hidden = []  # [offset of its first record, mark's time, producer, records]
        self.commits = []  # in the order of their becoming visible

    def read_on(self):
        """Returns the commits so far, without those that an open transaction hides."""
        for segment in sorted(self._folder.glob("*.log")):
            with open(segment, "rb") as file:
                file.seek(self._read_to.get(segment, 0))
                data = file.read()
            at = 0
            while len(data) - at >= HEADER.size:
                length = LENGTH_FROM + struct.unpack_from(">i", data, at + 8)[0]
                if len(data) - at < length:
                    break
                self._take(data[at : at + length])
                at += length
            self._read_to[segment] = self._read_to.get(segment, 0) + at
        return self.commits

    def seen_since(self, at):
        """Reads on; returns the commits that became visible at this time or later, or have yet to."""
        self.read_on()
        found = [Commit(mark, math.inf, producer, count) for _, mark, producer, count in self._hidden]
        for commit in reversed(self.commits):
            if commit.visible_at < at:
                break
            found.append(commit)
        return found

    def _take(self, batch):
        header = HEADER.unpack_from(batch)
        offset, version, attributes, time = header[0], header[3], header[5], header[8]
        producer, epoch, records = header[9], header[10], header[12]
        if version != 2:
            raise harness.Trouble(f"{self._folder.name} has batches of version {version}")
        if not attributes & TRANSACTIONAL:
            return
        if not attributes & MARK:
            if not attributes & APPEND_TIME:
                raise harness.Trouble(f"{self._folder.name} does not carry the time of append")
            self._open.setdefault(producer, [offset, 0])[1] += records
            return
        ended = self._open.pop(producer, None)
        if ended and mark_type(batch) == COMMITTED:
            self._hidden.append([ended[0], time, (producer, epoch), ended[1]])
        first_open = min((each[0] for each in self._open.values()), default=math.inf)
        hidden = []
        for each in self._hidden:
            if each[0] < first_open:
                self.commits.append(Commit(each[1], time, each[2], each[3]))
            else:
                hidden.append(each)
        self._hidden = hidden


def mark_type(batch):
    """The key of a mark's only record is version and type; the lengths before it take a byte each."""
    key_bytes, _, kind = struct.unpack_from(">bhh", batch, HEADER.size + 4)
    if key_bytes != 2 * 4:  # zigzag
        raise harness.Trouble("a mark at the end of a transaction has another shape than expected")
    return kind


def quantile(values, part):
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
