from .catalog import stock as stock
from .photos import collect as collect
