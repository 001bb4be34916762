"""Why something cannot be measured, in a sentence that says what to do."""

from __future__ import annotations

from registry.errors import RegistryError


class NotMeasurable(RegistryError):
    """The model or the data set cannot be used; nothing was executed."""

    code = "not-measurable"
    title = "This cannot be measured"
    status = 422


class DataSetInvalid(NotMeasurable):
    """A field of the data set is not as it must be."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"The data set's {field} {detail}.")
        self.field = field


class ModelNotLoadable(NotMeasurable):
    """The artifact does not hold the model it describes."""
