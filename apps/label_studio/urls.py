"""The page of Label Studio, beside the settings of the project."""

from django.urls import path

from apps.label_studio import views

app_name = "label_studio"
urlpatterns = [
    path("", views.show, name="settings"),
    path("address/", views.address, name="address"),
    path("close/", views.close, name="close"),
]
