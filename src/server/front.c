/* front.c */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front.h"
#include "base/check.h"
#include "base/when.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

enum {
    METHOD_BYTES = 32, /* longer is none that we know */
    BLANK_LINES = 8,   /* before a request */
    CHUNK_LINE_BYTES = 1024,
    TRAILER_BYTES = 8192,
    LENGTH_DIGITS = 18, /* fit int64_t */
    CHUNK_DIGITS = 15,
    ROOM_BYTES = 4096,
    SOCKETS = 1 << 20, /* the kernel gives no process more, unless told */
};

enum stage { HEAD, BODY, CHUNK_LINE, CHUNK_DATA, CHUNK_END, TRAILER, BROKEN };

/* --- faults ----------------------------------------------------------------------------------------------------- */

/* What makes a good end of what the library has had; after a bad head, a request that is answered with the fault. A client
 * that asked HEAD takes no body for an answer. */
static struct str good_end(enum stage stage, bool head)
{
    switch (stage) {
    case CHUNK_LINE:
        return STR("0\r\n\r\n");
    case CHUNK_END:
        return STR("\r\n0\r\n\r\n");
    case TRAILER:
        return STR("\r\n");
    case HEAD:
    case BODY:
    case CHUNK_DATA:
    case BROKEN:
        break;
    }
    return head ? STR("HEAD / HTTP/1.1\r\nHost: -\r\nConnection: close\r\n\r\n")
                : STR("GET / HTTP/1.1\r\nHost: -\r\nConnection: close\r\n\r\n");
}

static bool refuse(struct front *f, enum err code, const char *field, const char *detail)
{
    f->fault = (struct fault) { code, field, detail };
    f->tail = good_end((enum stage)f->stage, f->head);
    f->requests += f->stage == HEAD;
    f->stage = BROKEN;
    return false;
}

static bool malformed(struct front *f, const char *detail)
{
    return refuse(f, E_INVALID, NULL, detail);
}

/* --- letters ---------------------------------------------------------------------------------------------------- */

enum {
    TOKEN = 1,  /* RFC 9110, 5.6.2: of methods and names */
    TEXT = 2,   /* ... 5.5: of values; and all bytes beyond ASCII */
    TARGET = 4, /* RFC 3986: of addresses */
    HOST = 8,   /* ... of names of hosts, without what no name has (sub-delims, percent-encoding) */
};

/* clang-format off */
static const unsigned char letters[128] = {
     0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0,
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
     2,  7,  2,  3,  7,  7,  7,  7,  6,  6,  7,  7,  6, 15, 15,  6,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  6,  2,  6,  2,  6,
     6, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  2,  6,  3, 15,
     3, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  2,  3,  2, 15,  0,
};
/* clang-format on */

static bool is(char c, int what)
{
    unsigned char u = (unsigned char)c;

    return u < sizeof(letters) ? (letters[u] & what) != 0 : what == TEXT;
}

static bool are(struct str s, int what)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is(s.p[i], what))
            return false;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool same_word(struct str a, const char *b)
{
    return a.n == strlen(b) && strncasecmp(a.p, b, a.n) == 0;
}

