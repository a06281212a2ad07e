"""Several jobs at once in threads: results in order, and never more than a few in memory."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from threading import Event
from typing import Final, TypeVar

SWITCH_INTERVAL_S: Final = 0.001
"""How long a thread that returns from the network waits at most for the interpreter: at Python's
own 5 ms, two cores count a twentieth fewer images."""

Job = TypeVar("Job")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Job, Event], Result], jobs: Iterable[Job], workers: int
) -> Generator[Result, None, None]:
    """Yield ``work(job, stop)`` of each job, in the order of the jobs.

    The work is done in threads: decoding, resizing and the network release the interpreter. A
    worker that is ahead waits once ``workers`` results are ready, so memory does not grow with the
    number of jobs.

    Args:
        work: called in a worker; what it raises is raised here, and ends everything. Once ``stop``
            is set, its result is no longer needed.
        jobs: taken one by one, as workers become free.
        workers: how many jobs are done at once; 1 does them in the calling thread.
    """
    stop = Event()
    if workers <= 1:
        for job in jobs:
            yield work(job, stop)
        return
    waiting = iter(jobs)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="smearcount")
    try:
        begun: deque[Future[Result]] = deque(
            pool.submit(work, job, stop) for job in islice(waiting, 2 * workers)
        )
        while begun:
            result = begun.popleft().result()
            begun.extend(pool.submit(work, job, stop) for job in islice(waiting, 1))
            yield result
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


@contextmanager
def short_switch_interval() -> Iterator[None]:
    """Let the threads of this process take turns every ``SWITCH_INTERVAL_S`` seconds.

    The setting belongs to the whole process, so only a program that owns its process, such as the
    command line, should use this. The previous setting is restored at the end.
    """
    previous = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(previous)
