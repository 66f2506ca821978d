/* strict_test.c -- RFC 9112 and 9110 as bytes: what a server must refuse, what it must take, and what of it is our choice.
 *
 * Each vector is sent over a socket, in one piece and byte by byte, with a harmless request behind it. After a refusal that
 * one must not be answered; after a request that was taken it must be. Then all of them go through the front alone, cut
 * into pieces of every size: what it makes of bytes may not depend on how they come. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front.h"
#include "test/line.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

enum level {
    MUST,
    SHOULD,
    MAY,
    OURS
}; /* the RFC's words; OURS: it leaves the choice, or says nothing */
enum want {
    REFUSED, /* problem+json, the connection is closed, nothing behind it is read */
    TAKEN,   /* answered, and so is what comes behind */
    LAST, /* answered; then the connection is closed, because the request or its version wants it */
    DROPPED, /* the client ends in the middle: closed without an answer */
};

struct vector {
    enum level level;
    const char *rule;
    enum want want;
    int status;
    struct str bytes;
    const char *holds; /* in the answer; NULL: nothing in particular */
};

#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
#define NO(level, rule, status, bytes)                                                             \
    {                                                                                              \
        level, rule, REFUSED, status, BYTES(bytes), "application/problem+json"                     \
    }
#define YES(level, rule, status, bytes, holds)                                                     \
    {                                                                                              \
        level, rule, TAKEN, status, BYTES(bytes), holds                                            \
    }
#define END(level, rule, want, status, bytes)                                                      \
    {                                                                                              \
        level, rule, want, status, BYTES(bytes), NULL                                              \
    }

#define HOST       "Host: a\r\n"
#define GET(lines) "GET /livez HTTP/1.1\r\n" HOST lines "\r\n"
#define LINE(line) line "\r\n" HOST "\r\n"
#define POST       "POST /t/echo HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
#define A          "{\"text\":\"a\"}" /* 12 bytes */
#define CHUNKED    POST "Transfer-Encoding: chunked\r\n\r\n"
#define LENGTH(n)  POST "Content-Length: " n "\r\n\r\n" A
#define CODING(c)  POST "Transfer-Encoding: " c "\r\n\r\n"
#define C_OF_A     "c\r\n" A "\r\n"
#define BAIT       "GET /livez HTTP/1.1\r\n" HOST "\r\n"
/* Whoever believes the length sees one request, whoever believes the chunks two. */
#define BOTH(length, coding)                                                                       \
    POST "Content-Length: " length "\r\nTransfer-Encoding:" coding "\r\n\r\n0\r\n\r\n" BAIT

#define TEN(line) line line line line line line line line line line

