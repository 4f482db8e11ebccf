"""Recording of a frozen predictor's passes over a split."""

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
    """Return the layout of rows: pixels as the split stores them, label, index, logits, layers.

    Args:
        predictor: f.
        split: The images.
        n_classes: C.
        dtype: Of hidden layers.
        shard_bytes: Approximate size of a shard.
    """
    kept = split.pixels(torch.arange(1)).dtype
    fields = (
        Field("images", str(kept).removeprefix("torch."), tuple(split.image_shape)),
        Field("labels", "int64", ()),
        Field("indices", "int64", ()),
        Field("logits", "float32", (n_classes,)),
        *(Field(hidden(i), dtype, tuple(shape)) for i, shape in enumerate(predictor.hidden_shapes)),
    )
    return Layout.of(fields, len(split), shard_bytes, images_per_pass(split.image_shape))


def hidden(layer: int) -> str:
    """Return the name of the field of a hidden layer.

    Args:
        layer: Its number, from 0.
    """
    return f"hidden{layer}"


def record(
    predictor: Predictor, data: ImageData, name: str, store: Store, device: Any = "cpu"
) -> None:
    """Write the missing shards of a split. The predictor runs in evaluation mode, and is restored.

    A thread writes one shard while the next is computed, so that memory holds two. Train is stored
    in the fixed order of `Storing`, val and test in their own order.

    Args:
        predictor: f.
        data: The images.
        name: Of the split.
        store: Where shards go.
        device: Where the predictor runs.

    Raises:
        UserError: If a value is not finite or does not fit the precision, or a shard cannot be
            written.
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
    home = next(predictor.parameters(), torch.empty(0)).device
    try:
        # Not inference mode: what a network caches in it could not be trained with later.
        with evaluating(predictor.to(device)), torch.no_grad():
            yield
    finally:
        predictor.to(home)


def _fill(
    rows: dict[str, Tensor], batch: Batch, seen: ForwardPass, layers: tuple[str, ...]
) -> None:
    rows["images"].copy_(batch.images)
    rows["labels"].copy_(batch.labels)
    rows["indices"].copy_(batch.indices)
    _keep(rows["logits"], seen.logits, "The network's logits")
    for i, (name, output) in enumerate(zip(layers, seen.hidden, strict=True)):
        _keep(rows[hidden(i)], output, f"Layer '{name}'")


def _keep(into: Tensor, values: Tensor, what: str) -> None:
    into.copy_(values)
    if all(
        math.isfinite(bound) for bound in torch.stack(into.aminmax()).tolist()
    ):  # many times faster than isfinite().all()
        return
    if not torch.isfinite(values).all():
        raise UserError(
            f"{what} gives values that are not finite for some of these images. Look at the "
            "predictor's weights and at the "
            "preprocessing that it was trained with: nothing can be learned from such a layer."
        )
    dtype = str(into.dtype).removeprefix("torch.")
    raise UserError(
        f"{what} gives values up to {float(values.abs().max()):g}, and {dtype} ends at "
        f"{torch.finfo(into.dtype).max:g}. "
        "Set cache.dtype=bfloat16, which is coarser, or cache.dtype=float32, which takes twice "
        "the space."
    )
