"""The form that makes a token."""

from __future__ import annotations

from django import forms

from micelio.accounts.grant import Scope
from micelio.tokens.actions import DEFAULT_DAYS, MOST_DAYS
from micelio.tokens.models import NAME_LENGTH

_WORDS = {
    Scope.PROJECT_READ: "read projects and their files",
    Scope.PROJECT_WRITE: "make, change and delete projects, import into them",
    Scope.SESSION_READ: "read sessions and landings",
    Scope.SESSION_WRITE: "start, land and give up sessions",
    Scope.ORG_READ: "read organizations and their members",
    Scope.ORG_ADMIN: "make organizations, manage members",
}


class TokenForm(forms.Form):
    """Name, scopes, projects, days, and whether private and public may be mixed."""

    name = forms.CharField(
        max_length=NAME_LENGTH,
        label="Name",
        help_text="What will use it.",
        widget=forms.TextInput(),
        error_messages={"required": "Say what will use it."},
    )
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, f"{scope.value} – {_WORDS[scope]}") for scope in Scope],
        widget=forms.CheckboxSelectMultiple(),
        label="It may",
        help_text="What writes reads too. Sessions need project:read beside them.",
        error_messages={"required": "Choose what it may do."},
    )
    projects = forms.CharField(
        required=False,
        max_length=20_000,
        label="Only for these projects",
        help_text="ORG/PROJECT, one a line. Empty: all that you reach, now and later.",
        widget=forms.Textarea({"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=MOST_DAYS,
        initial=DEFAULT_DAYS,
        label="Days until it expires",
        help_text="A year at most.",
        error_messages={
            name: f"Use a whole number from 1 to {MOST_DAYS}."
            for name in ("required", "invalid", "min_value", "max_value")
        },
    )
    mixes = forms.BooleanField(
        required=False,
        label="It may read private projects and write to public ones",
        help_text="Not for agents that read what strangers write: they can be talked into publishing what is private.",
    )
    anywhere = forms.BooleanField(
        required=False,
        label="It may come from anywhere",
        help_text="Past the networks that an organization names, where you are an admin and it lets such tokens pass.",
    )

    def wanted_projects(self) -> list[str]:
        """The projects that were named."""
        return [line.strip() for line in self.cleaned_data["projects"].splitlines() if line.strip()]
