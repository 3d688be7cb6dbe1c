"""Python's clients against the conformance server.

    python clients.py http://HOST:PORT [CA_FILE]

Prints `ok NAME` or `FAIL NAME: why` for each case.
"""

import asyncio
import base64
import http.client
import json
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

import aiohttp
import httpx
import requests
from tornado.httpclient import HTTPClientError
from tornado.simple_httpclient import SimpleAsyncHTTPClient

BASE = sys.argv[1]
CA = sys.argv[2] if len(sys.argv) > 2 else None
CONTEXT = ssl.create_default_context(cafile=CA) if CA else None
LARGE = bytes(range(256)) * 4096
HELLO = b"Hello, World!"
CASES = []


def case(function):
    CASES.append(function)
    return function


def same(found, expected):
    if found != expected:
        raise AssertionError(f"expected {expected!r:.200}, found {found!r:.200}")


def pieces(count=50):
    for number in range(count):
        yield f"piece {number}\n".encode()


async def async_pieces():
    for piece in pieces():
        await asyncio.sleep(0)
        yield piece


WHOLE = b"".join(pieces())


def fields(seen):
    return dict(seen["headers"])


# requests and urllib3


def session():
    made = requests.Session()
    made.verify = CA or True
    # Variables such as REQUESTS_CA_BUNDLE would be heeded before `verify`.
    made.trust_env = False
    return made


@case
def requests_get():
    answer = session().get(BASE + "/plaintext", timeout=10)
    same((answer.status_code, answer.content), (200, HELLO))
    same(answer.headers["content-length"], "13")


@case
def requests_reuses_its_connection():
    made = session()
    for number in range(20):
        same(made.post(BASE + "/", data=str(number), timeout=10).text, str(number))
    pools = made.get_adapter(BASE).poolmanager.pools
    [pool] = [pools[key] for key in pools.keys()]
    same((pool.num_requests, pool.num_connections), (20, 1))


@case
def requests_chunked_upload():
    seen = session().post(BASE + "/inspect", data=pieces(), timeout=10).json()
    same(base64.b64decode(seen["body"]), WHOLE)
    same(fields(seen)["transfer-encoding"], "chunked")


@case
def requests_multipart():
    answer = session().post(BASE + "/", files={"file": ("a.bin", LARGE)}, timeout=10)
    assert LARGE in answer.content
    assert answer.headers["content-type"].startswith("multipart/form-data; boundary=")


@case
def requests_any_method():
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "BREW"]:
        seen = session().request(method, BASE + "/inspect?a=%20b", timeout=10).json()
        same((seen["method"], seen["target"]), (method, "/inspect?a=%20b"))


@case
def requests_head():
    answer = session().head(BASE + "/plaintext", timeout=10)
    same((answer.content, answer.headers["content-length"]), (b"", "13"))


@case
def requests_streams_an_answer():
    answer = session().get(BASE + "/stream?n=1000", stream=True, timeout=10)
    same(answer.headers["transfer-encoding"], "chunked")
    lines = list(answer.iter_lines())
    same((len(lines), lines[-1]), (1000, b"piece 1000 of 1000"))


@case
def requests_range_and_conditions():
    made = session()
    page = BASE + "/static/large.bin"
    whole = made.get(page, timeout=10)
    same(whole.content, LARGE)
    part = made.get(page, headers={"Range": "bytes=256-511"}, timeout=10)
    same((part.status_code, part.content), (206, bytes(range(256))))
    same(part.headers["content-range"], f"bytes 256-511/{len(LARGE)}")
    etag = {"If-None-Match": whole.headers["etag"]}
    same(made.get(page, headers=etag, timeout=10).status_code, 304)
    date = {"If-Modified-Since": whole.headers["last-modified"]}
    same(made.get(page, headers=date, timeout=10).status_code, 304)
    far = {"Range": "bytes=99999999-"}
    same(made.get(page, headers=far, timeout=10).status_code, 416)
    same(made.get(page, timeout=10).content, LARGE)


@case
def requests_header_values():
    value = "a, b;c=\"d\" \u00e9".encode("latin-1")
    seen = session().get(BASE + "/inspect", headers={"X-Odd": value}, timeout=10).json()
    same(fields(seen)["x-odd"], value.decode("latin-1"))


# httpx


@case
def httpx_get_and_post():
    with httpx.Client(verify=CONTEXT or True) as client:
        answer = client.get(BASE + "/json")
        same((answer.http_version, answer.json()), ("HTTP/1.1", {"message": "Hello, World!"}))
        same(client.post(BASE + "/", content=LARGE).content, LARGE)


@case
def httpx_streams_both_ways():
    with httpx.Client(verify=CONTEXT or True) as client:
        with client.stream("POST", BASE + "/mirror", content=pieces()) as answer:
            same(b"".join(answer.iter_bytes()), WHOLE)


@case
def httpx_many_at_once():
    async def many():
        async with httpx.AsyncClient(verify=CONTEXT or True) as client:
            asked = [client.post(BASE + "/", content=str(n)) for n in range(50)]
            same([answer.text for answer in await asyncio.gather(*asked)], [str(n) for n in range(50)])

    asyncio.run(many())


@case
def httpx_gives_up_on_a_slow_answer():
    with httpx.Client(verify=CONTEXT or True, timeout=0.2) as client:
        try:
            client.get(BASE + "/slow?ms=5000")
        except httpx.ReadTimeout:
            same(client.get(BASE + "/plaintext").content, HELLO)
        else:
            raise AssertionError("expected a time-out, found an answer")


# urllib and http.client


