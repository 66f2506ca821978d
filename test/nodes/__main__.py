# nodes -- "a change of rights is seen by whoever asks next: at the node that made it at once, at another within a second."
#
#   python3 test/nodes [--program PATH] [--rounds N] [--only PART,...] [--keep]
#
# Real processes, the answers kept in memory as always. On one node (SQLite, then PostgreSQL) the very first request after the
# change's answer must show it, while others ask for the same without pause. Then two nodes on one PostgreSQL: changes are
# made at A and looked for at B, in the feed, at the post's address and at the picture's, with B's line to the others good, cut
# again and again, dead (nothing comes, nothing is told), and shut for good. The control: a line that loses what A announces
# must be found out.
# SPDX-License-Identifier: Apache-2.0
import argparse, os, shutil, signal, statistics, sys, tempfile, threading, time, traceback

sys.dont_write_bytecode = True
import line
from world import CLUSTER, Eyes, Failed, Node, Postgres, Site, Sqlite, Talk

LIMIT_S = 1.0


class Stale(Failed):
    pass


# --- what may change ---------------------------------------------------------------------------------


def follow(site, c, on):
    site.fan.must("PUT" if on else "DELETE", f"/v1/creators/{c.name}/follow")


class Changes:
    """Each is made at node A and returns what the fan then may see: (creator, token, whether)."""

    def __init__(self, site):
        self.site = site
        self.toggler, self.leaving, self.lapsing = site.creators[0], site.creators[1:-1], site.creators[-1]
        site.subscribe(self.toggler)
        follow(site, self.toggler, True)
        self.owned = {c.name: site.subscribe(c, "past_due")[0] for c in self.leaving}

    def edited(self):
        """The post's access is edited: another tier, the paid one again."""
        self.toggler.edit(tiers=[self.toggler.other])
        yield self.toggler, None, False
        self.toggler.edit(tiers=[self.toggler.tier])
        yield self.toggler, None, True

    def tier_removed(self):
        """One of two tiers is taken off the post."""
        self.toggler.edit(tiers=[self.toggler.other, self.toggler.tier])
        yield self.toggler, None, True
        self.toggler.edit(tiers=[self.toggler.other])
        yield self.toggler, None, False
        self.toggler.edit(access="public")
        yield self.toggler, None, True
        self.toggler.edit(access="tiers", tiers=[self.toggler.tier])
        yield self.toggler, None, True

    def unfollowed(self):
        """A post for followers, of one who is not subscribed to."""
        c = self.leaving[-1]
        if c.name in self.owned:
            self.site.fan.must("POST", f"/v1/subscriptions/{self.owned.pop(c.name)}/cancel")
        c.edit(access="followers")
        follow(self.site, c, True)
        yield c, None, True
        follow(self.site, c, False)
        yield c, None, False

    def ended(self):
        """A subscription that was not paid ends at once, as one that is refunded does."""
        c = next((c for c in self.leaving[:-1] if c.name in self.owned), None)
        if c is None:
            return
        yield c, None, True
        self.site.fan.must("POST", f"/v1/subscriptions/{self.owned.pop(c.name)}/cancel")
        yield c, None, False

    def signed_out(self):
        """The session ends."""
        token = self.site.sign_in()
        yield self.toggler, token, True
        Talk(self.site.node, token).must("DELETE", "/v1/sessions/current")
        yield self.toggler, token, False

    def each(self):
        return [self.edited, self.tier_removed, self.unfollowed, self.ended, self.signed_out]


# --- looking -----------------------------------------------------------------------------------------


class Watch:
    """The fan's eyes at one node, one pair for each creator and session."""

    def __init__(self, site, node, limit_s):
        self.site, self.node, self.limit_s, self.eyes, self.took = site, node, limit_s, {}, []

    def at(self, creator, token):
        key = creator.name, token
        if key not in self.eyes:
            self.eyes[key] = Eyes(self.node, token or self.site.fan.token, creator)
        return self.eyes[key]

    def expect(self, creator, token, may, what):
        """Told just now. With no time at all, the first look counts."""
        told, eyes = time.monotonic(), self.at(creator, token)
        while True:
            began = time.monotonic()
            seen = eyes.all()
            if all(v == may for v in seen.values()):
                break
            if began - told > self.limit_s:
                raise Stale(f"{what}: {began - told:.2f} s after the answer {self.node.name} shows {seen}, and should {may}")
            time.sleep(0.002)
        self.took.append(began - told)
        for _ in range(3):
            seen = eyes.all()
            if any(v != may for v in seen.values()):
                raise Stale(f"{what}: {self.node.name} went back to {seen}")


class Crowd:
    """Asks for the same without pause, so that there is always an answer being made while something changes."""

    def __init__(self, site, node, n=2):
        self.stopping, self.asked, self.failed = False, 0, None
        self.threads = [threading.Thread(target=self.run, args=(site, node)) for _ in range(n)]
        for t in self.threads:
            t.start()

    def run(self, site, node):
        try:
            eyes = Eyes(node, site.fan.token, site.creators[0])
            while not self.stopping:
                eyes.all()
                self.asked += 3
        except Exception as e:  # told by stop()
            self.failed = e

    def stop(self):
        self.stopping = True
        for t in self.threads:
            t.join()
        if self.failed:
            raise self.failed


def go_through(changes, watch, rounds):
    for n in range(rounds):
        for change in changes.each():
            for creator, token, may in change():
                watch.expect(creator, token, may, f"{change.__name__}, round {n}")


