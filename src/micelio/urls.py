"""All addresses that Django serves; the pages of owners and projects come last, for they match any name."""

from django.urls import include, path

urlpatterns = [
    path("api/", include("micelio.api.urls")),
    path("", include("micelio.accounts.urls")),
    path("", include("micelio.tokens.urls")),
    path("", include("micelio.operators.urls")),
    path("", include("micelio.pages.urls")),
]
