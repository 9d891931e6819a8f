# SPDX-License-Identifier: BSD-2-Clause
"""Posted Rekey Events (RFC 4534 B.5.6.3): where they are, a board that has them, asking for one.

"The IA5String associated with ReliabilityPost is the identifier of the posting site and rekey
message"; the layout below it is a choice of this project (register of choices, post_site).
"""
import contextlib
import hashlib
import http.client
import http.server
import socket
import threading
import urllib.parse


def place(group_id, kind, signer, sequence):
    """GROUP/CONTROLLER/SEQUENCE of a Rekey Event; `kind` and `signer` as in its Signature payload."""
    group = hashlib.sha256(group_id).hexdigest()[:32]
    controller = hashlib.sha256(bytes([kind]) + signer).hexdigest()[:16]
    return f"{group}/{controller}/{sequence}"


def url(site, group_id, kind, signer, sequence):
    where = place(group_id, kind, signer, sequence)
    if "{sequence}" not in site:
        return f"{site.rstrip('/')}/{where}"
    for word, value in zip(("{group}", "{controller}", "{sequence}"), where.split("/")):
        site = site.replace(word, value)
    return site


def fetch(address, within=contextlib.nullcontext, timeout=5.0, most=1 << 20):
    """The octets at an http URL, or None; from inside a network namespace if `within` says so."""
    at = urllib.parse.urlsplit(address)
    connection = http.client.HTTPConnection(at.hostname, at.port or 80, timeout=timeout)
    try:
        with within():
            connection.connect()
        connection.request("GET", at.path + (f"?{at.query}" if at.query else ""))
        answer = connection.getresponse()
        body = answer.read(most)
        return body if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Board:
    """A web server on a host with what was posted; `answers` change what it says to one path."""

    def __init__(self, address, port, within=contextlib.nullcontext, prefix="/rekey/"):
        self.posts, self.asked, self.answers, self.prefix = {}, [], {}, prefix
        board = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                board._answer(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
            daemon_threads = True
            block_on_close = False

        with within():
            self.server = Server((address, port), Handler)
        self.port = self.server.server_address[1]
        host = f"[{address}]" if ":" in address else address
        self.site = f"http://{host}:{self.port}{prefix}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def post(self, where, octets):
        self.posts[self.prefix + where] = octets

    def _answer(self, request):
        self.asked.append(request.path)
        body = self.posts.get(request.path)
        other = self.answers.get(request.path)
        if other is not None:
            other(request, body)
            return
        request.send_response(404 if body is None else 200)
        request.send_header("Content-Length", str(len(body or b"")))
        request.end_headers()
        request.wfile.write(body or b"")

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