@case
def urllib_get_and_post():
    with urllib.request.urlopen(BASE + "/plaintext", timeout=10, context=CONTEXT) as answer:
        same((answer.status, answer.read()), (200, HELLO))
    with urllib.request.urlopen(BASE + "/", b"a=1", timeout=10, context=CONTEXT) as answer:
        same(answer.read(), b"a=1")


@case
def urllib_error():
    try:
        urllib.request.urlopen(BASE + "/static/none", timeout=10, context=CONTEXT)
    except urllib.error.HTTPError as err:
        same((err.code, err.read()), (404, b"404 Not Found\n"))
    else:
        raise AssertionError("expected 404")


def connection():
    place = urllib.parse.urlsplit(BASE)
    if CONTEXT:
        return http.client.HTTPSConnection(place.hostname, place.port, timeout=10, context=CONTEXT)
    return http.client.HTTPConnection(place.hostname, place.port, timeout=10)


@case
def http_client_keeps_its_connection():
    made = connection()
    socket = None
    for number in range(10):
        made.request("PUT", "/", str(number))
        same(made.getresponse().read(), str(number).encode())
        socket = socket or made.sock
        assert made.sock is socket, "the connection was closed"


@case
def http_client_chunks():
    made = connection()
    made.request("POST", "/", pieces(), encode_chunked=True)
    same(made.getresponse().read(), WHOLE)


@case
def http_client_of_1_0():
    made = connection()
    made._http_vsn, made._http_vsn_str = 10, "HTTP/1.0"
    made.request("GET", "/stream?n=3")
    answer = made.getresponse()
    same(answer.getheader("transfer-encoding"), None)
    same(answer.read(), b"piece 1 of 3\npiece 2 of 3\npiece 3 of 3\n")


@case
def http_client_of_1_0_with_keep_alive():
    made = connection()
    made._http_vsn, made._http_vsn_str = 10, "HTTP/1.0"
    for _ in range(2):
        made.request("GET", "/plaintext", headers={"Connection": "keep-alive"})
        answer = made.getresponse()
        same((answer.getheader("connection"), answer.read()), ("keep-alive", HELLO))


@case
def http_client_expects_to_continue():
    made = connection()
    made.putrequest("POST", "/")
    made.putheader("Expect", "100-continue")
    made.putheader("Content-Length", "2")
    made.endheaders()
    same(made.sock.recv(1000), b"HTTP/1.1 100 Continue\r\n\r\n")
    made.send(b"hi")
    same(made.getresponse().read(), b"hi")


# aiohttp


def aiohttp_session():
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100, ssl=CONTEXT or True))


@case
def aiohttp_hundred_at_once():
    async def one(made, number):
        async with made.post(BASE + f"/slow?ms={number % 10}") as answer:
            return await answer.text()

    async def many():
        async with aiohttp_session() as made:
            texts = await asyncio.gather(*[one(made, number) for number in range(300)])
        same(texts, [f"this took {number % 10} ms\n" for number in range(300)])

    asyncio.run(many())


@case
def aiohttp_chunked_upload_that_expects_to_continue():
    async def upload():
        async with aiohttp_session() as made:
            async with made.post(BASE + "/", data=async_pieces(), expect100=True) as answer:
                same(await answer.read(), WHOLE)

    asyncio.run(upload())


@case
def aiohttp_streams_an_answer():
    async def stream():
        async with aiohttp_session() as made:
            async with made.get(BASE + "/stream?n=10000") as answer:
                count = 0
                async for _ in answer.content:
                    count += 1
                same(count, 10000)

    asyncio.run(stream())


@case
def aiohttp_leaves_early():
    async def leave():
        async with aiohttp_session() as made:
            for _ in range(20):
                answer = await made.get(BASE + "/stream?n=1000000")
                await answer.content.readline()
                answer.close()
            async with made.get(BASE + "/plaintext") as answer:
                same(await answer.read(), HELLO)

    asyncio.run(leave())


# Tornado


def tornado_fetch(path, **options):
    async def fetch():
        client = SimpleAsyncHTTPClient(force_instance=True)
        try:
            return await client.fetch(BASE + path, ca_certs=CA, **options)
        finally:
            client.close()

    return asyncio.run(fetch())


@case
def tornado_get_head_and_post():
    same(tornado_fetch("/plaintext").body, HELLO)
    same(tornado_fetch("/plaintext", method="HEAD").headers["Content-Length"], "13")
    same(tornado_fetch("/", method="POST", body=LARGE).body, LARGE)


@case
def tornado_body_producer():
    async def producer(write):
        for piece in pieces():
            await write(piece)

    same(tornado_fetch("/", method="POST", body_producer=producer).body, WHOLE)


@case
def tornado_expects_to_continue():
    answer = tornado_fetch("/", method="PUT", body=LARGE, expect_100_continue=True)
    same(answer.body, LARGE)


@case
def tornado_streams_an_answer():
    got = []
    tornado_fetch("/stream?n=100", streaming_callback=got.append)
    same(b"".join(got).count(b"\n"), 100)


@case
def tornado_error():
    try:
        tornado_fetch("/static/none")
    except HTTPClientError as err:
        same(err.code, 404)
    else:
        raise AssertionError("expected 404")


@case
def tornado_fifty_at_once():
    async def many():
        client = SimpleAsyncHTTPClient(force_instance=True, max_clients=50)
        asked = [client.fetch(f"{BASE}/", method="POST", body=str(n), ca_certs=CA) for n in range(50)]
        same([int(answer.body) for answer in await asyncio.gather(*asked)], list(range(50)))
        client.close()

    asyncio.run(many())


for test in CASES:
    try:
        test()
    except Exception as err:  # A case that fails must not keep the others from running.
        print(f"FAIL {test.__name__}: {type(err).__name__}: {err}".replace("\n", " "))
    else:
        print(f"ok {test.__name__}")
