# mixes.py -- who asks for what in `./dev load`: the site, its many fans, and the requests of each scenario as bytes.
#
# A mix is {class: (weight, [request, ...])}. Popular creators are asked for more often than others (Zipf); a fan has a session,
# follows twenty creators and subscribes to one. Sixteen '#' become a new number in each request.
# SPDX-License-Identifier: Apache-2.0
import hashlib, http.client, json, random, sqlite3, struct, time, zlib

import fill

FANS, FOLLOWS, PICTURED = 2000, 20, 10
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
NUMBER = "#" * 16
FAN = fill.FAN + 1_000_000  # apart from the filler's own


def wire(prefix, number):
    return prefix + "_" + "".join(DIGITS[number >> 5 * i & 31] for i in range(12, -1, -1))


def popular(dice, n):
    """0 is asked for most."""
    return min(int(n ** dice.random()) - 1, n - 1)


# --- the site of our own -----------------------------------------------------------------------------


def token(i):
    return f"loadfan{i:05d}".ljust(43, "x")


def crowd(path):
    """Fans with sessions, straight into the tables; the program is not running."""
    dice, now = random.Random(1), int(time.time() * 1e6)
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    db.executemany("INSERT INTO account (id, email, name, password, email_verified, role, creator, created)"
                   f" VALUES (?, ?, ?, '!', 1, 'user', 0, {now})", [(FAN + i, f"loadfan{i}@example.org", f"Fan {i}") for i in range(FANS)])
    db.executemany("INSERT INTO session (id, account, kind, token, created, seen, agent, address)"
                   f" VALUES (?1 + {fill.OF_SESSION}, ?1, 'bearer', ?2, {now}, {now}, 'load', '127.0.0.1')",
                   [(FAN + i, hashlib.sha256(token(i).encode()).digest()) for i in range(FANS)])
    follows, subscriptions = [], []
    for i in range(FANS):
        whom = set()
        while len(whom) < FOLLOWS:
            whom.add(popular(dice, fill.CREATORS))
        follows += [(FAN + 1_000_000 + i * FOLLOWS + k, FAN + i, fill.CREATOR + c) for k, c in enumerate(sorted(whom))]
        c = i % fill.CREATORS
        subscriptions.append((FAN + i, fill.CREATOR + c, fill.TIER + c))
    db.executemany(f"INSERT INTO follow (id, fan, creator, created) VALUES (?, ?, ?, {now})", follows)
    db.execute("UPDATE creator SET followers = (SELECT count(*) FROM follow WHERE creator = creator.id)")
    db.executemany("INSERT INTO subscription (id, fan, creator, tier, price, currency, state, payment, cancel_at_period_end,"
                   " anchor, period, period_start, period_end, access_until, refusals, created)"
                   f" VALUES (?1, ?1, ?2, ?3, 900, 'EUR', 'active', ?1, 0, {now}, 1, {now}, {now + fill.YEAR}, {now + fill.YEAR}, 0, {now})",
                   subscriptions)
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def picture(seed):
    """A PNG of waves with grain, so that its renditions have the size of photographs."""
    dice, w, h = random.Random(seed), 1200, 900
    rows = bytearray()
    for y in range(h):
        grain = dice.randbytes(w)
        rows += b"\0" + bytes(v for x in range(w) for v in ((x * 3 + y + grain[x] // 4) & 255, (y * 2 + grain[x] // 4) & 255, (x + 3 * y) >> 4 & 255))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(rows), 1))
            + chunk(b"IEND", b""))


def hang_pictures(ask):
    """Real pictures, through the API, by the ten most popular creators: the posts that have them."""
    posts = []
    for c in range(PICTURED):
        who = fill.token("creator", c)
        asset = ask("POST", f"/v1/media?purpose=post&filename=wave{c}.png", who, picture(c), "image/png", 201)
        post = {"text": f"Waves {c}", "access": "public", "media": [asset["id"]], "publish": True}
        posts.append(ask("POST", "/v1/posts", who, json.dumps(post), "application/json", 201)["id"])
    return posts


# --- asking for what a mix needs ---------------------------------------------------------------------


class Asker:
    def __init__(self, address):
        self.c = http.client.HTTPConnection(address, timeout=30)

    def raw(self, method, path, who=None, body=None, kind=None, headers={}):
        h = dict(headers)
        if who:
            h["Authorization"] = "Bearer " + who
        if kind:
            h["Content-Type"] = kind
        self.c.request(method, path, body, h)
        r = self.c.getresponse()
        return r.status, r.headers, r.read()

    def __call__(self, method, path, who=None, body=None, kind=None, want=200):
        status, _, answer = self.raw(method, path, who, body, kind)
        if status != want:
            raise SystemExit(f"load: {method} {path}: {status} {answer[:300]!r}, not {want}")
        try:
            return json.loads(answer)
        except ValueError:
            raise SystemExit(f"load: {method} {path}: {answer[:100]!r} is no JSON") from None


class Site:
    """What a mix is made of: fans' and creators' tokens, handles, tiers, posts, signed addresses of pictures, files."""

    def __init__(self, address, fans, creators, handles, tiers, posts, pictured):
        self.address, self.fans, self.creators, self.handles = address, fans, creators, handles
        self.tiers, self.posts, self.pictured, self.dice = tiers, posts, pictured, random.Random(7)

    def fan(self):
        return self.dice.choice(self.fans) if self.fans else None

    def handle(self):
        return self.handles[popular(self.dice, len(self.handles))]

    def request(self, method, path, who=None, body=None, key=False, headers=()):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.address}", "User-Agent: load", *headers]
        if who:
            lines.append(f"Authorization: Bearer {who}")
        if key:
            lines.append(f"Idempotency-Key: load-{NUMBER}")
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + (body or "")).encode()


