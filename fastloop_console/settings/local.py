"""One machine: `make run`."""

from fastloop_console.settings.base import *  # noqa: F403
