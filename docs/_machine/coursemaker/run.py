"""Runs a tutorial's cells in a kernel and judges each outcome; knows nothing of a site."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from coursemaker.forks import Manager, Prepared
from coursemaker.tutorial import Fault, tags

KERNELS = Path(__file__).with_name("kernels")
SECONDS = 120  # a cell that takes longer hangs
MOST_OUTPUT = 100_000  # characters that a cell shows; more is a page that nobody can load
LONGEST_FOLDER = 80  # characters; the address of a socket in it may have about 107
HELPERS = re.compile("resource_tracker|torch_shm_manager")  # of multiprocessing, which ends them


def run(
    notebook: NotebookNode,
    root: Path,
    *,
    data: Iterable[Path] = (),
    seconds: int = SECONDS,
    prepared: Prepared | None = None,
) -> None:
    """Fill in the outputs, in a folder of its own that is gone afterwards.

    Args:
        notebook: What `tutorial.read` gave.
        root: Where the package lies that the tutorial imports.
        data: Files that it reads, copied into its folder.
        seconds: The longest that a cell may take.
        prepared: Whose forks the kernel may be, which saves the imports.

    Raises:
        Fault: A cell fails, or shows what no page can.
    """
    with tempfile.TemporaryDirectory(prefix="tutorial-", ignore_cleanup_errors=True) as folder:
        work = Path(folder, "work")  # the kernel goes into it
        work.mkdir()
        for file in data:
            shutil.copy(file, work)
        client = start(notebook, Path(folder), root, seconds, prepared)
        try:
            for number, cell in enumerate(notebook.cells):
                try:
                    run_cell(client, cell, number, seconds)
                except Fault as fault:
                    fault.cell = number
                    raise
            refuse_leftovers(client, len(notebook.cells) - 1)
        finally:
            client._cleanup_kernel()  # public only as the end of a `with`


def start(
    notebook: NotebookNode, folder: Path, root: Path, seconds: int, prepared: Prepared | None
) -> "Client":
    """Start a kernel; one that never came up gets one more try."""
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    for attempt in (1, 2):
        manager = Manager(
            kernel_name="workflow",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(KERNELS)]),
            connection_file=str(folder / f"kernel-{attempt}.json"),
        )
        manager.prepared = prepared
        if os.name != "nt" and len(str(folder)) < LONGEST_FOLDER:
            manager.transport = "ipc"  # no ports to race for, no network
        client = Client(notebook, km=manager, timeout=seconds)
        client.shutdown_kernel = "immediate"
        try:
            client.start_new_kernel(cwd=str(folder), env=env)
            client.start_new_kernel_client()
        except RuntimeError as error:
            if attempt == 2:
                raise Fault(f"No kernel came up, twice: {error}") from error
        else:
            return client
    raise AssertionError


class Client(NotebookClient):
    """Stops listening to a cell that prints without end."""

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
        if len(text_of(outs)) > MOST_OUTPUT:
            return None
        return super().output(outs, msg, display_id, cell_index)


def text_of(outputs: Iterable[NotebookNode]) -> str:
    """Give what is printed, and the values that are shown; a warning is shown once."""
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in outputs
        if not is_warning(output)
    )


def run_cell(client: Client, cell: NotebookNode, number: int, seconds: int) -> None:
    try:
        client.execute_cell(cell, number)
    except CellExecutionError:
        raise Fault(errors(cell)[0].traceback[-1]) from None
    except CellTimeoutError:
        raise Fault(
            f"Took longer than {seconds} s, the limit (WORKFLOW_DOCS_CELL_SECONDS sets it):\n"
            f"{cell.source}"
        ) from None
    except DeadKernelError:
        raise Fault(
            f"The kernel died: out of memory, or a crash in native code:\n{cell.source}"
        ) from None
    if cell.cell_type == "code":
        cell.metadata.pop("execution", None)  # when each step was taken
        judge(cell)
        cell.outputs = joined(cell.outputs)


def joined(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Put printed text together again that arrives in pieces cut by chance."""
    result: list[NotebookNode] = []
    for output in outputs:
        if result and output.output_type == result[-1].output_type == "stream":
            result[-1].text += output.text
        else:
            result.append(output)
    for output in result:
        if output.output_type == "stream":  # a progress bar writes over its line
            lines = (line.rstrip("\r").rpartition("\r")[2] for line in output.text.split("\n"))
            output.text = "\n".join(lines)
    return result


def judge(cell: NotebookNode) -> None:
    """Fail for what the kernel reports, a warning without its tag, a tag without its reason."""
    if len(text := text_of(cell.outputs)) > MOST_OUTPUT:
        raise Fault(
            f"Shows more than {MOST_OUTPUT:,} characters, beginning with {text[:60]!r}. Show less."
        )
    for output in cell.outputs:
        if fault := output.get("metadata", {}).get("fault"):
            raise Fault(fault)
    warnings = [output for output in cell.outputs if is_warning(output)]
    if warnings and "expect-warning" not in tags(cell):
        where, text = warnings[0].metadata.warning, warnings[0].data["text/plain"]
        raise Fault(f"{where}\n{text}\nMend the cause, or tag the cell expect-warning.")
    for tag, found in (("raises-exception", errors(cell)), ("expect-warning", warnings)):
        if tag in tags(cell) and not found:
            raise Fault(f"Tagged {tag}, but it ran without one.")


def errors(cell: NotebookNode) -> list[NotebookNode]:
    return [output for output in cell.outputs if output.output_type == "error"]


def is_warning(output: NotebookNode) -> bool:
    return "warning" in output.get("metadata", {})  # the kernel puts it there


def refuse_leftovers(client: Client, number: int) -> None:
    """Fail if a process outlives the cell that started it."""
    pid = client.km.provisioner.pid  # type: ignore[union-attr]
    for child in psutil.Process(pid).children(recursive=True):
        command = " ".join(child.cmdline())
        if not HELPERS.search(command):
            raise Fault(f"Leaves a process running: {command[:200]}. Wait for its end.", number)
