from .dispatch import open_feed as open_feed
from .post import KINDS as KINDS
from .post import DateSource as DateSource
from .post import Post as Post
