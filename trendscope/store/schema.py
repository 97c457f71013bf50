"""The tables, each column explained, and the named steps that bring older databases up to date.

    accounts >── customers ──< photos >── images ──< sightings >── weights ──< scans
                     └──< skips               ├──< candidates ───────┤
                                              ├──< embeddings ───────┘
                                              ├──< corrections
                                              ├─── looks
                                              ├─── thumbnails
                                              └─── previews

    weights ──< item_sights >── items ─── item_thumbnails
                                  └──< item_keys

An image is the bytes of a picture, known by its sha256, and is judged once by each set of weights.
A photo is one place where a customer's feed holds an image. Items are what a shop sells; their
pictures are kept apart from customers' images, and judged by the same weights.

Every moment is a whole number of microseconds since 1970 in UTC: exact, the same in SQLite and
PostgreSQL, and quick to count by week (PostgreSQL: ``to_timestamp(posted_at / 1e6)``; SQLite:
``datetime(posted_at / 1000000, 'unixepoch')``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
    text,
)

from trendscope.errors import StoreError

VERSION = 6
"""Version of the tables below. A change adds one, and a step to `STEPS`."""

_Id = BigInteger().with_variant(Integer, "sqlite")
_Moment = BigInteger
_Text = Text().with_variant(Text(collation="C"), "postgresql")  # one order in both: by bytes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

metadata = MetaData()


def _box(comment: str) -> tuple[Column[int], ...]:
    """Columns of a box, the first of which says what it is."""
    rest = (Column(name, Integer) for name in ("y0", "x1", "y1"))
    return Column("x0", Integer, comment=comment), *rest


schema_steps = Table(
    "schema_steps",
    metadata,
    Column("version", Integer, primary_key=True, comment="of the tables after this step"),
    Column("name", Text, nullable=False, comment="what the step did"),
    Column("applied_at", _Moment, nullable=False),
    comment="How this database came to its present form; the greatest version is the present one",
)

customers = Table(
    "customers",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", _Text, nullable=False, unique=True, comment="the feed's, made unique: ann (2)"),
    comment="Everyone of whom a photo or a skipped file is known",
)

accounts = Table(
    "accounts",
    metadata,
    Column("account", _Text, primary_key=True, comment="instagram:ann, or the folder's own place"),
    Column(
        "customer_id",
        _Id,
        ForeignKey(customers.c.id, ondelete="CASCADE"),
        nullable=False,
        index=True,
        comment="who posts there",
    ),
    comment="What feeds know customers by, so that two of one name stay apart in every scan",
)

weights = Table(
    "weights",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False, comment="for people; two trainings may share it"),
    Column("digest", Text, nullable=False, unique=True, comment="sha256 of the weights file"),
    Column("since", _Moment, nullable=False, comment="when they first judged here"),
    Column(
        "current",
        Boolean,
        nullable=False,
        comment="true for the one set whose sightings are counted; others are being prepared",
    ),
    comment="The trained networks that judged; sightings of different ones are never mixed",
)

images = Table(
    "images",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True, comment="of the bytes, in hex"),
    Column("taken_at", _Moment, comment="by the camera; null if it does not say"),
    Column(
        "local",
        Boolean,
        nullable=False,
        comment="taken_at is what a clock showed that names no zone, as if it were UTC",
    ),
    Column("width", Integer, comment="of the upright image in pixels; null if judged long ago"),
    Column("height", Integer, comment="as width"),
    comment="Pictures by their bytes, whoever posted them",
)

photos = Table(
    "photos",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("customer_id", _Id, ForeignKey(customers.c.id), nullable=False),
    Column("image_id", _Id, ForeignKey(images.c.id), nullable=False),
    Column("place", LargeBinary, nullable=False, unique=True, comment="digest; see memory.py"),
    Column("post_id", _Text, nullable=False, comment="of the image within the customer"),
    Column("source", _Text, nullable=False, comment="where it lies, for people"),
    Column("posted_at", _Moment, comment="the feed's date, else the camera's, else the name's"),
    Column("date_source", String(16), nullable=False, comment="feed, exif, file name or none"),
    Column("size", BigInteger, comment="of the file around it, bytes; null if not known"),
    Column("modified", BigInteger, comment="of that file, ns since 1970; of an object by its etag"),
    Column(
        "counted",
        Boolean,
        nullable=False,
        comment="false for a double: the customer's same image or post is counted elsewhere",
    ),
    Index("photos_by_customer", "customer_id"),
    Index("photos_by_image", "image_id", "customer_id"),
    Index("photos_by_post", "post_id", "customer_id"),
    comment="Where customers' feeds hold images; each place once",
)

sightings = Table(
    "sightings",
    metadata,
    Column("image_id", _Id, ForeignKey(images.c.id, ondelete="CASCADE"), primary_key=True),
    Column("weights_id", _Id, ForeignKey(weights.c.id, ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="0, 1, ... of the garments in an image"),
    Column("category", String(32), comment="one of the ten; null where a reason is given"),
    Column("reason", String(16), comment="uncertain or outside; null where a category is given"),
    Column("confidence", Double, nullable=False, comment="in the best of the ten, 0..1"),
    Column("outside", Double, nullable=False, comment="probability of none of the ten, 0..1"),
    Column("probabilities", LargeBinary, nullable=False, comment="10 float32, in label order"),
    *_box("box in pixels of the upright photo; null without a category"),
    Column("needed", Double, comment="confidence from which it is named; null if so, or not known"),
    Index("sightings_by_weights", "weights_id"),
    comment="What was seen in an image: a row per garment, or one row with the reason for none",
    sqlite_with_rowid=False,
)

candidates = Table(
    "candidates",
    metadata,
    Column("image_id", _Id, ForeignKey(images.c.id, ondelete="CASCADE"), primary_key=True),
    Column("weights_id", _Id, ForeignKey(weights.c.id, ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="best first, after those of sightings"),
    Column("category", String(32), nullable=False, comment="one of the ten"),
    Column("confidence", Double, nullable=False, comment="as in sightings"),
    *_box("box as in sightings"),
    Index("candidates_by_weights", "weights_id"),
    comment="Garments that were not certain enough to be sightings: the surest of each category",
    sqlite_with_rowid=False,
)

corrections = Table(
    "corrections",
    metadata,
    Column("image_id", _Id, ForeignKey(images.c.id, ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="0, 1, ... of the garments in an image"),
    Column("category", String(32), comment="one of the ten; null where a reason is given"),
    Column("reason", String(16), comment="uncertain or outside; null where a category is given"),
    Column("corrected_at", _Moment, nullable=False, comment="when a person said so"),
    *_box("box as in sightings; null if the person named none"),
    comment="What a person says an image shows; counts instead of its sightings, see effective.py",
)

embeddings = Table(
    "embeddings",
    metadata,
    Column("image_id", _Id, ForeignKey(images.c.id, ondelete="CASCADE"), primary_key=True),
    Column("weights_id", _Id, ForeignKey(weights.c.id, ondelete="CASCADE"), primary_key=True),
    Column(
        "number", Integer, primary_key=True, comment="as in sightings and candidates; 0 without one"
    ),
    Column("vector", LargeBinary, nullable=False, comment="float32, little-endian"),
    Index("embeddings_by_weights", "weights_id"),
    comment="The network's view of garments: near for those that look alike. Apart, as it is large",
)

thumbnails = Table(
    "thumbnails",
    metadata,
    Column("image_id", _Id, ForeignKey(images.c.id, ondelete="CASCADE"), primary_key=True),
    Column("jpeg", LargeBinary, nullable=False, comment="small, without metadata"),
    comment="For contact sheets; apart, as they are large",
)

previews = Table(
    "previews",
    metadata,
    Column("image_id", _Id, ForeignKey(images.c.id, ondelete="CASCADE"), primary_key=True),
    Column("jpeg", LargeBinary, nullable=False, comment="of about 1,024 pixels, without metadata"),
    comment="For looking at photos whose files lie nowhere; only where a person chose to keep them",
)

looks = Table(
    "looks",
    metadata,
    Column("image_id", _Id, ForeignKey(images.c.id, ondelete="CASCADE"), primary_key=True),
    Column(
        "hash",
        LargeBinary,
        nullable=False,
        comment="8 bytes; see trendscope.vision.near_duplicates",
    ),
    Column("colours", LargeBinary, nullable=False, comment="16 x 16 or 64 x 64 pixels, RGB"),
    Column("aspect", Double, nullable=False, comment="width / height"),
    comment="What images look like, to tell copies in another size; apart, as they are large",
)

skips = Table(
    "skips",
    metadata,
    Column("place", LargeBinary, primary_key=True, comment="digest; see memory.py"),
    Column("customer_id", _Id, ForeignKey(customers.c.id), index=True, comment="null if unknown"),
    Column("source", _Text, nullable=False, comment="where it lies, for people"),
    Column("reason", String(32), nullable=False, comment="a key of trendscope.skipped.REASONS"),
    Column("detail", Text, nullable=False, comment="a plain sentence"),
    Column("size", BigInteger, comment="as in photos"),
    Column("modified", BigInteger, comment="as in photos"),
    Column("version", String(32), nullable=False, comment="of trendscope and of its limits then"),
    comment="What was not used, and why; a row goes when its place is read after all",
)

scans = Table(
    "scans",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("weights_id", _Id, ForeignKey(weights.c.id, ondelete="SET NULL"), index=True),
    Column("started_at", _Moment, nullable=False),
    Column("finished_at", _Moment, comment="null while it runs, and for ever if it was killed"),
    Column("judged", Integer, nullable=False, comment="photos looked at"),
    Column("recognised", Integer, nullable=False, comment="known by their bytes, in a new place"),
    Column("unchanged", Integer, nullable=False, comment="known by their place; not even read"),
    Column("skipped", Integer, nullable=False, comment="files that were not used"),
    comment="Every run of trendscope scan, and how far it came",
)

items = Table(
    "items",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("sku", _Text, nullable=False, unique=True, comment="the shop's number of it"),
    Column("title", Text, nullable=False, comment="plain text"),
    Column("brand", Text, nullable=False, comment="empty if unknown"),
    Column("kind", Text, nullable=False, comment="product type or taxonomy, as the file has it"),
    Column("price", BigInteger, comment="in thousandths of the currency; null if not certain"),
    Column("currency", String(8), nullable=False, comment="ISO 4217, or a sign; empty if unknown"),
    Column("in_stock", Boolean, comment="null if the file does not say"),
    Column("url", Text, nullable=False, comment="its page in the shop; empty if unknown"),
    Column("category", String(32), comment="one of the ten; null where a reason is given"),
    Column("reason", String(16), comment="uncertain or outside; null where a category is given"),
    Column("approximate", Boolean, nullable=False, comment="the nearest category, not quite it"),
    Column(
        "category_source",
        String(16),
        nullable=False,
        comment="person, map, taxonomy, type, title, picture or none",
    ),
    Column("because", Text, nullable=False, comment="the words or the sight that were decisive"),
    Column("review", Text, nullable=False, comment="why a person should look; empty if settled"),
    Column("source", Text, nullable=False, comment="file and row that it was read from"),
    Column("picture", Text, nullable=False, comment="where it lies, for people; empty without"),
    Column("sha256", String(64), comment="of the picture's bytes, in hex; null without"),
    Column("changed_at", _Moment, nullable=False, comment="when this row was last changed"),
    Index("items_by_picture", "sha256"),
    comment="What a shop sells: a row for each SKU",
)

item_keys = Table(
    "item_keys",
    metadata,
    Column("item_id", _Id, ForeignKey(items.c.id, ondelete="CASCADE"), primary_key=True),
    Column("key", _Text, primary_key=True, comment="see item_keys.py"),
    Index("item_keys_by_key", "key"),
    comment="What items are known by besides their SKU: those of all sizes, and their group",
)

item_sights = Table(
    "item_sights",
    metadata,
    Column("item_id", _Id, ForeignKey(items.c.id, ondelete="CASCADE"), primary_key=True),
    Column("weights_id", _Id, ForeignKey(weights.c.id, ondelete="CASCADE"), primary_key=True),
    Column("category", String(32), comment="as in sightings"),
    Column("reason", String(16), comment="as in sightings"),
    Column("outside", Double, nullable=False, comment="as in sightings"),
    Column("probabilities", LargeBinary, nullable=False, comment="as in sightings"),
    Column("vector", LargeBinary, nullable=False, comment="as in embeddings"),
    Column("alone", Boolean, comment="false if the picture shows other garments too"),
    Index("item_sights_by_weights", "weights_id"),
    comment="What was seen in items' pictures: the garment of the item's own category",
)

item_thumbnails = Table(
    "item_thumbnails",
    metadata,
    Column("item_id", _Id, ForeignKey(items.c.id, ondelete="CASCADE"), primary_key=True),
    Column("jpeg", LargeBinary, nullable=False, comment="small, without metadata"),
    comment="Items' pictures for pages; apart, as they are large",
)


def to_moment(time: datetime | None) -> int | None:
    """Microseconds since 1970 of an aware time, or of what a clock without a zone shows."""
    if time is not None and time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return None if time is None else (time - _EPOCH) // timedelta(microseconds=1)


def from_moment(moment: int | None) -> datetime | None:
    """The aware UTC time of `to_moment`."""
    return None if moment is None else _EPOCH + timedelta(microseconds=moment)


def box_columns(box: tuple[int, int, int, int] | None) -> dict[str, int | None]:
    """A box as columns x0, y0, x1 and y1; nulls without one."""
    return dict(zip(("x0", "y0", "x1", "y1"), box or (None,) * 4, strict=True))


Step = tuple[int, str, Callable[[Connection], None]]


def _making(*tables: Table) -> Callable[[Connection], None]:
    return partial(metadata.create_all, tables=tables)


def _add_garments(connection: Connection) -> None:
    """Several garments in a photo; tables that the first steps have just made are so already."""
    boxes = (corrections.c[name] for name in box_columns(None))
    for column in (images.c.width, images.c.height, item_sights.c.alone, *boxes):
        if column.name not in _columns(connection, column.table):
            kind = column.type.compile(connection.dialect)
            add = f"ALTER TABLE {column.table.name} ADD COLUMN {column.name} {kind}"
            connection.execute(text(add))
    if embeddings.c.number.name not in _columns(connection, embeddings):
        # SQLite cannot change a primary key.
        connection.execute(text("ALTER TABLE embeddings RENAME TO former_embeddings"))
        connection.execute(text("DROP INDEX embeddings_by_weights"))
        embeddings.create(connection)
        copied = "SELECT image_id, weights_id, 0, vector FROM former_embeddings"
        names_ = "(image_id, weights_id, number, vector)"
        connection.execute(text(f"INSERT INTO embeddings {names_} {copied}"))
        connection.execute(text("DROP TABLE former_embeddings"))
    candidates.create(connection)


def _add_previews(connection: Connection) -> None:
    """Tables that the first steps have just made have the column already."""
    if sightings.c.needed.name not in _columns(connection, sightings):
        kind = sightings.c.needed.type.compile(connection.dialect)
        connection.execute(text(f"ALTER TABLE sightings ADD COLUMN needed {kind}"))
    metadata.create_all(connection, tables=[previews])


def _columns(connection: Connection, table: Table) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns(table.name)}


_FIRST: tuple[Table, ...] = (schema_steps, customers, accounts, weights, images, photos, sightings)
_FIRST += (embeddings, thumbnails, looks, skips, scans)

STEPS: tuple[Step, ...] = (
    (1, "the first tables", _making(*_FIRST)),
    (2, "what a shop sells", _making(items, item_sights, item_thumbnails)),
    (3, "corrections", _making(corrections)),
    (4, "several garments in a photo", _add_garments),
    (5, "all numbers of an item", _making(item_keys)),
    (6, "larger pictures, and how sure it would have to be", _add_previews),
)
"""Version, name and work of every step, oldest first.

