# disk -- the whole program on a disk that is really full, under a kernel that refuses (strace -e inject), and what it syncs.
#
#   python3 test/disk [--program PATH] [--seed N] [--keep]
#
# full:    a tmpfs of a few megabytes, in a namespace of our own, filled to the last byte: who writes is refused within a second and
#          is not lied to, reading goes on, the log tells of it; five seconds after there is room again the same keys succeed, once.
#          The job that was under way is not left behind.
# inject:  the n-th fdatasync or pwrite64 of the process fails. Who was not answered asks the next life of the program again.
# media:   what the kernel was asked for (a log of strace) before an upload was acknowledged: the file synced, then renamed, then its
#          folder synced, and each folder above. Without its fsyncs the same log must be found wanting.
# private: started by somebody who hides nothing (umask 0), in a folder that all may look into and in one that it makes: whatever it
#          writes there is for its own account alone.
# SPDX-License-Identifier: Apache-2.0
import argparse, http.client, json, os, random, re, shutil, signal, socket, sqlite3, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True
ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
PASSWORD = "correct horse battery 9"
SIZE_MB, RECOVERY_S, REFUSAL_S = 48, 5, 1


class Failed(Exception):
    pass


class Lost(Exception):
    pass


class Missing(Exception):
    """This cannot run here: left out by hand, a failure in a whole check (see unit.h)."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Program:
    def __init__(self, options, data, before=()):
        self.traced = bool(before)
        self.port, self.data, self.log = free_port(), data, os.path.join(options.work, f"log-{time.monotonic_ns()}")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*before, options.program, "serve", f"--data={data}", "--development=true", "--account.quick_hash=true", "--http.rates=false",
                 "--http.per_address=0", f"--http.port={self.port}", "--payment.stripe_url=http://127.0.0.1:9"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ready(self):
        until = time.monotonic() + 30
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return self
            except Lost:
                time.sleep(0.01)
        return self

    def ask(self, method, path, body=None, token=None, key=None, kind="application/json"):
        headers = {"Content-Type": kind} if body is not None else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if key:
            headers["Idempotency-Key"] = key
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            c.request(method, path, body if isinstance(body, (bytes, type(None))) else json.dumps(body), headers)
            r = c.getresponse()
            return r.status, r.read()
        except (OSError, http.client.HTTPException) as e:
            raise Lost(str(e)) from e
        finally:
            c.close()

    def must(self, *args, **more):
        status, body = self.ask(*args, **more)
        if status >= 300:
            raise Failed(f"{args[:2]} answered {status}: {body[:300]!r}")
        return json.loads(body) if body else None

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def kill(self):
        """With strace around it, what strace has begun: it would go on without."""
        try:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as f:
                children = [int(c) for c in f.read().split()]
        except OSError:
            children = []
        if self.traced:
            for c in children:
                os.kill(c, signal.SIGKILL)
        elif self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def sign_up(p, name):
    p.must("POST", "/v1/accounts", {"email": f"{name}@example.org", "password": PASSWORD, "name": name})
    return p.must("POST", "/v1/sessions", {"email": f"{name}@example.org", "password": PASSWORD, "kind": "bearer"})["token"]


def rows(data, sql):
    db = sqlite3.connect(os.path.join(data, "stagedoor.db"))
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def whole(data):
    found = rows(data, "PRAGMA integrity_check")
    if found != [("ok",)]:
        raise Failed(f"corrupt: {found[:3]}")


# --- a disk that is full -------------------------------------------------------------------------


def fill(path):
    with open(path, "wb", buffering=0) as f:
        for block in (1 << 20, 4096):
            try:
                while True:
                    f.write(b"x" * block)
            except OSError:
                pass


def refused_until(p, ana, dice):
    """Writes until one is refused. What was acknowledged, and what was refused: texts of posts by key."""
    kept, refused, slowest = {}, {}, 0
    for i in range(3000):
        text = f"{i} " + "".join(dice.choices("abcdefgh", k=4000))
        began = time.monotonic()
        status, body = p.ask("POST", "/v1/posts", {"text": text, "access": "followers", "publish": True}, ana, f"post-{i}")
        took = time.monotonic() - began
        if status < 300:
            kept[f"post-{i}"] = text
            continue
        if status != 507:
            raise Failed(f"a full disk was answered with {status}: {body[:200]!r}")
        slowest = max(slowest, took)
        refused[f"post-{i}"] = text
        if p.ask("GET", "/v1/creators/ana")[0] != 200 or p.ask("GET", "/v1/me", token=ana)[0] != 200:
            raise Failed("reading did not go on")
        if len(refused) == 20:
            return kept, refused, slowest
    raise Failed("the disk did not get full")


def part_full(o):
    data = os.path.join(o.work, "full")
    os.mkdir(data)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", data], capture_output=True)
    if mounted.returncode != 0:
        raise Missing(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    p = Program(o, data).ready()
    try:
        ana = sign_up(p, "ana")
        p.must("POST", "/v1/creators", {"handle": "ana", "name": "Ana", "bio": ""}, ana, "creator")
        ballast = os.path.join(data, "ballast")
        fill(ballast)
        os.truncate(ballast, os.path.getsize(ballast) - (1 << 20))  # a little goes in
        kept, refused, slowest = refused_until(p, ana, random.Random(o.seed))
        if slowest > REFUSAL_S:
            raise Failed(f"a refusal took {slowest:.2f} s")
        have = {t for t, in rows(data, "SELECT text FROM post")}
        false = [k for k, t in refused.items() if t in have]
        if false:
            raise Failed(f"a false 'failed': {false}")
        if "sqlite.full" not in p.said():
            raise Failed("the log does not tell of it")
        os.remove(ballast)
        began = time.monotonic()
        for key, text in refused.items():
            while p.ask("POST", "/v1/posts", {"text": text, "access": "followers", "publish": True}, ana, key)[0] >= 300:
                if time.monotonic() - began > RECOVERY_S:
                    raise Failed(f"{RECOVERY_S} s after there was room, writing does not go on")
                time.sleep(0.01)
        recovery = time.monotonic() - began
        p.kill()
        whole(data)
        counts = dict(rows(data, "SELECT text, count(*) FROM post GROUP BY text"))
        wrong = [k for k, t in {**kept, **refused}.items() if counts.get(t) != 1]
        if wrong:
            raise Failed(f"not there once: {wrong[:5]}")
        print(f"full: tmpfs of {SIZE_MB} MB; {len(kept)} posts fitted, {len(refused)} refused in at most {slowest * 1000:.0f} ms, none falsely;"
              f" all there once {recovery * 1000:.0f} ms after there was room")
    finally:
        p.kill()
        subprocess.run(["umount", "-l", data], check=False)


def needs_strace():
    if shutil.which("strace") is None:
        raise Missing("there is no strace: ./dev setup brings it")


# --- a kernel that refuses -----------------------------------------------------------------------


def inject(o, call, error, n):
    data = os.path.join(o.work, f"{call}-{n}")
    os.mkdir(data)
    p = Program(o, data).ready()
    ana = sign_up(p, "ana")
    p.must("POST", "/v1/creators", {"handle": "ana", "name": "Ana", "bio": ""}, ana, "creator")
    p.kill()
    p = Program(o, data, ["strace", "-qq", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={n}"]).ready()
    told, unknown = {}, {}
    try:
        for i in range(60):
            if p.process.poll() is not None:
                break
            key, text = f"post-{i}", f"text {i}"
            try:
                status, _ = p.ask("POST", "/v1/posts", {"text": text, "access": "followers", "publish": True}, ana, key)
                if status < 300:
                    told[key] = text
                elif status != 507 and status != 503:
                    raise Failed(f"{call} {error} {n}: answered {status}")
                else:
                    unknown[key] = text
            except Lost:
                unknown[key] = text
    finally:
        p.kill()
    stopped = "sqlite.commit_unknown" in p.said()
    p = Program(o, data).ready()
    try:
        for key, text in {**told, **unknown}.items():
            p.must("POST", "/v1/posts", {"text": text, "access": "followers", "publish": True}, ana, key)
    finally:
        p.kill()
    whole(data)
    counts = dict(rows(data, "SELECT text, count(*) FROM post GROUP BY text"))
    wrong = [k for k, t in {**told, **unknown}.items() if counts.get(t) != 1]
    if wrong or len(counts) != len(told) + len(unknown):
        raise Failed(f"{call} {error} {n}: not there once: {wrong[:5]}")
    return stopped, len(told), len(unknown)


def part_inject(o):
    needs_strace()
    stopped = tried = 0
    for call, error, places in (("fdatasync", "EIO", (8, 15)), ("pwrite64", "ENOSPC", (40, 97)), ("pwrite64", "EIO", (61,))):
        for n in places:
            tried += 1
            stopped += inject(o, call, error, n + random.Random(o.seed + n).randrange(4))[0]
    print(f"inject: {tried} lives of the program with a call that failed, {stopped} stopped because a commit was unknown; everything once")
    if stopped == 0:
        raise Failed("no injected error came to a commit: the places are chosen badly")


# --- what was synced before an upload was acknowledged ------------------------------------------


def durable(log, data, kept):
    """What is wrong with a file's name and bytes by this log of what the kernel was asked for; nothing: it survives."""
    synced, named, wrong = {}, None, []
    for at, (call, path, result) in enumerate(log):
        if call in ("fsync", "fdatasync"):
            synced.setdefault(path, []).append(at)
        if call == "rename" and result == kept:
            named = (at, path)
    if named is None:
        return [f"{kept} was never renamed into its place"]
    if not any(s < named[0] for s in synced.get(named[1], [])):
        wrong.append("its bytes were not synced before it got its name")
    folder, made = os.path.dirname(kept), named[0]
    while len(folder) >= len(data):
        if not any(s > made for s in synced.get(folder, [])):
            wrong.append(f"{folder} was not synced after something was made in it")
        made = max((at for at, (call, path, _) in enumerate(log) if call == "mkdir" and path == folder), default=-1)
        folder = os.path.dirname(folder)
    return wrong


