"""One socket, one topic, checked at connect; the message says what to look at again."""

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from apps.live.topics import may_join

REFUSED = 4403


class TopicConsumer(AsyncJsonWebsocketConsumer):
    topic = ""

    async def connect(self) -> None:
        kind, subject_id = self.scope["url_route"]["kwargs"]["kind"], self.scope["url_route"]["kwargs"]["subject_id"]
        if not await database_sync_to_async(may_join)(self.scope["user"], kind, int(subject_id)):
            await self.close(code=REFUSED)
            return
        self.topic = f"{kind}.{subject_id}"
        await self.channel_layer.group_add(self.topic, self.channel_name)
        await self.accept()
        await self.send_json({"what": "connected"})

    async def disconnect(self, code: int) -> None:
        if self.topic:
            await self.channel_layer.group_discard(self.topic, self.channel_name)

    async def look_again(self, event: dict[str, Any]) -> None:
        await self.send_json({"what": event["what"], "id": event["id"]})
