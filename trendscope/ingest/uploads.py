"""Uploaded files: what a scan knows them by, as the folder that holds them is removed after it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from trendscope.feeds.post import Post
from trendscope.files.trees import Located
from trendscope.skipped import Skipped


@dataclass(frozen=True)
class Uploads:
    """Files in a folder that is removed after the scan: each is known by its name and its bytes.

    So the same upload is recognised the next time, and another file of that name is not taken for a
    new version of it.

    Attributes:
        folder: The folder, absolute.
        digests: Digest of the bytes of each file in it, in hex, by its path.
    """

    folder: Path
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> str:
        """The part of each path that is not the sender's."""
        return f"{self.folder}/"

    def without_folder(self, item: Post | Skipped) -> Post | Skipped:
        """An item of a feed of these files, with the paths that their sender knows."""
        source = item.source.replace(self.home, "")
        if isinstance(item, Skipped):
            return replace(item, source=source, detail=item.detail.replace(self.home, ""))
        if item.file is None:
            return replace(item, source=source)
        path, member, _ = item.file
        digest = self.digests[path][:32]
        place = f"upload {digest}/{path.removeprefix(self.home)}"
        file = Located(place, member, (os.path.getsize(path), 0))
        post_id = item.post_id.replace(self.home, f"{digest}/")
        return replace(item, source=source, post_id=post_id, file=file)