def calls(path):
    found = []
    for line in open(path, errors="replace"):
        if m := re.search(r"\b(f(?:data)?sync)\(\d+<([^>]*)>\)\s+= 0", line):
            found.append((m[1], os.path.normpath(m[2]), None))
        elif m := re.search(r"\brename\(\"([^\"]*)\", \"([^\"]*)\"\)\s+= 0", line):
            found.append(("rename", os.path.normpath(m[1]), os.path.normpath(m[2])))
        elif m := re.search(r"\bmkdir\(\"([^\"]*)\", \d+\)\s+= 0", line):
            found.append(("mkdir", os.path.normpath(m[1]), None))
    return found


def part_media(o):
    needs_strace()
    data, trace = os.path.join(o.work, "media"), os.path.join(o.work, "trace")
    p = Program(o, data, ["strace", "-qq", "-f", "-y", "-o", trace, "-e", "trace=fsync,fdatasync,rename,mkdir"]).ready()
    try:
        ana = sign_up(p, "ana")
        p.must("POST", "/v1/creators", {"handle": "ana", "name": "Ana", "bio": ""}, ana, "creator")
        with open(os.path.join(ROOT, "build/fixtures/phone.jpg"), "rb") as f:
            p.must("POST", "/v1/media?purpose=post&filename=phone.jpg", f.read(), ana, "media", kind="image/jpeg")
        log = calls(trace)  # as it is when the answer has come
    finally:
        p.kill()
    hashes = [h.hex() if isinstance(h, bytes) else h for h, in rows(data, o.original)]
    if not hashes:
        raise Failed("no original is in the rows")
    for h in hashes:
        kept = os.path.join(data, "blobs", h[:2], h)
        wrong = durable(log, data, kept)
        if wrong:
            raise Failed(f"{kept}: {'; '.join(wrong)}")
        control = durable([c for c in log if c[0] == "rename"], data, kept)
        if len(control) < 2:
            raise Failed("control: a log without any sync was not found wanting")
    key = os.path.join(data, "secret.key")
    if durable(log, data, key):
        raise Failed(f"{key}: {durable(log, data, key)}")
    print(f"media: {len(hashes)} original and the master key are synced, renamed and named for good before anybody is answered; {len(log)} calls")


