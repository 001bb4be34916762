"""Change what is said of a version: declared by its people, or settled by its reviewers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from governance import reviews
from governance.flags import FLAGS
from governance.models import CheckVerdict
from registry import registration
from registry.actors import actor_of
from registry.models import ModelVersion


@transaction.atomic
def amend(version: ModelVersion, changes: Mapping[str, Any], *, user: User) -> None:
    """Change declared fields and settle the checks whose flags are among the metadata.

    All of it or nothing. The flags themselves are stored nowhere: they follow from reviews.

    Args:
        changes: As ``registration.amend`` takes them; a flag in ``metadata`` is true or false,
            and false settles the check as failed.

    Raises:
        NotAllowed: A flag is given and ``user`` may not review the version, or not from here.
    """
    metadata = dict(changes.get("metadata", {}))
    passed = {check: metadata.pop(flag) for check, flag in FLAGS.items() if flag in metadata}
    declared = {name: value for name, value in changes.items() if name != "metadata"}
    if metadata:
        declared["metadata"] = metadata
    if declared:
        registration.amend(version, declared, actor=actor_of(user))
    for check, is_pass in passed.items():
        verdict = CheckVerdict.PASS if is_pass else CheckVerdict.FAIL
        reviews.settle_check(version, check, verdict=verdict, reviewer=user)