static bool is_six(struct str s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (s.n >= sizeof(text))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* RFC 9110, 7.2: a name or an address, perhaps a port. Links are made and sites told apart by it. */
static bool is_host(struct str s)
{
    struct str name = s;
    size_t colon = s.n;

    while (colon > 0 && is_digit(s.p[colon - 1]))
        colon--;
    if (colon > 0 && s.p[colon - 1] == ':' && s.n - colon <= 5)
        name = str_cut(s, 0, colon - 1);
    if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        return is_six(str_cut(name, 1, name.n - 2));
    return name.n > 0 && are(name, HOST);
}

/* --- the request line ------------------------------------------------------------------------------------------- */

/* "http://here/path" is what a proxy gets; a server must take it too. */
static bool is_absolute(struct str target)
{
    size_t scheme = same_word(str_cut(target, 0, 7), "http://")    ? 7
                    : same_word(str_cut(target, 0, 8), "https://") ? 8
                                                                   : 0;
    size_t end = scheme;

    while (end < target.n && target.p[end] != '/' && target.p[end] != '?')
        end++;
    return scheme > 0 && is_host(str_cut(target, scheme, end - scheme));
}

static bool take_target(struct front *f, struct str method, struct str target)
{
    if (target.n > TARGET_BYTES)
        return refuse(f, E_URI_TOO_LONG, NULL, NULL);
    if (!are(target, TARGET))
        return malformed(f, "the address has a character that must be percent-encoded");
    if (target.n > 0 && (target.p[0] == '/' || is_absolute(target)))
        return true;
    return (str_is(target, "*") && str_is(method, "OPTIONS")) ||
           malformed(f, "the address must begin with a slash");
}

static bool take_version(struct front *f, struct str version)
{
    if (version.n != 8 || !str_starts(version, "HTTP/") || !is_digit(version.p[5]) ||
        version.p[6] != '.' || !is_digit(version.p[7]))
        return malformed(f, "the first line ends in HTTP/1.1");
    if (version.p[5] != '1')
        return refuse(f, E_HTTP_VERSION, NULL, NULL);
    f->old = version.p[7] == '0';
    return true;
}

/* Method, space, target, space, version: no more and no other spaces. */
static bool take_request_line(struct front *f, struct str line)
{
    struct str method, target, version = str_split(str_split(line, ' ', &method), ' ', &target);

    __atomic_store_n(&f->head, str_is(method, "HEAD"), __ATOMIC_RELAXED);
    if (method.n == 0 || !are(str_cut(method, 0, METHOD_BYTES), TOKEN))
        return malformed(f, "this is no request of HTTP/1.1");
    if (method.n > METHOD_BYTES)
        return refuse(f, E_NOT_IMPLEMENTED, NULL, NULL);
    return take_version(f, version) && take_target(f, method, target);
}

/* --- fields ----------------------------------------------------------------------------------------------------- */

static bool take_host(struct front *f, struct str value)
{
    if (f->host)
        return refuse(f, E_INVALID, "Host", "this header came twice");
    f->host = true;
    return is_host(value) ||
           refuse(f, E_INVALID, "Host", "it must be a name or an address, and perhaps a port");
}

/* Digits. Zeros before them are no fault, but some count in eights then. */
static bool take_length(struct front *f, struct str value)
{
    if (f->length)
        return refuse(f, E_INVALID, "Content-Length", "this header came twice");
    f->length = true;
    f->left = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (!is_digit(value.p[i]))
            return refuse(f, E_INVALID, "Content-Length", "it must be a whole number");
        f->left = f->left * 10 + (uint64_t)(value.p[i] - '0');
        if (i == LENGTH_DIGITS)
            return refuse(f, E_INVALID, "Content-Length", "it is larger than anything");
    }
    return (value.n > 0 && (value.p[0] != '0' || value.n == 1)) ||
           refuse(f, E_INVALID, "Content-Length", "it must be a whole number");
}

/* RFC 9112, 6.3: where chunked is not the last coding, nobody knows where the body ends. One before it could be understood,
 * by others. */
static bool take_coding(struct front *f, struct str value)
{
    struct str rest = value, one = STR_NONE;
    bool chunked = false, good = true;

    if (f->coding)
        return refuse(f, E_INVALID, "Transfer-Encoding", "this header came twice");
    f->coding = true;
    if (same_word(value, "chunked"))
        return true;
    while (rest.p != NULL) {
        good = good && !chunked;
        rest = str_split(rest, ',', &one);
        one = str_trim(one);
        good = good && one.n > 0 && are(one, TOKEN);
        chunked = same_word(one, "chunked");
    }
    return refuse(f, good && chunked ? E_NOT_IMPLEMENTED : E_INVALID, "Transfer-Encoding",
                  "the only transfer coding here is chunked");
}

static bool refuse_value(struct front *f, struct str name)
{
    snprintf(f->named, sizeof(f->named), "%.*s", STR_FMT(name));
    return refuse(f, E_INVALID, f->named, "a header's value has a control character");
}

/* Name, colon, value. NULL: malformed, and said. */
static const char *take_name(struct front *f, struct str line, struct str *value)
{
    size_t n = 0;

    while (n < line.n && is(line.p[n], TOKEN))
        n++;
    if (n == 0 || n == line.n || line.p[n] != ':') {
        malformed(f, line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t')
                         ? "a header is not folded into several lines"
                         : "a header is a name, a colon and a value; the name has no spaces");
        return NULL;
    }
    *value = str_cut(line, n + 1, line.n);
    if (!are(*value, TEXT)) {
        refuse_value(f, (struct str) { line.p, n });
        return NULL;
    }
    *value = str_trim(*value);
    return line.p + n;
}

