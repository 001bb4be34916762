"""The proof that the record is as it was: a Merkle tree over all events, and its checkpoints."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from registry import clock
from registry.models.ledger import Event


class PendingLeaf(models.Model):
    """An event that the tree does not hold yet. A trigger writes it with the event."""

    event = models.OneToOneField(
        Event, models.CASCADE, primary_key=True, db_constraint=False, related_name="pending"
    )

    class Meta:
        verbose_name_plural = "pending leaves"

    def __str__(self) -> str:
        return f"{self.event_id} is to enter the tree"


class LedgerLeaf(models.Model):
    """Where an event stands in the tree. Append-only."""

    index = models.BigIntegerField(primary_key=True)  # 0, 1, 2, … without a gap
    event = models.OneToOneField(Event, models.PROTECT, related_name="leaf")

    class Meta:
        verbose_name_plural = "ledger leaves"
        constraints = [
            models.CheckConstraint(name="leaves_are_counted_from_zero", condition=Q(index__gte=0)),
        ]

    def __str__(self) -> str:
        return f"leaf {self.index}"


class LedgerNode(models.Model):
    """The hash of the 2**level leaves from index * 2**level on. Append-only; level 0: one leaf."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="nodes_are_counted_from_zero", condition=Q(index__gte=0, level__lte=62)
            ),
        ]

    def __str__(self) -> str:
        return f"node {self.level}/{self.index}"


class LedgerCheckpoint(models.Model):
    """A signed statement of how large the tree was, and its root. Append-only."""

    tree_size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()  # C2SP signed note
    signed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_empty_tree_has_no_checkpoint", condition=Q(tree_size__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"checkpoint at {self.tree_size}"
