from .catalog import import_catalog as import_catalog
from .photos import scan as scan
