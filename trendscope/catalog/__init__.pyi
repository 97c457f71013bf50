from .items import Item as Item
from .parsing import read_catalog as read_catalog
from .products import Catalog as Catalog
from .products import Product as Product
from .products import Remark as Remark
