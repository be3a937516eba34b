"""A server whose every answer is a script of pieces, with a pause before each, on connections of its own."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Sequence

HEAD = b"HTTP/1.1 200 OK\r\n"
PAUSE_S = 0.02
DRIPS = 250  # pieces, 5 s of them: whoever waits for the end of it has kept no deadline


def drip(text: bytes) -> Sequence[bytes]:
    """Byte by byte."""
    return [bytes([byte]) for byte in text]


IN_THE_HEAD = drip(HEAD + b"x-filler: " + b"." * DRIPS)
IN_A_HEADER_EACH = [HEAD, *[b"x-filler: .\r\n"] * DRIPS]
IN_THE_BODY = [HEAD + b"Content-Length: 250\r\n\r\n", *drip(b" " * DRIPS)]
IN_CHUNKS = [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n"] * DRIPS]
TO_GO_ON = [b"HTTP/1.1 100 Continue\r\n\r\n"] * DRIPS
ALL_WAYS = {
    "in the head": IN_THE_HEAD,
    "a header each": IN_A_HEADER_EACH,
    "in the body": IN_THE_BODY,
    "in chunks": IN_CHUNKS,
    "go on, go on": TO_GO_ON,
}


@contextmanager
def dripping(
    pieces: Sequence[bytes], tls: ssl.SSLContext | None = None, shakes_hands: threading.Event | None = None
) -> Iterator[str]:
    """Serve this answer to everybody, who may have to wait for the handshake; gives the address."""
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with suppress(OSError):
            if shakes_hands is not None:
                shakes_hands.wait(20)
            server = tls.wrap_socket(connection, server_side=True) if tls else connection
            server.recv(65_536)
            for piece in pieces:
                server.sendall(piece)
                if over.wait(PAUSE_S):
                    break
            over.wait(20)  # closed with something unread, the answer would be lost with it
        connection.close()

    with _listening(answer) as port:
        yield f"{'https' if tls else 'http'}://localhost:{port}"
        over.set()


@contextmanager
def _listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
