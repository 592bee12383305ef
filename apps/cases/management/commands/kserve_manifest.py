"""`manage.py kserve_manifest PROJECT`: what serves of a project, as KServe's InferenceService in YAML."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.errors import DomainError
from apps.projects.models import Project
from apps.releases.kserve import IMAGE, as_yaml, inference_service, serving_runtime


class Command(BaseCommand):
    help = "Print the InferenceService of a project's champion, or of the version on its way with canaryTrafficPercent."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("project", help="its number, or its model name as the predictor has it")
        parser.add_argument(
            "--stable", action="store_true", help="the champion alone, also while a version is on its way"
        )
        parser.add_argument(
            "--storage-root", default="", help="STORAGE_URL as the cluster sees it, such as pvc://models"
        )
        parser.add_argument("--namespace", default="")
        parser.add_argument("--runtime", action="store_true", help="the ServingRuntime too, which is applied once")
        parser.add_argument("--image", default=IMAGE, help="of that runtime: what docker/gpu.Dockerfile builds")

    def handle(self, *args: Any, **options: Any) -> None:
        named = options["project"]
        by = {"pk": int(named)} if named.isascii() and named.isdigit() and len(named) < 19 else {"slug": named}
        project = Project.objects.filter(**by).first() or Project.objects.filter(slug=named).first()
        if project is None:
            raise CommandError(f"There is no project “{named}”. Name its number, or its model name.")
        try:
            service = inference_service(
                project, storage_root=options["storage_root"], namespace=options["namespace"], stable=options["stable"]
            )
        except DomainError as refused:
            raise CommandError(str(refused)) from None
        documents = [serving_runtime(image=options["image"])] if options["runtime"] else []
        self.stdout.write(as_yaml(*documents, service), ending="")
