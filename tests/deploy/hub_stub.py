"""A Hub on loopback: the part of the API that pushing and loading a model need, with Git's and LFS's hashes."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

TOKEN = "hf_stub"


@dataclass
class Repository:
    private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)  # files of each commit, the newest last
    large: set[str] = field(default_factory=set)  # paths that LFS stores

    def __post_init__(self) -> None:
        self.commit({".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"})

    def commit(self, files: dict[str, bytes], deleted: Collection[str] = ()) -> str:
        kept = {
            name: content for name, content in (self.files() if self.commits else {}).items() if name not in deleted
        }
        whole = {**kept, **files}
        name = hashlib.sha1(repr((len(self.commits), sorted(whole))).encode()).hexdigest()
        self.commits[name] = whole
        return name

    def files(self, revision: str = "main") -> dict[str, bytes] | None:
        return self.commits.get(self.resolved(revision))

    def resolved(self, revision: str) -> str:
        return next(reversed(self.commits)) if revision == "main" else revision

    def listed(self, revision: str) -> Iterator[dict]:
        for path, content in self.files(revision).items():
            oid = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            large = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 128}
            yield {"type": "file", "path": path, "size": len(content), "oid": oid} | (
                {"lfs": large} if path in self.large else {}
            )


class Hub(ThreadingHTTPServer):
    """Repositories by name. `requests` has what was asked of it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, Repository] = {}
        self.blobs: dict[str, bytes] = {}
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def running() -> Iterator[Hub]:
    with Hub() as hub:
        threading.Thread(target=hub.serve_forever, args=(0.01,), daemon=True).start()
        yield hub
        hub.shutdown()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_: object) -> None: ...

    def answer(self, status: int, content: object = None, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    @property
    def known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        self.server.requests.append(f"{self.command} {path}")
        for pattern, method in ROUTES:
            if found := re.fullmatch(pattern, path):
                return method(self, body, **found.groupdict())
        return self.answer(404, {"error": f"no route {path}"})

    do_GET = do_HEAD = do_POST = do_PUT = do_any  # noqa: N815

    def repository(self, name: str, revision: str = "main") -> Repository | None:
        """A repository that may be read; otherwise the refusal has been sent."""
        found = self.server.repositories.get(name)
        if found is None or (found.private and not self.known):
            self.answer(401, {"error": "no"}, X_Error_Code="RepoNotFound", X_Error_Message="Repository not found")
            return None
        if found.files(revision) is None:
            self.answer(404, {"error": "no"}, X_Error_Code="RevisionNotFound", X_Error_Message="Invalid rev")
            return None
        return found

    def create(self, body: bytes) -> None:
        asked = json.loads(body)
        name = f"{asked['organization']}/{asked['name']}"
        if not self.known:
            return self.answer(
                401, {"error": "bad token"}, X_Error_Message="Invalid credentials in Authorization header"
            )
        exists = name in self.server.repositories
        if not exists:
            private = asked.get("visibility") == "private" or bool(asked.get("private"))
            self.server.repositories[name] = Repository(private)
        return self.answer(409 if exists else 200, {"url": f"{self.server.url}/{name}"})

    def info(self, _: bytes, name: str, revision: str | None = None) -> None:
        if found := self.repository(name, revision or "main"):
            files = [
                {"rfilename": file["path"], "size": file["size"], "blobId": file["oid"]}
                | ({"lfs": {**file["lfs"], "sha256": file["lfs"]["oid"]}} if "lfs" in file else {})
                for file in found.listed(revision or "main")
            ]
            sha = found.resolved(revision or "main")
            self.answer(200, {"id": name, "sha": sha, "private": found.private, "siblings": files})

    def tree(self, _: bytes, name: str, revision: str) -> None:
        if found := self.repository(name, revision):
            self.answer(200, list(found.listed(revision)))

    def validate(self, body: bytes) -> None:
        wrong = "license: nonsense" in json.loads(body)["content"]
        errors = [{"message": '"license" must be one of the known ones'}] if wrong else []
        self.answer(400 if wrong else 200, {"errors": errors, "warnings": []})

    def preupload(self, body: bytes, name: str, revision: str) -> None:
        if found := self.repository(name, revision):
            paths = [file["path"] for file in json.loads(body)["files"]]
            found.large |= {path for path in paths if path.endswith(".safetensors")}
            modes = [
                {"path": p, "uploadMode": "lfs" if p in found.large else "regular", "shouldIgnore": False}
                for p in paths
            ]
            self.answer(200, {"files": modes})

    def batch(self, body: bytes, name: str) -> None:  # noqa: ARG002
        upload = {"upload": {"href": f"{self.server.url}/lfs/"}}
        objects = json.loads(body)["objects"]
        for each in objects:
            each["actions"] = {"upload": {"href": upload["upload"]["href"] + each["oid"]}}
        self.answer(200, {"transfer": "basic", "objects": objects})

    def blob(self, body: bytes, oid: str) -> None:
        assert hashlib.sha256(body).hexdigest() == oid
        self.server.blobs[oid] = body
        self.answer(200)

    def commit(self, body: bytes, name: str, revision: str) -> None:
        if not (found := self.repository(name, revision)):
            return
        files, deleted = {}, set()
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.server.blobs[value["oid"]]
            elif line["key"] == "deletedFile":
                deleted.add(value["path"])
            elif value.get("parentCommit") != found.resolved("main"):
                self.answer(412, {"error": "A commit has happened since."})
                return
        sha = found.commit(files, deleted)
        self.answer(200, {"commitUrl": f"{self.server.url}/{name}/commit/{sha}", "commitOid": sha})

    def resolve(self, _: bytes, name: str, revision: str, path: str) -> None:
        if found := self.repository(name, revision):
            content = found.files(revision)[path]
            etag = f'"{hashlib.sha256(content).hexdigest()}"'
            self.answer(200, content, ETag=etag, X_Repo_Commit=found.resolved(revision))


NAME = r"(?P<name>[^/]+/[^/]+)"
ROUTES = (
    (r"/api/repos/create", Handler.create),
    (r"/api/validate-yaml", Handler.validate),
    (rf"/api/models/{NAME}", Handler.info),
    (rf"/api/models/{NAME}/revision/(?P<revision>[^/]+)", Handler.info),
    (rf"/api/models/{NAME}/tree/(?P<revision>[^/]+)", Handler.tree),
    (rf"/api/models/{NAME}/preupload/(?P<revision>[^/]+)", Handler.preupload),
    (rf"/api/models/{NAME}/commit/(?P<revision>[^/]+)", Handler.commit),
    (rf"/{NAME}\.git/info/lfs/objects/batch", Handler.batch),
    (r"/lfs/(?P<oid>\w+)", Handler.blob),
    (rf"/{NAME}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", Handler.resolve),
)