def own_site(address, pictured):
    """As filled by fill.py and crowd()."""
    posts = [wire("pst", fill.position(c, n)) for c in range(fill.CREATORS) for n in range(fill.POSTS - 20, fill.POSTS)]
    random.Random(3).shuffle(posts)
    return Site(address, [token(i) for i in range(FANS)], [fill.token("creator", c) for c in range(fill.CREATORS)],
                [f"creator{c}" for c in range(fill.CREATORS)], [wire("tir", fill.TIER + c) for c in range(fill.CREATORS)], posts, pictured)


def foreign_site(address):
    """Somebody else's: what it shows to anybody, and as many fans as it lets us sign up."""
    ask, fans, me = Asker(address), [], f"{time.time_ns():x}"
    creators = ask("GET", "/v1/creators?limit=50")["items"]
    handles = [c["handle"] for c in creators]
    if not handles:
        raise SystemExit(f"load: {address} has no creators to look at")
    lists = [ask("GET", f"/v1/creators/{h}/posts?limit=20")["items"] for h in handles]
    posts = [p["id"] for l in lists for p in l]
    for i in range(20):
        who = json.dumps({"email": f"load-{me}-{i}@example.org", "password": f"load {me} {i} load", "name": f"Load {i}"})
        status = ask.raw("POST", "/v1/accounts", None, who, "application/json")[0]
        login = json.dumps({k: v for k, v in json.loads(who).items() if k != "name"} | {"kind": "bearer"})
        status, _, answer = ask.raw("POST", "/v1/sessions", None, login, "application/json") if status == 201 else (status, None, b"")
        if status != 201:
            break
        fans.append(json.loads(answer)["token"])
        for h in handles[:FOLLOWS]:
            ask.raw("PUT", f"/v1/creators/{h}/follow", fans[-1])
    return Site(address, fans, [], handles, [], posts, [p["id"] for l in lists for p in l if p["media"] and not p["locked"]][:20])


# --- the mixes ---------------------------------------------------------------------------------------


def look_around(site):
    """Addresses that only the site can tell: signed ones of pictures, tags of what a browser has already, files of the app."""
    ask, media, tags = Asker(site.address), [], []
    for who in (site.fans[:40] or [None]):
        for post in site.pictured:
            media += [(m["full_url"], who) for m in ask("GET", f"/v1/posts/{post}", who)["media"] if "full_url" in m]
    for who in (site.fans[:200] or [None]):
        path = "/v1/feed" if who else f"/v1/creators/{site.handle()}"
        status, headers, _ = ask.raw("GET", path, who)
        if status == 200:
            tags.append((path, who, headers["ETag"]))
    page = ask.raw("GET", "/", None, headers={"Accept": "text/html"})[2].decode()
    files = [part for part in page.split('"') if part.startswith("/assets/")]
    return media, tags, files


