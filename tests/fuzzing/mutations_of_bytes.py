"""Damage, done to files at random, and what it costs."""

import re
import resource
import struct
import sys
import zlib
from pathlib import Path

import mutations_of_hdf5

PNG_SIGNATURE = 8


def mutated(content, generator):
    """A copy with one to three things done to it, more often near its beginning, where the headers are."""
    result = bytearray(content)
    for _ in range(generator.integers(1, 4)):
        at = int(len(result) * generator.random() ** generator.choice([1, 3]))
        length = int(generator.integers(1, 40))
        match generator.integers(0, 7):
            case 0:
                result[at : at + 1] = generator.bytes(1)
            case 1:
                result[at : at + length] = generator.bytes(length)
            case 2:
                result[at : at + length] = bytes([generator.choice([0, 255])]) * length
            case 3:
                del result[at : at + length]
            case 4:
                result[at:at] = result[:length]
            case 5:
                result[at : at + 4] = struct.pack(generator.choice([">I", "<I"]), 2 ** int(generator.integers(0, 32)) - 1)
            case 6 if generator.random() < 0.3:
                del result[at:]
    return bytes(result)


def repaired(content):
    """The chunks of a PNG file with the checksums they should have: else few mutations would get past the first one."""
    result, at = bytearray(content), PNG_SIGNATURE
    while at + 12 <= len(result):
        (length,) = struct.unpack_from(">I", result, at)
        end = at + 8 + length
        if end + 4 > len(result):
            break
        struct.pack_into(">I", result, end, zlib.crc32(result[at + 4 : end]))
        at = end + 4
    return bytes(result)


ODD = [b"null", b"true", b"-1", b"0", b"7", b"1e400", b"1" + b"0" * 400, b'""', b'"x"', b"[]", b"{}", b"[" * 5000, b"NaN", b"1e300"]
_VALUE = re.compile(rb'(?<=:)\s*(?:\\?"[^"\\]*\\?"|[^\s,{}\[\]"\\]+)')


def with_odd_value(content, generator):
    """A copy of a JSON text, or of one inside a string of another, with a value that is not what its reader hopes for."""
    places = list(_VALUE.finditer(content))
    place = places[generator.integers(len(places))]
    return content[: place.start()] + ODD[generator.integers(len(ODD))] + content[place.end() :]


def in_header(content, generator, change):
    """A safetensors file with the changes in the text at its beginning, whose length stands before it."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = change(content[8:end], generator)
    return len(header).to_bytes(8, "little") + header + content[end:]


def damaged(path, content, generator):
    """A copy to be read as this path, damaged where it hurts: behind checksums, and where a file says what it holds."""
    change = with_odd_value if path.suffix in (".json", ".jsonl") and generator.random() < 0.5 else mutated
    if path.suffix == ".safetensors" and generator.random() < 0.8:
        return in_header(content, generator, with_odd_value if generator.random() < 0.5 else mutated)
    if path.suffix == ".h5" and generator.random() < 0.5:
        return mutations_of_hdf5.changed(content, generator)
    result = change(content, generator)
    return repaired(result) if content.startswith(b"\x89PNG") and generator.random() < 0.8 else result


def peak():
    """The most memory this process had, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux getrusage tells the parent's peak too, if that was higher
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
