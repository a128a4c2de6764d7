"""`python -m tests.web.crash_server PORT`: the portal in one process, so that its death is the server's death.

What never belongs here: a setting, which come from the environment as for any portal; a way to live longer.
"""

from __future__ import annotations

import sys

from werkzeug.serving import make_server

from portal import create_app, tasks


def main(port: int) -> None:
    """Take up what a dead process left unfinished, as portal.serving does, and serve until killed."""
    app = create_app()
    tasks.resume(app)
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