static bool take_field(struct front *f, struct str line)
{
    struct str value;
    const char *end = take_name(f, line, &value);

    if (end == NULL)
        return false;
    struct str name = { line.p, (size_t)(end - line.p) };
    if (same_word(name, "Host"))
        return take_host(f, value);
    if (same_word(name, "Content-Length"))
        return take_length(f, value);
    if (same_word(name, "Transfer-Encoding"))
        return take_coding(f, value);
    return true;
}

/* What says how to read a message, or who sends it, comes too late behind it. */
static bool take_trailer(struct front *f, struct str line)
{
    static const char *const early[] = { "Host",          "Content-Length", "Transfer-Encoding",
                                         "Authorization", "Cookie",         "Content-Type" };
    struct str value;
    const char *end = take_name(f, line, &value);

    if (end == NULL)
        return false;
    for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++)
        if (same_word((struct str) { line.p, (size_t)(end - line.p) }, early[i]))
            return refuse(f, E_INVALID, early[i], "this header cannot stand behind the body");
    return true;
}

/* --- heads ------------------------------------------------------------------------------------------------------ */

enum { MORE = -1 }; /* the head goes on; else: so many bytes of what was read are handed on */
enum { HIDDEN_BYTES = 6 };

static const char *const hidden[] = { "Cookie", "Expect" };

static void replace(char *p, size_t n, char old, char new)
{
    for (char *at = p; (at = memchr(at, old, n - (size_t)(at - p))) != NULL;)
        *at++ = new;
}

/* An expectation stays to be seen until it is known that there is no body. */
static void hide_field(struct front *f, char *line, size_t n)
{
    if (n <= HIDDEN_BYTES || line[HIDDEN_BYTES] != ':')
        return;
    if (same_word((struct str) { line, HIDDEN_BYTES }, hidden[0]))
        line[HIDDEN_BYTES - 1] = FRONT_HIDES;
    if (same_word((struct str) { line, HIDDEN_BYTES }, hidden[1]))
        f->expect = f->line + HIDDEN_BYTES - 1;
}

void front_show_target(char *target, size_t n)
{
    replace(target, n, FRONT_HIDES, '?');
}

struct str front_shown_name(struct str name)
{
    if (name.n != HIDDEN_BYTES || name.p[HIDDEN_BYTES - 1] != FRONT_HIDES)
        return name;
    return str_of(hidden[(name.p[0] | 0x20) == 'e']);
}

static ssize_t end_head(struct front *f, char *p)
{
    if (!f->old && !f->host)
        return refuse(f, E_INVALID, "Host", "the Host header is missing");
    if (f->coding && f->length)
        return refuse(f, E_INVALID, "Content-Length",
                      "a chunked body has no Content-Length beside Transfer-Encoding");
    if (f->coding && f->old)
        return refuse(f, E_INVALID, "Transfer-Encoding", "HTTP/1.0 has no chunks");
    f->stage = f->coding ? CHUNK_LINE : f->length && f->left > 0 ? BODY : HEAD;
    if (f->expect > 0 && f->stage == HEAD)
        p[f->expect] = FRONT_HIDES;
    f->host = f->length = f->coding = false;
    f->fields = f->lines = f->expect = 0;
    f->requests++;
    return (ssize_t)f->looked;
}

/* The library takes blanks behind a value for a part of it, and those before it not. */
static void push_right(char *p, size_t n)
{
    size_t blanks = 0;

    while (blanks < n && (p[n - 1 - blanks] == ' ' || p[n - 1 - blanks] == '\t'))
        blanks++;
    char *colon = blanks == 0 ? NULL : memchr(p, ':', n);
    if (colon == NULL)
        return;
    memmove(colon + 1 + blanks, colon + 1, (size_t)(p + n - colon) - 1 - blanks);
    memset(colon + 1, ' ', blanks);
}

