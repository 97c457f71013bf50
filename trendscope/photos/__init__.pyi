from .results import Classification as Classification
from .results import Reading as Reading
from .run import classify as classify
from .run import profile as profile
from .summary import Profile as Profile
from .summary import summarise as summarise
