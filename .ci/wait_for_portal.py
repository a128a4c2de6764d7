"""Wait until a portal answers: /healthz with 200, and / with the login page; with --whole, until a demonstration has all its stories.

usage: wait_for_portal.py URL SECONDS PID [--whole]      (PID is the process that serves it; its end ends the waiting)
"""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request


def fetch(url: str) -> tuple[int, str]:
    """GET `url` without a proxy, following redirects. Returns (status, text); status 0: no answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def is_running(pid: int) -> bool:
    """Whether the process is there and is not a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def main(url: str, seconds: int, pid: int, whole: bool) -> int:
    """Returns 0 once both answer, 1 when the time is over or the process ended."""
    began = time.monotonic()
    answered = False
    while time.monotonic() - began < seconds:
        status, _ = fetch(f"{url}/healthz")
        if status == 200:
            status, page = fetch(f"{url}/")
            if status != 200 or "登录" not in page or 'type="password"' not in page:
                print(f"{url}/ answers {status}, and it is not the login page")
                return 1
            if not answered:
                print(f"{url} answers after {time.monotonic() - began:.1f} s")
            answered = True
            if not whole:
                return 0
            if "演示账号" in page and "还在准备" not in page:
                print(f"every story is made after {time.monotonic() - began:.1f} s")
                return 0
        if not is_running(pid):
            print("the portal ended by itself")
            return 1
        time.sleep(0.5)
    print(f"{url} was not ready within {seconds} s")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), "--whole" in sys.argv[4:]))
