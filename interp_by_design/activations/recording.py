"""Recording of a frozen predictor's activations over a split."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from interp_by_design.activations.shard_layout import Field, Layout
from interp_by_design.activations.shard_store import Store
from interp_by_design.activations.stored_order import Storing
from interp_by_design.data.datamodule import ImageData
from interp_by_design.data.loader import Batches, Loader
from interp_by_design.data.pass_size import images_per_pass
from interp_by_design.data.split import Split, unit
from interp_by_design.predictor import Predictor, evaluating
from interp_by_design.terms import Batch, ForwardPass, UserError

LOG_INTERVAL = 30.0  # seconds

log = logging.getLogger(__name__)


def layout(
    predictor: Predictor, split: Split, n_classes: int, dtype: str, shard_bytes: int
) -> Layout:
    """Return the layout of the predictor's passes over a split.

    A row has the pixels as the split keeps them, the label, the index, the logits and the hidden
    layers.

    Args:
        predictor: The frozen predictor.
        split: The images.
        n_classes: The number of logits.
        dtype: The dtype of hidden layers, as torch names it.
        shard_bytes: The approximate size of one shard.
    """
    pixel_dtype = split.pixels(torch.arange(1)).dtype
    fields = (
        Field("images", str(pixel_dtype).removeprefix("torch."), tuple(split.image_shape)),
        Field("labels", "int64", ()),
        Field("indices", "int64", ()),
        Field("logits", "float32", (n_classes,)),
        *(Field(hidden(i), dtype, tuple(shape)) for i, shape in enumerate(predictor.hidden_shapes)),
    )
    return Layout.of(fields, len(split), shard_bytes, images_per_pass(split.image_shape))


def hidden(layer: int) -> str:
    """Return the name of the field of a hidden layer.

    Args:
        layer: The position of the layer among the predictor's hidden layers.

    >>> hidden(0)
    'hidden0'
    """
    return f"hidden{layer}"


def record(
    predictor: Predictor, data: ImageData, name: str, store: Store, device: Any = "cpu"
) -> None:
    """Write the shards of a split that `store` lacks.

    A thread writes one shard while the next is computed, so that memory holds two and the forward
    passes hardly wait. Train is stored in the fixed permutation of `Storing`, val and test in
    order. The mode and the device of the predictor are restored.

    Args:
        predictor: The frozen predictor; it runs in evaluation mode.
        data: The data set.
        name: The split.
        store: Where the shards are written.
        device: The device of the forward passes.

    Raises:
        UserError: If a value is not finite or does not fit the dtype, or a shard cannot be written.
    """
    split, form, shard = data.split(name), store.layout, store.written
    order = Storing(form.n, form.chunk, permuted=name == "train")
    order.start_at(0, shard * form.rows_per_shard // form.chunk)
    batches = Loader(Batches(split), order, data.workers).as_kept()
    logged = time.perf_counter()
    with _running(predictor, device), ThreadPoolExecutor(1) as writer:
        pending: Future[None] | None = None
        for shard in range(store.written, form.n_shards):
            memory = store.blank(shard)
            views = form.views(memory, shard)
            for start in range(0, form.rows(shard), form.chunk):
                batch = next(batches)
                rows = {
                    field: view[start : start + len(batch.labels)] for field, view in views.items()
                }
                _fill(
                    rows, batch, predictor(unit(batch.images).to(device)), predictor.hidden_layers
                )
            if pending is not None:
                pending.result()
            pending = writer.submit(store.put, shard, memory)
            if time.perf_counter() - logged > LOG_INTERVAL:
                logged = time.perf_counter()
                log.info(
                    "Recorded %.0f %% of the %s images", 100 * (shard + 1) / form.n_shards, name
                )
        if pending is not None:
            pending.result()


@contextmanager
def _running(predictor: Predictor, device: Any) -> Iterator[None]:
    """Put the predictor in evaluation mode and on `device` for the block."""
    previous = next(predictor.parameters(), torch.empty(0)).device
    try:
        # Not inference mode: what a network caches in it could not be trained with later.
        with evaluating(predictor.to(device)), torch.no_grad():
            yield
    finally:
        predictor.to(previous)


def _fill(
    rows: dict[str, Tensor], batch: Batch, seen: ForwardPass, layers: tuple[str, ...]
) -> None:
    rows["images"].copy_(batch.images)
    rows["labels"].copy_(batch.labels)
    rows["indices"].copy_(batch.indices)
    _store(rows["logits"], seen.logits, "The network's logits")
    for i, (name, output) in enumerate(zip(layers, seen.hidden, strict=True)):
        _store(rows[hidden(i)], output, f"Layer '{name}'")


def _store(into: Tensor, values: Tensor, what: str) -> None:
    into.copy_(values)
    if all(
        math.isfinite(bound) for bound in torch.stack(into.aminmax()).tolist()
    ):  # many times faster than isfinite().all()
        return
    if not torch.isfinite(values).all():
        raise UserError(
            f"{what} gives values that are not finite for some of these images. Check the "
            "predictor's weights and the preprocessing that it was trained with: nothing can be "
            "learned from such a layer."
        )
    dtype = str(into.dtype).removeprefix("torch.")
    raise UserError(
        f"{what} gives values up to {float(values.abs().max()):g}, and {dtype} ends at "
        f"{torch.finfo(into.dtype).max:g}. Set cache.dtype=bfloat16, which is coarser, or "
        "cache.dtype=float32, which takes twice the space."
    )
