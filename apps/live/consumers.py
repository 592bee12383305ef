"""One socket, one topic, checked at connect and again when rights change; the message says what to look at again."""

import time
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.utils import timezone

from apps.accounts.services import person_seen
from apps.live.publish import PERSON
from apps.live.sessions import person_of_session
from apps.live.topics import may_join

REFUSED = 4403
CHECKED_AGAIN_AFTER_S = 60.0  # at the next message: a word about changed rights may have been lost


class TopicConsumer(AsyncJsonWebsocketConsumer):
    topic = ""
    person = ""
    checked_at = 0.0

    async def connect(self) -> None:
        kind, subject_id = self._asked()
        user = self.scope["user"]
        if not await database_sync_to_async(may_join)(user, kind, subject_id):
            await self.close(code=REFUSED)
            return
        self.topic, self.person, self.checked_at = f"{kind}.{subject_id}", f"{PERSON}.{user.pk}", time.monotonic()
        await self.channel_layer.group_add(self.topic, self.channel_name)
        await self.channel_layer.group_add(self.person, self.channel_name)
        await self.accept()
        await self.send_json({"what": "connected"})
        await database_sync_to_async(person_seen)(user_id=user.pk, at=timezone.now())

    async def disconnect(self, code: int) -> None:
        for group in {self.topic, self.person} - {""}:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def look_again(self, event: dict[str, Any]) -> None:
        if time.monotonic() - self.checked_at > CHECKED_AGAIN_AFTER_S and not await self._still_may():
            await self.close(code=REFUSED)
            return
        await self.send_json({"what": event["what"], "id": event["id"]})

    async def rights_changed(self, event: dict[str, Any]) -> None:
        if not await self._still_may():
            await self.close(code=REFUSED)

    async def _still_may(self) -> bool:
        self.checked_at = time.monotonic()
        session = self.scope.get("session")
        return bool(await database_sync_to_async(_may)(getattr(session, "session_key", None), *self._asked()))

    def _asked(self) -> tuple[str, int]:
        asked = self.scope["url_route"]["kwargs"]
        return asked["kind"], int(asked["subject_id"])


def _may(session_key: str | None, kind: str, subject_id: int) -> bool:
    user = person_of_session(session_key)
    return user is not None and may_join(user, kind, subject_id)
