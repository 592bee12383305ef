"""The REST API, its schema and its page."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
]