A step that makes a table makes it as it is described here; one that changes a table adds what is
missing there, as the table may be older, or just made. `tests/store/test_schema.py` compares
databases that took every step, or only the last ones, with the tables described here.
"""


def refuse_foreign(names: Collection[str], shown: str) -> None:
    """Raises StoreError if a database of these tables is another program's."""
    if names and schema_steps.name not in names:
        raise StoreError(
            f"{shown} holds another program's tables ({', '.join(sorted(names)[:3])}); "
            "nothing was changed; give trendscope a database of its own"
        )


def version_of(connection: Connection, shown: str) -> int:
    """The version of the tables; 0 for a database without any.

    Raises:
        StoreError: It holds another program's tables, or those of a newer trendscope.
    """
    names = inspect(connection).get_table_names()
    refuse_foreign(names, shown)
    if not names:
        return 0
    version = connection.scalar(select(func.max(schema_steps.c.version))) or 0
    if version > VERSION:
        raise StoreError(
            f"{shown} was made by a newer trendscope (tables of version {version}; this one knows "
            f"{VERSION}); nothing was changed; upgrade trendscope"
        )
    return version


def migrate(connection: Connection, version: int, now: datetime) -> None:
    """Takes the steps after `version`, within the caller's transaction."""
    for number, name, work in STEPS:
        if number > version:
            work(connection)
            values = {"version": number, "name": name, "applied_at": to_moment(now)}
            connection.execute(insert(schema_steps).values(values))
