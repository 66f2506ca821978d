# kill -- "kill -9 at any moment loses nothing that was acknowledged, and doubles nothing."
#
#   python3 test/kill [--engine sqlite|postgres] [--rounds N] [--seed N] [--program PATH] [--keep]
#
# A round: start the program, let a dozen clients write, kill -9 at a random moment; the clients go on asking with their keys
# while it is down and when it is up again. What they were told, and what the payment provider (ours, never killed) took, must
# be found in the rows by an oracle that reads the database itself. At the end, control runs: clients that take a new key
# for each try, and databases that were tampered with, must be found out.
#
# What this cannot show: a kill leaves the kernel's cache, so a commit that was written but not synced looks durable too.
# SPDX-License-Identifier: Apache-2.0
import argparse, asyncio, os, random, shutil, signal, socket, statistics, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True
import clients, oracle
from engines import Postgres, Sqlite
from provider import Provider
from wire import Connection, Lost

CHECK_EACH = 20  # rounds; in between only what is quick to ask


class Failed(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Run:
    """One database through many lives of the program."""

    def __init__(self, options, engine, rounds, new_keys=False):
        self.options, self.engine, self.rounds = options, engine, rounds
        self.dice = random.Random(options.seed)
        self.port = free_port()
        self.provider = Provider(options.seed, self.port)
        self.told = oracle.Told()
        self.world = clients.World(self.port, self.told, self.provider, options.seed, new_keys)
        self.program, self.starts, self.tasks = None, [], []
        self.log = open(os.path.join(engine.folder, "program.log"), "ab")

    # --- the program -------------------------------------------------------------------------------

    def begin(self):
        self.engine.up()
        self.began = time.monotonic()
        self.program = subprocess.Popen(
            [self.options.program, "serve", f"--data={self.engine.folder}", "--development=true", "--account.quick_hash=true",
             "--http.rates=false", "--http.per_address=0", "--http.threads=1", f"--http.port={self.port}", "--log.level=warn",
             f"--payment.stripe_url=http://127.0.0.1:{self.provider.port}", *self.engine.arguments()],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    async def ready(self):
        probe = Connection(self.port)
        while True:
            try:
                if (await probe.ask("GET", "/readyz", limit_s=5)).status == 200:
                    break
            except Lost:
                pass
            if self.program.poll() is not None:
                raise Failed(f"the program ended by itself, code {self.program.returncode}; see {self.log.name}")
            if time.monotonic() - self.began > 30:
                raise Failed(f"not ready after 30 s; see {self.log.name}")
            await asyncio.sleep(0.002)
        probe.close()
        self.starts.append(time.monotonic() - self.began)

    def kill(self):
        if self.program.poll() is not None:
            raise Failed(f"the program ended by itself, code {self.program.returncode}; see {self.log.name}")
        self.engine.kill(self.program)

    def look(self, rules, rows):
        for rule in rules:
            found = rule(rows, self.told, self.provider)
            if found:
                raise Failed(f"{rule.__name__}: {found[0]}" + (f" (and {len(found) - 1} more)" if len(found) > 1 else ""))

    async def drive(self, method, target, body=None):
        return await clients.Person(self.world, "time").ask(method, target, body)

    # --- rounds ------------------------------------------------------------------------------------

    async def round(self, n):
        self.begin()
        if n % 10 == 9:  # before it is up, or when it hardly is
            await asyncio.sleep(self.dice.random() * statistics.median(self.starts) * 1.2)
        else:
            await self.ready()
            if n > 0 and n % (self.rounds // 4 + 1) == 0:  # all renewals are due
                await self.drive("POST", "/v1/development/clock", {"advance_s": 32 * 86400})
            await asyncio.sleep(self.dice.random() ** 2 * self.options.longest)
        self.kill()
        # While nobody writes: the clients are told nothing new as long as we do not let them run.
        if n % CHECK_EACH == CHECK_EACH - 1 or n == self.rounds - 1:
            rows = self.engine.reader()
            self.look(oracle.ALWAYS, rows)
            wrong = self.engine.whole()
            if wrong:
                raise Failed(wrong[0])
        for t in self.tasks:
            if t.done():
                t.result()
                raise Failed("a client stopped")

    async def at_rest(self):
        """All clients answered, all notices taken, all jobs done."""
        self.begin()
        await self.ready()
        self.world.stopping = True
        await asyncio.wait_for(asyncio.gather(*self.tasks), 60)
        rows, until = self.engine.reader(), time.monotonic() + 60
        await self.drive("POST", "/v1/development/clock", {"advance_s": 3600})  # what waits for a quiet moment, as sealing does
        while not self.provider.all_told() or self.unfinished(rows):
            if time.monotonic() > until:
                raise Failed(f"work does not end: {self.unfinished(rows)}")
            await asyncio.sleep(0.05)

    def unfinished(self, rows):
        return rows("SELECT kind, state, count(*) FROM job WHERE state IN ('waiting', 'running') AND kind IN ('payment.checkout',"
                    " 'payment.charge', 'payment.query', 'audit.seal') GROUP BY kind, state") + rows(
            "SELECT consumer, 'behind', 1 FROM event_cursor c WHERE EXISTS (SELECT 1 FROM event e WHERE e.id > c.id AND e.kind = 'payment.settled')")

    async def run(self):
        await self.provider.start()
        try:
            self.begin()
            await self.ready()
            await clients.populate(self.world)
            self.kill()
            self.tasks = [asyncio.create_task(f.live()) for f in self.world.fans]
            for n in range(self.rounds):
                await self.round(n)
            await self.at_rest()
            self.kill()
            self.look(oracle.ALWAYS + oracle.AT_REST, self.engine.reader())
        finally:
            waiting = self.tasks
            while waiting:  # wait_for of Python 3.11 loses a cancellation that comes together with what it waits for
                for t in waiting:
                    t.cancel()
                _, waiting = await asyncio.wait(waiting, timeout=1)
            await asyncio.gather(*self.tasks, return_exceptions=True)
            await self.provider.stop()
            if self.program is not None and self.program.poll() is None:
                self.program.kill()
                self.program.wait()
            self.log.close()

    def tell(self):
        w, taken = self.world, sum(len(v) for v in self.provider.charged().values())
        print(f"  {self.rounds} kills, {w.acknowledged} writes acknowledged; {w.repeated} were asked again after a kill, {w.replayed} of"
              f" these had been done already; {w.moved} subscriptions, {taken} payments; start to ready"
              f" {statistics.median(self.starts) * 1000:.0f} ms (longest {max(self.starts) * 1000:.0f})", flush=True)


def verdict(name, wrong):
    print(("ok    " if wrong is None else "FAIL  ") + name + ("" if wrong is None else f"\n      {wrong}"), flush=True)
    return wrong is None


def attempt(run):
    try:
        asyncio.run(run.run())
    except (Failed, clients.Unexpected, asyncio.TimeoutError, AssertionError) as e:
        return f"{type(e).__name__}: {e}"
    return None


def main_run(o, work):
    engine = (Sqlite if o.engine == "sqlite" else Postgres)(os.path.join(work, "main"))
    run = Run(o, engine, o.rounds)
    wrong = attempt(run)
    if wrong is None:
        run.tell()
        if run.world.replayed == 0 and o.rounds >= 10:
            wrong = "no kill left a write that was done and not acknowledged: the moments were chosen badly"
    yield verdict(f"{o.engine}: {o.rounds} kills lose nothing and double nothing", wrong)
    if wrong is None and o.engine == "sqlite":
        for rule, statements in oracle.TAMPERINGS:
            found = rule(engine.tampered(statements, work), run.told, run.provider)
            yield verdict(f"control: {rule.__name__} notices {statements[0][:60]}", None if found else "it does not")
    engine.done()


def control_run(o, work):
    """Clients without the discipline: each try has a key of its own. What they asked twice must be found twice."""
    run = Run(o, Sqlite(os.path.join(work, "control")), 120, new_keys=True)  # it ends at the first find
    wrong = attempt(run)
    return verdict("control: a new key for each try is found out",
                   None if wrong is not None and "posts_stand_once" in wrong else f"the oracle said: {wrong}")


def main():
    p = argparse.ArgumentParser(prog="test/kill")
    p.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    p.add_argument("--rounds", type=int)
    p.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    p.add_argument("--program", default="build/debug-gcc/stagedoor")
    p.add_argument("--keep", action="store_true", help="leaves the folder for looking at")
    o = p.parse_args()
    os.chdir(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
    o.rounds = o.rounds or (200 if o.engine == "sqlite" else 10)
    o.longest = 0.25 if o.engine == "sqlite" else 1.5
    print(f"seed {o.seed}", flush=True)
    work = tempfile.mkdtemp(prefix="stagedoor-kill-")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in ("main", "control"):
        os.mkdir(os.path.join(work, name))
    results = []
    try:
        results += main_run(o, work)
        if o.engine == "sqlite":
            results.append(control_run(o, work))
    finally:
        if o.keep or not all(results) or not results:
            print(f"data: {work}", flush=True)
        else:
            shutil.rmtree(work)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(0 if results and all(results) else 1)


main()
