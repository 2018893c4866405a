"""The double of Cartesia's HTTP interface, on loopback: built from the contract, faults on demand, nothing kept on disk.

Beside the contract it answers `/_double/...`: the inventory, a reset, and which faults are to come.
"""

import hashlib
import json
import re
import socket
import struct
import threading
import time
import uuid
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from python_multipart.multipart import MultipartParser, parse_options_header
from sandbox.account import JSON_ERRORS_SINCE, LANGUAGES, MODELS, VERSIONS, Account
from sandbox.faults import BODIES, STATUSES, Faults

CHUNK_BYTES = 1 << 18
REDIRECTS = {"redirect away": (301, 302, 303), "redirect again": (307, 308)}


class Broken(Exception):
    """The connection is cut, and nothing more is said."""


class Done(Exception):
    """The request is answered, whatever was still to be done."""


class Answered(Exception):
    """An error answer, from wherever it is found."""

    def __init__(self, status, title, message, code=None):
        super().__init__(status)
        self.status, self.title, self.message, self.code = status, title, message, code


class Double(ThreadingHTTPServer):
    """A server with one account; a context manager that serves in a thread. `max_bytes`: larger files get 413."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port=0, account=None, faults=None, max_bytes=None):
        self.account = Account() if account is None else account
        self.faults = Faults() if faults is None else faults
        self.max_bytes = max_bytes
        self.requests = []
        self.hashes = True
        self._open = set()
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            self.shutdown_request(connection)

    def process_request(self, request, client_address):
        """Remember the connection, so that none is left open when this ends."""
        self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request):
        """Close it and forget it."""
        self._open.discard(request)
        super().close_request(request)

    def handle_error(self, request, client_address):
        """Connections that clients cut are part of the game."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    rbufsize = CHUNK_BYTES

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        self._serve()

    do_POST = do_PATCH = do_DELETE = do_GET

    def _serve(self):
        self.unread = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.where = parts.path.rstrip("/") or "/"
        try:
            try:
                self._route(parts.path)
            except Answered as answer:
                self._drain()
                self._error(answer)
            except Done:
                pass
        except (Broken, OSError):
            self._cut()

    # who may come in

    def _admit(self):
        authorization = self.headers.get("Authorization", "")
        if not authorization.startswith("Bearer sk_car_"):
            # a careless server tells what it was given, which must not end up in anybody's log
            raise Answered(401, "Unauthorized", f"API key {authorization.removeprefix('Bearer ')} is not valid")
        self.version = self.headers.get("Cartesia-Version")
        if self.version not in VERSIONS:
            raise Answered(400, "Bad request", "the header Cartesia-Version is missing or unknown")

    def _route(self, path):
        if self.where.startswith("/_double/"):
            self._control()
            return
        self.server.requests.append(f"{self.command} {path}")
        self._admit()
        for pattern, verbs in ROUTES:
            match = re.fullmatch(pattern, self.where)
            if match and self.command in verbs:
                getattr(self, verbs[self.command])(*match.groups())
                return
            if match:
                raise Answered(405, "Method not allowed", f"{self.command} is not for {self.where}")
        raise Answered(404, "Not found", f"there is nothing at {self.where}")

    # datasets

    def status(self):
        self._say(200, {"ok": True, "version": self.version})

    def list_datasets(self):
        self._list([d.shown() for d in self.server.account.datasets.values()])

    def create_dataset(self):
        document = self._document("name", "description")
        self._change(lambda: self.server.account.create_dataset(document["name"], document["description"]).shown())

    def get_dataset(self, id_):
        dataset = self._dataset(id_)
        self._read(dataset.shown)

    def update_dataset(self, id_):
        dataset, document = self._dataset(id_), self._document("name", "description")

        def change():
            dataset.name, dataset.description = document["name"], document["description"]

        self._change(change)

    def delete_dataset(self, id_):
        self._dataset(id_)
        self._change(lambda: self.server.account.datasets.pop(id_, None) and None)

    def list_files(self, id_):
        self._list([file.shown() for file in self._dataset(id_).files])

    def delete_file(self, id_, file_id):
        dataset = self._dataset(id_)
        if all(file.id != file_id for file in dataset.files):
            raise Answered(404, "Not found", "no such file")

        def change():
            dataset.files[:] = [file for file in dataset.files if file.id != file_id]

        self._change(change)

    def _dataset(self, id_):
        found = self.server.account.datasets.get(id_)
        if found is None:
            raise Answered(404, "Not found", "no such dataset", "dataset_not_found")
        return found

    # uploads

    def upload(self, id_):
        fault = self.server.faults.next("upload")
        self._befall(fault)
        self._dataset(id_)
        most = self.server.max_bytes
        if fault == "declined" or (most is not None and self.unread > most):
            raise Answered(413, "Payload too large", "the file has more bytes than are taken here")
        form = self.form(self.unread // 2 if fault == "reset in" else None)
        if fault == "reset after":
            raise Broken
        if "file" not in form or form.get("purpose", {}).get("text") != "fine_tune":
            raise Answered(400, "Bad request", "file and purpose=fine_tune are required")
        if fault == "slow store":
            time.sleep(self.server.faults.slow_s)
        part = form["file"]
        self.server.account.store(id_, part["filename"], part["size"], part["sha256"])
        self._answer(fault, None)

    def form(self, cut_after):
        """The parts of a multipart body, read as a stream: a digest and a size of files, the text of fields."""
        kind, options = parse_options_header(self.headers.get("Content-Type", ""))
        if kind != b"multipart/form-data":
            raise Answered(415, "Unsupported media type", "multipart/form-data is wanted")
        form = Form(self.server.hashes)
        parser = MultipartParser(options[b"boundary"], form.callbacks())
        read = 0
        while self.unread:
            chunk = self._chunk()
            read += len(chunk)
            parser.write(chunk)
            if cut_after is not None and read >= cut_after:
                raise Broken
        if not form.ended:
            raise Answered(400, "Bad request", "the body ends before its boundary")
        return form.parts

    # fine-tunes

    def list_fine_tunes(self):
        account = self.server.account
        self._list([f.shown(account.training_s) for f in account.fine_tunes.values()])

    def create_fine_tune(self):
        document = self._document("name", "description", "language", "model_id", "dataset")
        account = self.server.account
        self._dataset(document["dataset"])
        if document["model_id"] not in MODELS:
            raise Answered(404, "Model not found", f"there is no {document['model_id']}", "model_not_found")
        if document["language"] not in LANGUAGES:
            raise Answered(400, "Bad request", f"language {document['language']} is not supported")
        if account.credits < 1_000_000:
            raise Answered(402, "Payment required", "a fine-tune takes 1,000,000 credits")
        self._change(lambda: account.create_fine_tune(document).shown(account.training_s))

    def get_fine_tune(self, id_):
        fine_tune = self._fine_tune(id_)
        self._read(lambda: fine_tune.shown(self.server.account.training_s))

    def delete_fine_tune(self, id_):
        self._fine_tune(id_)
        self._change(lambda: self.server.account.fine_tunes.pop(id_, None) and None)

    def list_fine_tune_voices(self, id_):
        self._list(self.server.account.voices(self._fine_tune(id_), self.version))

    def list_voices(self):
        account = self.server.account
        self._list([v for f in account.fine_tunes.values() for v in account.voices(f, self.version)])

    def _fine_tune(self, id_):
        found = self.server.account.fine_tunes.get(id_)
        if found is None:
            raise Answered(404, "Not found", "no such fine-tune")
        return found

    # the kinds of request, with what may befall them

    def _list(self, items):
        fault = self.server.faults.next("list")
        self._befall(fault)
        limit = int(self.query.get("limit", 10))
        if not 1 <= limit <= 100:
            raise Answered(400, "Bad request", "limit is from 1 to 100")
        after, before = self.query.get("starting_after"), self.query.get("ending_before")
        ids = [item["id"] for item in items]
        if fault == "same page":
            after = None
        start = ids.index(after) + 1 if after in ids else 0
        stop = ids.index(before) if before in ids else len(items)
        page = items[start:stop][:limit]
        more = start + len(page) < stop
        if fault == "short page" and page:
            page, more = page[: len(page) // 2], False
        if fault == "early end":
            page, more = [], False
        document = {"data": page, "has_more": more}
        if self.version >= "2025-11-04":
            document["next_page"] = page[-1]["id"] if more else None
        self._say(200, document, cut=fault == "cut json")

    def _read(self, show):
        fault = self.server.faults.next("read")
        self._befall(fault)
        self._say(200, show(), cut=fault == "cut json")

    def _change(self, change):
        fault = self.server.faults.next("change")
        self._befall(fault)
        self._answer(fault, change())

    def _answer(self, fault, made):
        """Answer what was carried out, if the fault lets that happen."""
        if fault == "reply lost":
            raise Broken
        if fault == "slow reply":
            time.sleep(self.server.faults.slow_s)
        if fault == "status after":
            raise self._chosen()
        self._say(204 if made is None else 200, made)

    def _befall(self, fault):
        if fault == "reset before":
            raise Broken
        if fault == "status before":
            raise self._chosen()
        if fault in REDIRECTS:
            self._drain()
            self._redirect(fault)
            raise Done
        if fault == "slow reply" and self.command == "GET":
            time.sleep(self.server.faults.slow_s)

    def _chosen(self):
        told = f"something went wrong on our side with {self.headers.get('Authorization')}"
        return Answered(self.server.faults.choice(STATUSES), "Trouble", told)

    # reading and writing

    def _chunk(self):
        chunk = self.rfile.read1(min(CHUNK_BYTES, self.unread))
        if not chunk:
            raise Broken
        self.unread -= len(chunk)
        return chunk

    def _drain(self):
        while self.unread:
            self._chunk()

    def _document(self, *required):
        body = b""
        while self.unread:
            body += self._chunk()
        try:
            document = json.loads(body)
        except ValueError:
            raise Answered(400, "Bad request", "the body is no JSON") from None
        missing = [name for name in required if not isinstance(document.get(name), str)]
        if missing:
            raise Answered(422, "Unprocessable", f"{missing[0]} is required")
        return document

    def _redirect(self, fault):
        status = self.server.faults.choice(REDIRECTS[fault])
        self.send_response(status)
        parts = urlsplit(self.path)
        path = parts.path.rstrip("/") if parts.path.endswith("/") else parts.path + "/"
        self.send_header("Location", path + (f"?{parts.query}" if parts.query else ""))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _say(self, status, document=None, *, cut=False):
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        if document is not None:
            self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(body) // 2 if cut else len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)

    def _error(self, answer):
        version = getattr(self, "version", None) or VERSIONS[-1]
        kind = "json" if version >= JSON_ERRORS_SINCE else "text"
        if answer.status >= 500 or answer.status in STATUSES:
            kind = self.server.faults.choice((kind, *BODIES))
        request = str(uuid.uuid4())
        body, media_type = {
            "json": (
                json.dumps(
                    {"error_code": answer.code, "title": answer.title, "message": answer.message, "request_id": request}
                ),
                "application/json",
            ),
            "text": (f"{answer.title}: {answer.message}", "text/plain"),
            "html": (
                f"<html><head><title>{answer.status} {answer.title}</title></head><body>nginx</body></html>",
                "text/html",
            ),
            "empty": ("", "text/plain"),
        }[kind]
        self.send_response(answer.status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body.encode())))
        if answer.status == 429:
            self.send_header("Retry-After", self.server.faults.retry_after)
        self.end_headers()
        self.wfile.write(body.encode())

    def _cut(self):
        """Reset the connection, so that the client sees it at once."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    # for whoever judges a run

    def _control(self):
        server = self.server
        if self.where == "/_double/inventory":
            self._say(200, server.account.inventory() | {"requests": server.requests, "met": server.faults.met})
            return
        document = self._document()
        if self.where == "/_double/reset":
            server.account = Account(**document)
            server.faults, server.requests = Faults(), []
        elif self.where == "/_double/hashes":
            server.hashes = document["on"]
        elif self.where == "/_double/faults":
            server.faults = Faults(**document)
        elif self.where == "/_double/store":
            server.account.store(document["dataset"], document["filename"], document["size"], "")
        self._say(200, {})


class Form:
    """Collects a multipart body's parts; of files only a digest and a size."""

    def __init__(self, hashes):
        self.parts, self.ended, self._hashes = {}, False, hashes
        self._headers, self._field, self._value, self._part = {}, b"", b"", None

    def callbacks(self):
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: setattr(self, "_field", self._field + data[start:end]),
            "on_header_value": lambda data, start, end: setattr(self, "_value", self._value + data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._named,
            "on_part_data": self._data,
            "on_part_end": self._kept,
            "on_end": lambda: setattr(self, "ended", True),
        }

    def _begin(self):
        self._headers = {}

    def _header(self):
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def _named(self):
        _, options = parse_options_header(self._headers[b"content-disposition"])
        self._part = {"name": options[b"name"].decode(), "size": 0, "digest": hashlib.sha256(), "text": ""}
        if b"filename" in options:
            self._part["filename"] = options[b"filename"].decode()

    def _data(self, data, start, end):
        self._part["size"] += end - start
        if "filename" not in self._part:
            self._part["text"] += data[start:end].decode()
        elif self._hashes:
            self._part["digest"].update(memoryview(data)[start:end])

    def _kept(self):
        self._part["sha256"] = self._part.pop("digest").hexdigest()
        self.parts[self._part.pop("name")] = self._part


ID = r"([^/]+)"
ROUTES = (
    (r"/", {"GET": "status"}),
    (r"/datasets", {"GET": "list_datasets", "POST": "create_dataset"}),
    (rf"/datasets/{ID}", {"GET": "get_dataset", "PATCH": "update_dataset", "DELETE": "delete_dataset"}),
    (rf"/datasets/{ID}/files", {"GET": "list_files", "POST": "upload"}),
    (rf"/datasets/{ID}/files/{ID}", {"DELETE": "delete_file"}),
    (r"/fine-tunes", {"GET": "list_fine_tunes", "POST": "create_fine_tune"}),
    (rf"/fine-tunes/{ID}", {"GET": "get_fine_tune", "DELETE": "delete_fine_tune"}),
    (rf"/fine-tunes/{ID}/voices", {"GET": "list_fine_tune_voices"}),
    (r"/voices", {"GET": "list_voices"}),
)
