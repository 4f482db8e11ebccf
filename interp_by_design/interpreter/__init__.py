"""The interpreter g = h ∘ Φ with its decoder, its baselines and its negative controls."""

from interp_by_design.interpreter.concept_bottleneck import ConceptBottleneck
from interp_by_design.interpreter.convolutional_decoder import ConvDecoder
from interp_by_design.interpreter.decoder import DenseDecoder, PublishedDecoder
from interp_by_design.interpreter.head import LinearHead
from interp_by_design.interpreter.interpreter import Interpreter
from interp_by_design.interpreter.learnable_concepts import LearnableConcepts
from interp_by_design.interpreter.linear import LinearInterpreter
from interp_by_design.interpreter.prototypes import PrototypeDecoder, PrototypeInterpreter
from interp_by_design.interpreter.relabelled import RelabelledInterpreter
from interp_by_design.interpreter.spec import InterpreterSpec, build_interpreter, instantiate

__all__ = [
    "ConceptBottleneck",
    "ConvDecoder",
    "DenseDecoder",
    "Interpreter",
    "InterpreterSpec",
    "LearnableConcepts",
    "LinearHead",
    "LinearInterpreter",
    "PrototypeDecoder",
    "PrototypeInterpreter",
    "PublishedDecoder",
    "RelabelledInterpreter",
    "build_interpreter",
    "instantiate",
]
