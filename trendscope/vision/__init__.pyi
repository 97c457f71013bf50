from .classifier import Classifier as Classifier
from .images import decode as decode
from .loading import load_predictor as load_predictor
from .predictions import Prediction as Prediction
from .predictions import Predictor as Predictor
from .predictions import Verdict as Verdict
