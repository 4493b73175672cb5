"""A small hub: serves folders as models, with the faults that the name of a model asks for.

hub_server.py ROOT: ROOT/NAME/… is served as test/NAME, every *.safetensors and *.gguf of it as a file in LFS, which lies on
another host ("localhost" instead of "127.0.0.1"). Prints its port. ROOT/NAME.fault, if there, is a line of JSON:
  {"status": 403, "file": "config.json", "times": 2, "retry_after": 1, "code": "GatedRepo"}  an answer, so often
  {"cut": N}              sends N bytes of each body and closes the connection
  {"stall": N}            sends N bytes of each body and then nothing
  {"wrong_hash": true}    announces a hash that no file has
  {"ranges": false}       does not know ranges
  {"names": ["../x"]}     lists these files too
  {"location": "…"}       redirects large files there
  {"answer": "…"}         this text to the question which files there are
ROOT/log gets a line for each request: METHOD host path range token.
"""
import hashlib
import json
import os
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = sys.argv[1]
COMMIT = "c0ffee" + "0" * 34
counts = {}
lock = threading.Lock()


def content(name, file):
    with open(os.path.join(ROOT, name, file), "rb") as f:
        return f.read()


def is_large(file):
    return file.endswith((".safetensors", ".gguf"))


def hash_of(file, data):
    if is_large(file):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, headers=(), body=b"", sent=None):
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[:sent])
        self.wfile.flush()
        if sent is not None and sent < len(body):
            if self.fault.get("stall") is not None:
                time.sleep(20)
            self.close_connection = True

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        host = self.headers.get("Host", "").split(":")[0]
        token = self.headers.get("Authorization", "-").replace("Bearer ", "")
        with lock, open(os.path.join(ROOT, "log"), "a") as log:
            log.write(f"{self.command} {host} {self.path} {self.headers.get('Range', '-')} {token}\n")
        parts = [urllib.parse.unquote(p) for p in urllib.parse.urlparse(self.path).path.strip("/").split("/")]
        if parts[:2] == ["api", "models"]:
            name, file = parts[3], None
        elif parts[0] == "large":
            name, file = parts[1], "/".join(parts[2:])
        else:
            name, file = parts[1], "/".join(parts[4:])
        self.fault = {}
        if os.path.exists(os.path.join(ROOT, name + ".fault")):
            with open(os.path.join(ROOT, name + ".fault")) as f:
                self.fault = json.load(f)
        if self.failed(name, file):
            return
        if not os.path.isdir(os.path.join(ROOT, name)):
            return self.answer(401 if token == "-" else 404, [("X-Error-Code", "RepoNotFound")])
        if file is None:
            return self.listing(name, parts[5])
        self.file(name, file, parts[0] == "large")

    def failed(self, name, file):
        f = self.fault
        if "status" not in f or f.get("file") != file:
            return False
        with lock:
            counts[name] = counts.get(name, 0) + 1
            if counts[name] > f.get("times", 1000):
                return False
        headers = [("X-Error-Code", f.get("code", "")), ("X-Error-Message", "said by the server")]
        if "retry_after" in f:
            headers.append(("Retry-After", str(f["retry_after"])))
        self.answer(f["status"], headers, b"no")
        return True

    def listing(self, name, revision):
        if revision not in ("main", "refs/pr/1", COMMIT) and not revision.startswith("v"):
            return self.answer(404, [("X-Error-Code", "RevisionNotFound")])
        names = sorted(os.listdir(os.path.join(ROOT, name))) + self.fault.get("names", [])
        body = json.dumps({"sha": COMMIT, "siblings": [{"rfilename": n} for n in names]}).encode()
        self.answer(200, [("Content-Type", "application/json")], self.fault.get("answer", "").encode() or body)

    def file(self, name, file, from_store):
        data = content(name, file)
        etag = "0" * (64 if is_large(file) else 40) if self.fault.get("wrong_hash") else hash_of(file, data)
        if is_large(file) and not from_store:
            port = self.server.server_address[1]
            where = self.fault.get("location", f"http://localhost:{port}/large/{name}/{file}?signature=secret")
            headers = [("Location", where), ("X-Linked-Etag", f'"{etag}"'), ("X-Linked-Size", str(len(data)))]
            return self.answer(302, headers, b"it is elsewhere")
        wanted = self.headers.get("Range")
        status, headers, body = 200, [("ETag", f'W/"{etag}"')], data
        if wanted and self.fault.get("ranges", True):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                return self.answer(416)
            status, body = 206, data[start:]
            headers.append(("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}"))
        self.answer(status, headers, body, self.fault.get("cut", self.fault.get("stall")))


server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
