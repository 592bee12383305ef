"""JSON of the API. What a request said may stand in the answer to it, half characters included: then they are escaped."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import JSONRenderer


class _EscapingRenderer(JSONRenderer):
    ensure_ascii = True


class WholeJSONRenderer(JSONRenderer):
    """As JSONRenderer, for whatever was sent."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().render(data, accepted_media_type, renderer_context)
        except UnicodeEncodeError:
            return _EscapingRenderer().render(data, accepted_media_type, renderer_context)
