# threads -- the program under the thread sanitizer, with everything going on at once: not one report.
#
#   python3 test/threads [--engine sqlite|postgres] [--lives N] [--seconds S] [--seed N] [--program PATH] [--no-control] [--keep]
#
# A life: start it; people browse, write under keys, subscribe and pay, send files (and stop in the middle), open event streams
# and leave them, sign in and revoke their sessions, send what is no HTTP, stop within a body; after S seconds it is told to stop
# in the middle of all that. The sanitizer reports races, and locks that are taken in two orders (ARCHITECTURE.md has the order).
# The controls must be reported: the same program with a file that takes no locks (unguarded.h), and a lock inversion.
# SPDX-License-Identifier: Apache-2.0
import argparse, asyncio, glob, os, random, re, shutil, signal, socket, subprocess, sys, tempfile, time, zlib

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../kill"))
import clients, oracle
from engines import Sqlite
from provider import Provider
from wire import Connection, Lost

OPTIONS = "halt_on_error=0 exitcode=66 second_deadlock_stack=1 history_size=4"
NO_HTTP = [b"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n", b"\x16\x03\x01\r\n\r\n",
           b"POST /v1/sessions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
           b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /livez HTTP/1.1\r\nHo",
           b"POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{",
           b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" * 20]


class Failed(Exception):
    pass


class Postgres:
    name = "postgres"

    def __init__(self, folder):
        self.folder = folder
        self.url = subprocess.run(["tools/pg", "scratch", "threads"], check=True, capture_output=True, text=True).stdout.strip()
        subprocess.run(["psql", "-q", self.url, "-c", "DROP SCHEMA public CASCADE; CREATE SCHEMA public"], check=True,
                       stderr=subprocess.DEVNULL)

    def arguments(self):
        return [f"--database.url={self.url}"]

    def done(self):
        subprocess.run(["tools/pg", "stop", "threads"], check=True)


def picture(dice):
    """A PNG of 8 by 8, each another one."""
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    rows = b"".join(b"\0" + dice.randbytes(24) for _ in range(8))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0") + chunk(b"IDAT", zlib.compress(rows)) +
            chunk(b"IEND", b""))


