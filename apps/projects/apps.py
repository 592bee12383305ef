from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "apps.projects"

    def ready(self) -> None:
        from apps.live import topics
        from apps.projects.access import permissions_of

        topics.register("project", lambda user, project_id: bool(permissions_of(user, project_id)))
