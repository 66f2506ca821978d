# fill.py -- a site of the size that the feed is measured on, straight into the tables: 200 creators with 1,000 posts each,
# one fan who follows all of them and subscribes to every fifth; and ten thousand who only listen.
#
# One in ten posts has no picture; of ten posts four are public, three for followers, three for a tier, mixed so that each page
# of the feed has all of them. What the API makes of the rows is then compared, by bench/run, with what these numbers say.
# SPDX-License-Identifier: Apache-2.0
import hashlib, os, sqlite3, time

CREATORS, POSTS, FANS, EARS = 200, 1000, 64, 10_000
BASE = 50_000_000_000_000_000  # ids of early 2024, below all that the program makes itself
FAN, CREATOR, TIER, ASSET, POST, EAR = (BASE + k * 1_000_000_000 for k in range(6))
OF_SESSION = 500_000_000  # from its account's id: with the same, each change of the account would be one of the session's
YEAR = 365 * 86400 * 10**6


def text(prefix, number):
    """An id as the API writes it."""
    return prefix + "_" + "".join("0123456789abcdefghjkmnpqrstvwxyz"[number >> 5 * i & 31] for i in reversed(range(13)))


def token(kind, i):
    """43 characters, as the program's own have."""
    return f"{kind}{i:05d}".ljust(43, "x")


def people(db, now):
    accounts = [(FAN + i, f"fan{i}@example.org", f"Fan {i}", 0) for i in range(FANS)]
    accounts += [(CREATOR + i, f"creator{i}@example.org", f"Creator {i}", 1) for i in range(CREATORS)]
    accounts += [(EAR + i, f"ear{i}@example.org", f"Ear {i}", 0) for i in range(EARS)]
    db.executemany("INSERT INTO account (id, email, name, password, email_verified, role, creator, created)"
                   f" VALUES (?, ?, ?, '!', 1, 'user', ?, {now - YEAR})", accounts)
    sessions = [(FAN + i, hashlib.sha256(token("fan", i).encode()).digest()) for i in range(FANS)]
    sessions += [(CREATOR + i, hashlib.sha256(token("creator", i).encode()).digest()) for i in range(CREATORS)]
    sessions += [(EAR + i, hashlib.sha256(token("ear", i).encode()).digest()) for i in range(EARS)]
    db.executemany("INSERT INTO session (id, account, kind, token, created, seen, agent, address)"
                   f" VALUES (?1 + {OF_SESSION}, ?1, 'bearer', ?2, {now}, {now}, 'bench', '127.0.0.1')", sessions)


def pages(db, now):
    db.executemany("INSERT INTO creator (id, handle, name, bio, avatar_url, followers, posts, head, created)"
                   f" VALUES (?, ?, ?, '', ?, 1, {POSTS}, ?, {now - YEAR})",
                   [(CREATOR + i, f"creator{i}", f"Creator {i}", f"/media/ast_{i:013d}/full.webp", position(i, POSTS - 1))
                    for i in range(CREATORS)])
    db.executemany("INSERT INTO tier (id, creator, name, description, price, currency, archived, created)"
                   f" VALUES (?, ?, 'Front row', 'Everything, a day earlier', 900, 'EUR', 0, {now - YEAR})",
                   [(TIER + i, CREATOR + i) for i in range(CREATORS)])
    db.executemany(f"INSERT INTO follow (id, fan, creator, created) VALUES (?, {FAN}, ?, {now - YEAR})",
                   [(BASE + i + 1, CREATOR + i) for i in range(CREATORS)])
    db.executemany("INSERT INTO subscription (id, fan, creator, tier, price, currency, state, payment, cancel_at_period_end,"
                   " anchor, period, period_start, period_end, access_until, refusals, created)"
                   f" VALUES (?1, {FAN}, ?2, ?3, 900, 'EUR', 'active', ?1, 0, {now}, 1, {now}, {now + YEAR}, {now + YEAR}, 0, {now})",
                   [(BASE + i + 1, CREATOR + i, TIER + i) for i in range(0, CREATORS, 5)])


