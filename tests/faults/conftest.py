"""Faults are put on the same stage as whole plays."""

from tests.end_to_end.conftest import script, stage

__all__ = ["script", "stage"]
