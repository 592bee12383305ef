from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, register


class LoopConfig(AppConfig):
    name = "apps.loop"

    def ready(self) -> None:
        register(_plug_ins)


def _plug_ins(app_configs: object, **options: Any) -> list[CheckMessage]:
    from apps.loop.checks import (
        plug_ins,  # where somebody checks, not in every process: the formats bring pyarrow along
    )

    return plug_ins()
