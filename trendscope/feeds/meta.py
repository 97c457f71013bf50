"""Finds the exports of Instagram and Facebook among files, and puts their parts together.

A piece is what lies in one tree of one export: all of it, or the part with the indexes and another
with the photos. Pieces belong together if they are of the same account, or if one names photos that
the other holds. Pieces of two accounts are never joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from trendscope.feeds.meta_html import PAGES, read_page
from trendscope.feeds.meta_json import BROKEN, Entry, Index, read_index
from trendscope.feeds.request import Request
from trendscope.files.trees import Joined, Part, Place, Tree
from trendscope.skipped import Skipped

PRIVATE = re.compile(
    r"(^|/)(messages|direct|saved[^/]*|likes?|liked[^/]*|comments[^/]*|ads[^/]*|groups|events|"
    r"logged_information|past_instagram_insights|connections|followers[^/]*|friends[^/]*|contacts|"
    r"subscriptions|security[^/]*|login[^/]*|preferences|apps[^/]*|shopping|search[^/]*|"
    r"recent_search[^/]*|story_[^/]*|recently_deleted[^/]*|trash)(/|$)",
    re.IGNORECASE,
)
"""Folders of other people's media and of things that the customer did not publish."""

_TALKS = re.compile(r"(^|/)(messages|direct)/", re.IGNORECASE)
_INDEX_NAME = re.compile(r"(^|[/_])(posts|media|stories|reels|photos|content|igtv)[^/]*\.\w+$")
_CERTAIN_INDEX = re.compile(r"(^|/)(your_)?posts(_[^/]*)?\.json$")
_ROOT = re.compile(
    r"(^|(?<=/))((your_(instagram|facebook)_activity|this_profile[^/]*)/)?"
    r"((media|content|posts|album|photos_and_videos|stories)/)*[^/]+$"
)  # what follows the export's root in the path of an index
_PROFILE_ROOT = re.compile(r"((account|personal|profile)_information/)*[^/]+$")
_MEDIA_ROOT = re.compile(
    r"^(.*?/)??((public-)?media/(posts|archived_posts|stories|profile|reels|igtv)/)"
)
_OWN_FOLDER = re.compile(
    r"^((public-)?media|content|photos|videos|stories|profile|posts|photos_and_videos|files|"
    r"your_\w+_activity|this_profile.*|\w+_information)$"
)
_ACTIVITY = re.compile(r"(^|/)your_(instagram|facebook)_activity/", re.IGNORECASE)
_NOT_PUBLISHED = re.compile(
    r"(^|/)(your_(instagram|facebook)_activity|ads_information|logged_information|likes|"
    r"connections|preferences|personal_information|security_and_login_information|"
    r"apps_and_websites[^/]*)/|"
    r"(^|/)(liked_|likes_and_|posts_viewed|videos_watched|ads_viewed)[^/]*$|"
    r"(^|/)(likes|seen_content|searches|saved|stories_activities)\.json$",  # until 2020
    re.IGNORECASE,
)
_EXPORT_NAME = re.compile(r"(?:^|/)(?:instagram|facebook)-(?P<user>[^/]+?)-\d{4}-\d\d-\d\d")
_OLD_EXPORT_NAME = re.compile(r"(?:^|/)(?P<user>[\w.]+)_20\d{6}(_part_\d+)?(/|$)")
_FACEBOOK = re.compile(r"(^|/)facebook-[^/]*$")
_PROBE = 50  # entries of an index that are looked for to find the export's root


@dataclass
class Piece:
    """The part of one export that lies in one tree.

    Attributes:
        part: Members, named from the export's root.
        home: Owner by the place where the part lies.
        indexes: The JSON files, or else the pages, that name photos or the account.
        user: The account's name, lower case; None if unknown.
        title_user: The account's name in that of the export; it stays when the account is renamed.
        service: Name of the service, ``instagram`` or ``facebook``.
        skipped: JSON files that could not be read.
    """

    part: Part
    home: Place
    indexes: list[Index]
    user: str | None
    title_user: str | None
    service: str
    skipped: list[Skipped]

    @property
    def entries(self) -> Iterator[Entry]:
        """Photos and videos that the indexes name."""
        return (entry for index in self.indexes for entry in index.entries)


class MetaContents(NamedTuple):
    """The exports in a tree, all members of them, and the files that only hold links: how many."""

    pieces: list[Piece]
    claimed: set[str]
    links: dict[str, int]


def find(tree: Tree, request: Request) -> MetaContents:
    """Finds exports by the content of their JSON files, or else of their pages."""
    indexes, broken = _indexes(tree, request)
    roots = _roots(tree, indexes, broken)
    media = {roots[i.name] + entry.uri for i in indexes if i.name in roots for entry in i.entries}
    members = _members(tree.names, set(roots.values()), media)
    pieces = [_piece(tree, root, inside, indexes, broken) for root, inside in members.items()]
    claimed = {name for inside in members.values() for name in inside}
    links = {index.name: index.links for index in indexes if index.links}
    return MetaContents(pieces, claimed, links)


