# clients.py -- people who ask until they are answered, under one Idempotency-Key for each thing they want.
# SPDX-License-Identifier: Apache-2.0
import asyncio, random, uuid

from oracle import number
from wire import Connection, Lost

PASSWORD = "correct horse battery 9"
CREATORS, FANS, TIERS = 60, 12, [(500, "EUR"), (700, "USD"), (900, "JPY")]


class Unexpected(Exception):
    pass


class World:
    """Who there is, and what they were told."""

    def __init__(self, port, told, provider, seed, new_keys=False):
        self.port, self.told, self.provider, self.new_keys = port, told, provider, new_keys
        self.seed, self.fans, self.creators = seed, [], []
        self.stopping, self.acknowledged, self.repeated, self.replayed, self.moved = False, 0, 0, 0, 0


class Person:
    def __init__(self, world, name):
        self.world, self.name, self.token = world, name, None
        self.connection = Connection(world.port)

    async def once(self, method, target, body=None, key=None):
        headers = [("Idempotency-Key", key)] if key else []
        if self.token:
            headers.append(("Authorization", f"Bearer {self.token}"))
        return await self.connection.ask(method, target, body, headers)

    async def must(self, method, target, body=None):
        while (a := await self.once(method, target, body, str(uuid.uuid4()))).status == 503:  # many come at once
            await asyncio.sleep(0.01)
        if a.status >= 300:
            raise Unexpected(f"{method} {target} answered {a.status}: {a.body[:300]}")
        return a.json() if a.body else None

    async def ask(self, method, target, body=None):
        """Until it is acknowledged. With new_keys it is the client that everybody warns of, and doubles must be found."""
        world, key, tries = self.world, str(uuid.uuid4()), 0
        while True:
            try:
                a = await self.once(method, target, body, key if method != "GET" else None)
                if a.status < 300:
                    world.acknowledged += method != "GET"
                    world.repeated += method != "GET" and tries > 0
                    world.replayed += "idempotent-replayed" in a.headers
                    return a
                if world.new_keys and a.status == 409:
                    return a
                if a.status not in (502, 503) and a.code() != "key_in_use":
                    raise Unexpected(f"{method} {target} answered {a.status}: {a.body[:300]}")
            except Lost:
                tries += 1
                if world.new_keys:
                    key = str(uuid.uuid4())
            await asyncio.sleep(0.005)

    async def sign_up(self):
        email = f"{self.name}@example.org"
        me = await self.must("POST", "/v1/accounts", {"email": email, "password": PASSWORD, "name": self.name})
        self.id = number(me["id"])
        s = await self.must("POST", "/v1/sessions", {"email": email, "password": PASSWORD, "kind": "bearer"})
        self.token = s["token"]


class Creator(Person):
    async def open_page(self, i):
        await self.sign_up()
        await self.must("POST", "/v1/creators", {"handle": self.name, "name": self.name, "bio": ""})
        price, currency = TIERS[i % len(TIERS)]
        t = await self.must("POST", "/v1/creators/me/tiers", {"name": "Tier", "description": "", "price": price, "currency": currency})
        self.tier = t["id"]

    async def post(self):
        text = str(uuid.uuid4())
        a = await self.ask("POST", "/v1/posts", {"text": text, "access": "followers", "publish": True})
        self.world.told.posts[number(a.json()["id"])] = (self.id, text)

    async def rewrite_bio(self):
        bio = str(uuid.uuid4())
        self.world.told.bios.pop(self.id, None)  # until it is answered, the old one and the new one are both right
        await self.ask("PATCH", "/v1/creators/me", {"bio": bio})
        self.world.told.bios[self.id] = bio


class Fan(Person):
    def __init__(self, world, name, i):
        super().__init__(world, name)
        self.dice = random.Random(f"{world.seed}/{i}")

    def settle_in(self, i):
        creators = self.world.creators
        self.mine = creators[i::FANS]  # nobody else writes as these
        self.follows = creators[: len(creators) // 2]
        self.wishes = creators[len(creators) // 2 :]  # whom one subscribes to, one also follows: kept apart
        self.dice.shuffle(self.wishes)

    async def toggle(self):
        creator, told = self.dice.choice(self.follows), self.world.told.follows
        pair = (self.id, creator.id)
        on = not told.get(pair, False)
        told.pop(pair, None)  # until it is acknowledged, both may be
        await self.ask("PUT" if on else "DELETE", f"/v1/creators/{creator.name}/follow")
        told[pair] = on

    async def rename(self):
        name = str(uuid.uuid4())
        self.world.told.names.pop(self.id, None)
        await self.ask("PATCH", "/v1/me", {"name": name})
        self.world.told.names[self.id] = name

    async def subscribe(self):
        """Asks for the page, pays on it, comes back and waits until it is open."""
        if not self.wishes:
            return await self.toggle()
        creator = self.wishes.pop()
        a = await self.ask("POST", "/v1/subscriptions", {"tier": creator.tier})
        if a.status == 409:
            return
        s, url, patience = a.json()["subscription"], None, 2000
        while s["state"] != "active":
            patience -= 1
            if patience == 0:
                raise Unexpected(f"{s['id']} is {s['state']}; its page was {'paid' if url else 'not there'}")
            url = s.get("checkout_url", url)
            if url:
                self.world.provider.pay(url.rsplit("/", 1)[1])
            elif s["state"] != "incomplete":
                return  # the clock leapt, and nobody had been asked for money
            await asyncio.sleep(0.02)
            s = (await self.ask("GET", f"/v1/subscriptions/{s['id']}")).json()
        self.world.told.subscriptions[number(s["id"])] = (self.id, creator.id)
        self.world.moved += 1

    async def live(self):
        while not self.world.stopping:
            lot = self.dice.random()
            if lot < 0.30:
                await self.dice.choice(self.mine).post()
            elif lot < 0.40:
                await self.dice.choice(self.mine).rewrite_bio()
            elif lot < 0.45:
                await self.rename()
            elif lot < 0.60:
                await self.subscribe()
            else:
                await self.toggle()


async def populate(world):
    world.creators = [Creator(world, f"creator{i}") for i in range(CREATORS)]
    world.fans = [Fan(world, f"fan{i}", i) for i in range(FANS)]
    await asyncio.gather(*(c.open_page(i) for i, c in enumerate(world.creators)), *(f.sign_up() for f in world.fans))
    for i, f in enumerate(world.fans):
        f.settle_in(i)
