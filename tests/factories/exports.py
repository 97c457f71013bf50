"""Exports as services hand them over: files, folders and zips."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path

from hypothesis import strategies as st

PROFILE = "personal_information/personal_information/personal_information.json"

G3 = "your_instagram_activity/media/posts_1.json"

G4 = "your_instagram_activity/media/posts.json"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["media", "uri", "label_values", "creation_timestamp", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


def make(path: Path, members: dict[str, bytes], **options) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", **options) as archive:
        warnings.simplefilter("ignore")
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, options.get("compression"))
    return path


def export(root: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return root


def single(uri: str, stamp: object = 1_790_000_000) -> dict[str, object]:
    return {"media": [{"uri": uri, "creation_timestamp": stamp, "title": "x"}]}


def uri(number: int) -> str:
    return f"media/posts/202609/{17850000000000000 + number}.jpg"


def user(name: str) -> dict[str, object]:
    return {"profile_user": [{"string_map_data": {"Username": {"value": name}}}]}


def zipped(path: Path, members: dict[str, object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            archive.writestr(name, data)
    return path