class Crowd:
    """Those who do what kill's clients do not."""

    def __init__(self, run, n):
        self.world, self.port, self.dice = run.world, run.port, random.Random(f"{run.options.seed}/{n}")
        self.done = 0

    async def browse(self):
        c = Connection(self.port)
        someone = self.dice.choice(self.world.fans + self.world.creators)
        who = self.dice.choice([[], [("Authorization", f"Bearer {someone.token}")]])
        creator = self.dice.choice(self.world.creators).name
        for path in self.dice.sample(["/", "/livez", "/readyz", "/metrics", "/openapi.json", "/v1/me", "/v1/feed", "/v1/media",
                                      f"/v1/creators/{creator}", f"/v1/creators/{creator}/posts", "/v1/subscriptions", "/nowhere"], 6):
            await c.ask("GET", path, headers=[*who, ("Accept", "*/*")])
        c.close()

    async def raw(self, text, wait_s):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(text)
        try:
            await asyncio.wait_for(reader.read(100000), wait_s)
        except asyncio.TimeoutError:
            pass
        writer.transport.abort()

    async def talk_nonsense(self):
        await self.raw(self.dice.choice(NO_HTTP), self.dice.random())

    async def listen(self):
        token = self.dice.choice(self.world.fans).token
        await self.raw(f"GET /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode(), self.dice.random())

    async def sign_in_and_out(self):
        """With a stream that must end with the session."""
        fan = self.dice.choice(self.world.fans)
        someone = clients.Person(self.world, fan.name)
        a = await someone.once("POST", "/v1/sessions", {"email": f"{fan.name}@example.org", "password": clients.PASSWORD, "kind": "bearer"})
        if a.status != 201:
            return
        someone.token = a.json()["token"]
        stream = asyncio.create_task(self.raw(
            f"GET /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {someone.token}\r\n\r\n".encode(), 3))
        try:
            await asyncio.sleep(self.dice.random() / 5)
            await someone.once("DELETE", "/v1/sessions/current")
        finally:
            await asyncio.gather(stream, return_exceptions=True)
            someone.connection.close()

    async def send_file(self):
        creator, file = self.dice.choice(self.world.creators), picture(self.dice)
        head = (f"POST /v1/media HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {creator.token}\r\nContent-Type: image/png\r\n"
                f"Connection: close\r\nContent-Length: {len(file)}\r\n\r\n").encode()
        cut = self.dice.randrange(len(file)) if self.dice.random() < 0.5 else len(file)
        await self.raw(head + file[:cut], 0.2 if cut < len(file) else 1)

    async def live(self):
        while not self.world.stopping:
            try:
                await self.dice.choice([self.browse, self.browse, self.browse, self.listen, self.sign_in_and_out, self.send_file,
                                        self.talk_nonsense])()
                self.done += 1
            except (OSError, Lost):
                await asyncio.sleep(0.05)  # it is down


class Run:
    def __init__(self, options, engine, program):
        self.options, self.engine, self.program_path = options, engine, program
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.provider = Provider(options.seed, self.port)
        self.world = clients.World(self.port, oracle.Told(), self.provider, options.seed)
        self.program, self.tasks, self.log = None, [], open(os.path.join(engine.folder, "program.log"), "ab")
        self.crowd = [Crowd(self, n) for n in range(16)]

    async def begin(self):
        environment = {**os.environ, "TSAN_OPTIONS": f"{OPTIONS} log_path={self.engine.folder}/report"}
        self.program = subprocess.Popen(
            [self.program_path, "serve", f"--data={self.engine.folder}", "--development=true", "--account.quick_hash=true",
             "--http.rates=false", "--http.threads=3", f"--http.port={self.port}", "--log.level=warn",
             f"--payment.stripe_url=http://127.0.0.1:{self.provider.port}", *self.engine.arguments()],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment)
        probe, until = Connection(self.port), time.monotonic() + 60
        while True:
            try:
                if (await probe.ask("GET", "/readyz", limit_s=5)).status == 200:
                    break
            except Lost:
                pass
            if self.program.poll() is not None or time.monotonic() > until:
                raise Failed(f"it does not start; see {self.log.name}")
            await asyncio.sleep(0.02)
        probe.close()

    async def end(self):
        self.program.terminate()
        until = time.monotonic() + 60
        while self.program.poll() is None and time.monotonic() < until:
            await asyncio.sleep(0.05)
        code = self.program.poll()
        if code not in (0, 66):
            raise Failed(f"told to stop, it ended with {code}; see {self.log.name}")

    def reports(self):
        return [r for f in glob.glob(f"{self.engine.folder}/report*")
                for r in re.findall(r"WARNING: ThreadSanitizer: .*?={18}", open(f, errors="replace").read(), re.S)]

    async def run(self):
        await self.provider.start()
        try:
            for life in range(self.options.lives):
                await self.begin()
                if life == 0:
                    await clients.populate(self.world)
                    self.tasks = [asyncio.create_task(p.live()) for p in self.world.fans + self.crowd]
                await asyncio.sleep(self.options.seconds)
                await self.end()  # they all go on asking meanwhile
                for t in self.tasks:
                    if t.done():
                        t.result()
                        raise Failed("a client stopped")
        finally:
            self.world.stopping = True
            while left := [t for t in self.tasks if not t.done()]:
                for t in left:  # again: wait_for may swallow it (Python before 3.12)
                    t.cancel()
                await asyncio.wait(left, timeout=1)
            await asyncio.gather(*self.tasks, return_exceptions=True)
            await self.provider.stop()
            if self.program is not None and self.program.poll() is None:
                self.program.kill()
                self.program.wait()
            self.log.close()


def verdict(name, wrong):
    print(("ok    " if wrong is None else "FAIL  ") + name + ("" if wrong is None else f"\n      {wrong}"), flush=True)
    return wrong is None


def attempt(run):
    try:
        asyncio.run(run.run())
    except (Failed, clients.Unexpected, AssertionError) as e:
        return f"{type(e).__name__}: {e}"
    return None


def main_run(o, folder):
    engine = (Sqlite if o.engine == "sqlite" else Postgres)(folder)
    run = Run(o, engine, o.program)
    wrong, found = attempt(run), run.reports()
    print(f"  {run.world.acknowledged} writes acknowledged, {run.world.moved} subscriptions paid, {sum(c.done for c in run.crowd)} other"
          f" things done, in {o.lives} lives", flush=True)
    if wrong is None and (run.world.acknowledged < 100 or sum(c.done for c in run.crowd) < 100):
        wrong = "that is too little to say anything"
    if found:
        wrong = f"{len(found)} reports; the first:\n{found[0]}"
    engine.done()
    return verdict(f"{o.engine}: the sanitizer has nothing to report", wrong)


def control_race(o, folder):
    o.lives, o.seconds = 1, 3
    run = Run(o, Sqlite(folder), o.program + "-unguarded")
    attempt(run)  # it may well crash
    found = [r for r in run.reports() if "data race" in r and "request_" in r]
    return verdict("control: a file that takes no locks is reported", None if found else "it is not")


def control_inversion(folder):
    subprocess.run(["gcc", "-g", "-fsanitize=thread", "-o", f"{folder}/inversion", os.path.join(HERE, "inversion.c")], check=True)
    got = subprocess.run([f"{folder}/inversion"], env={**os.environ, "TSAN_OPTIONS": OPTIONS}, capture_output=True, text=True)
    return verdict("control: locks taken in two orders are reported",
                   None if "lock-order-inversion" in got.stderr and got.returncode == 66 else "they are not")


def main():
    p = argparse.ArgumentParser(prog="test/threads")
    p.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    p.add_argument("--lives", type=int, default=4)
    p.add_argument("--seconds", type=float, default=8)
    p.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    p.add_argument("--program", default="build/tsan-gcc/stagedoor")
    p.add_argument("--no-control", action="store_true")
    p.add_argument("--keep", action="store_true", help="leaves the folder for looking at")
    o = p.parse_args()
    os.chdir(os.path.join(HERE, "../.."))
    print(f"seed {o.seed}", flush=True)
    work = tempfile.mkdtemp(prefix="stagedoor-threads-")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = []
    try:
        for name in ("main", "control"):
            os.mkdir(os.path.join(work, name))
        results.append(main_run(o, os.path.join(work, "main")))
        if not o.no_control:
            results += [control_race(o, os.path.join(work, "control")), control_inversion(work)]
    finally:
        if o.keep or not all(results) or not results:
            print(f"data: {work}", flush=True)
        else:
            shutil.rmtree(work)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(0 if results and all(results) else 1)


main()
