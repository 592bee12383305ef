from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "apps.notices"

    def ready(self) -> None:
        from apps.live import topics
        from apps.live.publish import PERSON

        topics.register(PERSON, lambda user, person_id: user.pk == person_id)
