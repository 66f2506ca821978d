# stuck -- 4,000 callers who never get on with it do not keep the others waiting, and are cut.
#
#   python3 test/stuck [--callers N] [--seconds S] [--program PATH]
#
# They say nothing; send half a head or half a body and stop there; send a byte a second; ask for much and read nothing, or little. Beside
# them another process opens a connection each 50 ms and asks whether the program is alive, and whether it can write. Each kind
# must be cut when its time is over, with 408 where an answer is possible. --seconds ends earlier: what is due by then is asked for.
# The control: with room for fewer connections than there are stuck ones, the healthy caller must find out.
# SPDX-License-Identifier: Apache-2.0
import argparse, json, multiprocessing, os, re, resource, select, shutil, signal, socket, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True
SLACK_S = 3  # the watch looks four times a second; the rest is for a busy machine
LIMIT_MS = 1000

HEAD = b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: "
BODY = b"POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"


class Kind:
    def __init__(self, name, share, limit_s, first=b"", drip=False, answer=b"", reads=True, sips=0):
        self.name, self.share, self.limit_s, self.first, self.drip = name, share, limit_s, first, drip
        self.answer, self.reads, self.sips = answer, reads, sips
        self.open, self.longest, self.wrong = 0, 0.0, ""


def kinds(page, token):
    upload = (f"POST /v1/media HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Type: image/jpeg\r\n"
              "Content-Length: 100000\r\n\r\n").encode()
    much = f"GET {page} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 40
    return [Kind("say nothing", 18, 30), Kind("stop within a head", 20, 10, HEAD, answer=b"HTTP/1.1 408 "),
            Kind("send a head byte by byte", 20, 10, HEAD, True, b"HTTP/1.1 408 "),
            Kind("stop within a body", 15, 20, BODY, answer=b"HTTP/1.1 408 "),
            Kind("send a body byte by byte", 10, 20, BODY, True, b"HTTP/1.1 408 "),
            Kind("send a file byte by byte", 5, 12, upload, True, b"HTTP/1.1 408 "),
            Kind("send half a file at once, and then byte by byte", 2, 24, upload + b"a" * 50_000, True, b"HTTP/1.1 408 "),
            Kind("ask and never read", 5, 30, much, reads=False), Kind("read 300 bytes a second", 5, 30, much, reads=False, sips=300)]


