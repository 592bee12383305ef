from django.apps import AppConfig


class SourcesConfig(AppConfig):
    name = "apps.sources"

    def ready(self) -> None:
        from apps.loop.checks import REGISTRIES
        from apps.sources.events import EVENT_KINDS
        from apps.sources.kinds import SOURCE_KINDS

        REGISTRIES.extend((SOURCE_KINDS, EVENT_KINDS))
