from django.apps import AppConfig


class LabelStudioConfig(AppConfig):
    name = "apps.label_studio"
