from .results import Classification as Classification
from .results import PhotoResult as PhotoResult
from .run import classify as classify
from .run import profile as profile
from .summary import Profile as Profile
from .summary import summarise as summarise