def position(creator, nth):
    """Creators publish in turn, in another order each time."""
    return POST + nth * CREATORS + (creator * 77 + nth * 31) % CREATORS


def kind(creator, nth):
    """Neighbours in the feed are of different kinds: position() goes through the creators by steps of 77."""
    return (creator + creator // 5 + nth) % 10


def access(creator, nth):
    return ["public", "followers", "tiers", "public", "followers", "tiers", "public", "followers", "tiers", "public"][kind(creator, nth)]


def pictured(creator, nth):
    return kind(creator, nth) != 9


def picture(creator):
    """One of hers."""
    return position(creator, next(n for n in range(POSTS) if pictured(creator, n))) - POST + ASSET


def unlocked(creator, nth):
    return access(creator, nth) != "tiers" or creator % 5 == 0


def posts(db, now):
    text = "Light through the north window this morning, and a story of how the set was built. " * 2
    every = [(position(c, n), c, n) for c in range(CREATORS) for n in range(POSTS)]
    every.sort()
    db.executemany("INSERT INTO post (id, creator, text, state, position, published, created)"
                   f" VALUES (?1, ?2, ?3 || ?1, 'published', ?1, ?4, ?4)",
                   ((p, CREATOR + c, text, now - YEAR + (p - POST) * 1000) for p, c, n in every))
    db.executemany("INSERT INTO access_rule (object, creator, kind, hidden) VALUES (?, ?, ?, 0)",
                   ((p, CREATOR + c, access(c, n)) for p, c, n in every))
    db.executemany("INSERT INTO access_tier (object, tier) VALUES (?, ?)",
                   ((p, TIER + c) for p, c, n in every if access(c, n) == "tiers"))
    shown = [(p, c) for p, c, n in every if pictured(c, n)]
    db.executemany("INSERT INTO asset (id, owner, purpose, state, filename, type, bytes, original, width, height, alt, teaser,"
                   " uses, created) VALUES (?1, ?2, 'post', 'ready', 'photo.jpg', 'image/jpeg', 3000000, hex(?1), 4032, 3024,"
                   f" 'A drawn scene', ?3, 1, {now})", ((p - POST + ASSET, CREATOR + c, p - POST + ASSET + 500_000_000) for p, c in shown))
    db.executemany("INSERT INTO post_asset (post, place, asset) VALUES (?, 0, ?)", ((p, p - POST + ASSET) for p, c in shown))
    db.executemany("INSERT INTO access_asset (asset, object) VALUES (?, ?)", ((p - POST + ASSET, p) for p, c in shown))


def blob(folder, content):
    """Where the program keeps bytes: by their hash."""
    name = hashlib.sha256(content).hexdigest()
    os.makedirs(f"{folder}/blobs/{name[:2]}", exist_ok=True)
    with open(f"{folder}/blobs/{name[:2]}/{name}", "wb") as f:
        f.write(content)
    return name


def segment(folder, content):
    """The same bytes twice: as a subscriber's picture, and as an avatar that anybody may have. Their ids."""
    name, avatar = blob(folder, content), ASSET - 1
    post = position(0, next(n for n in range(POSTS) if access(0, n) == "tiers" and pictured(0, n)))
    locked = post - POST + ASSET
    db = sqlite3.connect(f"{folder}/stagedoor.db")
    db.execute("INSERT INTO asset (id, owner, purpose, state, filename, type, bytes, width, height, alt, teaser, uses, created)"
               " VALUES (?, ?, 'avatar', 'ready', 'a.jpg', 'image/jpeg', 1, 1, 1, '', ?, 1, 1)", (avatar, CREATOR, avatar - 1))
    db.executemany("INSERT INTO rendition (asset, name, blob, width, height, bytes) VALUES (?, 'full', ?, 1, 1, ?)",
                   [(a, name, len(content)) for a in (locked, avatar)])
    db.commit()
    db.close()
    return post, avatar


def fill(path):
    """The program has made the tables, and is not running."""
    now = int(time.time() * 1e6)
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    people(db, now)
    pages(db, now)
    posts(db, now)
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