# --- who else on this machine may read it ----------------------------------------------------------


def open_to_others(data):
    """Of all that stands below data, what somebody else than its owner may read or write; and the files' names."""
    found, names = [], []
    for folder, folders, files in os.walk(data):
        names += files
        for name in folders + files:
            path = os.path.join(folder, name)
            if os.lstat(path).st_mode & 0o077:
                found.append(f"{os.path.relpath(path, data)} {os.lstat(path).st_mode & 0o777:o}")
    return sorted(found), names


def private_life(o, data):
    p = Program(o, data).ready()
    try:
        ana = sign_up(p, "ana")
        p.must("POST", "/v1/creators", {"handle": "ana", "name": "Ana", "bio": ""}, ana, "creator")
        with open(os.path.join(ROOT, "build/fixtures/phone.jpg"), "rb") as f:
            p.must("POST", "/v1/media?purpose=post&filename=phone.jpg", f.read(), ana, "media", kind="image/jpeg")
        until = time.monotonic() + 20
        while time.monotonic() < until and not any(n.endswith(".eml") for n in open_to_others(data)[1]):
            time.sleep(0.05)
        return open_to_others(data)
    finally:
        p.kill()


def part_private(o):
    theirs, ours = os.path.join(o.work, "theirs"), os.path.join(o.work, "ours")
    was = os.umask(0)
    try:
        os.mkdir(theirs, 0o755)
        for data in (theirs, ours):
            wrong, names = private_life(o, data)
            missing = {"secret.key", "stagedoor.db", "stagedoor.db-wal", "lock"} - set(names)
            if missing or len(names) < 8 or not any(n.endswith(".eml") for n in names):
                raise Failed(f"too little is there to be looked at: {sorted(names)}")
            if wrong:
                raise Failed(f"others may read or write {', '.join(wrong)}")
        if os.stat(ours).st_mode & 0o777 != 0o700:
            raise Failed(f"the folder that it made has the mode {os.stat(ours).st_mode & 0o777:o}")
        with open(os.path.join(ours, "control"), "w"):
            pass
        if open_to_others(ours)[0] != ["control 666"]:
            raise Failed("control: a file that all may read was not found")
    finally:
        os.umask(was)
    print(f"private: {len(names)} files and their folders are for the program's account alone, also in a folder that all may look into")
    return True


