# wire.py -- the least HTTP that a client needs, over asyncio; knows when an answer came whole and when not.
# SPDX-License-Identifier: Apache-2.0
import asyncio, json, os

# For test/contract: what was asked and answered, a line each, beside what the tests in C write there (test/record.h).
RECORDS = os.environ.get("STAGEDOOR_RECORD")
records = open(os.path.join(RECORDS, f"wire-{os.getpid()}.jsonl"), "a") if RECORDS else None


def record(method, target, sent, answer):
    kind = answer.headers.get("content-type")
    text = (kind or "").startswith(("application/json", "application/problem+json"))
    print(json.dumps({"method": method, "target": target, "page": (kind or "").startswith("text/html"),
                      "sent": None if sent is None or isinstance(sent, bytes) else json.dumps(sent), "status": answer.status,
                      "type": kind, "headers": answer.headers, "reply": answer.body.decode() if text else None}), file=records)


class Lost(Exception):
    """The connection broke before the answer was whole: nobody knows what became of the request."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def code(self):
        try:
            return self.json().get("code", "")
        except ValueError:
            return ""


class Connection:
    """One socket, opened when it is needed and after each loss anew."""

    def __init__(self, port):
        self.port, self.reader, self.writer = port, None, None

    def close(self):
        if self.writer is not None:
            self.writer.transport.abort()
        self.reader = self.writer = None

    async def ask(self, method, target, body=None, headers=(), limit_s=40):
        try:
            return await asyncio.wait_for(self._ask(method, target, body, headers), limit_s)
        except (OSError, EOFError, ValueError, asyncio.TimeoutError, asyncio.IncompleteReadError) as e:
            self.close()
            raise Lost(str(e)) from e

    async def _ask(self, method, target, body, headers):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *(f"{k}: {v}" for k, v in headers)]
        if body is not None and not isinstance(body, bytes):
            lines.append("Content-Type: application/json")
        if method != "GET":
            lines.append(f"Content-Length: {len(data)}")
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        got = {}
        for line in filter(None, head[1:]):
            name, _, value = line.partition(":")
            got[name.strip().lower()] = value.strip()
        answer = Answer(int(head[0].split()[1]), got, await self.reader.readexactly(int(got.get("content-length", 0))))
        if records:
            record(method, target, body, answer)
        if got.get("connection", "").lower() == "close":
            self.close()
        return answer