def private_files(names: Iterable[str]) -> dict[str, list[str]]:
    """By folder, files of a part of an export that has no index and so is no `Piece`.

    They are of messages, likes, views and the like; photos among them are other people's.
    """
    folders: dict[str, list[str]] = {}
    for name in names:
        is_text = name.lower().endswith((".json", ".txt", *PAGES))
        if (_ACTIVITY.search(name) and is_private(name)) or (
            is_text and _NOT_PUBLISHED.search(name)
        ):
            folders.setdefault(name.rpartition("/")[0], []).append(name)
    return folders


def is_private(name: str) -> bool:
    """Whether a file lies in one of the folders that are never read."""
    return _is_private_folder(name.rpartition("/")[0])


@lru_cache(10_000)
def _is_private_folder(folder: str) -> bool:
    return bool(PRIVATE.search(folder))


def _indexes(tree: Tree, request: Request) -> tuple[list[Index], dict[str, str]]:
    """The indexes among the JSON files, and the errors of those that cannot be read."""
    indexes, broken = [], {}
    for name in tree.names:
        if not name.lower().endswith(".json") or _TALKS.search(name):
            continue
        try:
            index = read_index(tree, name, request.limits)
        except BROKEN as error:
            broken[name] = " ".join(str(error).split())[:120] or type(error).__name__
            continue
        if index.entries or index.user or index.links:
            indexes.append(index)
    if not any(index.entries for index in indexes):
        pages = (name for name in tree.names if name.lower().endswith(PAGES))
        indexes += [read_page(tree, name, request) for name in pages if not is_private(name)]
    return indexes, broken


def _roots(tree: Tree, indexes: list[Index], broken: Iterable[str]) -> dict[str, str]:
    """The exports' roots, by the members that tell them: indexes, profiles, folders of media."""
    places: dict[str, list[str]] = {}
    for name in tree.names if any(index.entries for index in indexes) else ():
        places.setdefault(name.rsplit("/", 1)[-1], []).append(name)
    roots = {index.name: _root(index, places) for index in indexes}
    for name in broken:
        roots[name] = _ROOT.sub("", name) if _CERTAIN_INDEX.search(name) else None
    for folder in {name.rpartition("/")[0] for name in tree.names}:
        if match := _MEDIA_ROOT.match(f"{folder}/"):
            roots[f"{folder}/"] = match[1] or ""
    return {name: root for name, root in roots.items() if root is not None}


def _root(index: Index, places: dict[str, list[str]]) -> str | None:
    """The export's root by the photos that an index names; else by the index's own path."""
    for entry in index.entries[:_PROBE]:
        ends = [
            name[: -len(entry.uri)]
            for name in places.get(entry.uri.rsplit("/", 1)[-1], [])
            if name == entry.uri or name.endswith("/" + entry.uri)
        ]
        around = [root for root in ends if index.name.startswith(root)]
        if around:
            return max(around, key=len)
    if index.entries:
        return _ROOT.sub("", index.name) if _INDEX_NAME.search(index.name) else None
    return _PROFILE_ROOT.sub("", index.name) if index.user else None


def _members(names: list[str], roots: set[str], media: set[str]) -> dict[str, list[str]]:
    """The names below each outermost root that belong to the export lying there.

    Photos in a folder beside an export's own folders are not part of it, unless it names them.
    """
    members: dict[str, list[str]] = {}
    for root in sorted(roots):
        if any(root != other and root.startswith(other) for other in roots):
            continue
        inside = [name for name in names if name.startswith(root)]
        top_of = {name: name[len(root) :].partition("/")[0] for name in inside}
        tops = {top for name, top in top_of.items() if _is_export_file(name[len(root) :])}
        members[root] = [name for name, top in top_of.items() if top in tops or name in media]
    return members


def _is_export_file(name: str) -> bool:
    top, slash, _ = name.partition("/")
    ends = (".json", *PAGES, "no-data.txt")
    return bool(slash and is_own_folder(top)) or name.lower().endswith(ends)


@lru_cache(1000)
def is_own_folder(top: str) -> bool:
    """Whether a folder's name is that of one of an export's own folders."""
    return bool(_OWN_FOLDER.match(top) or PRIVATE.match(top))


def _piece(
    tree: Tree, root: str, names: list[str], indexes: list[Index], broken: dict[str, str]
) -> Piece:
    part = Part(tree, names, root)
    members = set(names)
    indexes = [index for index in indexes if index.name in members]
    problem = "the index is not readable JSON ({}); export again as JSON"
    skipped = [
        Skipped(None, tree.source(name), "bad_json", problem.format(broken[name]))
        for name in names
        if name in broken
    ]
    match = _EXPORT_NAME.search(part.title) or _OLD_EXPORT_NAME.search(part.title)
    user = next((index.user for index in indexes if index.user), None)
    title_user = match["user"].casefold() if match else None
    facebook = any(index.facebook for index in indexes) or bool(_FACEBOOK.search(part.title))
    service = "facebook" if facebook else "instagram"
    own = [replace(index, name=index.name[len(root) :]) for index in indexes]
    own = [index for index in own if not is_private(index.name)]
    user = user and user.casefold()
    return Piece(part, tree.place(f"{root}x"), own, user, title_user, service, skipped)


