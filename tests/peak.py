"""How much memory the child that reads a file takes, asked of itself: a child's ru_maxrss begins with its parent's."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

from portal.cases.loads import mapping, reading

_ASKED = """
import runpy, sys
wanted, script = sys.argv[1:]
sys.argv = [script, wanted]
code = 0
try:
    runpy.run_path(script, run_name="__main__")
except SystemExit as ended:
    code = ended.code
{after}
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
sys.stderr.write(f"\\n{{code}} {{peak}}")
"""


def of_reader(data: bytes, after: str = "", limit: int = 0) -> tuple[int, int, str]:
    """(exit code, most memory in kB, what it said) of the reader of these bytes; `after` is run when it has ended."""
    wanted = {"limit": limit, "sheet": "", "titles": sorted(mapping.TITLES), "noise": mapping.NOISE.pattern}
    command = [
        sys.executable,
        "-I",
        "-c",
        _ASKED.format(after=after),
        json.dumps(wanted),
        str(reading.SCRIPT),
    ]
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as lines:
        source.write(data)
        source.seek(0)
        done = subprocess.run(command, stdin=source, stdout=lines, stderr=subprocess.PIPE, check=False)
    said, _, last = done.stderr.decode().rpartition("\n")
    assert done.returncode == 0, done.stderr.decode()
    code, most = last.split()
    return int(code), int(most), said
