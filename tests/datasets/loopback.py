"""Servers on this machine: one of archives that behaves well, badly or maliciously, and a hub."""

import hashlib
import io
import json
import re
import threading
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

NAME = "ItalyPowerDemand"
SPLITS = {
    f"{NAME}_{split}.ts": Path(
        find_spec("sktime").submodule_search_locations[0], "datasets", "data", NAME
    )
    .joinpath(f"{NAME}_{split}.ts")
    .read_bytes()
    for split in ("TRAIN", "TEST")
}


def zipped(entries):
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


WHOLE = zipped(SPLITS)


class Server:
    """Answers requests in threads; a subclass says what with.

    Attributes
    ----------
    url : str
    requests : Counter
        How often each path was asked for.
    """

    def __init__(self):
        self.requests = Counter()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path.partition("?")[0]
                server.requests[path] += 1
                server.answer(self, path)

            def do_HEAD(self):
                server.answer(self, self.path.partition("?")[0])

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *arguments: None  # clients may go away
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def reply(handler, body, status=200, length=None, **headers):
    """Send a body, or only its headers if these are all that was asked for."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


class Mirror(Server):
    """A server of archives.

    Attributes
    ----------
    answers : list
        A status or the bytes of a body for each request; the last one is repeated.
    announced : int, optional
        The length that is announced in place of the true one.
    stalls : bool
        Whether answers of bytes stop after half of them.
    stalled, left : Event
        Whether an answer has stopped, and whether the client has gone away since.
    """

    def __init__(self):
        super().__init__()
        self.url += "/TSC"
        self.answers = [WHOLE]
        self.announced = None
        self.stalls = False
        self.stalled, self.left = threading.Event(), threading.Event()

    def answer(self, handler, path):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not isinstance(answer, bytes):
            reply(handler, b"", answer)
        elif self.stalls:
            reply(handler, answer[: len(answer) // 2], length=len(answer))
            self.stalled.set()
            with suppress(ConnectionError):
                handler.connection.recv(1)  # ends when the other end closes the connection
            self.left.set()
        else:
            reply(handler, answer, length=self.announced)


class Hub(Server):
    """What huggingface-hub asks of the Hugging Face hub to download a data set's repository.

    Attributes
    ----------
    files : dict
        The repository's files: bytes by path.
    down : int
        A status that every request gets, or 0.
    """

    def __init__(self, files):
        super().__init__()
        self.files, self.down = files, 0

    @property
    def commit(self):
        """What identifies the repository's content; clients keep what they know of a commit."""
        return hashlib.sha1(repr(self.files).encode()).hexdigest()

    def answer(self, handler, path):
        if self.down:
            return reply(handler, b"{}", self.down)
        if match := re.fullmatch(r"/datasets/sktime/tsc-datasets/resolve/\w+/(.*)", path):
            body = self.files[match[1]]
            etag = f'"{hashlib.sha1(body).hexdigest()}"'
            return reply(handler, body, ETag=etag, X_Repo_Commit=self.commit)
        if "/tree/" in path:
            answer = [
                {
                    "type": "file",
                    "path": path,
                    "size": len(body),
                    "oid": hashlib.sha1(body).hexdigest(),
                }
                for path, body in self.files.items()
            ]
        else:
            siblings = [{"rfilename": path} for path in self.files]
            answer = {
                "id": "sktime/tsc-datasets",
                "sha": self.commit,
                "siblings": siblings,
                "private": False,
                "downloads": 0,
                "likes": 0,
                "tags": [],
            }
        return reply(handler, json.dumps(answer).encode(), Content_Type="application/json")


def refusing_address():
    """An address that nobody listens at."""
    with Mirror() as server:
        return server.url
