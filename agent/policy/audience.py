"""Who is answered. A deployment has one audience; a request may ask for a narrower one, never for a wider."""

from __future__ import annotations

from enum import StrEnum


class Audience(StrEnum):
    """Whom an answer is for."""

    CLINICIAN = "clinician"
    PUBLIC = "public"

    def covers(self, other: Audience) -> bool:
        """Whether a deployment for this audience may also answer `other`: clinicians are trusted with the most."""
        return self is Audience.CLINICIAN or other is self
