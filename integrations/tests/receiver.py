"""A small HTTP server that keeps what is sent to it and answers as it is told."""

import http.server
import threading
import zlib


def unpacked(body):
    """The body as text, with each part that is packed by gzip unpacked where it stands."""
    before, magic, packed = body.partition(b"\x1f\x8b\x08")
    if not magic:
        return body.decode()
    unpacker = zlib.decompressobj(31)
    content = unpacker.decompress(magic + packed)
    return before.decode() + content.decode() + unpacked(unpacker.unused_data)


class Receiver:
    def __init__(self, status=201):
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, self.headers.get("Authorization"), unpacked(body)))
                answer = b'{"status":"committed","id":"1","received_at":"2026-11-21T00:00:00Z","rows":{}}'
                if status >= 400:
                    answer = b'{"error":{"code":"wrong_token","message":"send a valid token","request_id":"r"}}'
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self, path):
        return [body for sent, _, body in self.requests if sent == path]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
