"""The two flags of an entry, derived from reviews: they are stored nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from governance import subjects
from governance.models import Check, CheckResult, CheckVerdict
from registry.models import ModelVersion

FLAGS = {
    Check.CONSTITUTIONAL_COMPLIANCE: "constitutional_compliance",
    Check.BIAS: "bias_check_passed",
}


def entry_part(versions: Sequence[ModelVersion]) -> dict[int, dict[str, bool]]:
    """Both flags of each version by primary key, in three queries however many there are.

    A flag is true while the check's latest result is a pass and the version is still what the
    reviewer saw.
    """
    digests = {pk: subject.digest for pk, subject in subjects.of_many(versions).items()}
    passed = {
        (result.version_id, result.check_name)
        for result in _latest(versions)
        if result.verdict == CheckVerdict.PASS
        and result.subject_digest == digests[result.version_id]
    }
    return {
        version.pk: {flag: (version.pk, check) in passed for check, flag in FLAGS.items()}
        for version in versions
    }


def _latest(versions: Sequence[ModelVersion]) -> QuerySet[CheckResult]:
    newest = CheckResult.objects.filter(version__in=[version.pk for version in versions])
    return newest.order_by("version_id", "check_name", "-pk").distinct("version_id", "check_name")
