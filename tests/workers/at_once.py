"""Jobs that run at once where they were sent, in the process of whoever sends them."""

from collections.abc import Callable, Sequence

from apps.work.names import Job


class JobsAtOnce:
    """Runs each job in the test's own process and transaction; keeps the names, so that a test may look.

    Doubted labels are looked for by the tests of that alone: it takes a second after each run.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[object, ...]]] = []
        self.held: set[str] = {Job.SUSPECTS}

    def send(self, name: str, *, args: tuple[object, ...], queue: str) -> None:
        self.sent.append((name, args))
        if name not in self.held:
            tasks()[str(name)](*args)

    def send_group(self, name: str, *, each: Sequence[tuple[object, ...]], queue: str) -> None:
        for args in each:
            self.send(name, args=args, queue=queue)


def tasks() -> dict[str, Callable[..., None]]:
    from workers.tasks import (
        alarm_slice,
        auto_label,
        consensus,
        embed,
        evaluate,
        measure,
        online,
        score,
        suspects,
        train,
        trial,
        window_vectors,
    )

    return {
        Job.TRAIN: train.train,
        Job.EMBED: embed.embed,
        Job.SCORE: score.score,
        Job.SCORE_PART: score.score_part,
        Job.EVALUATE: evaluate.evaluate,
        Job.MEASURE: measure.measure,
        Job.AUTO_LABEL: auto_label.auto_label,
        Job.ONLINE: online.online,
        Job.TRIAL: trial.trial,
        Job.CONSENSUS: consensus.consensus,
        Job.SLICE: alarm_slice.slice_measure,
        Job.SUSPECTS: suspects.suspects,
        Job.WINDOW_VECTORS: window_vectors.window_vectors,
    }
