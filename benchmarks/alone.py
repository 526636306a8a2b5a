"""Work in a process of its own, which has memory of its own: how long it took, and its peak."""

import gc
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot import logs

_PATIENCE_SECONDS = 300.0
_spawning = multiprocessing.get_context("spawn")


def in_a_process(
    work: Callable[..., object], *given: Any, patience: float = _PATIENCE_SECONDS
) -> tuple[float, float]:
    """Seconds that the work took, and the most resident memory of its process in MiB.

    Raises:
        TimeoutError: it took longer than `patience` in seconds; its process is ended.
        RuntimeError: it failed.
    """
    ours, theirs = _spawning.Pipe(duplex=False)
    process = _spawning.Process(target=_timed, args=(work, given, theirs))
    process.start()
    theirs.close()
    try:
        if not ours.poll(patience):
            raise TimeoutError(f"{work.__name__} takes longer than {patience:g} seconds")
        seconds, peak = ours.recv()
        process.join(patience)
    except EOFError:
        raise RuntimeError(f"{work.__name__} failed") from None
    finally:
        ours.close()
        if process.is_alive():
            process.kill()
        process.join()
    return seconds, peak


def _timed(work: Callable[..., object], given: tuple[Any, ...], answer: Any) -> None:
    with Path(os.devnull).open("w") as nowhere:
        logs.configure("info", stream=nowhere)  # what costbot logs is part of its work
        gc.freeze()  # as the processes of `costbot run`
        start = time.perf_counter()
        work(*given)
        seconds = time.perf_counter() - start
    answer.send((seconds, _peak_mib()))


def _peak_mib() -> float:
    """The most resident memory that this process had."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux' getrusage has the peak of the parent process too
        [peak] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(peak.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
