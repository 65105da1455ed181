"""What allauth says on the pages of signing in, so that our catalogs say it in the words of the house.

They come before its own (LOCALE_PATHS), which say *Sie* and lack a sentence here and there.
"""

from __future__ import annotations

from django.utils.functional import lazy

from micelio.languages.known import ENGLISH
from micelio.languages.spoken import gettext, gettext_noop, spoken


def _code() -> str:
    return "Code" if spoken() is ENGLISH else gettext("One-time code")


# The label of a code that one types in, which some languages call otherwise than that of a program.
ONE_TIME_CODE = lazy(_code, str)()

WORDS = (
    gettext_noop("Password"),
    gettext_noop("Email"),
    gettext_noop("Grant permissions"),
    gettext_noop("View your user ID"),
    gettext_noop("View your email address"),
    gettext_noop("View your basic profile information"),
    gettext_noop("Use your password"),
    gettext_noop("Use authenticator app or code"),
    gettext_noop("Use a security key"),
    gettext_noop("This account is currently inactive."),
    gettext_noop("The email address and/or password you specified are not correct."),
    gettext_noop("The username and/or password you specified are not correct."),
    gettext_noop("A user is already registered with this email address."),
    gettext_noop("Incorrect code."),
    gettext_noop("Incorrect password."),
    gettext_noop("The password reset token was invalid."),
    gettext_noop("Too many failed login attempts. Try again later."),
    gettext_noop("The email address is not assigned to any user account."),
    gettext_noop("Be patient, you are sending too many requests."),
    gettext_noop("You must type the same password each time."),
)
