"""Downloads from a server in this process; nothing leaves the machine."""

import hashlib
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from xception_np import data
from xception_np.data import cifar, download
from xception_np.errors import InputError

CONTENT = np.random.default_rng(0).bytes(1_500_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT under any name, and notes what it was asked for."""

    content, resumes, break_after, status = CONTENT, True, None, 200

    def __init__(self):
        self.ranges = []
        self.begin = lambda: None
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/files/a.tar.gz"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.ranges.append(wanted)
        server.begin()
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and server.resumes else 0
        if start and start >= len(server.content):
            return self.send_error(416)
        if server.status != 200:
            return self.send_error(server.status)
        part = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "application/x-gzip")
        self.send_header("Content-Encoding", "x-gzip")  # some servers say so of .gz files; they are not to be unpacked
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part[: server.break_after])
        self.close_connection = True
        return None

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_is_downloaded_once(server, tmp_path, capsys):
    path = download.fetch(server.address, MD5, tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "a.tar.gz" and path.read_bytes() == CONTENT
    assert "a.tar.gz" in capsys.readouterr().err  # progress
    assert download.fetch(server.address, MD5, path.parent) == path
    assert server.ranges == [None] and [file.name for file in path.parent.iterdir()] == ["a.tar.gz"]
    assert capsys.readouterr() == ("", "")


def test_two_at_once_download_once(server, tmp_path, capfd):
    held, released = threading.Event(), threading.Event()
    begin = server.begin

    def slowly():
        held.set()
        released.wait(60)
        begin()

    server.begin = slowly
    found = []
    first, second = (threading.Thread(target=lambda: found.append(download.fetch(server.address, MD5, tmp_path))) for _ in range(2))
    first.start()
    assert held.wait(60)
    second.start()
    said = ""
    while "another process downloads" not in said and second.is_alive():
        said += capfd.readouterr().err
    released.set()
    for thread in (first, second):
        thread.join()
    assert found == [tmp_path / "a.tar.gz"] * 2 and server.ranges == [None]
    assert found[0].read_bytes() == CONTENT


def test_a_file_put_there_by_hand_needs_no_connection(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(CONTENT)
    assert download.fetch(closed_address(), MD5, tmp_path).read_bytes() == CONTENT


def test_a_broken_download_goes_on_where_it_stopped(server, tmp_path):
    server.break_after = 600_000
    with pytest.raises(
        InputError, match=rf"a\.tar\.gz cannot be downloaded \(it broke off\); run this again to go on.* {tmp_path}"
    ):
        download.fetch(server.address, MD5, tmp_path)
    have = (tmp_path / "a.tar.gz.part").stat().st_size
    assert 0 < have <= 600_000 and [file.name for file in tmp_path.iterdir()] == ["a.tar.gz.part"]
    server.break_after = None
    assert download.fetch(server.address, MD5, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={have}-"] and [file.name for file in tmp_path.iterdir()] == ["a.tar.gz"]


def test_a_server_that_cannot_resume_sends_all_again(server, tmp_path):
    (tmp_path / "a.tar.gz.part").write_bytes(CONTENT[:1000])
    server.resumes = False
    assert download.fetch(server.address, MD5, tmp_path).read_bytes() == CONTENT


def test_a_part_that_is_whole_is_taken(server, tmp_path):
    (tmp_path / "a.tar.gz.part").write_bytes(CONTENT)
    assert download.fetch(server.address, MD5, tmp_path).read_bytes() == CONTENT


def test_what_was_damaged_since_is_downloaded_again(server, tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(CONTENT[:-1])
    assert download.fetch(server.address, MD5, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"", b"wrong", CONTENT + b"more"])
def test_a_wrong_checksum_leaves_nothing(server, tmp_path, part):
    (tmp_path / "a.tar.gz.part").write_bytes(part)
    server.content = CONTENT if part else CONTENT[:-1] + b"x"
    message = rf"a\.tar\.gz gave another file than the one with MD5 {MD5}; .* put a\.tar\.gz into {tmp_path}"
    with pytest.raises(InputError, match=message) as caught:
        download.fetch(server.address, MD5, tmp_path)
    assert list(tmp_path.iterdir()) == [] and "\n" not in str(caught.value)
    server.content = CONTENT
    assert download.fetch(server.address, MD5, tmp_path).read_bytes() == CONTENT


def test_what_the_server_says_is_told(server, tmp_path):
    server.status = 404
    with pytest.raises(InputError, match=rf"a\.tar\.gz cannot be downloaded \(the server says 404 Not Found\); .* {tmp_path}"):
        download.fetch(server.address, MD5, tmp_path)


def closed_address():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/a.tar.gz"


def test_without_a_connection_the_sentence_says_where_to_put_the_file(tmp_path):
    address = closed_address()
    message = rf"{address} cannot be downloaded \(no connection\); run this again to go on, or put a\.tar\.gz into {tmp_path}"
    with pytest.raises(InputError, match=message) as caught:
        download.fetch(address, MD5, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_server_that_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/a.tar.gz"
        with pytest.raises(InputError, match=r"cannot be downloaded \(no answer\)"):
            download.fetch(address, MD5, tmp_path)


def test_a_folder_that_cannot_be_written_to(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"a\.tar\.gz cannot be written to .*file/folder \(Not a directory\)"):
        download.fetch(server.address, MD5, tmp_path / "file" / "folder")
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize(
    ("name", "md5"), [("cifar10", "c32a1d4ab5d03f1284b67883e8d87530"), ("cifar100", "03b5dce01913d631647c71ecec9e9cb8")]
)
def test_load_by_name_fetches_the_published_archive(monkeypatch, tmp_path, name, md5):
    asked = []
    monkeypatch.setattr(download, "fetch", lambda *arguments: asked.append(arguments) or tmp_path)
    monkeypatch.setattr(cifar, "load", lambda path, versions: (path, [version.name for version in versions]))
    assert data.load(name) == (tmp_path, [name])
    archive = {"cifar10": "cifar-10-binary.tar.gz", "cifar100": "cifar-100-binary.tar.gz"}[name]
    assert asked == [(f"https://www.cs.toronto.edu/~kriz/{archive}", md5)]


def test_the_cache_is_the_user_s(monkeypatch, tmp_path):
    import pooch

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = pooch.os_cache("xception_np")
    folder.mkdir(parents=True)
    (folder / "a.tar.gz").write_bytes(CONTENT)
    assert download.fetch(closed_address(), MD5) == folder / "a.tar.gz"
