"""``manage.py first_admin``: somebody who can sign in where nobody can yet."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand
from django.db import transaction

from config.management.passwords import random_password


class Command(BaseCommand):
    """Make the user ``admin``, a reviewer, unless some user may enter the admin already."""

    help = "Make the first administrator, where there is none, and print the password."
    requires_system_checks = []

    @transaction.atomic
    def handle(self, *args: object, **options: object) -> None:
        """Print the new password alone, or nothing."""
        if User.objects.filter(is_staff=True).exists():
            return
        password = random_password()
        admin = User.objects.create_superuser("admin", password=password)
        admin.groups.add(Group.objects.get(name="reviewer"))
        self.stdout.write(password)
