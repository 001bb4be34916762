"""What reviewers fill in: two ticks, a note and a signature; and where a version should go."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User

from governance.constitution import Tier
from governance.models import Check, CheckVerdict, Scope
from governance.signatures import Signing
from registry import attempts, clock
from registry.models import DeploymentStage

VERDICTS = [
    (CheckVerdict.PASS, "Pass"),
    (CheckVerdict.FAIL, "Fail"),
    (CheckVerdict.UNKNOWN, "Cannot tell"),
]
MEANING = "I have weighed the evidence and approve this version."


class ReviewForm(forms.Form):
    """Two ticks and one signature. A check left open stays as it stands."""

    wait: int | None = None  # seconds until a password is looked at again

    constitutional_compliance = forms.ChoiceField(
        choices=VERDICTS, required=False, widget=forms.RadioSelect
    )
    bias = forms.ChoiceField(choices=VERDICTS, required=False, widget=forms.RadioSelect)
    note = forms.CharField(
        max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    scope = forms.ChoiceField(required=False)
    printed_name = forms.CharField(max_length=200)
    meaning = forms.CharField(
        max_length=300, initial=MEANING, widget=forms.Textarea(attrs={"rows": 2})
    )
    password = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(
        self,
        data: Any = None,
        *,
        reviewer: User,
        tier: Tier,
        next_scope: Scope,
        note_needed: bool,
        address: str,
        disabled: bool = False,
    ) -> None:
        self.reviewer, self.note_needed, self.address = reviewer, note_needed, address
        super().__init__(data)
        scopes = [(scope.value, scope.label) for scope in tier.scopes()]
        self.fields["scope"] = forms.ChoiceField(
            choices=scopes, required=len(scopes) > 1, initial=next_scope
        )
        self.fields["printed_name"].initial = reviewer.get_full_name() or reviewer.username
        for field in self.fields.values():
            field.disabled = disabled

    def clean_password(self) -> str:
        """Signing asks again who is there: a session left open must not sign, and must not guess."""
        password, name = str(self.cleaned_data["password"]), self.reviewer.get_username()
        self.wait = attempts.begin(name, self.address)
        if self.wait is not None:
            raise forms.ValidationError(attempts.refusal(self.wait, now=clock.now()))
        if not self.reviewer.check_password(password):
            raise forms.ValidationError("This is not your password; nothing was signed.")
        attempts.succeeded(name, self.address)
        return ""

    def clean_note(self) -> str:
        """Where evidence does not speak for itself, the note stands in for it."""
        note = str(self.cleaned_data["note"]).strip()
        if self.note_needed and not note:
            raise forms.ValidationError("Not everything passes by itself: say what you rely on.")
        return note

    def verdicts(self) -> dict[Check, CheckVerdict]:
        """The checks that were settled here."""
        given = ((check, self.cleaned_data[check.value]) for check in Check)
        return {check: CheckVerdict(verdict) for check, verdict in given if verdict}

    def signing(self) -> Signing:
        """What the signature says."""
        said = self.cleaned_data
        return Signing(
            printed_name=said["printed_name"],
            meaning=said["meaning"],
            note=said["note"],
            scope=Scope(said["scope"]) if said["scope"] else None,
        )


class MoveForm(forms.Form):
    """Where a version should go, and why."""

    to = forms.ChoiceField(choices=DeploymentStage.choices, widget=forms.HiddenInput)
    canary_percentage = forms.DecimalField(
        required=False, max_digits=5, decimal_places=2, label="Share of live traffic (%)"
    )
    reason = forms.CharField(
        max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
