# oracle.py -- what must be true of the rows, whatever was killed when. Each rule returns what it found wrong.
#
# It knows the schema and what the clients and the provider were told, and nothing of how the program works.
# SPDX-License-Identifier: Apache-2.0
import hashlib

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def number(text):
    """usr_… -> the number in the tables"""
    n = 0
    for d in text.split("_")[1]:
        n = n * 32 + DIGITS.index(d)
    return n


class Told:
    """What somebody was told has happened. Nothing of it may ever be missing."""

    def __init__(self):
        self.posts, self.follows, self.bios, self.names, self.subscriptions = {}, {}, {}, {}, {}


def differs(what, got, want):
    return [] if got == want else [f"{what}: {got!r}, but it was acknowledged as {want!r}"]


# --- nothing acknowledged is lost ----------------------------------------------------------------


def posts_are_kept(rows, told, provider):
    have = {i: (creator, text) for i, creator, text in rows("SELECT id, creator, text FROM post WHERE state = 'published'")}
    return [f"post {i} of creator {want[0]} is lost" for i, want in told.posts.items() if have.get(i) != want]


def follows_are_kept(rows, told, provider):
    have = set(rows("SELECT fan, creator FROM follow"))
    return [f"follow {pair}: should be {want}" for pair, want in told.follows.items() if (pair in have) != want]


def profiles_are_kept(rows, told, provider):
    bios, names = dict(rows("SELECT id, bio FROM creator")), dict(rows("SELECT id, name FROM account"))
    return [f for i, want in told.bios.items() for f in differs(f"bio of {i}", bios.get(i), want)] + [
        f for i, want in told.names.items() for f in differs(f"name of {i}", names.get(i), want)]


def subscriptions_are_kept(rows, told, provider):
    have = {i: (fan, creator) for i, fan, creator in rows("SELECT id, fan, creator FROM subscription WHERE period > 0")}
    follow = set(rows("SELECT fan, creator FROM follow"))
    return [f"subscription {i} is lost" for i, pair in told.subscriptions.items() if have.get(i) != pair] + [
        f"subscription {i} came without its follow" for i, pair in told.subscriptions.items() if pair not in follow]


# --- nothing is doubled --------------------------------------------------------------------------


def posts_stand_once(rows, told, provider):
    return [f"{n} posts with the text {text!r}" for text, n in rows("SELECT text, count(*) FROM post GROUP BY text HAVING count(*) > 1")]


def counts_are_true(rows, told, provider):
    return [f"creator {i}: says {told_posts} posts, newest {head}; has {n}, newest {newest}" for i, told_posts, head, n, newest in rows(
        "SELECT c.id, c.posts, c.head, (SELECT count(*) FROM post WHERE creator = c.id AND state = 'published'),"
        " (SELECT coalesce(max(position), 0) FROM post WHERE creator = c.id) FROM creator c")
        if (told_posts, head) != (n, newest)] + [
        f"creator {i}: says {told_followers} followers, has {n}" for i, told_followers, n in rows(
            "SELECT c.id, c.followers, (SELECT count(*) FROM follow WHERE creator = c.id) FROM creator c") if told_followers != n]


def keys_have_answers(rows, told, provider):
    """A key is claimed in the transaction of its work: alone it can never be found."""
    return [f"{n} keys without an answer" for n, in rows("SELECT count(*) FROM idempotency WHERE status = 0") if n]


# --- money ---------------------------------------------------------------------------------------


def books_are_balanced(rows, told, provider):
    return [f"journal {j} is off by {s} {c}" for j, c, s in rows(
        "SELECT journal, currency, CAST(sum(amount) AS INTEGER) FROM ledger_entry GROUP BY journal, currency HAVING sum(amount) <> 0")] + [
        f"all entries in {c} together are {s}" for c, s in rows(
            "SELECT currency, CAST(sum(amount) AS INTEGER) FROM ledger_entry GROUP BY currency HAVING sum(amount) <> 0")]


def balances_are_their_entries(rows, told, provider):
    return [f"account {a}: balance {b}, entries {e}" for a, b, e in rows(
        "SELECT a.id, CAST(coalesce((SELECT sum(posted) FROM ledger_balance b WHERE b.account = a.id), 0) AS INTEGER) AS balance,"
        " CAST(coalesce((SELECT sum(amount) FROM ledger_entry e WHERE e.account = a.id), 0) AS INTEGER) AS entries FROM ledger_account a")
        if b != e]


def statements_are_their_journals(rows, told, provider):
    lines, days = {}, {}
    for creator, created, currency, gross, fee, net in rows("SELECT creator, created, currency, gross, fee, net FROM ledger_earning"):
        at = lines.setdefault((creator, created - created % 86400000000, currency), [0, 0, 0, 0])
        at[:] = [at[0] + gross, at[1] + fee, at[2] + net, at[3] + 1]
    for creator, day, currency, *sums in rows("SELECT creator, day, currency, gross, fee, net, sales FROM ledger_day"):
        days[creator, day, currency] = sums
    wrong = [f"day {k}: says {days.get(k)}, its lines make {lines.get(k)}" for k in lines | days if lines.get(k) != days.get(k)]
    return wrong + [f"journal {j} of payment {p} has {n} lines in statements" for j, p, n in rows(
        "SELECT j.id, j.reference, (SELECT count(*) FROM ledger_earning e WHERE e.journal = j.id AND e.payment = j.reference)"
        " FROM ledger_journal j WHERE j.kind = 'charge'") if n != 1]


