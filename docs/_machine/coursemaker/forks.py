"""Kernels as forks of one process that has imported what each would: seconds less for each.

It has imported nothing of ours, so that an edit to the package is seen. On systems other than
Linux, where forking after such imports isn't safe, a kernel starts as usual, with the same output.
"""

import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import traceback
from threading import Lock
from types import TracebackType
from typing import Any, Self

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner


class Prepared:
    """The process to fork from; started with the first kernel, ended with its context."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self | None:
        return self if sys.platform == "linux" else None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.stop()

    def fork(self, program: str, arguments: list[str], cwd: str, env: dict[str, str]) -> "Fork":
        """Run a Python program in a fork, with its arguments, its folder and its environment."""
        with self.lock:
            if not self.process:
                self.start(env)
            end, end_of_fork = os.pipe()
            order = {"program": program, "arguments": arguments, "cwd": cwd, "env": env}
            try:
                socket.send_fds(self.socket, [json.dumps(order).encode()], [end_of_fork])
                return Fork(int(self.socket.recv(64)), end)
            except (ConnectionError, ValueError) as error:
                os.close(end)
                self.stop()
                reason = "The process to fork from ended; what it said stands above."
                raise RuntimeError(reason) from error
            finally:
                os.close(end_of_fork)

    def start(self, env: dict[str, str]) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=env,
            start_new_session=True,  # Ctrl-C is for the build, which then ends this
        )
        theirs.close()

    def stop(self) -> None:
        if self.process:
            self.socket.close()  # it sees that and ends, and its kernels with it
            self.process.wait()
            self.process = None


class Fork:
    """What jupyter_client asks of a `Popen`; a pipe that the fork holds open tells its end."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, end: int) -> None:
        self.pid, self.end = pid, end
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self.end], [], [], 0)[0]:
            self.returncode = 0
            os.close(self.end)
        return self.returncode

    def wait(self) -> int:
        if self.returncode is None:
            select.select([self.end], [], [])
        return self.poll() or 0

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Manager(AsyncKernelManager):
    """Knows the process to fork from, if there is one."""

    prepared: Prepared | None = None


class ForkProvisioner(LocalProvisioner):
    """Starts a kernel as a fork; registered in pyproject.toml, named in kernel.json."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        prepared = getattr(self.parent, "prepared", None)
        if not prepared:
            return await super().launch_kernel(cmd, **kwargs)
        _, _, program, *arguments = cmd  # python -P kernel.py …
        self.process = prepared.fork(program, arguments, kwargs["cwd"], kwargs["env"])
        self.pid = self.pgid = self.process.pid
        return self.connection_info


def serve(orders: socket.socket) -> None:
    """Import, then fork at each order until the other side is gone."""
    import torch._dynamo  # which the first step of an optimizer imports  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a fork ended
    while True:
        message, ends, _, _ = socket.recv_fds(orders, 1 << 20, 1)
        if not message:
            return
        pid = os.fork()
        if not pid:
            orders.close()
            become(json.loads(message))
        os.close(ends[0])
        orders.send(str(pid).encode())


def become(order: dict[str, Any]) -> None:
    """Be the program that the order names, to its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.path[:0] = filter(None, order["env"].get("PYTHONPATH", "").split(os.pathsep))
    parent = f"--IPKernelApp.parent_handle={os.getppid()}"  # when this is gone, so is the kernel
    sys.argv = [order["program"], *order["arguments"], parent]
    try:
        runpy.run_path(order["program"], run_name="__main__")
    except Exception:
        traceback.print_exc()
    finally:  # at once, with nothing to tidy up that is the other process's
        os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
