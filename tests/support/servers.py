"""A server on this machine that answers as hosts of weights and the Hugging Face hub do.

A file whose name begins with one of `BEHAVIORS` is answered in that way; `cut_once_x.npz` breaks
off the first time. Files of the hub are redirected to another host, as its own are.
"""

import base64
import contextlib
import hashlib
import http.server
import io
import json
import threading
import time
import zipfile

import numpy as np

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
COMMIT = "c" * 40
BEHAVIORS = ("whole", "cut", "silent", "wrong", "page", "busy", "down", "forbidden", "absent")
STATUS = {"forbidden": 403, "absent": 404, "busy": 429, "down": 503}


def zipped(*contents):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"member{number}.h5", content)
    return buffer.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    """Requests are kept in `server.log` as (method, path, headers)."""

    def do_GET(self):
        self.server.log.append((self.command, self.path, self.headers))
        with contextlib.suppress(ConnectionError):
            if "/resolve/" in self.path:
                self.hub()
            else:
                self.plain(self.path.rsplit("/", 1)[-1])

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self):
        """An upload: what is asked for is taken, and each file becomes one of the commit."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.log.append((self.command, self.path, self.headers))
        if "/preupload/" in self.path:
            files = [file["path"] for file in json.loads(body)["files"]]
            answer = {
                "files": [
                    {"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in files
                ]
            }
        elif "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    self.server.commits.setdefault(COMMIT, {})[line["value"]["path"]] = content
            answer = {"commitUrl": f"{self.server.url}/me/net/commit/{COMMIT}", "commitOid": COMMIT}
            answer |= {"hookOutput": "", "success": True}
        else:
            answer = {"url": f"{self.server.url}/me/net", "warnings": [], "errors": []}
        self.answer(body=json.dumps(answer).encode(), Content_Type="application/json")

    def hub(self):
        """Metadata and a redirect; errors as the hub words them."""
        repository, _, file = self.path.strip("/").partition("/resolve/")
        revision, _, file = file.partition("/")
        error = {"gated": "GatedRepo", "unknown": "RepoNotFound"}.get(repository.split("/")[0])
        if error:
            return self.answer(401, X_Error_Code=error, X_Error_Message="No access")
        if file.startswith("absent"):
            return self.answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=COMMIT)
        if file.startswith(("busy", "down", "forbidden")):
            return self.plain(file)
        commit = self.server.main if revision == "main" else revision
        body = self.server.commits.get(commit, {}).get(file, CONTENT)
        if body is None:
            return self.answer(404, X_Error_Code="EntryNotFound", X_Repo_Commit=COMMIT)
        sha256 = hashlib.sha256(body).hexdigest()
        cdn = f"http://localhost:{self.server.server_address[1]}/cdn/{commit}/{file}"
        known = {"X_Linked_Etag": f'"{sha256}"', "X_Linked_Size": str(len(body))}
        known |= {"ETag": f'"{sha256[::-1]}"', "X_Xet_Hash": sha256[::-1], "Location": cdn}
        return self.answer(302, **known, X_Repo_Commit=commit, Accept_Ranges="bytes")

    def plain(self, name):
        """The file itself, from where the client asks for it."""
        commit = self.server.commits.get(self.path.split("/")[-2], self.server.files)
        body = commit.get(name, CONTENT)
        times = sum(path == self.path and method == "GET" for method, path, _ in self.server.log)
        behavior = name.split("_")[0].split(".")[0]
        bad = behavior if "_once" not in name or times == 1 else "whole"
        if bad == "page":
            return self.answer(body=b"\n<!DOCTYPE html><html>Please log in</html>")
        if bad in STATUS:
            wait = {"Retry_After": self.server.retry_after} if bad in ("busy", "down") else {}
            return self.answer(STATUS[bad], b"no", **wait)
        body = body[::-1] if bad == "wrong" else body
        start = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
        known = {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
        if start >= len(body):
            return self.answer(416)
        sent = body[start : start + 1000] if bad in ("cut", "silent") else body[start:]
        sent = b"" if bad in ("cut", "silent") and start else sent
        self.answer(206 if start else 200, sent, len(body) - start, **known)
        if bad == "silent":
            time.sleep(0.5)
        return None

    def answer(self, status=200, body=b"", length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serving():
    """A running server.

    `url`; `log` of requests; `files` by name, which have `CONTENT` where they are not listed;
    `commits` of the hub, such files each, and the `main` one; `retry_after` of busy answers.
    """
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.log, server.files, server.retry_after = [], {}, "0"
        server.main, server.commits = COMMIT, {}
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def hub(monkeypatch, cache):
    """The Hugging Face hub, for its own client, which keeps files in `cache`.

    Its CAS, from which files can be read in another way, is not there.
    """
    from huggingface_hub import constants

    with serving() as running:
        monkeypatch.setattr(constants, "ENDPOINT", running.url)
        path = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", running.url + path)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        yield running


def files_in(folder):
    """The files of a folder of downloads, locks left out."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return sorted(str(path.relative_to(folder)) for path in found)
