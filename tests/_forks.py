"""Runs scripts in forks of itself, which has imported what each of them would import anew.

A job is a line of JSON, the answer to it a line with the exit status.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import warnings
from pathlib import Path

import matplotlib.pyplot  # noqa: F401
import torch._dynamo  # noqa: F401  # which the first step of an optimizer imports


def run(script: str, folder: str, arguments: list[str], on_warning: str, says: str) -> None:
    """Be `python -W on_warning script …`, run in `folder`; what it says goes into two files."""
    for stream in (sys.stdout, sys.stderr):
        with Path(says, stream.name.strip("<>")).open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.chdir(folder)
    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).parent)
    if on_warning == "error":
        warnings.simplefilter("error")
    runpy.run_path(script, run_name="__main__")


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(*json.loads(line))
            break
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