class Program:
    def __init__(self, path, folder, settings=()):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.log = open(os.path.join(folder, "log"), "ab")
        self.child = subprocess.Popen([path, "serve", f"--data={folder}", "--development=true", f"--http.port={self.port}",
                                       "--http.rates=false", *settings], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until = time.monotonic() + 20
        while ask(self.port, "/readyz", 1)[0] != 200:
            if time.monotonic() > until or self.child.poll() is not None:
                sys.exit(f"stuck: the program does not start; see {self.log.name}")
            time.sleep(0.02)

    def rss_mb(self):
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{self.child.pid}/status").read())[1]) / 1024

    def stop(self):
        self.child.terminate()
        self.child.wait()


def ask(port, path, limit_s):
    """Status and body; 0 when there was none in time."""
    got = b""
    try:
        with socket.create_connection(("127.0.0.1", port), limit_s) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nAccept: text/html, */*\r\nConnection: close\r\n\r\n".encode())
            while piece := s.recv(65536):
                got += piece
        return int(got.split(b" ", 2)[1]), got.partition(b"\r\n\r\n")[2]
    except (OSError, IndexError, ValueError):
        return 0, b""


def creator(port):
    """Signs one up, who may send files: the token."""
    token = None
    account = {"email": "ana@example.org", "password": "correct horse battery staple", "name": "Ana"}
    for path, body in (("/v1/accounts", account), ("/v1/sessions", {**account, "kind": "bearer"}),
                       ("/v1/creators", {"handle": "ana", "name": "Ana", "bio": ""})):
        if "kind" in body:
            del body["name"]
        text = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
        head += f"Authorization: Bearer {token}\r\n" if token else ""
        with socket.create_connection(("127.0.0.1", port), 5) as s:
            s.sendall(head.encode() + b"Connection: close\r\n\r\n" + text)
            got = b"".join(iter(lambda: s.recv(65536), b""))
        assert got.split(b" ", 2)[1] == b"201", got
        token = token or json.loads(got.partition(b"\r\n\r\n")[2]).get("token")
    return token


def probe(port, stop, result):
    times, failures, n = [], 0, 0
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while not stop.is_set():
        n += 1
        began = time.monotonic()
        status, _ = ask(port, "/readyz" if n % 5 == 0 else "/livez", 5)
        times.append((time.monotonic() - began) * 1000)
        failures += status != 200
        stop.wait(0.05)
    result.put((n, failures, sorted(times)))


class Healthy:
    def __init__(self, port):
        self.stop, self.result = multiprocessing.Event(), multiprocessing.Queue()
        self.child = multiprocessing.Process(target=probe, args=(port, self.stop, self.result))
        self.child.start()

    def end(self):
        self.stop.set()
        got = self.result.get(timeout=20)
        self.child.join()
        return got


class Crowd:
    """All of them, by one epoll."""

    def __init__(self, port, some, n):
        self.poll, self.all, self.kinds = select.epoll(), {}, some
        for k in some:
            for _ in range(n * k.share // 100):
                self.add(port, k)

    def add(self, port, k):
        s = socket.socket()
        if not k.reads:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if k.sips:  # small packets, so that the other side hears of the sips now and then
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        s.settimeout(5)
        s.connect(("127.0.0.1", port))
        s.setblocking(False)
        if k.first:
            s.send(k.first)
        k.open += 1
        self.all[s.fileno()] = [s, k, time.monotonic(), b""]
        self.poll.register(s, select.EPOLLIN | select.EPOLLRDHUP if k.reads else select.EPOLLERR)

    def drip(self):
        for s, k, _, _ in list(self.all.values()):
            if k.drip or k.sips:
                try:
                    s.recv(k.sips) if k.sips else s.send(b"a")
                except OSError:
                    pass  # it was cut, and the next look tells

    def look(self, wait_s):
        for fd, what in self.poll.poll(wait_s):
            caller = self.all[fd]
            try:
                piece = caller[0].recv(65536) if caller[1].reads else b""
            except BlockingIOError:
                continue
            except OSError:
                piece = b""
            caller[3] += piece
            if not piece:
                self.gone(fd, *caller)

    def gone(self, fd, s, k, since, got):
        k.open -= 1
        k.longest = max(k.longest, time.monotonic() - since)
        if not got.startswith(k.answer) or (not k.answer and got):
            k.wrong = f"it was told {got[:60]!r}"
        self.poll.unregister(fd)
        s.close()
        del self.all[fd]

    def stay(self, seconds):
        until = next_drip = time.monotonic()
        until += seconds
        while (now := time.monotonic()) < until:
            if now >= next_drip:
                self.drip()
                next_drip = now + 1
            self.look(max(0.01, min(until, next_drip) - time.monotonic()))

    def close(self):
        for s, *_ in self.all.values():
            s.close()


def verdict(name, wrong=None):
    print(("ok    " if wrong is None else "FAIL  ") + name + ("" if wrong is None else f"\n      {wrong}"), flush=True)
    return wrong is None


def connections(port):
    return int(float(re.search(rb"^\w*connections\w* (\S+)$", ask(port, "/metrics", 5)[1], re.M)[1]))


def main_run(o, program):
    page = re.findall(r'(?:src|href)="(/assets/[^"]+\.js)"', ask(program.port, "/", 5)[1].decode())[0]
    before = program.rss_mb()
    healthy = Healthy(program.port)
    crowd = Crowd(program.port, kinds(page, creator(program.port)), o.callers)
    began = time.monotonic()
    crowd.stay(1)
    full, held = program.rss_mb(), connections(program.port)
    crowd.stay(o.seconds - (time.monotonic() - began))
    n, failures, times = healthy.end()
    print(f"  {held} connections at once; {n} healthy calls: middle {times[n // 2]:.1f} ms, slowest {times[-1]:.0f} ms;"
          f" memory {before:.0f} MB before, {full:.0f} with all of them, {program.rss_mb():.0f} after", flush=True)
    yield verdict(f"a healthy caller beside {held} stuck ones waits less than {LIMIT_MS} ms",
                  f"{failures} of {n} failed, the slowest took {times[-1]:.0f} ms" if failures or times[-1] >= LIMIT_MS else
                  "there were not as many as wanted" if held < o.callers * 0.95 else None)
    for k in crowd.kinds:
        if not k.reads or k.limit_s + SLACK_S > o.seconds:
            continue
        yield verdict(f"those who {k.name} are cut after {k.limit_s} s ({k.longest:.1f} s)",
                      f"{k.open} are still there" if k.open else k.wrong or
                      (f"after {k.longest:.1f} s" if k.longest > k.limit_s + SLACK_S else None))
    if o.seconds >= 30 + SLACK_S:  # they have what the kernel still holds for them; the program does not
        left = connections(program.port)
        yield verdict("nobody is left, not even those who never read, or little", f"{left} connections" if left > 1 else None)
    crowd.close()


def control_run(o, folder):
    program = Program(o.program, folder, ["--http.connections=500"])
    healthy = Healthy(program.port)
    crowd = Crowd(program.port, [Kind("say nothing", 100, 30)], 1000)
    crowd.stay(2)
    n, failures, times = healthy.end()
    crowd.close()
    program.stop()
    return verdict("control: with room for 500 connections the healthy caller finds out",
                   None if failures or times[-1] >= LIMIT_MS else f"the slowest of {n} calls took {times[-1]:.0f} ms")


def main():
    p = argparse.ArgumentParser(prog="test/stuck")
    p.add_argument("--callers", type=int, default=4000)
    p.add_argument("--seconds", type=float, default=36)
    p.add_argument("--program", default="build/debug-gcc/stagedoor")
    o = p.parse_args()
    os.chdir(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = tempfile.mkdtemp(prefix="stagedoor-stuck-")
    results, program = [], None
    try:
        for name in ("main", "control"):
            os.mkdir(os.path.join(work, name))
        program = Program(o.program, os.path.join(work, "main"))
        results += main_run(o, program)
        program.stop()
        results.append(control_run(o, os.path.join(work, "control")))
    finally:
        if program is not None and program.child.poll() is None:
            program.child.kill()
        shutil.rmtree(work)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(0 if results and all(results) else 1)


main()