def lapse(changes, watches):
    """A paid period ends by the clock, at every node at the same moment."""
    _, until_us = changes.site.subscribe(changes.lapsing, for_us=2_500_000)
    follow(changes.site, changes.toggler, True)  # touches the fan: rows made by hand announce nothing
    for w in watches:
        w.expect(changes.lapsing, None, True, "paid for two seconds more")
    time.sleep(max(0, until_us / 1e6 - time.time()))
    for w in watches:
        w.expect(changes.lapsing, None, False, "the paid period is over")


# --- the parts ---------------------------------------------------------------------------------------


class Stage:
    def __init__(self, options, store_class, name):
        self.options, self.folder = options, os.path.join(options.work, name)
        os.mkdir(self.folder)
        self.store, self.nodes, self.line = store_class(self.folder), [], None

    def node(self, name, arguments=None):
        self.nodes.append(Node(self.options.program, self.folder, name, self.store.arguments if arguments is None else arguments))
        return self.nodes[-1]

    def second(self):
        self.line = line.Line(os.path.join(self.folder, "line"), self.store.socket)
        return self.node("B", [f"--database.url={self.store.at(self.line.folder)}", "--core.node=1"])

    def close(self):
        for n in self.nodes:
            n.stop()
        if self.line:
            self.line.close()
        self.store.done()


def one_node(o, store_class, told):
    stage = Stage(o, store_class, f"one-{store_class.name}")
    try:
        a = stage.node("A")
        site = Site(a, stage.store, stage.folder, 3 + o.rounds)
        changes, watch, crowd = Changes(site), Watch(site, a, 0), Crowd(site, a)
        try:
            go_through(changes, watch, o.rounds * 2)
            lapse(changes, [watch])
        finally:
            crowd.stop()
        hits = a.cache_hits()
        if hits < 50:
            raise Failed(f"only {hits:.0f} answers came from the cache: nothing is shown")
        told(f"{len(watch.took)} changes, each seen by the first request after its answer; {crowd.asked} requests beside,"
             f" {hits:.0f} answers from memory")
    finally:
        stage.close()


def two_nodes(o, mode, told):
    stage = Stage(o, Postgres, f"two-{mode}")
    try:
        a = stage.node("A")
        site = Site(a, stage.store, stage.folder, 3 + o.rounds)
        b = stage.second()
        changes, watch, crowd = Changes(site), Watch(site, b, LIMIT_S), Crowd(site, b, 1)
        cutter = None
        try:
            watch.expect(changes.toggler, None, True, "before")
            if mode == "cut":
                stopping = threading.Event()

                def cut():
                    while not stopping.wait(0.3):
                        stage.store.cut_listeners()
                cutter = threading.Thread(target=cut)
                cutter.start()
            else:
                stage.line.set(mode)
            go_through(changes, watch, o.rounds)
            if mode == line.GOOD:
                lapse(changes, [watch, Watch(site, a, 0)])
        finally:
            crowd.stop()
            if cutter:
                stopping.set()
                cutter.join()
        hits = b.cache_hits()
        if mode == line.GOOD and hits < 50:
            raise Failed(f"only {hits:.0f} answers came from the cache: nothing is shown")
        told(f"{len(watch.took)} changes at A, seen at B after {statistics.median(watch.took) * 1000:.0f} ms (longest"
             f" {max(watch.took) * 1000:.0f} ms); {hits:.0f} answers from memory")
    finally:
        stage.close()


def must_fail(run, told):
    try:
        run()
    except Stale as e:
        told(f"is found out: {e}")
        return
    raise Failed("a node that does not hear what changed was not found out")


def play(parts):
    passed = failed = 0
    for name, run in parts.items():
        began = time.monotonic()
        try:
            run(lambda text: print(f"ok {name}: {text}", f"({time.monotonic() - began:.1f} s)", flush=True))
            passed += 1
        except Failed as e:
            print(f"FAIL {name}\n{e}", flush=True)
            failed += 1
        except Exception:
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return failed


def main():
    p = argparse.ArgumentParser(prog="test/nodes")
    p.add_argument("--program", default="build/debug-gcc/stagedoor")
    p.add_argument("--rounds", type=int, default=1)
    p.add_argument("--only", help="parts of it, separated by commas")
    p.add_argument("--keep", action="store_true", help="leaves the folder")
    o = p.parse_args()
    os.chdir(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
    parts = {
        "one-sqlite": lambda told: one_node(o, Sqlite, told),
        "one-postgres": lambda told: one_node(o, Postgres, told),
        "two-good": lambda told: two_nodes(o, line.GOOD, told),
        "two-cut": lambda told: two_nodes(o, "cut", told),
        "two-dead": lambda told: two_nodes(o, line.DEAD, told),
        "two-shut": lambda told: two_nodes(o, line.SHUT, told),
        "control-lossy": lambda told: must_fail(lambda: two_nodes(o, line.LOSSY, told), told),
    }
    only = list(parts) if o.only is None else o.only.split(",")
    if unknown := [name for name in only if name not in parts]:
        p.error(f"--only knows no {unknown[0]!r}; there are {', '.join(parts)}")
    o.work = tempfile.mkdtemp(prefix="nodes-")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        failed = play({name: parts[name] for name in parts if name in only})
    finally:
        CLUSTER.stop()
    if not o.keep and failed == 0:
        shutil.rmtree(o.work)
    elif failed:
        print(f"what the nodes said is in {o.work}")
    sys.exit(failed > 0)


main()
