"""All addresses that Django serves; the pages of owners and projects come last, for they match any name."""

from importlib.util import find_spec

from django.urls import include, path

urlpatterns = [path("", include("micelio.accounts.urls"))]
if find_spec("micelio.pages.urls"):
    urlpatterns.append(path("", include("micelio.pages.urls")))
