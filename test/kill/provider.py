# provider.py -- a payment provider that is never killed and forgets nothing: the witness of what was really charged.
#
# It speaks the part of Stripe's wire that the program uses, remembers answers by Idempotency-Key as Stripe does, loses some
# answers on purpose, and tells each success twice. It shares no code with the program or with `stagedoor sandbox`.
# SPDX-License-Identifier: Apache-2.0
import asyncio, hashlib, hmac, json, random, time
from urllib.parse import parse_qsl, urlsplit

from wire import Connection, Lost

SECRET = "whsec_stagedoor"


class Provider:
    def __init__(self, seed, app_port):
        self.dice, self.app_port = random.Random(seed), app_port
        self.by_key, self.customers, self.sessions, self.intents = {}, {}, {}, {}
        self.untold, self.port, self.server, self.tellers = asyncio.Queue(), 0, None, []
        self.telling, self.misused = 0, []

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.tellers = [asyncio.create_task(self.tell()) for _ in range(2)]

    async def stop(self):
        for t in self.tellers:
            t.cancel()
        self.server.close()

    # --- what it holds ---------------------------------------------------------------------------

    def number(self, kind):
        return f"{kind}_{self.dice.getrandbits(64):016x}"

    def make_customer(self, form):
        c = {"id": self.number("cus"), "object": "customer", "email": form.get("email")}
        self.customers[c["id"]] = c
        return c

    def make_intent(self, form, amount, currency, reference, saved):
        pi = {"id": self.number("pi"), "object": "payment_intent", "status": "succeeded", "amount": amount, "amount_received": amount,
              "currency": currency, "customer": form.get("customer"), "payment_method": self.number("pm"),
              "metadata": {"reference": reference}, "last_payment_error": None, "next_action": None,
              "latest_charge": {"id": self.number("ch"), "object": "charge",
                                "balance_transaction": {"id": self.number("txn"), "fee": 1 + amount // 50, "currency": currency}}}
        if saved:
            pi["setup_future_usage"] = "off_session"
        self.intents[pi["id"]] = pi
        self.news("payment_intent.succeeded", pi)
        return pi

    def make_session(self, form):
        reference = form["client_reference_id"]
        s = {"id": self.number("cs"), "object": "checkout.session", "status": "open", "payment_status": "unpaid", "mode": "payment",
             "client_reference_id": reference, "customer": form["customer"], "metadata": {"reference": reference},
             "amount_total": int(form["line_items[0][price_data][unit_amount]"]),
             "currency": form["line_items[0][price_data][currency]"], "payment_intent": None,
             "saved": form.get("payment_intent_data[setup_future_usage]") == "off_session"}
        s["url"] = f"http://127.0.0.1:{self.port}/pay/{s['id']}"
        self.sessions[s["id"]] = s
        return s

    def pay(self, session_id):
        """The fan types her card's number. Paying a page twice is one payment."""
        s = self.sessions[session_id]
        if s["status"] == "open":
            s["status"], s["payment_status"] = "complete", "paid"
            s["payment_intent"] = self.make_intent({"customer": s["customer"]}, s["amount_total"], s["currency"],
                                                   s["client_reference_id"], s["saved"])["id"]
            self.news("checkout.session.completed", s)

    def charged(self):
        """reference -> (amount, currency) of everything that was taken from a card; a reference twice would be a double charge."""
        result = {}
        for pi in self.intents.values():
            result.setdefault(pi["metadata"]["reference"], []).append((pi["amount"], pi["currency"].upper()))
        return result

    # --- its API -----------------------------------------------------------------------------------

    def shown(self, o):
        if o["object"] == "checkout.session" and o["payment_intent"]:
            return o | {"payment_intent": self.intents[o["payment_intent"]]}
        return o

    def post(self, path, form):
        if path == "/v1/customers":
            return self.make_customer(form)
        if path == "/v1/checkout/sessions":
            return self.make_session(form)
        if path == "/v1/payment_intents":
            return self.make_intent(form, int(form["amount"]), form["currency"], form["metadata[reference]"], False)
        return None

    def get(self, path, query):
        kinds = {"/v1/checkout/sessions": self.sessions, "/v1/payment_intents": self.intents}
        for prefix, of in kinds.items():
            if path == prefix:
                found = [self.shown(o) for o in reversed(of.values()) if o["customer"] == query.get("customer")]
                return {"object": "list", "data": found[: int(query.get("limit", 10))], "has_more": False}
            if path.startswith(prefix + "/"):
                o = of.get(path[len(prefix) + 1 :])
                return None if o is None else self.shown(o)
        return None

    def answer(self, method, target, key, body):
        url = urlsplit(target)
        if method == "GET":
            return self.get(url.path, dict(parse_qsl(url.query)))
        if key in self.by_key:
            kept, answer = self.by_key[key]
            if kept != (url.path, body):  # Stripe refuses it, and would have charged another card without the key
                self.misused.append(f"{key}: first {kept[1].decode()}, then {body.decode()}")
                return None
            return answer
        answer = self.post(url.path, dict(parse_qsl(body.decode())))
        self.by_key[key] = ((url.path, body), answer)
        return answer

    async def serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split()
                lines = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:])}
                body = await reader.readexactly(int(lines.get("content-length", 0)))
                answer = self.answer(method, target, lines.get("idempotency-key"), body)
                if method == "POST" and self.dice.random() < 0.03:
                    break  # it is done, and nobody hears of it
                text = json.dumps(answer if answer is not None else {"error": {"type": "invalid_request_error"}}).encode()
                writer.write(f"HTTP/1.1 {200 if answer is not None else 404} -\r\nContent-Type: application/json\r\n"
                             f"Content-Length: {len(text)}\r\n\r\n".encode() + text)
                await writer.drain()
        except (EOFError, OSError, asyncio.CancelledError):
            pass
        writer.transport.abort()

    # --- its notifications -------------------------------------------------------------------------

    def news(self, kind, o):
        body = json.dumps({"id": self.number("evt"), "object": "event", "type": kind, "data": {"object": dict(o)}}).encode()
        self.untold.put_nowait(body)
        if self.dice.random() < 0.3:
            self.untold.put_nowait(body)

    async def tell(self):
        """Until it is taken, as Stripe does, but without Stripe's patience."""
        connection = Connection(self.app_port)
        while True:
            body = await self.untold.get()
            self.telling += 1
            while True:
                at = int(time.time())
                mac = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
                try:
                    a = await connection.ask("POST", "/v1/webhooks/stripe", body, [("Stripe-Signature", f"t={at},v1={mac}")])
                    if a.status == 200:
                        break
                except Lost:
                    pass
                await asyncio.sleep(0.02)
            self.telling -= 1

    def all_told(self):
        return self.untold.empty() and self.telling == 0
