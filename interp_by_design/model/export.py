"""f and g as one program for other runtimes: torch.export and ONNX. Knows nothing of how hidden layers are read."""

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
from interp_by_design.predictor import evaluating
from interp_by_design.terms import Images, UserError

if TYPE_CHECKING:
    from torch.export import ExportedProgram

    from interp_by_design.model.interpretable import InterpretableModel

OUTPUTS = ("predictor_logits", "interpreter_logits", "attributes", "contributions")


@final
class Program(nn.Module):
    """What is exported: one pass of f and g, and what g's decision is made of, by name."""

    def __init__(self, model: InterpretableModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Images) -> dict[str, Tensor]:
        """`OUTPUTS`: the logits [n, C] of both, attributes [n, J], and their contributions to the class that g decides [n, J]."""
        seen = self.model(images, reconstruct=False)
        contributions = (
            seen.attributes * self.model.interpreter.head.weights[seen.interpreter.argmax(dim=1)]
        )
        return dict(
            zip(
                OUTPUTS,
                (seen.predictor, seen.interpreter, seen.attributes, contributions),
                strict=True,
            )
        )


def write_program(model: InterpretableModel, path: Path) -> None:
    """The program of `model` as torch.export saves it. Raises `UserError` where it cannot be exported or written."""
    _require_place(path)
    whole = io.BytesIO()  # first: torch's own writer ends the process where a disk is full
    with replacing(path) as file:
        with _telling(model):
            torch.export.save(exported(model), whole)
        file.write(whole.getbuffer())


def write_onnx(model: InterpretableModel, path: Path) -> None:
    """The program of `model` in ONNX. Raises `UserError` where it cannot be exported or written, or ONNX is not installed."""
    try:
        import onnx
        import onnxscript  # noqa: F401  # torch's exporter needs both
    except ImportError as error:
        raise UserError(
            f'{error.name} is missing, which export to ONNX needs: pip install "interp_by_design[onnx]".'
        ) from error
    _require_place(path)
    with replacing(path) as file, _telling(model):
        batch = {"images": {0: "batch"}}  # the name of the axis in the file
        program = torch.onnx.export(
            exported(model), dynamo=True, output_names=OUTPUTS, dynamic_shapes=batch, verbose=False
        )
        if program is None:
            raise UserError("torch.onnx gave no program")
        onnx.save(program.model_proto, file)


def exported(model: InterpretableModel) -> ExportedProgram:
    """The graph of f and g in evaluation mode, for any number of images, on the CPU; the model is left as it was."""
    from torch.export import Dim, export  # takes a while, which only an export has to wait
    from torch.export.passes import move_to_device_pass

    like = next(
        (weight for weight in model.predictor.parameters() if weight.is_floating_point()),
        torch.zeros(0),
    )
    images = torch.full((2, *model.facts.image_shape), 0.5).to(like)
    with evaluating(model), torch.no_grad():
        # Not strict: hidden layers are read through Python, such as hooks, which a strict export would not follow.
        program = export(
            Program(model).eval(),
            (images,),
            dynamic_shapes={"images": {0: Dim("batch", min=1)}},
            strict=False,
        )
    return move_to_device_pass(program, "cpu")


def _require_place(path: Path) -> None:
    if not path.parent.is_dir():
        raise UserError(
            f"There is no folder {path.parent} to write {path.name} to. Make it, or give another path."
        )
    if path.is_dir():
        raise UserError(f"{path} is a folder. Give the path of a file.")


@contextmanager
def _telling(model: InterpretableModel) -> Iterator[None]:
    """What torch says of a model that it cannot export is told as the user's error, in its first line; its advice is dropped."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (UserError, OSError):
        raise
    except Exception as error:  # tracing runs the network's own code, which may fail in any way
        first = (str(error).strip().splitlines() or [""])[0]
        name = type(model.predictor.network).__name__
        raise UserError(
            f"{name} with its interpreter cannot be exported: {type(error).__name__}: {first}. Branches that depend on the "
            "pixels cannot be; take them out of the network, or choose another."
        ) from error