# --- parts put together --------------------------------------------------------------------------


@dataclass(frozen=True)
class Export:
    """One account's export, all its parts.

    Attributes:
        tree: Members; those of each part are named from the export's root.
        entries: The photos and videos that its indexes name, in the parts' order.
        consumed: Members that were read as indexes.
        pages: Members among `consumed` that are web pages.
        owner: The customer.
        service: Name of the service, ``instagram`` or ``facebook``.
        skipped: Index files that could not be read.
    """

    tree: Tree
    entries: tuple[Entry, ...]
    consumed: frozenset[str]
    pages: tuple[str, ...]
    owner: str
    service: str
    skipped: tuple[Skipped, ...]


def put_together(pieces: Sequence[Piece], request: Request) -> dict[int, Export]:
    """The exports that the pieces make up, each by the number of its first piece."""
    pieces = _with_users(pieces)
    groups = Groups([piece.user and f"{piece.service}:{piece.user}" for piece in pieces])
    uris_of = [{entry.uri for entry in piece.entries} for piece in pieces]
    piece_of = {uri: number for number, uris in enumerate(uris_of) for uri in uris}
    for number, piece in enumerate(pieces):
        neighbours = {piece_of.get(name, number) for name in {*piece.part.names} - uris_of[number]}
        for neighbour in sorted(neighbours):
            groups.join(number, neighbour)
    _join_lone_profiles(pieces, groups)
    return {
        members[0]: _export([pieces[number] for number in members], request)
        for members in groups.members()
    }


def _with_users(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces without a profile get the user of those with one whose export has the same name.

    An export's name has the account's former name after the account was renamed.
    """
    users_of: dict[tuple[str, str], set[str]] = {}
    for piece in pieces:
        if piece.user and piece.title_user:
            users_of.setdefault((piece.service, piece.title_user), set()).add(piece.user)
    named = []
    for piece in pieces:
        users = users_of.get((piece.service, piece.title_user or ""), set())
        only = next(iter(users)) if len(users) == 1 else piece.title_user
        named.append(replace(piece, user=piece.user or only))
    return named


class Groups:
    """Groups of numbers, none of which has two users."""

    def __init__(self, users: list[str | None]):
        self.users = users
        self._first: dict[str, int] = {}
        self._leader = [
            self._first.setdefault(user, number) if user else number
            for number, user in enumerate(users)
        ]

    def join(self, first: int, second: int) -> None:
        """Joins the groups of two numbers, unless they have two users."""
        low, high = sorted((self._leader[first], self._leader[second]))
        if low == high or (self.users[low] and self.users[high]):
            return
        self.users[low] = self.users[low] or self.users[high]
        self._leader = [low if leader == high else leader for leader in self._leader]

    def members(self) -> list[list[int]]:
        """The numbers of each group, in order."""
        groups: dict[int, list[int]] = {}
        for number, leader in enumerate(self._leader):
            groups.setdefault(leader, []).append(number)
        return list(groups.values())


def _join_lone_profiles(pieces: Sequence[Piece], groups: Groups) -> None:
    """A part that holds the profile only goes with the photos, if there is no doubt whose."""
    of_kind: dict[tuple[bool, bool], list[int]] = {}
    for members in groups.members():
        kind = bool(groups.users[members[0]]), any(_has_photos(pieces[n]) for n in members)
        of_kind.setdefault(kind, []).append(members[0])
    nameless, lone = of_kind.get((False, True), []), of_kind.get((True, False), [])
    if len(nameless) == len(lone) == 1:
        groups.join(nameless[0], lone[0])


def _has_photos(piece: Piece) -> bool:
    return any(piece.entries) or any(map(_MEDIA_ROOT.match, piece.part.names))


def _export(pieces: list[Piece], request: Request) -> Export:
    service = max((piece.service for piece in pieces), key=("instagram", "facebook").index)
    user = next((piece.user for piece in pieces if piece.user), None)
    names = request.names
    owner = names.of(user, f"{service}:{user}") if user else names.of_place(*pieces[0].home)
    indexes = [
        (f"{number}/{index.name}", index)
        for number, piece in enumerate(pieces)
        for index in piece.indexes
    ]
    return Export(
        tree=Joined([piece.part for piece in pieces]),
        entries=tuple(entry for _, index in indexes for entry in index.entries),
        consumed=frozenset(name for name, _ in indexes),
        pages=tuple(name for name, index in indexes if index.page and index.entries),
        owner=owner,
        service=service,
        skipped=tuple(replace(each, customer=owner) for piece in pieces for each in piece.skipped),
    )
