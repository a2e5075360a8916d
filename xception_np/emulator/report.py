"""What check mode saw of a launch: findings, and what the kernel asked of memory, by buffer and by source line."""

from collections.abc import Sequence
from typing import NamedTuple

KINDS = (
    "out of bounds",
    "uninitialised read",
    "misaligned access",
    "race",
    "divergent barrier",
    "warp exchange",
    "deadlock",
    "undefined arithmetic",
    "too much shared memory",
    "endless loop",
)
ACCESSES = ("read", "write", "atomic")
WARP, SECTOR = 32, 32  # threads, bytes
Triple = tuple[int, int, int]


class Place(NamedTuple):
    """A thread at a line; the line is 0 where the thread had ended."""

    thread: Triple
    block: Triple
    line: int


class Finding(NamedTuple):
    """Something that a kernel must not do: the first time, and how often it happened at that line.

    kind : one of `KINDS`
    buffer : the argument or shared array, the nearest one if it is out of bounds, "" where memory is not what it is about
    offset, size : bytes from the buffer's beginning, and bytes of the access
    other : the second thread of a race or of a divergent barrier
    other_access : what that thread of a race did
    """

    kind: str
    file: str
    at: Place
    access: str
    buffer: str
    offset: int
    size: int
    nbytes: int
    other: Place | None
    times: int
    other_access: str = ""

    @property
    def line(self) -> int:
        """The source line."""
        return self.at.line

    def __str__(self) -> str:
        times = f" ({self.times} times)" if self.times > 1 else ""
        return f"{self.file}:{self.line}: {self.kind}: thread {self.at.thread} of block {self.at.block} {self._what()}{times}"

    def _what(self) -> str:
        where = (
            f"{self.size} bytes at byte {self.offset} of {self.buffer}, which has {self.nbytes}"
            if self.size
            else "outside of an array"
        )
        second = f"thread {self.other.thread} of block {self.other.block}" if self.other else ""
        verbs = {"read": "reads", "write": "writes", "atomic": "changes", "": ""}
        verb, others = verbs[self.access], verbs[self.other_access]
        match self.kind:
            case "uninitialised read":
                return f"reads {where}, which nobody wrote"
            case "race":
                line = self.other.line if self.other else 0
                return f"{verb} {where}, and {second} {others} there at line {line}; nothing orders them"
            case "divergent barrier":
                line = self.other.line if self.other else 0
                return f"waits at a barrier, and {second} {f'at another one, at line {line}' if line else 'has ended'}"
            case "warp exchange":
                return "exchanges values with a lane that does not take part, or is not named by the mask itself"
            case "deadlock":
                return "waits for lanes of its warp that never come"
            case "undefined arithmetic":
                return "computes what has no defined result: an overflow, a shift too far, a division by zero"
            case "too much shared memory":
                return f"has {self.size} bytes of shared memory with this array: more than the launch allows"
            case "endless loop":
                return "goes on and on; its block took more steps than it may"
            case _:
                return f"{verb} {where}"


class BufferUse(NamedTuple):
    """Bytes that all threads together asked of an argument or a shared array, and how many different ones."""

    name: str
    nbytes: int
    asked_read: int
    asked_written: int
    unique_read: int
    unique_written: int


class LineUse(NamedTuple):
    """What a source line asked of a buffer. A request is what the lanes of one warp ask for with one instruction.

    sectors : pieces of 32 bytes that the requests touched, in global memory
    passes, least_passes : through the 32 banks of shared memory, and what they would be without conflicts
    """

    line: int
    buffer: str
    access: str
    requests: int
    nbytes: int
    sectors: int
    passes: int
    least_passes: int

    @property
    def sectors_per_request(self) -> float:
        """4 for 32 floats in a row; 0 for shared memory."""
        return self.sectors / self.requests

    @property
    def bank_conflicts(self) -> float:
        """Passes for every one that is needed: 1 is no conflict, 2 a two-way conflict; 0 for global memory."""
        return self.passes / self.least_passes if self.least_passes else 0.0


class Access(NamedTuple):
    """What one thread of the traced block did once: in the order in which threads ran, which is not that of a GPU.

    thread : its number in the block, x fastest
    offset, size : bytes from the buffer's beginning, and bytes of the access
    """

    thread: int
    line: int
    buffer: str
    access: str
    offset: int
    size: int


class Report(NamedTuple):
    """A launch in check mode; `accesses` are those of the block that was to be traced."""

    kernel: str
    file: str
    grid: Triple
    block: Triple
    threads: int
    blocks: int
    barriers: int
    findings: list[Finding]
    buffers: dict[str, BufferUse]
    lines: list[LineUse]
    accesses: Sequence[Access] = ()

    def at(self, line: int, access: str | None = None) -> list[LineUse]:
        """What a source line asked for."""
        return [use for use in self.lines if use.line == line and access in (None, use.access)]

    def first_request(self, use: LineUse) -> dict[int, int]:
        """What the first warp of the traced block asks a line's buffer for at once: the first byte of each lane that asks."""
        where = (use.line, use.buffer, use.access)
        lanes: dict[int, int] = {}
        for each in self.accesses:
            if each.thread < WARP and (each.line, each.buffer, each.access) == where:
                lanes.setdefault(each.thread, each.offset)
        return lanes

    @property
    def counts(self) -> str:
        """Of threads, blocks and barriers, in words."""
        named = {"thread": self.threads, "block": self.blocks, "barrier": self.barriers}
        return ", ".join(f"{count:,} {name}{'s' * (count != 1)}" for name, count in named.items())

    def __str__(self) -> str:
        rows = [f"{self.kernel}<<<{self.grid}, {self.block}>>>: {self.counts}"]
        rows += [
            f"  {use.name}: {use.nbytes:,} bytes; {use.asked_read:,} read ({use.unique_read:,} different),"
            f" {use.asked_written:,} written ({use.unique_written:,} different)"
            for use in self.buffers.values()
        ]
        for use in self.lines:
            cost = f"{use.bank_conflicts:.3g} passes" if use.least_passes else f"{use.sectors_per_request:.3g} sectors"
            rows.append(f"  {self.file}:{use.line}: {use.access} {use.buffer}: {use.requests:,} requests, {cost} each")
        return "\n".join([*rows, *(f"  {finding}" for finding in self.findings)])