def booked(rows):
    return {ikey.split(":", 1)[1]: (amount, currency) for ikey, currency, amount in rows(
        "SELECT j.ikey, e.currency, CAST(sum(e.amount) AS INTEGER) FROM ledger_journal j JOIN ledger_entry e ON e.journal = j.id"
        " WHERE j.kind = 'charge' AND e.amount > 0 GROUP BY j.ikey, e.currency")}


def nothing_is_booked_that_was_not_paid(rows, told, provider):
    charged = provider.charged()
    return [f"{ref}: booked {what}, but the provider took {charged.get(ref)}" for ref, what in booked(rows).items()
            if charged.get(ref) != [what]]


def everything_paid_is_booked(rows, told, provider):
    have = booked(rows)
    paid = {i for i, in rows("SELECT id FROM payment WHERE state = 'succeeded'")}
    return [f"{ref}: the provider took {what}, booked is {have.get(ref)}" for ref, what in provider.charged().items()
            if what != [have.get(ref)] or number(ref) not in paid]


def calls_are_repeated_as_they_were(rows, told, provider):
    return list(provider.misused)


# --- the audit log -------------------------------------------------------------------------------


def audit_chain_holds(rows, told, provider):
    def part(s):
        b = b"" if s is None else str(s).encode()
        return b"%d:" % len(b) + b + b","

    head, at = "0" * 64, 0
    for i, when, actor, action, thing, detail, address, position, kept in rows(
            "SELECT id, at, actor, action, object, detail, address, position, hash FROM audit WHERE position IS NOT NULL ORDER BY position"):
        at += 1
        text = (part(head) + b"%d,%d,%d,%d," % (at, i, when, actor or 0) + part(action) + part(thing) + part(detail) + part(address))
        head = hashlib.sha256(text).hexdigest()
        if position != at or kept != head:
            return [f"audit: the chain breaks at {position} (record {i})"]
    return differs("audit's end of the chain", rows("SELECT position, hash FROM audit_head"), [(at, head)])


def audit_is_sealed(rows, told, provider):
    return [f"{n} audit records are not sealed" for n, in rows("SELECT count(*) FROM audit WHERE position IS NULL") if n]


ALWAYS = [posts_are_kept, follows_are_kept, profiles_are_kept, subscriptions_are_kept, posts_stand_once, counts_are_true,
          keys_have_answers, books_are_balanced, balances_are_their_entries, statements_are_their_journals,
          nothing_is_booked_that_was_not_paid, calls_are_repeated_as_they_were, audit_chain_holds]
AT_REST = [everything_paid_is_booked, audit_is_sealed]

# Each must be noticed by the rule that is named: a rule that cannot fail proves nothing.
TAMPERINGS = [
    (posts_are_kept, ["DELETE FROM post WHERE id = (SELECT max(id) FROM post)"]),
    (posts_are_kept, ["UPDATE post SET text = text || ' ' WHERE id = (SELECT max(id) FROM post)"]),
    (posts_stand_once, ["INSERT INTO post (id, creator, text, state, created) SELECT id + 1, creator, text, 'draft', created FROM post"
                        " ORDER BY id DESC LIMIT 1"]),
    (follows_are_kept, ["DELETE FROM follow"]),
    (profiles_are_kept, ["UPDATE creator SET bio = 'x'"]),
    (subscriptions_are_kept, ["DELETE FROM subscription WHERE period > 0"]),
    (counts_are_true, ["UPDATE creator SET followers = followers + 1 WHERE id = (SELECT max(id) FROM creator)"]),
    (keys_have_answers, ["UPDATE idempotency SET status = 0 WHERE created = (SELECT max(created) FROM idempotency)"]),
    (books_are_balanced, ["UPDATE ledger_entry SET amount = amount + 1 WHERE line = 1"]),
    (balances_are_their_entries, ["UPDATE ledger_balance SET posted = posted + 1"]),
    (statements_are_their_journals, ["UPDATE ledger_day SET gross = gross + 1"]),
    (nothing_is_booked_that_was_not_paid, ["UPDATE ledger_entry SET amount = amount * 2"]),
    (everything_paid_is_booked, ["DELETE FROM ledger_entry WHERE journal = (SELECT max(id) FROM ledger_journal WHERE kind = 'charge')"]),
    (audit_chain_holds, ["UPDATE audit SET detail = detail || '!' WHERE position = 3"]),
    (audit_chain_holds, ["DELETE FROM audit WHERE position = (SELECT max(position) FROM audit)"]),
    (audit_is_sealed, ["UPDATE audit SET position = NULL, hash = NULL WHERE position = 1"]),
]
