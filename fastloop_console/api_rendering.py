"""JSON of the API. What a request said may stand in the answer to it, half characters included: then they are escaped."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import JSONRenderer


class WholeJSONRenderer(JSONRenderer):
    """As JSONRenderer, for whatever was sent."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        try:
            return bytes(super().render(data, accepted_media_type, renderer_context))
        except UnicodeEncodeError:
            self.ensure_ascii = True
            return bytes(super().render(data, accepted_media_type, renderer_context))
