# world.py -- a small site on one database: nodes that serve it, and people who ask them.
# SPDX-License-Identifier: Apache-2.0
import hashlib, http.client, json, os, socket, sqlite3, subprocess, sys, time, uuid
from urllib.parse import parse_qs, urlsplit

PASSWORD = "correct horse battery 9"
ID0, DAY = 60_000_000_000_000_000, 86400 * 10**6  # ids of early 2024; microseconds
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


class Failed(Exception):
    pass


def id_text(prefix, number):
    return prefix + "_" + "".join(DIGITS[number >> 5 * i & 31] for i in reversed(range(13)))


def number(text):
    n = 0
    for d in text.split("_")[1]:
        n = n * 32 + DIGITS.index(d)
    return n


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Node:
    """A process of the program."""

    def __init__(self, program, folder, name, arguments):
        self.port, self.name, self.log = free_port(), name, open(os.path.join(folder, f"{name}.log"), "ab")
        self.process = subprocess.Popen(
            [program, "serve", f"--data={folder}/data", "--development=true", "--account.quick_hash=true", "--http.rates=false",
             "--http.threads=1", f"--http.port={self.port}", "--log.level=warn", *arguments],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                if Talk(self).ask("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise Failed(f"node {name} does not start; see {self.log.name}")

    def cache_hits(self):
        text = Talk(self).ask("GET", "/metrics")[1].decode()
        return sum(float(l.split()[-1]) for l in text.splitlines() if "reply_cache_hits_total" in l and l[0] != "#")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Talk:
    """One kept connection of somebody to one node."""

    def __init__(self, node, token=None):
        self.node, self.token = node, token
        self.connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=20)

    def ask(self, method, target, body=None):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        if body is not None:
            headers["Content-Type"] = "application/json"
        self.connection.request(method, target, None if body is None else json.dumps(body), headers)
        r = self.connection.getresponse()
        return r.status, r.read()

    def must(self, method, target, body=None):
        status, text = self.ask(method, target, body)
        if status >= 300:
            raise Failed(f"{method} {target} at {self.node.name} answered {status}: {text[:300]}")
        return json.loads(text) if text else None


# --- the two places where rows stand -----------------------------------------------------------------


class Sqlite:
    name = "sqlite"

    def __init__(self, folder):
        self.path, self.arguments = os.path.join(folder, "data/stagedoor.db"), []

    def run(self, sql):
        with sqlite3.connect(self.path, timeout=10) as db:
            db.executescript(sql)

    def done(self):
        pass


class Cluster:
    """Where the databases are made: the one of the check that runs us; by hand one of our own, down again at the end if it was."""

    NAME = "nodes"

    def __init__(self):
        self.given, self.started = os.environ.get("STAGEDOOR_TEST_POSTGRES"), False

    def url(self):
        if not self.given:
            was_up = subprocess.run(["tools/pg", "up", self.NAME]).returncode == 0
            self.given = subprocess.run(["tools/pg", "scratch", self.NAME], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
            self.started = not was_up
        return self.given

    def stop(self):
        if self.started:
            subprocess.run(["tools/pg", "stop", self.NAME], check=True)


CLUSTER = Cluster()


class Postgres:
    """A database of its own; announcements stay inside a database."""

    name = "postgres"

    def __init__(self, folder):
        self.base = CLUSTER.url()
        self.database = f"nodes_{uuid.uuid4().hex[:12]}"
        self.run(f"CREATE DATABASE {self.database}", self.base)
        self.home = parse_qs(urlsplit(self.base).query)["host"][0]
        self.url = self.at(self.home)
        self.arguments = [f"--database.url={self.url}"]
        self.socket = os.path.join(self.home, ".s.PGSQL.5432")

    def at(self, home):
        return f"postgresql:///{self.database}?host={home}&user=stagedoor"

    def run(self, sql, url=None):
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", url or self.url, "-c", sql], check=True, stdout=subprocess.DEVNULL)

    def cut_listeners(self):
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 f" WHERE application_name = 'stagedoor listens' AND datname = '{self.database}'")

    def done(self):
        self.run(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)", self.base)


# --- who there is ------------------------------------------------------------------------------------


class Creator:
    """One post for a tier, one picture in it."""

    def __init__(self, site, node, name, i):
        self.talk, self.name = Talk(node), name
        email = f"{name}@example.org"
        self.id = number(self.talk.must("POST", "/v1/accounts", {"email": email, "password": PASSWORD, "name": name})["id"])
        self.talk.token = self.talk.must("POST", "/v1/sessions", {"email": email, "password": PASSWORD, "kind": "bearer"})["token"]
        self.talk.must("POST", "/v1/creators", {"handle": name, "name": name, "bio": ""})
        tier = {"name": "Tier", "description": "", "price": 500, "currency": "EUR"}
        self.tier, self.other = (self.talk.must("POST", "/v1/creators/me/tiers", tier)["id"] for _ in range(2))
        self.asset = site.picture(self.id, i)
        self.post = self.talk.must("POST", "/v1/posts", {"text": f"of {name}", "access": "tiers", "tiers": [self.tier],
                                                         "media": [self.asset], "publish": True})["id"]

    def edit(self, **what):
        self.talk.must("PATCH", f"/v1/posts/{self.post}", what)


class Site:
    """Rows that only time or a payment would make are written by hand, before anybody has asked for what hangs on them."""

    def __init__(self, node, store, folder, creators):
        self.node, self.store, self.folder, self.next = node, store, folder, 0
        self.creators = [Creator(self, node, f"maker{i}", i) for i in range(creators)]
        self.fan = Talk(node)
        self.fan_id = number(self.fan.must("POST", "/v1/accounts", {"email": "fan@example.org", "password": PASSWORD, "name": "Fan"})["id"])
        self.fan.token = self.sign_in()

    def sign_in(self):
        return Talk(self.node).must("POST", "/v1/sessions", {"email": "fan@example.org", "password": PASSWORD, "kind": "bearer"})["token"]

    def picture(self, owner, i):
        """An asset as the image worker leaves it: a row, and its renditions in the blob store."""
        blob = os.urandom(3000)
        name = hashlib.sha256(blob).hexdigest()
        os.makedirs(f"{self.folder}/data/blobs/{name[:2]}", exist_ok=True)
        open(f"{self.folder}/data/blobs/{name[:2]}/{name}", "wb").write(blob)
        a = ID0 + i * 10
        self.store.run(
            "INSERT INTO asset (id, owner, purpose, state, filename, type, bytes, width, height, alt, teaser, uses, created)"
            f" VALUES ({a}, {owner}, 'post', 'ready', 'a.jpg', 'image/jpeg', 3000, 100, 100, '', {a + 1}, 0, 1);"
            + "".join(f"INSERT INTO rendition (asset, name, blob, width, height, bytes) VALUES ({a}, '{r}', '{name}', 10, 10, 3000);"
                      for r in ("thumb", "feed", "full", "teaser")))
        return id_text("ast", a)

    def subscribe(self, creator, state="active", for_us=30 * DAY):
        self.next += 1
        n, now = ID0 + 1_000_000 + self.next, time.time_ns() // 1000
        self.store.run(
            "INSERT INTO subscription (id, fan, creator, tier, price, currency, state, payment, cancel_at_period_end, anchor, period,"
            f" period_start, period_end, access_until, refusals, created) VALUES ({n}, {self.fan_id}, {creator.id}, {number(creator.tier)},"
            f" 500, 'EUR', '{state}', {n}, 0, {now - DAY}, 1, {now - DAY}, {now + for_us}, {now + for_us}, 0, {now})")
        return id_text("sub", n), now + for_us


class Eyes:
    """What the fan sees of a creator's post at a node: in the feed, by its address, and its picture's bytes."""

    def __init__(self, node, token, creator):
        self.talk, self.creator, self.url = Talk(node, token), creator, None

    def all(self):
        return {"feed": self.in_feed(), "post": self.by_address(), "picture": self.bytes()}

    def open_in(self, post):
        if post["locked"] != (post["text"] == "") or post["locked"] == ("full_url" in post["media"][0]):
            raise Failed(f"half locked: {post}")
        if not post["locked"]:
            self.url = post["media"][0]["full_url"]
        return not post["locked"]

    def in_feed(self):
        status, text = self.talk.ask("GET", "/v1/feed?limit=50")
        found = [p for p in json.loads(text)["items"] if p["id"] == self.creator.post] if status == 200 else []
        return any(self.open_in(p) for p in found)

    def by_address(self):
        status, text = self.talk.ask("GET", f"/v1/posts/{self.creator.post}")
        if status not in (200, 404):
            raise Failed(f"{self.creator.post} at {self.talk.node.name} answered {status}: {text[:300]}")
        return status == 200 and self.open_in(json.loads(text))

    def bytes(self):
        status, _ = self.talk.ask("GET", self.url) if self.url else (404, b"")
        if status not in (200, 404):
            raise Failed(f"{self.url} at {self.talk.node.name} answered {status}")
        return status == 200
