"""Beat and all workers in one: what is sent to the broker is taken from it and done, at once.

A scenario's clock exists in one process only, so no other process may do its tasks. They go through
the real broker all the same: what an upload causes is done once the step's uploads are all there,
as a worker would come to it, and not in the middle of a request.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kombu import Queue
from kombu.transport.base import StdChannel

from config import heartbeats
from config.celery import app

NOTED = "config.tasks.note_beat"  # signs of life of workers, which there are none of here
TICKS = tuple(
    dict.fromkeys(e["task"] for e in app.conf.beat_schedule.values() if e["task"] != NOTED)
)


class Workers:
    """Do what is waiting in the queues of Assay's own workers."""

    def __init__(self, channel: StdChannel) -> None:
        self._queues = {name: app.amqp.queues[name](channel) for name in heartbeats.QUEUES}
        for queue in self._queues.values():
            queue.declare()
            queue.purge()

    def tick(self) -> None:
        """Do every periodic task once, and then all that follows."""
        for task in TICKS:
            app.tasks[task]()
        self.work()

    def work(self) -> None:
        """Do all that waits, and what that sends, until nothing is left."""
        while any((waiting := heartbeats.waiting(heartbeats.QUEUES)).values()):
            for name, count in waiting.items():
                for _ in range(count):
                    self._do_next(self._queues[name])

    def _do_next(self, queue: Queue) -> None:
        message = queue.get(no_ack=True)
        if message is None:
            return
        args, kwargs, _ = message.payload
        app.tasks[message.headers["task"]](*args, **kwargs)


@contextmanager
def workers() -> Iterator[Workers]:
    """Workers on the broker of the settings, which nobody else may use meanwhile."""
    app.loader.import_default_modules()  # the tasks, which are else known where they are used
    with app.connection_for_read() as connection:
        yield Workers(connection.default_channel)
