"""Addresses of a person's own account and of the ways in."""

from django.urls import path

from apps.people import link_views, views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-in/here/", views.sign_in_here, name="sign_in_here"),
    path("sign-in/link/<str:words>/", link_views.link, name="link"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("account/", views.account, name="account"),
    path("account/password/", views.password_change, name="password_change"),
    path("account/time-zone/", views.time_zone, name="time_zone"),
    path("account/tokens/", views.token_create, name="token_create"),
    path("account/tokens/<slug:key>/revoke/", views.token_revoke, name="token_revoke"),
]
