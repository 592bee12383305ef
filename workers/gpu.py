"""Celery's entry for the torch worker: `celery -A workers.gpu worker -Q training,embedding`. On a GPU host, the same."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fastloop_console.settings.local")
django.setup()

from fastloop_console.celery import app  # noqa: E402  after Django is set up
from workers.tasks import auto_label, consensus, embed, evaluate, measure, online, score, suspects, train, trial  # noqa: E402, F401  registers the tasks

__all__ = ["app"]