def browse(site):
    media, tags, files = look_around(site)
    html, packed = ("Accept: text/html",), ("Accept-Encoding: gzip, br",)
    some = lambda n, make: [make() for _ in range(n)]
    mix = {
        "explore": (8, some(200, lambda: site.request("GET", "/v1/creators?limit=20", site.dice.choice([None, site.fan()])))),
        "creator": (12, some(1000, lambda: site.request("GET", f"/v1/creators/{site.handle()}", site.fan()))),
        "creator's posts": (12, some(2000, lambda: site.request("GET", f"/v1/creators/{site.handle()}/posts", site.fan()))),
        "post": (8, some(2000, lambda: site.request("GET", f"/v1/posts/{site.dice.choice(site.posts)}", site.fan()))),
        "web page": (6, some(300, lambda: site.request("GET", f"/@{site.handle()}", None, headers=html))),
        "file of the app": (10, [site.request("GET", f, None, headers=packed) for f in files]),
        "known already": (8, [site.request("GET", p, w, headers=(f"If-None-Match: {t}",)) for p, w, t in tags]),
    }
    if media:
        mix["picture"] = (18, [site.request("GET", m, who) for m, who in media])
    if site.fans:
        mix["feed"] = (14, some(len(site.fans), lambda: site.request("GET", "/v1/feed", site.fan())))
        mix["me"] = (4, some(500, lambda: site.request("GET", site.dice.choice(["/v1/me", "/v1/subscriptions", "/v1/follows"]), site.fan())))
    return mix


def checkout(site):
    """By a fan of a creator to whom she does not subscribe yet."""
    i, n = site.dice.randrange(len(site.fans)), len(site.tiers)
    tier = site.tiers[(i + 1 + site.dice.randrange(n - 1)) % n]
    return site.request("POST", "/v1/subscriptions", site.fans[i], json.dumps({"tier": tier}), key=True)


def write(site):
    some = lambda n, make: [make() for _ in range(n)]
    name = lambda: json.dumps({"name": f"Fan {NUMBER}"})
    post = lambda: json.dumps({"text": f"From behind the stage {NUMBER}", "access": "public", "publish": True})
    if not site.fans:
        raise SystemExit("load: it takes no sign-ups from here, so nobody can write")
    mix = {
        "follow": (30, some(4000, lambda: site.request("PUT", f"/v1/creators/{site.handle()}/follow", site.fan(), key=site.dice.random() < 0.5))),
        "unfollow": (28, some(4000, lambda: site.request("DELETE", f"/v1/creators/{site.handle()}/follow", site.fan()))),
        "profile": (20, some(2000, lambda: site.request("PATCH", "/v1/me", site.fan(), name(), key=site.dice.random() < 0.5))),
    }
    if site.creators:
        mix["post"] = (14, some(1000, lambda: site.request("POST", "/v1/posts", site.dice.choice(site.creators), post(), key=True)))
        mix["page's words"] = (6, some(400, lambda: site.request("PATCH", "/v1/creators/me", site.dice.choice(site.creators),
                                                                json.dumps({"bio": f"Since {NUMBER}"}))))
    if site.tiers:
        mix["checkout"] = (2, some(4000, lambda: checkout(site)))
    return mix


def everyday(site):
    """Nine who look to one who does something."""
    weigh = lambda mix, share, mark: {mark + k: (w * share / sum(v[0] for v in mix.values()), r) for k, (w, r) in mix.items()}
    return weigh(browse(site), 90, "") | (weigh(write(site), 10, "+ ") if site.fans else {})


def plan(mix, path):
    """The file that arrivals.c reads."""
    with open(path, "wb") as f:
        for name, (weight, requests) in mix.items():
            f.write(f"class {name.replace(' ', '_')} {weight} {len(requests)}\n".encode())
            for r in requests:
                f.write(str(len(r)).encode() + b"\n" + r)
