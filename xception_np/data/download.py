"""Files by name: downloaded once, checked, kept in the user's cache folder.

A download that breaks off leaves what came so far in a file that ends in `.part`; the next one goes on from there.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xception_np.errors import InputError

TIMEOUT = 30  # seconds without a byte
_CHUNK = 2**18


def fetch(address: str, md5: str, folder: Path | None = None) -> Path:
    """The path of a file in the cache; it is downloaded first if it is not there, or not whole.

    Parameters
    ----------
    address : str
        Its last part is the file's name.
    md5 : str
        What the file must have.
    folder : path, optional
        Where it is kept: `xception_np` in the system's folder for caches, if not given.

    Raises
    ------
    InputError
        If the file cannot be had, or is not what was published; the sentence says where to put it by hand.
    """
    import pooch  # it and requests take a third of a second to import
    from requests import HTTPError, RequestException
    from urllib3.exceptions import HTTPError as StreamError

    folder = Path(pooch.os_cache("xception_np") if folder is None else folder)
    name = address.rpartition("/")[2]
    by_hand = f"run this again to go on, or put {name} into {folder}"
    pooch.get_logger().setLevel("WARNING")
    try:
        if (folder / name).is_file() and pooch.file_hash(str(folder / name), "md5") == md5:
            return folder / name
        folder.mkdir(parents=True, exist_ok=True)
        with _alone_in(folder):
            return Path(pooch.retrieve(address, f"md5:{md5}", name, folder, downloader=_download))
    except HTTPError as error:
        answer = f"{error.response.status_code} {error.response.reason}" if error.response is not None else error
        raise InputError(f"{address} cannot be downloaded (the server says {answer}); {by_hand}") from error
    except (RequestException, StreamError) as error:
        reason = "no answer" if "timed out" in str(error) else "no connection" if _never_connected(error) else "it broke off"
        raise InputError(f"{address} cannot be downloaded ({reason}); {by_hand}") from error
    except ValueError as error:  # pooch's, for a wrong checksum
        raise InputError(f"{address} gave another file than the one with MD5 {md5}; {by_hand}") from error
    except OSError as error:
        raise InputError(
            f"{name} cannot be written to {folder} ({error.strerror or error}); expected a folder with enough room"
        ) from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One download into a folder at a time: two would write to the same file. Where there are no locks, nobody waits."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"another process downloads into {folder}: waiting for it", file=sys.stderr)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _download(address: str, target: str, pooch: object) -> None:
    """Fill the file `target`, going on where an earlier download broke off; this is what pooch calls a downloader."""
    import requests
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    name = address.rpartition("/")[2]
    part = Path(target).with_name(f"{name}.part")
    have = part.stat().st_size if part.exists() else 0
    # The bytes of the file itself are wanted: a server may offer to compress, or to unpack.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(address, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416:  # nothing lies behind what we have: it is whole, or it is wrong, as its checksum will tell
            os.replace(part, target)
            return
        response.raise_for_status()
        have = have if response.status_code == 206 else 0
        total = have + int(response.headers.get("Content-Length", 0)) or None
        columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        with open(part, "ab" if have else "wb") as file, Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("", total=total, completed=have)
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                file.write(chunk)
                bar.advance(task, len(chunk))
    os.replace(part, target)


def _never_connected(error: Exception) -> bool:
    import requests

    return isinstance(error, requests.ConnectionError)
