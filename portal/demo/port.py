"""Whether a port on 127.0.0.1 is free, asked before anything is made: `python portal/demo/port.py 8000`.

Runs by any Python, without the portal's packages.
"""

import socket
import sys


def free(port: int) -> bool:
    """Whether nothing listens there and this account may."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def trouble(text: str) -> str:
    """Why the demonstration cannot be served there, with the way out; "" where it can."""
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        return f"PORT={text} is no port: choose a number from 1024 to 65535, for example make demo PORT=8123"
    port = int(text)
    if free(port):
        return ""
    other = next((one for one in (8123, 8124, 8200, 8300, 18000) if one != port and free(one)), 8123)
    if port < 1024:
        return f"Port {port} cannot be used by this account, or is in use. Nothing was made. Choose another: make demo PORT={other}"
    return (
        f"Port {port} on 127.0.0.1 is in use, by another program or an earlier demonstration. Nothing was made.\n"
        f"Choose another: make demo PORT={other}"
    )


if __name__ == "__main__":
    sys.exit(trouble(sys.argv[1]) or 0)
