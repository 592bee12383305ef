"""A predictor's log without its models: a process that answers at a rate, and says how far it came once that is in its file.

`python -m tests.bench._answering FOLDER PROJECT FIRST COUNT RATE`: answers b<FIRST> up to COUNT more, RATE a second. A line of
standard output is the number of the last answer of some that were acknowledged; the last line, once all are logged, is JSON.
"""

import json
import os
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from apps.monitoring.log.services import LoggedPrediction  # noqa: E402  after Django is set up
from workers.predictor.log import PredictionLog  # noqa: E402

TICK_S = 0.01
LABELS = tuple(f"label {n}" for n in range(10))


def main(folder: Path, project_id: int, first: int, count: int, rate: float) -> None:
    log, draws, taken_us = PredictionLog(folder), random.Random(first), list[float]()
    log.start()
    began, said = time.monotonic(), 0
    while said < count:
        due = min(int((time.monotonic() - began) * rate), count)
        for number in range(first + said, first + due):
            row = _answer(project_id, number, draws)
            asked = time.perf_counter()
            log.add([row])
            taken_us.append(1e6 * (time.perf_counter() - asked))
        if due > said:
            said = due
            os.write(1, b"%d\n" % (first + said - 1))
        time.sleep(TICK_S)
    seconds = time.monotonic() - began
    while log.spool.waiting:
        time.sleep(0.05)
    drained_s = time.monotonic() - began - seconds
    log.close()
    taken_us.sort()
    found = {f"p{p}": round(taken_us[len(taken_us) * p // 100], 1) for p in (50, 95, 99) if taken_us}
    found |= {"seconds": round(seconds, 1), "drained_s": round(drained_s, 1), "cpu_s": round(time.process_time(), 1)}
    print(json.dumps(found), flush=True)


def _answer(project_id: int, number: int, draws: random.Random) -> LoggedPrediction:
    at, sure = datetime.now(UTC), draws.random()
    return LoggedPrediction(
        project_id, f"b{number:09d}", at, 1, draws.choice(LABELS), sure, draws.lognormvariate(2, 1), "champion"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]), float(sys.argv[5]))
