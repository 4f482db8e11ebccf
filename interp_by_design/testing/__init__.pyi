from .datamodule import DataModuleConformance as DataModuleConformance
from .dictionary import DictionaryConformance as DictionaryConformance
from .dictionary import FittedConformance as FittedConformance
from .interpreter import InterpreterConformance as InterpreterConformance
from .predictor import PredictorConformance as PredictorConformance
