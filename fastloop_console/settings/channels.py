"""The live layer: Redis carries "look again" from every process to every open page."""

from fastloop_console.machine import embedded, env

REDIS_URL = env.redis_url() or embedded.known_urls(env.home()).redis
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "fastloop"},
    }
}