def main():
    a = argparse.ArgumentParser(prog="test/disk")
    a.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    a.add_argument("--program", default=os.path.join(ROOT, "build/debug-gcc/stagedoor"))
    a.add_argument("--keep", action="store_true", help="leaves the folder for looking at")
    a.add_argument("--only", choices=["full", "inject", "media", "private"], help="one part alone")
    a.add_argument("--inside", action="store_true", help="in a namespace of its own already")
    o = a.parse_args()
    o.original = "SELECT original FROM asset WHERE original IS NOT NULL"
    if not o.inside:
        space = ["unshare", "--user", "--map-root-user", "--mount"]
        if subprocess.run([*space, "true"], capture_output=True).returncode == 0:
            os.execvp(space[0], [*space, sys.executable, os.path.realpath(__file__), "--inside", *sys.argv[1:]])
    print(f"seed {o.seed}", flush=True)
    o.work = tempfile.mkdtemp(prefix="stagedoor-disk-")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    passed = failed = skipped = 0
    try:
        for part in (part_full, part_inject, part_media, part_private):
            if o.only and part.__name__ != f"part_{o.only}":
                continue
            try:
                part(o)
                passed += 1
            except Missing as e:
                whole_check = "STAGEDOOR_TEST_WHOLE" in os.environ
                print(f"{'FAIL' if whole_check else 'SKIP'}  {part.__name__}: {e}")
                failed, skipped = failed + whole_check, skipped + (not whole_check)
            except (Failed, Lost) as e:
                print(f"FAIL  {part.__name__}: {e}")
                failed += 1
            sys.stdout.flush()
    finally:
        if o.keep or failed:
            print(f"data: {o.work}")
        else:
            shutil.rmtree(o.work, ignore_errors=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed or not passed else 0)


main()