static const struct vector lines[] = {
    NO(MUST, "9112-2.2 bare CR ends the first line", 400, "GET /livez HTTP/1.1\r" HOST "\r\n"),
    NO(MUST, "9112-2.2 bare CR in a value", 400, GET("X: b\rY: c\r\n")),
    NO(MUST, "9112-2.2 bare CR before the end of a line", 400, GET("X: b\r\r\n")),
    NO(MUST, "9112-2.2 bare CR in the address", 400, LINE("GET /li\rvez HTTP/1.1")),
    NO(MUST, "9112-2.2 blanks between first line and headers", 400,
       "GET /livez HTTP/1.1\r\n \r\n" HOST "\r\n"),
    NO(MUST, "9112-2.2 a blank before the first header", 400,
       "GET /livez HTTP/1.1\r\n X: b\r\n" HOST "\r\n"),
    NO(MUST, "9112-2.2 a tab before the first header", 400,
       "GET /livez HTTP/1.1\r\n\tX: b\r\n" HOST "\r\n"),
    NO(MUST, "9112-2.2 NUL in the address", 400, LINE("GET /li\0vez HTTP/1.1")),
    NO(MUST, "9112-2.3 version without minor", 400, LINE("GET /livez HTTP/1")),
    NO(MUST, "9112-2.3 version without minor's digit", 400, LINE("GET /livez HTTP/1.")),
    NO(MUST, "9112-2.3 version with zeros before", 400, LINE("GET /livez HTTP/01.01")),
    NO(MUST, "9112-2.3 version with two digits", 400, LINE("GET /livez HTTP/1.10")),
    NO(MUST, "9112-2.3 version with a blank", 400, LINE("GET /livez HTTP/ 1.1")),
    NO(MUST, "9112-2.3 version with a blank before the slash", 400, LINE("GET /livez HTTP /1.1")),
    NO(MUST, "9112-2.3 version in small letters", 400, LINE("GET /livez http/1.1")),
    NO(MUST, "9112-2.3 version with a comma", 400, LINE("GET /livez HTTP/1,1")),
    NO(MUST, "9112-2.3 another protocol", 400, LINE("GET /livez HTTPS/1.1")),
    NO(MUST, "9112-3 no address", 400, LINE("GET HTTP/1.1")),
    NO(MUST, "9112-3 no method", 400, LINE(" /livez HTTP/1.1")),
    NO(MUST, "9112-3 method with a character that it may not have", 400,
       LINE("G@T /livez HTTP/1.1")),
    NO(MUST, "9112-3 method with NUL", 400, LINE("GE\0T /livez HTTP/1.1")),
    NO(MUST, "9112-3.2 address beyond ASCII", 400, LINE("GET /caf\xc3\xa9 HTTP/1.1")),
    NO(MUST, "9112-3.2 overlong UTF-8 in the address", 400, LINE("GET /\xc0\xaf HTTP/1.1")),
    NO(MUST, "9112-3.2 control character in the address", 400, LINE("GET /li\x01vez HTTP/1.1")),
    NO(MUST, "9112-3.2 DEL in the address", 400, LINE("GET /livez\x7f HTTP/1.1")),
    NO(MUST, "9112-3.2.2 absolute address without a host", 400, LINE("GET http:///livez HTTP/1.1")),
    NO(MUST, "9110-4.2.4 absolute address with userinfo", 400,
       LINE("GET http://me@a/livez HTTP/1.1")),
    NO(OURS, "a list in thirty lines", 431,
       GET(TEN("Accept: a\r\n") TEN("Accept: b\r\n") TEN("Accept: c\r\n"))),
    NO(MUST, "9112-3.2 an address that is none", 400, "GET /livez HTTP/1.1\r\nHost: [:::]\r\n\r\n"),
    NO(MUST, "9112-3.2 an address with nine parts", 400,
       "GET /livez HTTP/1.1\r\nHost: [1:2:3:4:5:6:7:8:9]\r\n\r\n"),
    NO(MUST, "9112-3.2 a host with half a percent", 400,
       "GET /livez HTTP/1.1\r\nHost: a%zz\r\n\r\n"),
    NO(MUST, "9112-3.2.4 asterisk with GET", 400, LINE("GET * HTTP/1.1")),
    NO(MUST, "9112-3.2.4 asterisk with POST", 400, LINE("POST * HTTP/1.1")),
    NO(SHOULD, "9112-3 two blanks", 400, LINE("GET  /livez HTTP/1.1")),
    NO(SHOULD, "9112-3 a blank at the end", 400, LINE("GET /livez HTTP/1.1 ")),
    NO(SHOULD, "9112-3 tabs", 400, LINE("GET\t/livez\tHTTP/1.1")),
    NO(SHOULD, "9112-3 fragment", 400, LINE("GET /livez#a HTTP/1.1")),
    NO(SHOULD, "9112-3 address without a slash", 400, LINE("GET livez HTTP/1.1")),
    NO(SHOULD, "9112-3 address of another scheme", 400, LINE("GET ftp://a/livez HTTP/1.1")),
    NO(SHOULD, "9112-3 braces in the address", 400, LINE("GET /{livez} HTTP/1.1")),
    NO(SHOULD, "9112-3 HTTP/0.9", 400, "GET /livez\r\n"),
    NO(SHOULD, "9112-3.2.3 CONNECT's address", 400, LINE("CONNECT a:443 HTTP/1.1")),
    NO(SHOULD, "9112-3 a method longer than any", 501,
       LINE("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA /livez HTTP/1.1")),
    NO(SHOULD, "9112-2.2 binary rubbish", 400, "\x80\x00\xff\x01\x02\xfe\r\n\r\n"),
    NO(SHOULD, "9112-2.2 a TLS greeting", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    NO(SHOULD, "9112-2.2 words", 400, "GARBAGE\r\n\r\n"),
    NO(SHOULD, "9110-15.6.6 HTTP/2.0", 505, LINE("GET /livez HTTP/2.0")),
    NO(SHOULD, "9110-15.6.6 HTTP/0.9 in full", 505, LINE("GET /livez HTTP/0.9")),
    NO(SHOULD, "9110-15.6.6 HTTP/9.9", 505, LINE("GET /livez HTTP/9.9")),
    NO(SHOULD, "9113-3.4 HTTP/2's preface", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    NO(MAY, "9112-2.2 LF ends the first line", 400, "GET /livez HTTP/1.1\n" HOST "\r\n"),
    NO(MAY, "9112-2.2 LF ends a header", 400, GET("X: b\nY: c\r\n")),
    NO(MAY, "9112-2.2 LF ends the head", 400, "GET /livez HTTP/1.1\r\nHost: a\r\n\n"),
    NO(MAY, "9112-2.2 LF everywhere", 400, "GET /livez HTTP/1.1\nHost: a\n\n"),
    NO(OURS, "many empty lines", 400, "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n" GET("")),
};

static const struct vector fields[] = {
    NO(MUST, "9112-5.1 blank before the colon", 400, GET("X : b\r\n")),
    NO(MUST, "9112-5.1 tab before the colon", 400, GET("X\t: b\r\n")),
    NO(MUST, "9112-5.1 blank before Host's colon", 400, "GET /livez HTTP/1.1\r\nHost : a\r\n\r\n"),
    NO(MUST, "9112-5.1 blank before Content-Length's colon", 400,
       POST "Content-Length : 12\r\n\r\n" A),
    NO(MUST, "9112-5.1 blank before Transfer-Encoding's colon", 400,
       POST "Transfer-Encoding : chunked\r\nContent-Length: 12\r\n\r\n" A),
    NO(MUST, "9112-5.2 folded line", 400, GET("X: b\r\n c\r\n")),
    NO(MUST, "9112-5.2 folded with a tab", 400, GET("X: b\r\n\tc\r\n")),
    NO(MUST, "9112-5.2 folded Host", 400, "GET /livez HTTP/1.1\r\nHost:\r\n a\r\n\r\n"),
    NO(MUST, "9112-5.2 folded Transfer-Encoding", 400, CODING("\r\n chunked") "0\r\n\r\n"),
    NO(MUST, "9112-5.2 folded Content-Length", 400, POST "Content-Length:\r\n 12\r\n\r\n" A),
    NO(MUST, "9112-5.2 OPTIONS with a folded Transfer-Encoding", 400,
       "OPTIONS /livez HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    NO(MUST, "9112-5 no name", 400, GET(": b\r\n")),
    NO(MUST, "9112-5 brackets in a name", 400, GET("Bad[Name: b\r\n")),
    NO(MUST, "9112-5 blank in a name", 400, GET("Bad Name: b\r\n")),
    NO(MUST, "9112-5 tab in a name", 400, GET("Bad\tName: b\r\n")),
    NO(MUST, "9112-5 a name beyond ASCII", 400, GET("N\xc3\xa4me: b\r\n")),
    NO(MUST, "9112-5 NUL in a name", 400, GET("X\0: b\r\n")),
    NO(MUST, "9112-5 control character in a name", 400, GET("X\x01: b\r\n")),
    NO(MUST, "9112-5 no colon", 400, GET("NoColonHere\r\n")),
    NO(MUST, "9112-5 no colon, with a blank", 400, GET("X b\r\n")),
    NO(MUST, "9110-5.5 NUL in a value", 400, GET("X: b\0c\r\n")),
    NO(MUST, "9110-5.5 control character in a value", 400, GET("X: b\x01\r\n")),
    { OURS, "whose value has one is named", REFUSED, 400, BYTES(GET("X-Foo: b\x01\r\n")),
      "\"field\":\"X-Foo\"" },
    NO(MUST, "9110-5.5 escape in a value", 400, GET("X: \x1b[0m\r\n")),
    NO(MUST, "9110-5.5 DEL in a value", 400, GET("X: b\x7f\r\n")),
    NO(MUST, "9110-5.5 vertical tab in a value", 400, GET("X: b\x0b\r\n")),
    NO(MUST, "9112-3.2 no Host", 400, "GET /livez HTTP/1.1\r\n\r\n"),
    NO(MUST, "9112-3.2 two Hosts", 400, GET("Host: b\r\n")),
    NO(MUST, "9112-3.2 two Hosts that are the same", 400, GET("Host: a\r\n")),
    NO(MUST, "9112-3.2 two Hosts in HTTP/1.0", 400, "GET /livez HTTP/1.0\r\n" HOST HOST "\r\n"),
    NO(MUST, "9112-3.2 Host with userinfo", 400, "GET /livez HTTP/1.1\r\nHost: me@a\r\n\r\n"),
    NO(MUST, "9112-3.2 Host with a path", 400, "GET /livez HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    NO(MUST, "9112-3.2 Host with a query", 400, "GET /livez HTTP/1.1\r\nHost: a?b\r\n\r\n"),
    NO(MUST, "9112-3.2 Host with a fragment", 400, "GET /livez HTTP/1.1\r\nHost: a#b\r\n\r\n"),
    NO(MUST, "9112-3.2 Host with a blank", 400, "GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n"),
    NO(MUST, "9112-3.2 Hosts in a list", 400, "GET /livez HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    NO(MUST, "9112-3.2 Host beyond ASCII", 400, "GET /livez HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n"),
    NO(MUST, "9112-3.2 Host with a port that is none", 400,
       "GET /livez HTTP/1.1\r\nHost: a:b\r\n\r\n"),
    NO(MUST, "9112-3.2 Host with two ports", 400, "GET /livez HTTP/1.1\r\nHost: a:1:2\r\n\r\n"),
    NO(MUST, "9112-3.2 Host with half an address", 400,
       "GET /livez HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    NO(MUST, "9112-3.2 Host that is empty", 400, "GET /livez HTTP/1.1\r\nHost:\r\n\r\n"),
    NO(MUST, "9112-3.2 Host that is a port", 400, "GET /livez HTTP/1.1\r\nHost: :80\r\n\r\n"),
    NO(OURS, "Hosts in a list without blanks", 400, "GET /livez HTTP/1.1\r\nHost: a,b\r\n\r\n"),
    NO(SHOULD, "9110-5.3 Content-Type twice", 400,
       POST "Content-Type: text/plain\r\nContent-Length: 12\r\n\r\n" A),
};

static const struct vector lengths[] = {
    NO(MUST, "9112-6.3 letters", 400, LENGTH("abc")),
    NO(MUST, "9112-6.3 plus", 400, LENGTH("+12")),
    NO(MUST, "9112-6.3 minus", 400, LENGTH("-1")),
    NO(MUST, "9112-6.3 minus nothing", 400, LENGTH("-0")),
    NO(MUST, "9112-6.3 hexadecimal", 400, LENGTH("0xc")),
    NO(MUST, "9112-6.3 octal", 400, LENGTH("0o14")),
    NO(MUST, "9112-6.3 underscore", 400, LENGTH("1_2")),
    NO(MUST, "9112-6.3 blank within", 400, LENGTH("1 2")),
    NO(MUST, "9112-6.3 a fraction", 400, LENGTH("12.0")),
    NO(MUST, "9112-6.3 an exponent", 400, LENGTH("12e0")),
    NO(MUST, "9112-6.3 semicolon", 400, LENGTH("12;")),
    NO(MUST, "9112-6.3 letters behind", 400, LENGTH("12a")),
    NO(MUST, "9112-6.3 quotes", 400, LENGTH("\"12\"")),
    NO(MUST, "9112-6.3 vertical tab", 400,
       LENGTH("\x0b"
              "12")),
    NO(MUST, "9112-6.3 NUL behind", 400, LENGTH("12\0")),
    NO(MUST, "9112-6.3 wide digits", 400, LENGTH("\xef\xbc\x91\xef\xbc\x92")),
    NO(MUST, "9112-6.3 empty", 400, LENGTH("")),
    NO(MUST, "9112-6.3 blanks", 400, LENGTH("   ")),
    NO(MUST, "9112-6.3 a list that differs", 400, LENGTH("12, 13")),
    NO(MUST, "9112-6.3 two that differ", 400, LENGTH("12\r\nContent-Length: 13")),
    NO(MUST, "9112-6.3 two that differ, a request in between", 400,
       LENGTH("12\r\nContent-Length: 50") BAIT),
    NO(MUST, "9110-8.6 beyond 64 bits", 400, LENGTH("99999999999999999999")),
    NO(MUST, "9110-8.6 beyond 64 bits, and round to 12", 400, LENGTH("18446744073709551628")),
    NO(MUST, "9110-8.6 very many digits", 400,
       LENGTH("1000000000000000000000000000000000000000000000012")),
    NO(MAY, "9110-8.6 a list of the same", 400, LENGTH("12, 12")),
    NO(MAY, "9110-8.6 a list of the same three", 400, LENGTH("12,12,12")),
    NO(MAY, "9110-8.6 two that are the same", 400, LENGTH("12\r\nContent-Length: 12")),
    NO(OURS, "zeros before", 400, LENGTH("0012")),
    NO(OURS, "two zeros", 400, POST "Content-Length: 00\r\n\r\n"),
    NO(MUST, "9112-6.3 chunked is not last", 400, CODING("chunked, gzip") "0\r\n\r\n"),
    NO(MUST, "9112-6.3 identity", 400, CODING("identity") A),
    NO(MUST, "9112-6.3 a coding that nobody knows", 400, CODING("xchunked") "0\r\n\r\n"),
    NO(MUST, "9112-6.3 an unknown coding with a length", 400,
       POST "Transfer-Encoding: xchunked\r\nContent-Length: 12\r\n\r\n" A),
    NO(MUST, "9112-6.3 gzip alone", 400, CODING("gzip") "0\r\n\r\n"),
    NO(MUST, "9112-6.1 empty", 400, CODING("") "0\r\n\r\n"),
    NO(MUST, "9112-6.1 vertical tab", 400,
       CODING("\x0b"
              "chunked") "0\r\n\r\n"),
    NO(MUST, "9112-6.1 form feed", 400,
       CODING("\x0c"
              "chunked") "0\r\n\r\n"),
    NO(MUST, "9112-6.1 NUL", 400, CODING("chunked\0") "0\r\n\r\n"),
    NO(MUST, "9112-6.1 blank within", 400, CODING("chun ked") "0\r\n\r\n"),
    NO(MUST, "9112-6.1 quotes", 400, CODING("\"chunked\"") "0\r\n\r\n"),
    NO(MUST, "9112-6.1 twice, and differing", 400,
       POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
    NO(MUST, "9112-6.1 twice, and differing, with a length", 400,
       BOTH("12", " chunked\r\nTransfer-Encoding: identity")),
    NO(MUST, "9112-6.1 HTTP/1.0", 400,
       "POST /t/echo HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    NO(MUST, "9112-6.1 HTTP/1.0 with a length", 400,
       "POST /t/echo HTTP/1.0\r\n" HOST
       "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    NO(SHOULD, "9112-6.1 a coding under chunked", 501, CODING("gzip, chunked") "0\r\n\r\n"),
    NO(MUST, "9112-7.1 chunked twice", 400, CODING("chunked, chunked") "0\r\n\r\n"),
    NO(SHOULD, "9112-7 chunked with a parameter", 400, CODING("chunked;q=1") "0\r\n\r\n"),
    NO(OURS, "two of the same", 400,
       POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    NO(OURS, "a comma before", 400, CODING(", chunked") "0\r\n\r\n"),
    NO(OURS, "a comma behind", 400, CODING("chunked,") "0\r\n\r\n"),
    NO(MUST, "9112-6.1 length and chunks", 400, BOTH("12", " chunked")),
    NO(MUST, "9112-6.1 length that ends in the last chunk", 400, BOTH("4", " chunked")),
    NO(MUST, "9112-6.1 length that hides a request", 400, BOTH("50", " chunked")),
    NO(MUST, "9112-6.1 chunks, and a length behind", 400,
       POST "Transfer-Encoding: chunked\r\nContent-Length: 30\r\n\r\n0\r\n\r\n"),
    NO(MUST, "9112-6.1 chunks, and a length that hides a request", 400,
       POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n2c\r\n" BAIT "\r\n0\r\n\r\n"),
    NO(MUST, "9112-6.1 a byte too many", 400,
       POST "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX"),
    NO(MUST, "9112-6.1 +length and chunks", 400, BOTH("+50", " chunked")),
    NO(MUST, "9112-6.1 length with letters and chunks", 400, BOTH("50x", " chunked")),
    NO(MUST, "9112-5.2 length and folded chunks", 400, BOTH("50", "\r\n chunked")),
    NO(MUST, "9112-6.1 length and chunks with a blank behind", 400, BOTH("50", " chunked ")),
    NO(MUST, "9112-6.1 length and chunks with a comma before", 400, BOTH("50", " , chunked")),
    NO(MUST, "9112-6.1 length and Chunked", 400, BOTH("50", " Chunked")),
    NO(MUST, "9112-6.1 length, chunks, and HEAD behind", 400,
       POST "Content-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHEAD /livez "
            "HTTP/1.1\r\n" HOST "\r\n"),
    NO(MUST, "9112-6.1 GET with length and chunks", 400,
       GET("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n"),
};

static const struct vector chunks[] = {
    NO(MUST, "9112-7.1 0x", 400, CHUNKED "0xc\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 underscore", 400, CHUNKED "1_0\r\n" A A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 blank before", 400, CHUNKED " c\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 tab before", 400, CHUNKED "\tc\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 blank behind", 400, CHUNKED "c \r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 plus", 400, CHUNKED "+c\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 plus nothing", 400, CHUNKED "+0\r\n\r\n" BAIT),
    NO(MUST, "9112-7.1 minus", 400, CHUNKED "-c\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 no hexadecimal digit", 400, CHUNKED "g\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 no size", 400, CHUNKED "\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 two sizes", 400, CHUNKED "c c\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 a fraction", 400, CHUNKED "c.0\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 a list", 400, CHUNKED "c,c\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 beyond 64 bits", 400, CHUNKED "FFFFFFFFFFFFFFFFF\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 beyond 64 bits, and round to 12", 400,
       CHUNKED "1000000000000000c\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 below zero", 400, CHUNKED "FFFFFFFFFFFFFFF4\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 no CR LF behind", 400, CHUNKED "c\r\n" A "0\r\n\r\n"),
    NO(MUST, "9112-7.1 more than its size", 400, CHUNKED "5\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 less than its size", 400, CHUNKED "e\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1 in the second chunk", 400, CHUNKED C_OF_A "x\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1.1 semicolon alone", 400, CHUNKED "c;\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1.1 extension without a name", 400, CHUNKED "c;=b\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1.1 extension without a value", 400, CHUNKED "c;a=\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1.1 extension with brackets", 400, CHUNKED "c;[a]\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1.1 extension's quotes stay open", 400,
       CHUNKED "c;a=\"b\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1.1 two words", 400, CHUNKED "c;a b\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-7.1.1 NUL in an extension", 400, CHUNKED "c;a\0=b\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-2.2 CR in an extension", 400, CHUNKED "c;a\r=b\r\n" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-2.2 CR ends a size", 400, CHUNKED "c\r" A "\r\n0\r\n\r\n"),
    NO(MUST, "9112-2.2 CR ends a chunk", 400, CHUNKED "c\r\n" A "\r0\r\n\r\n"),
    NO(MAY, "9112-2.2 LF ends a size", 400, CHUNKED "c\n" A "\r\n0\r\n\r\n"),
    NO(MAY, "9112-2.2 LF ends an extension", 400, CHUNKED "c;a\n" A "\r\n0\r\n\r\n"),
    NO(MAY, "9112-2.2 LF ends a chunk", 400, CHUNKED "c\r\n" A "\n0\r\n\r\n"),
    NO(MAY, "9112-2.2 LF ends the last chunk", 400, CHUNKED C_OF_A "0\n\r\n"),
    NO(MAY, "9112-2.2 LF ends a trailer", 400, CHUNKED C_OF_A "0\r\nX: b\n\r\n"),
    NO(MAY, "9112-2.2 LF ends the trailers", 400, CHUNKED C_OF_A "0\r\n\n"),
    NO(MUST, "9112-7.1.2 trailer without a colon", 400, CHUNKED C_OF_A "0\r\nX\r\n\r\n"),
    NO(MUST, "9112-7.1.2 trailer without a name", 400, CHUNKED C_OF_A "0\r\n: b\r\n\r\n"),
    NO(MUST, "9112-7.1.2 trailer with NUL", 400, CHUNKED C_OF_A "0\r\nX: \0\r\n\r\n"),
    NO(MUST, "9112-5.2 folded trailer", 400, CHUNKED C_OF_A "0\r\nX: b\r\n c\r\n\r\n"),
    NO(MUST, "9112-5.1 trailer with a blank before its colon", 400,
       CHUNKED C_OF_A "0\r\nX : b\r\n\r\n"),
    NO(MUST, "9110-6.5.1 Content-Length as trailer", 400,
       CHUNKED C_OF_A "0\r\nContent-Length: 50\r\n\r\n"),
    NO(MUST, "9110-6.5.1 Transfer-Encoding as trailer", 400,
       CHUNKED C_OF_A "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    NO(MUST, "9110-6.5.1 Host as trailer", 400, CHUNKED C_OF_A "0\r\nHost: b\r\n\r\n"),
    NO(MUST, "9110-6.5.1 Authorization as trailer", 400,
       CHUNKED C_OF_A "0\r\nAuthorization: Bearer b\r\n\r\n"),
    NO(MUST, "9110-6.5.1 Content-Type as trailer", 400,
       CHUNKED C_OF_A "0\r\ncontent-type: text/plain\r\n\r\n"),
};

static const struct vector taken[] = {
    YES(MUST, "9112-3 a request", 200, GET(""), "alive"),
    YES(MUST, "9112-6.2 a body with its length", 201, LENGTH("12"), A),
    YES(MUST, "9112-6.2 no length is no body", 400, POST "\r\n", "\"field\":\"text\""),
    YES(MUST, "9112-6.2 a length of zero", 200, GET("Content-Length: 0\r\n"), "alive"),
    YES(MUST, "9110-5.6.3 tab before a length", 201, POST "Content-Length:\t12\r\n\r\n" A, A),
    YES(MUST, "9110-5.6.3 blanks around a length", 201, POST "Content-Length:  12 \t\r\n\r\n" A, A),
    YES(MUST, "9110-5.6.3 none before a length", 201, POST "Content-Length:12\r\n\r\n" A, A),
    YES(MUST, "9112-7.1 chunks", 201, CHUNKED C_OF_A "0\r\n\r\n", A),
    YES(MUST, "9112-7.1 several chunks", 201,
        CHUNKED "1\r\n{\r\nA\r\n\"text\":\"a\"\r\n1\r\n}\r\n0\r\n\r\n", A),
    YES(MUST, "9112-7.1 none but the last", 400, CHUNKED "0\r\n\r\n", "\"field\":\"text\""),
    YES(MUST, "9112-7.1 large letters", 201, CHUNKED "C\r\n" A "\r\n0\r\n\r\n", A),
    YES(MUST, "9112-7.1 zeros before", 201, CHUNKED "00000000000000000000c\r\n" A "\r\n000\r\n\r\n",
        A),
    YES(MUST, "9112-7.1.1 extension", 201, CHUNKED "c;a=b\r\n" A "\r\n0\r\n\r\n", A),
    YES(MUST, "9112-7.1.1 extension without a value", 201, CHUNKED "c;a\r\n" A "\r\n0\r\n\r\n", A),
    YES(MUST, "9112-7.1.1 extension in quotes", 201,
        CHUNKED "c;a=\"b;\\\"c\"\r\n" A "\r\n0;z=1\r\n\r\n", A),
    YES(MUST, "9112-7.1.1 extensions with blanks", 201,
        CHUNKED "c ; a = b ;c\t;d\r\n" A "\r\n0\r\n\r\n", A),
    YES(MUST, "9112-7.1.2 trailers", 201, CHUNKED C_OF_A "0\r\nX: b\r\nY:\r\n\r\n", A),
    YES(MUST, "9112-7 Chunked in any letters", 201, CODING("ChUnKeD") C_OF_A "0\r\n\r\n", A),
    YES(MUST, "9110-5.6.3 blanks around chunked", 201,
        POST "Transfer-Encoding:\tchunked \r\n\r\n" C_OF_A "0\r\n\r\n", A),
    YES(MUST, "9110-5.5 blanks behind Connection: keep-alive", 200,
        "GET /livez HTTP/1.0\r\n" HOST "Connection: keep-alive \t \r\n\r\n", "alive"),
    YES(MUST, "9110-5.5 a value of blanks", 200, GET("X: \t \r\n"), "alive"),
    YES(MUST, "9110-10.1.1 blanks behind 100-continue", 100,
        POST "Expect: 100-continue \r\nContent-Length: 12\r\n\r\n" A, A),
    YES(MUST, "9112-3.2.2 absolute address", 200, LINE("GET http://a/livez HTTP/1.1"), "alive"),
    YES(MUST, "9110-4.2.3 scheme in large letters", 200, LINE("GET HTTP://a:80/livez HTTP/1.1"),
        "alive"),
    YES(MUST, "9112-3.2.2 absolute address and another Host", 200,
        LINE("GET http://b/livez HTTP/1.1"), "alive"),
    YES(MUST, "9112-3.2.4 OPTIONS *", 204, LINE("OPTIONS * HTTP/1.1"), "Allow: "),
    YES(MUST, "9110-9.3.2 HEAD has no body", 200, LINE("HEAD /livez HTTP/1.1"),
        "Content-Length: 6\r\n"),
    YES(MUST, "9110-15.5.6 405 says what is allowed", 405, LINE("DELETE /livez HTTP/1.1"),
        "Allow: GET, HEAD, OPTIONS\r\n"),
    YES(MUST, "9110-14.2 Range on POST is none", 201,
        POST "Range: bytes=0-0\r\nContent-Length: 12\r\n\r\n" A, A),
    YES(MUST, "9110-7.8 Upgrade without Connection", 200, GET("Upgrade: websocket\r\n"), "alive"),
    YES(MUST, "9110-7.8 Upgrade to something", 200,
        GET("Connection: Upgrade\r\nUpgrade: gopher/1.0\r\n"), "alive"),
    YES(MUST, "6455-4.1 WebSocket by POST", 201,
        POST "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 12\r\n\r\n" A, A),
    YES(MUST, "6455-4.4 WebSocket of no version", 200,
        GET("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\n"), "alive"),
    YES(MUST, "9110-10.1.1 100-continue", 100,
        POST "Expect: 100-continue\r\nContent-Length: 12\r\n\r\n" A, A),
    YES(MUST, "9110-5.6.2 all letters of a name", 200, GET("!#$%&'*+-.^_`|~09azAZ: b\r\n"),
        "alive"),
    YES(MUST, "9110-5.5 an empty value", 200, GET("X:\r\n"), "alive"),
    YES(MUST, "9110-5.5 a tab in a value", 200, GET("X: a\tb\r\n"), "alive"),
    YES(MUST, "9110-5.5 a value beyond ASCII", 200, GET("X: caf\xc3\xa9\r\n"), "alive"),
    YES(MUST, "9110-7.2 a port", 200, "GET /livez HTTP/1.1\r\nHost: a:8080\r\n\r\n", "alive"),
    YES(MUST, "9110-7.2 no digit in the port", 200, "GET /livez HTTP/1.1\r\nHost: a:\r\n\r\n",
        "alive"),
    YES(MUST, "9110-7.2 an address of IPv6", 200,
        "GET /livez HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", "alive"),
    YES(SHOULD, "9112-2.2 an empty line before", 200, "\r\n" GET(""), "alive"),
    YES(SHOULD, "9112-2.2 two empty lines before", 200, "\r\n\r\n" GET(""), "alive"),
    YES(SHOULD, "9110-2.5 a later minor version", 200, LINE("GET /livez HTTP/1.2"), "alive"),
    YES(SHOULD, "9110-9.1 a method that nobody knows", 501, LINE("BREW /livez HTTP/1.1"),
        "problem+json"),
    YES(SHOULD, "9110-9.1 methods have large letters", 501, LINE("get /livez HTTP/1.1"),
        "problem+json"),
    YES(SHOULD, "9110-9.3.8 TRACE", 501, LINE("TRACE /livez HTTP/1.1"), "problem+json"),
    YES(SHOULD, "9110-9.3.7 OPTIONS says what is allowed", 204, LINE("OPTIONS /t/echo HTTP/1.1"),
        "Allow: POST, OPTIONS\r\n"),
    YES(MUST, "9112-3.2 an address of the sixth kind", 200,
        "GET /livez HTTP/1.1\r\nHost: [::ffff:1.2.3.4]:80\r\n\r\n", "alive"),
    YES(MUST, "9110-7.4 https on a line that is not safe", 400,
        LINE("GET https://a/livez HTTP/1.1"), "problem+json"),
    YES(MUST, "9110-10.1.1 100-continue without a body", 200, GET("Expect: 100-continue\r\n"),
        "alive"),
    YES(MUST, "9110-10.1.1 100-continue with an empty body", 400,
        POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", "problem+json"),
    YES(MUST, "9110-13.1.1 If-Match of something else", 412,
        POST "If-Match: \"x\"\r\nContent-Length: 12\r\n\r\n" A, "problem+json"),
    YES(MUST, "9110-13.1.2 If-None-Match of anything", 412,
        POST "If-None-Match: *\r\nContent-Length: 12\r\n\r\n" A, "problem+json"),
    YES(MAY, "9110-8.4 a coding that is not taken", 415,
        POST "Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\n" A, "problem+json"),
    YES(MAY, "9110-9.3.1 GET with a body", 400, GET("Content-Length: 12\r\n") A, "problem+json"),
    YES(MAY, "9110-10.1.1 another expectation", 200, GET("Expect: a-miracle\r\n"), "alive"),
    YES(OURS, "another header that looks like one", 201,
        POST "Transfer_Encoding: chunked\r\nContent-Length: 12\r\n\r\n" A, A),
    YES(OURS, "an absolute address without a path", 204, LINE("OPTIONS http://a HTTP/1.1"), NULL),
    YES(OURS, "several requests at once", 200,
        GET("") LENGTH("12") CHUNKED C_OF_A "0\r\n\r\n" GET(""), A),
    END(MUST, "9112-9.6 Connection: close", LAST, 200, GET("Connection: close\r\n")),
    END(MUST, "9112-9.6 close among others", LAST, 200, GET("Connection: X, CLOSE\r\n")),
    END(SHOULD, "9112-9.3 HTTP/1.0", LAST, 200, "GET /livez HTTP/1.0\r\n" HOST "\r\n"),
    END(MAY, "9112-3.2 HTTP/1.0 without Host", LAST, 200, "GET /livez HTTP/1.0\r\n\r\n"),
    END(MUST, "9110-15.2 no 100 for HTTP/1.0", LAST, 201,
        "POST /t/echo HTTP/1.0\r\n" HOST "Content-Type: application/json\r\nExpect: "
        "100-continue\r\nContent-Length: 12\r\n\r\n" A),
    END(MUST, "9110-7.8 no Upgrade in HTTP/1.0", LAST, 200,
        "GET /livez HTTP/1.0\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
    END(MUST, "9112-6.3 half a body with its length", DROPPED, 0,
        POST "Content-Length: 12\r\n\r\n{\"te"),
    END(MUST, "9112-8 no last chunk", DROPPED, 0, CHUNKED C_OF_A),
    END(MUST, "9112-8 half a chunk", DROPPED, 0, CHUNKED "c\r\n{\"te"),
    END(MUST, "9112-8 half a head", DROPPED, 0, "GET /livez HTTP/1.1\r\nHo"),
};

static const struct {
    const struct vector *v;
    size_t n;
} tables[] = {
    { lines, COUNT(lines) },   { fields, COUNT(fields) }, { lengths, COUNT(lengths) },
    { chunks, COUNT(chunks) }, { taken, COUNT(taken) },
};

/* --- over sockets ----------------------------------------------------------------------------------------------- */

#define MARK "GET /livez HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"

static struct str send_vector(struct line_out *l, const struct vector *v, bool crumbs)
{
    int fd = line_dial(l);

    for (size_t i = 0; crumbs && i < v->bytes.n; i++)
        line_say(fd, str_cut(v->bytes, i, 1));
    if (!crumbs)
        line_say(fd, v->bytes);
    if (v->want == DROPPED)
        shutdown(fd, SHUT_WR);
    else
        line_say(fd, STR(MARK));
    struct str reply = line_hear(l, fd, NULL);
    close(fd);
    return reply;
}

static const char *wrong(const struct vector *v, struct str reply)
{
    int answers = reply_count(reply, "HTTP/1.1 "), status = reply_status(reply);

    if (v->want == DROPPED)
        return reply.n > 0 ? "answered" : NULL;
    if (status != v->status)
        return "another status";
    if (v->holds != NULL && strstr(reply.p, v->holds) == NULL)
        return "something is missing";
    if (reply_count(reply, "Date: ") != answers - (status == 100))
        return "a date is missing";
    if (strstr(reply.p, "HTTP/1.1 204") != NULL && status == 204 &&
        strstr(reply.p, "Content-Length") < strstr(reply.p, "\r\n\r\n"))
        return "204 with a length";
    if (v->want == TAKEN)
        return strstr(reply.p, "alive\n") == NULL || reply_count(reply, "Connection: close") != 1
                   ? "what came behind was not answered"
                   : NULL;
    if (answers != 1)
        return "more than one answer";
    return v->want == REFUSED && reply_count(reply, "Connection: close") != 1 ? "not said to close"
                                                                              : NULL;
}

static void send_all(struct line_out *l, bool crumbs)
{
    for (size_t t = 0; t < COUNT(tables); t++)
        for (size_t i = 0; i < tables[t].n; i++) {
            const struct vector *v = &tables[t].v[i];
            struct str reply = send_vector(l, v, crumbs);
            const char *why = wrong(v, reply);
            if (why != NULL)
                FAIL("%s: %s: %.*s", v->rule, why, STR_FMT(reply));
        }
}

TEST_SECONDS(http_is_taken_strictly, 30)
{
    struct line_out l = line_open("--http.rates=false");

    send_all(&l, false);
    line_close(&l);
}

TEST_SECONDS(http_is_taken_strictly_in_crumbs, 30)
{
    struct line_out l = line_open("--http.rates=false");

    send_all(&l, true);
    line_close(&l);
}

/* The judge's own control: one request that was taken is no refusal, and the other way round. */
TEST(strict_vectors_can_fail)
{
    struct line_out l = line_open(NULL);
    struct str good = line_ask(&l, STR(GET("") MARK)),
               bad = line_ask(&l, STR(GET("X : b\r\n") MARK));

    for (size_t t = 0; t < COUNT(tables) - 1; t++)
        for (size_t i = 0; i < tables[t].n; i++)
            CHECK(wrong(&tables[t].v[i], good) != NULL);
    for (size_t i = 0; i < COUNT(taken); i++)
        CHECK(wrong(&taken[i], bad) != NULL);
    line_close(&l);
}

/* 113 are what public probes (Http11Probe) have of the first kind. */
TEST(as_many_rules_are_tried_as_public_probes_have)
{
    int n[4] = { 0 };

    for (size_t t = 0; t < COUNT(tables); t++)
        for (size_t i = 0; i < tables[t].n; i++)
            n[tables[t].v[i].level]++;
    printf("strict HTTP: %d MUST, %d SHOULD, %d MAY, %d of our own\n", n[MUST], n[SHOULD], n[MAY],
           n[OURS]);
    CHECK(n[MUST] >= 113);
}

/* --- the front alone -------------------------------------------------------------------------------------------- */

struct sieve {
    int in, out; /* a socket of ours, one of the front's */
    struct front front;
};

static void sieve_open(struct sieve *s)
{
    int pair[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    s->in = pair[0];
    s->out = pair[1];
    front_open(&s->front, s->out);
}

static void sieve_close(struct sieve *s)
{
    front_close(&s->front, s->out);
    close(s->in);
    close(s->out);
}

/* As the library asks: recv, until it says that there is no more. */
static void drain(struct sieve *s, struct buf *b, size_t room)
{
    ssize_t n;

    while ((n = recv(s->out, buf_room(b, room), room, 0)) > 0) {
        b->n += (size_t)n;
        must(b->n < 1 << 20);
    }
}

/* What the front makes of bytes that come `piece` at a time to one who takes `room` at a time. */
static struct str sifted(struct arena *a, struct str bytes, size_t piece, size_t room)
{
    struct sieve s;
    struct buf b = { .arena = a };

    sieve_open(&s);
    for (size_t i = 0; i < bytes.n; i += piece) {
        struct str some = str_cut(bytes, i, piece);
        must(send(s.in, some.p, some.n, MSG_NOSIGNAL) == (ssize_t)some.n);
        drain(&s, &b, room);
    }
    sieve_close(&s);
    return buf_str(&b);
}

TEST_SECONDS(the_front_hands_on_the_same_however_bytes_come, 30)
{
    static const size_t sizes[] = { 1, 2, 3, 7, 16, 61, 4096 };
    struct arena a = { 0 };

    for (size_t t = 0; t < COUNT(tables); t++)
        for (size_t i = 0; i < tables[t].n; i++) {
            const struct vector *v = &tables[t].v[i];
            struct buf b = { .arena = &a };
            buf_add(&b, v->bytes);
            buf_add(&b, STR(MARK));
            struct str bytes = buf_str(&b);
            struct str want = sifted(&a, bytes, 4096, 4096);
            for (size_t k = 0; k < COUNT(sizes) * COUNT(sizes); k++) {
                size_t piece = sizes[k / COUNT(sizes)], room = sizes[k % COUNT(sizes)];
                struct str got = sifted(&a, bytes, piece, room);
                if (!str_eq(got, want))
                    FAIL("%s, %zu by %zu: %.*s", v->rule, piece, room, STR_FMT(got));
            }
            arena_reset(&a);
        }
    arena_done(&a);
}
