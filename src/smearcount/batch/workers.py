"""Several jobs at once, their results in order, and never more than a few in memory."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Event
from typing import Final, TypeVar

TURN_S: Final = 0.001
"""A thread that comes back from the network waits at most so long for the interpreter. At Python's
own 5 ms two cores count a twentieth fewer pictures."""

Job = TypeVar("Job")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Job, Event], Result], jobs: Iterable[Job], workers: int
) -> Generator[Result, None, None]:
    """Yield ``work(job, stop)`` of each job, in the order of the jobs.

    Threads do the work: decoding, resizing and the network let go of the interpreter. A worker
    that is ahead waits once ``workers`` results lie ready, so memory does not grow with the jobs.
    Until the last result the threads of this process take turns every ``TURN_S`` seconds.

    Args:
        work: called in a worker; what it raises is raised here, and ends everything. When ``stop``
            is set, nobody waits for its result any more.
        jobs: taken one by one, as workers become free.
        workers: how many jobs are done at once; 1 does them here, without a thread.
    """
    stop = Event()
    if workers <= 1:
        for job in jobs:
            yield work(job, stop)
        return
    waiting = iter(jobs)
    usual_turn = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S)
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
        sys.setswitchinterval(usual_turn)
