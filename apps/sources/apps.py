from django.apps import AppConfig


class SourcesConfig(AppConfig):
    name = "apps.sources"

    def ready(self) -> None:
        from apps.datasets.erasing import ALSO_FORGET
        from apps.loop.checks import REGISTRIES
        from apps.loop.closing.owned import OUTSIDE
        from apps.sources.events import EVENT_KINDS
        from apps.sources.forgetting import letters_forget, streams_forget
        from apps.sources.kinds import SOURCE_KINDS

        REGISTRIES.extend((SOURCE_KINDS, EVENT_KINDS))
        ALSO_FORGET.append(letters_forget)
        OUTSIDE.append(streams_forget)
