"""f and g as one program for other runtimes: torch.export and ONNX."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor, nn

from interp_by_design.files import replacing
from interp_by_design.interpreter import Interpreter
from interp_by_design.model.forward import interpret
from interp_by_design.predictor import Predictor, evaluating
from interp_by_design.terms import DataFacts, Images, UserError

if TYPE_CHECKING:
    from torch.export import ExportedProgram

OUTPUTS = ("predictor_logits", "interpreter_logits", "attributes", "contributions")


@final
class Program(nn.Module):
    """One pass of f and g, with the contributions to g's decision, by name.

    Args:
        predictor: f.
        interpreter: g.
    """

    def __init__(self, predictor: Predictor, interpreter: Interpreter) -> None:
        super().__init__()
        self.predictor, self.interpreter = predictor, interpreter

    def forward(self, images: Images) -> dict[str, Tensor]:
        seen = interpret(self.interpreter, self.predictor(images), reconstruct=False)
        weights = self.interpreter.head.weights[seen.interpreter.argmax(dim=1)]
        return dict(
            zip(
                OUTPUTS,
                (seen.predictor, seen.interpreter, seen.attributes, seen.attributes * weights),
                strict=True,
            )
        )


def write_program(
    predictor: Predictor, interpreter: Interpreter, facts: DataFacts, path: Path
) -> None:
    """Write f and g as torch.export saves them.

    Args:
        predictor: f.
        interpreter: g.
        facts: Of the images.
        path: The file, usually `.pt2`.

    Raises:
        UserError: If the model cannot be exported, or the file cannot be written.
    """
    _require_place(path)
    content = io.BytesIO()  # first: torch's own writer ends the process where a disk is full
    with replacing(path) as file:
        with _reporting_failure(predictor):
            torch.export.save(exported(predictor, interpreter, facts), content)
        file.write(content.getbuffer())


def write_onnx(
    predictor: Predictor, interpreter: Interpreter, facts: DataFacts, path: Path
) -> None:
    """Write f and g in ONNX, with the input `images`.

    Args:
        predictor: f.
        interpreter: g.
        facts: Of the images.
        path: The file, usually `.onnx`.

    Raises:
        UserError: If ONNX is not installed, the model cannot be exported, or the file cannot be
            written.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401  # torch's exporter needs both
    except ImportError as error:
        raise UserError(
            f"{error.name} is missing, which export to ONNX needs: "
            'pip install "interp_by_design[onnx]".'
        ) from error
    _require_place(path)
    with replacing(path) as file, _reporting_failure(predictor):
        batch = {"images": {0: "batch"}}  # the name of the axis in the file
        program = torch.onnx.export(
            exported(predictor, interpreter, facts),
            dynamo=True,
            output_names=OUTPUTS,
            dynamic_shapes=batch,
            verbose=False,
        )
        if program is None:
            raise UserError("torch.onnx gave no program")
        onnx.save(program.model_proto, file)


def exported(predictor: Predictor, interpreter: Interpreter, facts: DataFacts) -> ExportedProgram:
    """Return the graph of f and g in evaluation mode. The modules' modes are restored.

    Args:
        predictor: f.
        interpreter: g.
        facts: Of the images.

    Returns:
        A program for any number of images, on the CPU.
    """
    from torch.export import Dim, export  # slow to import, and needed here only
    from torch.export.passes import move_to_device_pass

    like = next(
        (weight for weight in predictor.parameters() if weight.is_floating_point()),
        torch.zeros(0),
    )
    images = torch.full((2, *facts.image_shape), 0.5).to(like)
    program = Program(predictor, interpreter)
    with evaluating(program), torch.no_grad():
        # Not strict: a strict export does not follow the hooks that read hidden layers.
        graph = export(
            program,
            (images,),
            dynamic_shapes={"images": {0: Dim("batch", min=1)}},
            strict=False,
        )
    return move_to_device_pass(graph, "cpu")


def _require_place(path: Path) -> None:
    if not path.parent.is_dir():
        raise UserError(
            f"There is no folder {path.parent} to write {path.name} to. Make it, or give another "
            "path."
        )
    if path.is_dir():
        raise UserError(f"{path} is a folder. Give the path of a file.")


@contextmanager
def _reporting_failure(predictor: Predictor) -> Iterator[None]:
    """Turn errors of torch's exporter into a `UserError` with their first line only."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (UserError, OSError):
        raise
    except Exception as error:  # tracing runs the network's own code, which may fail in any way
        first = (str(error).strip().splitlines() or [""])[0]
        name = type(predictor.network).__name__
        raise UserError(
            f"{name} with its interpreter cannot be exported: {type(error).__name__}: {first}. "
            "Branches that depend on the pixels cannot be; take them out of the network, or "
            "choose another."
        ) from error