static ssize_t take_head_line(struct front *f, char *p, struct str line)
{
    bool good;

    if (f->fields == 0 && line.n == 0)
        return ++f->lines > BLANK_LINES ? malformed(f, "this is no request of HTTP/1.1") : 0;
    if (line.n == 0)
        return end_head(f, p);
    if (f->fields == 0) {
        f->lines = 0;
        good = take_request_line(f, line);
        replace(p + f->line, line.n, '?', FRONT_HIDES);
        f->fields = f->looked;
    } else {
        good = (++f->lines <= HEADERS_MAX && f->looked - f->fields <= HEADERS_BYTES) ||
               refuse(f, E_HEADERS_TOO_LARGE, NULL, NULL);
        good = good && take_field(f, line);
        hide_field(f, p + f->line, line.n);
        push_right(p + f->line, line.n);
    }
    f->line = f->looked;
    return good ? MORE : 0;
}

/* --- chunks ----------------------------------------------------------------------------------------------------- */

static int hex_value(char c)
{
    char lower = (char)(c | 0x20);

    return is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* A token, or a string in quotes: past its end; 0: neither. */
static size_t word_end(struct str s, size_t at)
{
    size_t i = at;

    if (i < s.n && s.p[i] == '"') {
        for (i++; i < s.n && s.p[i] != '"'; i++)
            if (s.p[i] == '\\')
                i++;
        return i < s.n ? i + 1 : 0;
    }
    while (i < s.n && is(s.p[i], TOKEN))
        i++;
    return i > at ? i : 0;
}

static size_t skip_blanks(struct str s, size_t at)
{
    while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t'))
        at++;
    return at;
}

/* RFC 9112, 7.1.1: ;name or ;name=value, perhaps with blanks between. */
static bool are_extensions(struct str s)
{
    size_t at = 0;

    if (!are(s, TEXT))
        return false;
    while (at < s.n) {
        at = skip_blanks(s, at);
        if (at == s.n || s.p[at] != ';')
            return false;
        at = word_end(s, skip_blanks(s, at + 1));
        size_t next = skip_blanks(s, at);
        if (at > 0 && next < s.n && s.p[next] == '=')
            at = word_end(s, skip_blanks(s, next + 1));
        if (at == 0)
            return false;
    }
    return true;
}

/* Handed on without zeros before and extensions behind its digits. */
static ssize_t take_chunk_line(struct front *f, char *p, struct str line)
{
    size_t digits = 0, zeros = 0;
    uint64_t size = 0;

    while (digits < line.n && hex_value(line.p[digits]) >= 0) {
        size = size << 4 | (uint64_t)hex_value(line.p[digits++]);
        zeros += size == 0;
        if (digits - zeros > CHUNK_DIGITS)
            return malformed(f, "a chunk's size is larger than anything");
    }
    if (digits == 0 || !are_extensions(str_cut(line, digits, line.n)))
        return malformed(f, "a chunk begins with its size in hexadecimal digits");
    zeros -= size == 0;
    memmove(p, p + zeros, digits - zeros);
    memcpy(p + digits - zeros, "\r\n", 2);
    f->left = size;
    f->stage = size > 0 ? CHUNK_DATA : TRAILER;
    return (ssize_t)(digits - zeros + 2);
}

static ssize_t take_chunk_end(struct front *f, struct str line)
{
    if (line.n > 0)
        return malformed(f, "a chunk ends where its size says, and with CR LF");
    f->stage = CHUNK_LINE;
    return 2;
}

static ssize_t take_trailer_line(struct front *f, struct str line)
{
    if (line.n == 0) {
        f->lines = 0;
        f->stage = HEAD;
        return 2;
    }
    if (++f->lines > HEADERS_MAX)
        return refuse(f, E_HEADERS_TOO_LARGE, NULL, NULL);
    if (line.n > TRAILER_BYTES)
        return malformed(f, "a line of a chunked body is too long");
    take_trailer(f, line);
    return 0;
}

/* --- lines ------------------------------------------------------------------------------------------------------ */

/* `line`: what came before the character that no line has. */
static bool refuse_line(struct front *f, struct str line)
{
    struct str name, value = str_split(line, ':', &name);
    bool field = f->stage == HEAD && f->fields > 0 && value.p != NULL;

    return field && name.n > 0 && are(name, TOKEN)
               ? refuse_value(f, name)
               : malformed(f, "lines end in CR LF and have no control characters");
}

/* Of a line that has not ended yet: it is not waited for when it is none already, or too long. */
static bool may_become_line(struct front *f, const char *p, size_t n)
{
    /* The CR of its end does not count, come or not: what is too long must not hang on the pieces that it comes in. */
    size_t length = n - f->line - (n > f->line && p[n - 1] == '\r');

    for (size_t i = f->looked; i < n; i++)
        if (!is(p[i], TEXT) && (p[i] != '\r' || i + 1 < n))
            return refuse_line(f, (struct str) { p + f->line, i - f->line });
    if (f->stage != HEAD)
        return length <= (f->stage == TRAILER ? TRAILER_BYTES : CHUNK_LINE_BYTES) ||
               malformed(f, "a line of a chunked body is too long");
    if (f->fields > 0)
        return n - f->fields <= HEADERS_BYTES || refuse(f, E_HEADERS_TOO_LARGE, NULL, NULL);
    if (length > METHOD_BYTES && memchr(p, ' ', METHOD_BYTES + 1) == NULL)
        return are((struct str) { p, METHOD_BYTES }, TOKEN)
                   ? refuse(f, E_NOT_IMPLEMENTED, NULL, NULL)
                   : malformed(f, "this is no request of HTTP/1.1");
    return length <= TARGET_BYTES + METHOD_BYTES + 12 || refuse(f, E_URI_TOO_LONG, NULL, NULL);
}

/* True: [line, looked) is one, with its CR LF. */
static bool find_line(struct front *f, const char *p, size_t n)
{
    const char *end = memchr(p + f->looked, '\n', n - f->looked);

    if (f->stage == HEAD && f->looked == 0) /* who begins anew has not asked for a head yet */
        __atomic_store_n(&f->head, false, __ATOMIC_RELAXED);
    if (end == NULL) {
        if (may_become_line(f, p, n))
            f->looked = n;
        return false;
    }
    f->looked = (size_t)(end - p) + 1;
    if (f->looked - f->line < 2 || end[-1] != '\r')
        return malformed(f, "lines end in CR LF");
    return true;
}

static ssize_t take_line(struct front *f, char *p)
{
    struct str line = { p + f->line, f->looked - f->line - 2 };

    switch ((enum stage)f->stage) {
    case HEAD:
        return take_head_line(f, p, line);
    case CHUNK_LINE:
        return line.n > CHUNK_LINE_BYTES ? malformed(f, "a line of a chunked body is too long")
                                         : take_chunk_line(f, p, line);
    case CHUNK_END:
        return take_chunk_end(f, line);
    case TRAILER:
        return take_trailer_line(f, line);
    case BODY:
    case CHUNK_DATA:
    case BROKEN:
        break;
    }
    must_failed("a stage with lines", __FILE__, __LINE__);
}

/* --- the stream ------------------------------------------------------------------------------------------------- */

/* The next bytes of a body; how many there are. */
static size_t take_data(struct front *f, size_t n)
{
    size_t took = f->left < n ? (size_t)f->left : n;

    f->left -= took;
    if (f->left == 0)
        f->stage = f->stage == BODY ? HEAD : CHUNK_END;
    return took;
}

/* Moves to the beginning of p what may be handed on, and behind it, *rest bytes, what must wait for more. What is handed
 * on is never longer than what came. */
static size_t sift(struct front *f, char *p, size_t n, size_t *rest)
{
    size_t in = 0, out = 0;

    while (in < n && f->stage != BROKEN) {
        size_t used = 0;
        ssize_t keep;
        if (f->stage == BODY || f->stage == CHUNK_DATA) {
            used = take_data(f, n - in);
            keep = (ssize_t)used;
        } else {
            if (!find_line(f, p + in, n - in))
                break;
            keep = take_line(f, p + in);
            if (keep == MORE)
                continue;
            used = f->looked;
            f->line = f->looked = 0;
        }
        if (out != in && keep > 0)
            memmove(p + out, p + in, (size_t)keep);
        out += (size_t)keep;
        in += used;
    }
    *rest = f->stage == BROKEN ? 0 : n - in;
    if (out != in)
        memmove(p + out, p + in, *rest);
    return out;
}

/* What came of a head, the watch must know. */
static void time_head(struct front *f, bool unfinished)
{
    int64_t since_us = f->head_since_us;

    if (unfinished == (since_us != 0))
        return;
    __atomic_store_n(&f->head_since_us, unfinished ? monotonic_us() : 0, __ATOMIC_RELAXED);
}

/* False: no memory, and the connection ends here. */
static bool make_room(struct front *f, size_t more)
{
    if (f->n + more <= f->size)
        return true;
    char *held = realloc(f->held, f->n + more);
    if (held == NULL) {
        f->stage = BROKEN;
        return false;
    }
    f->held = held;
    f->size = f->n + more;
    return true;
}

/* Nothing of what is handed on may wait any more. */
static size_t hand(struct front *f, char *p, size_t size)
{
    struct str ready = { f->held + f->at, f->ready - f->at };
    size_t n = ready.n < size ? ready.n : size, end;

    if (n > 0)
        memcpy(p, ready.p, n);
    f->at += n;
    if (f->at < f->ready)
        return n;
    f->n -= f->ready;
    if (f->n > 0 && f->ready > 0)
        memmove(f->held, f->held + f->ready, f->n);
    f->at = f->ready = 0;
    if (f->n == 0) {
        free(f->held);
        f->held = NULL;
        f->size = 0;
    }
    end = f->tail.n < size - n ? f->tail.n : size - n;
    if (end > 0)
        memcpy(p + n, f->tail.p, end);
    f->tail = str_cut(f->tail, end, f->tail.n);
    return n + end;
}

/* Received into the library's own memory, because nothing waits: mostly all of it can stay there. */
static size_t take_direct(struct front *f, char *p, size_t n)
{
    size_t rest, out = sift(f, p, n, &rest);

    if (rest > 0 && make_room(f, rest + ROOM_BYTES)) {
        memcpy(f->held, p + out, rest);
        f->n = rest;
    }
    return out;
}

static void take_held(struct front *f, size_t n)
{
    size_t rest;

    f->ready = sift(f, f->held, f->n + n, &rest);
    f->n = f->ready + rest;
}

/* There is no more. Until all is answered that was asked to its end, only: try again. */
static ssize_t no_more(const struct front *f)
{
    bool whole = f->stage == HEAD || f->fault.code != E_OK;

    if (f->answered + !whole >= f->requests)
        return 0;
    errno = EAGAIN;
    return -1;
}

/* libmicrohttpd asks epoll for edges, and takes a read that was not full for the last one: so we read until we can fill what
 * it gave us, or there is no more. */
static ssize_t receive(struct front *f, int fd, char *p, size_t size)
{
    size_t n = hand(f, p, size);

    while (n < size && f->stage != BROKEN) {
        bool direct = f->n == 0;
        if (!direct && !make_room(f, ROOM_BYTES))
            break;
        size_t room = direct ? size - n : f->size - f->n;
        ssize_t got = recvfrom(fd, direct ? p + n : f->held + f->n, room, 0, NULL, NULL);
        if (got <= 0)
            return n > 0 ? (ssize_t)n : got == 0 ? no_more(f) : got;
        if (direct)
            n += take_direct(f, p + n, (size_t)got);
        else
            take_held(f, (size_t)got);
        n += hand(f, p + n, size - n);
        time_head(f, f->stage == HEAD && f->n > f->ready);
        if (n > 0 && (size_t)got < room)
            break;
    }
    return n > 0 ? (ssize_t)n : no_more(f);
}

ssize_t front_recv(struct front *f, int fd, char *p, size_t size)
{
    ssize_t n = receive(f, fd, p, size);

    if (n > 0)
        __atomic_store_n(&f->handed, f->handed + n, __ATOMIC_RELAXED);
    return n;
}

/* --- in recv's place -------------------------------------------------------------------------------------------- */

/* The one variable without an owner (tools/globals knows it): recv(2) brings no context but its descriptor. */
static struct front *fronts[SOCKETS]; /* atomic */

void front_open(struct front *f, int fd)
{
    *f = (struct front) { .stage = HEAD };
    must(fd >= 0 && fd < SOCKETS);
    __atomic_store_n(&fronts[fd], f, __ATOMIC_RELEASE);
}

void front_close(struct front *f, int fd)
{
    __atomic_store_n(&fronts[fd], NULL, __ATOMIC_RELEASE);
    free(f->held);
    f->held = NULL;
}

/* The program's recv, which the libraries find before libc's. */
ssize_t front_recv_any(int fd, void *p, size_t n, int flags) __asm__("recv");
ssize_t front_recv_any(int fd, void *p, size_t n, int flags)
{
    struct front *f = NULL;

    if (flags == 0 && fd >= 0 && fd < SOCKETS)
        f = __atomic_load_n(&fronts[fd], __ATOMIC_ACQUIRE);
    return f != NULL ? front_recv(f, fd, p, n) : recvfrom(fd, p, n, flags, NULL, NULL);
}
