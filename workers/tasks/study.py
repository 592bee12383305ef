"""Optuna's study of a sweep, in a schema of its own beside the console's tables; only workers load Optuna."""

import contextlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from django.db import connection

from apps.rules.sweeps import SETTINGS
from apps.training.models import Sweep, Trial, TrialState

SCHEMA = "optuna"
LOCK = 0x6F7074  # of PostgreSQL, while one process lays Optuna's tables
LEAST_STARTED = 4  # trials at random before the sampler has anything to learn from
FANOVA_LEAST = 4  # completed trials; fewer trees' splits are noise


class StudyUnreachable(Exception):
    """Optuna's tables do not answer; the message is a sentence."""


@contextlib.contextmanager
def reached() -> Iterator[None]:
    """What Optuna raises of its tables, as StudyUnreachable."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as fault:
        raise StudyUnreachable(f"The study cannot be reached: {str(fault).splitlines()[0]}") from fault


def study_of(sweep: Sweep, *, seed: int) -> Any:
    """The study; one that was lost is laid again from the trials that the console knows."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with reached():
        study = optuna.create_study(
            storage=_storage(),
            study_name=sweep.study_name,
            load_if_exists=True,
            sampler=optuna.samplers.TPESampler(
                seed=seed, constant_liar=True, n_startup_trials=max(LEAST_STARTED, min(10, sweep.trials_wanted // 3))
            ),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=LEAST_STARTED, n_warmup_steps=2),
        )
        if not study.get_trials(deepcopy=False):
            _remember(study, sweep)
    return study


def asked(study: Any, sweep: Sweep, trial: Trial) -> Any:
    """Optuna's trial for a row of ours: the one that a dead worker left open, or a new one."""
    import optuna

    with reached():
        for left in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            if left.user_attrs.get("row") == trial.pk:
                return optuna.trial.Trial(study, left._trial_id)
        found = study.ask(fixed_distributions=distributions(sweep.space))
        found.set_user_attr("row", trial.pk)
        return found


def distributions(space: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        name: IntDistribution(int(span["low"]), int(span["high"]), log=span["log"])
        if SETTINGS[name].whole
        else FloatDistribution(span["low"], span["high"], log=span["log"])
        for name, span in space.items()
    }


def importance(study: Any, *, seed: int) -> dict[str, float]:
    """Setting to its share of the variance of the loss (fANOVA, Hutter et al. 2014); empty while it cannot be told."""
    import optuna

    with reached():
        completed = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
        if len(completed) < FANOVA_LEAST or len({t.value for t in completed}) < 2:
            return {}
        with contextlib.suppress(RuntimeError, ValueError):  # no variance in what is left after cutting
            found = optuna.importance.get_param_importances(
                study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=seed)
            )
            return {name: float(share) for name, share in found.items()}
    return {}


def _remember(study: Any, sweep: Sweep) -> None:
    import optuna

    for row in sweep.trials.filter(state=TrialState.COMPLETED, value__isnull=False):
        study.add_trial(
            optuna.trial.create_trial(
                params=row.settings,
                distributions=distributions(sweep.space),
                value=row.value,
                intermediate_values={int(epoch): loss for epoch, loss in row.curve},
                user_attrs={"row": row.pk},
            )
        )


def _storage() -> Any:
    from sqlalchemy import URL

    known = connection.settings_dict
    url = URL.create(
        "postgresql+psycopg",
        username=known["USER"] or None,
        password=known["PASSWORD"] or None,
        host=known["HOST"] or None,
        port=int(known["PORT"]) if known["PORT"] else None,
        database=known["NAME"],
        query={"options": f"-csearch_path={SCHEMA}"},
    )
    return _storage_at(url.render_as_string(hide_password=False))


@lru_cache(maxsize=2)
def _storage_at(url: str) -> Any:
    """Connections are closed after each use: a trial asks seldom, and PostgreSQL's are few."""
    import optuna
    from sqlalchemy.pool import NullPool

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            return optuna.storages.RDBStorage(url, engine_kwargs={"poolclass": NullPool})
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
