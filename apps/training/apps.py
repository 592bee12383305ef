from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "apps.training"

    def ready(self) -> None:
        from apps.live import topics
        from apps.projects.access import permissions_of
        from apps.projects.roles import Permission
        from apps.training.models import Run

        def may_watch(user: object, run_id: int) -> bool:
            run = Run.objects.filter(pk=run_id).first()
            return bool(run and Permission.VIEW_RUNS in permissions_of(user, run.project_id))  # type: ignore[arg-type]

        topics.register("run", may_watch)
