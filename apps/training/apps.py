from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "apps.training"

    def ready(self) -> None:
        from apps.live import topics
        from apps.projects.access import permissions_of
        from apps.projects.roles import Permission
        from apps.training.models import Run, Sweep

        def may_watch(user: object, run_id: int) -> bool:
            run = Run.objects.filter(pk=run_id).first()
            return bool(run and Permission.VIEW_RUNS in permissions_of(user, run.project_id))  # type: ignore[arg-type]

        def may_watch_sweep(user: object, sweep_id: int) -> bool:
            sweep = Sweep.objects.filter(pk=sweep_id).first()
            return bool(sweep and Permission.VIEW_RUNS in permissions_of(user, sweep.project_id))  # type: ignore[arg-type]

        topics.register("run", may_watch)
        topics.register("sweep", may_watch_sweep)
