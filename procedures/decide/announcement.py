"""What an update would bring."""

from __future__ import annotations

from dataclasses import dataclass

from reports.record.observed import Image, Unseen


@dataclass(frozen=True, slots=True)
class Announcement:
    """What an update would bring, as far as it is known before anything is pulled.

    `digest` is what the registry says, None if the target's policy is not to pull an image that is here;
    `here` is the image that the reference names on this engine now, `running` the container's own image.
    """

    reference: str
    digest: str | Unseen | None
    here: Image | None
    running: Image | None

    @property
    def pulls(self) -> bool:
        """Whether the image is pulled."""
        return self.digest is not None

    @property
    def nothing_new(self) -> bool:
        """Whether the container already runs that very image."""
        if self.running is None or isinstance(self.digest, Unseen):
            return False
        if self.digest is None:
            return self.here is not None and self.here.id == self.running.id
        return any(one.endswith(f"@{self.digest}") for one in self.running.digests)

    @property
    def known(self) -> Image | None:
        """The image that an update would bring, if this engine already has it."""
        if self.here is None or isinstance(self.digest, Unseen):
            return None
        if self.digest is None or any(one.endswith(f"@{self.digest}") for one in self.here.digests):
            return self.here
        return None

    @property
    def untried(self) -> tuple[str, ...]:
        """What cannot be known of the new image before it is pulled."""
        if self.nothing_new or self.known is not None:
            return ()
        return (
            (
                f"what {self.reference} is: its processor, its entry point, its version, and whether a run went back from "
                "it; it is not on this engine as its registry announces it, and a plan pulls nothing"
            ),
        )
