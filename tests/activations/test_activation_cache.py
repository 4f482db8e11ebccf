"""Cached activations equal those of the predictor, in every store and every order."""

from __future__ import annotations

import logging
import re
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from interp_by_design.activations import CacheSettings, activation_cache, cached_activations
from interp_by_design.activations.cache_folder import caches
from interp_by_design.activations.recording import record
from interp_by_design.activations.shard_layout import ALIGNMENT, Layout
from interp_by_design.activations.shard_store import DiskStore
from interp_by_design.data import RandomShift
from interp_by_design.predictor import Predictor
from interp_by_design.terms import BatchWithActivations, UnknownName, UserError
from tests.activations.cached import (
    FACTS,
    N_TEST,
    N_VAL,
    ROW,
    SHARD,
    N,
    on_disk,
    record_small,
    small_data,
    small_predictor,
)


def settings(kind: str, root: Path, **options: Any) -> CacheSettings:
    return CacheSettings(kind, root, **{"shard_bytes": SHARD, **options})


def values(batches: Any) -> list[Tensor]:
    return [value for images, seen in batches for value in (*images, seen.logits, *seen.hidden)]


@pytest.mark.parametrize("kind", ["ram", "disk"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_what_is_read_is_what_the_predictor_gives(kind: str, dtype: str, tmp_path: Path) -> None:
    data, predictor = small_data(), small_predictor()
    passes = cached_activations(predictor, data, settings(kind, tmp_path, dtype=dtype))
    assert passes is not None
    for split, n in (("train", N - N_VAL), ("val", N_VAL), ("test", N_TEST)):
        found = list(passes.in_order(split))
        assert all(isinstance(batch, BatchWithActivations) for batch in found)
        indices = torch.cat([batch.batch.indices for batch in found])
        assert sorted(indices.tolist()) == list(range(n))
        assert split == "train" or indices.tolist() == list(range(n))
        wanted = data.split(split).batch(indices)
        with torch.no_grad():
            seen = predictor(wanted.images)
        assert torch.equal(torch.cat([batch.batch.images for batch in found]), wanted.images)
        assert torch.equal(torch.cat([batch.batch.labels for batch in found]), wanted.labels)
        torch.testing.assert_close(torch.cat([batch.seen.logits for batch in found]), seen.logits)
        for i, layer in enumerate(seen.hidden):
            read = torch.cat([batch.seen.hidden[i] for batch in found])
            assert read.dtype == getattr(torch, dtype)
            torch.testing.assert_close(
                read.float(), layer, rtol=2**-7 if dtype == "bfloat16" else 2e-3, atol=1e-5
            )


@pytest.mark.parametrize("shard_bytes", [1, SHARD, 2**26])
def test_memory_and_disk_train_alike(shard_bytes: int, tmp_path: Path) -> None:
    forms = [
        cached_activations(
            small_predictor(),
            small_data(),
            settings(kind, tmp_path, dtype="float32", shard_bytes=shard_bytes),
        )
        for kind in ("ram", "disk", "disk")
    ]
    assert None not in forms
    assert forms[1].seconds > forms[2].seconds == 0
    loaders = [form.train_dataloader() for form in forms]
    for epoch in range(2):
        for loader in loaders:
            loader.sampler.set_epoch(epoch)
        read = [values(loader) for loader in loaders]
        assert len(read[0]) == (N - N_VAL) // 7 * 6
        for other in read[1:]:
            assert all(torch.equal(one, two) for one, two in zip(read[0], other, strict=True))


def test_floats_are_kept_as_floats(tmp_path: Path) -> None:
    pixels = torch.rand(N, 1, 8, 8)
    data = small_data(pixels.clone(), validation=13)
    passes = cached_activations(small_predictor(), data, settings("disk", tmp_path))
    assert passes is not None
    for batch in passes.in_order("train"):
        assert torch.equal(batch.batch.images, data.split("train").pixels(batch.batch.indices))


def test_the_predictor_is_left_as_it_was_and_its_mode_too(tmp_path: Path) -> None:
    predictor = small_predictor().train()
    before = {name: value.clone() for name, value in predictor.state_dict().items()}
    assert cached_activations(predictor, small_data(), settings("disk", tmp_path))
    assert all(part.training for part in predictor.modules())
    assert all(torch.equal(value, before[name]) for name, value in predictor.state_dict().items())


def test_the_network_is_run_once_and_never_again(tmp_path: Path) -> None:
    predictor, seen = small_predictor(), []
    predictor.network.register_forward_hook(
        lambda _module, inputs, _output: seen.append(len(inputs[0]))
    )
    passes = cached_activations(predictor, small_data(), settings("disk", tmp_path))
    assert sum(seen) == N + N_TEST
    assert passes is not None
    for epoch in range(3):
        (loader := passes.train_dataloader()).sampler.set_epoch(epoch)
        assert len(list(loader)) == len(loader) == (N - N_VAL) // 7
    assert cached_activations(predictor, small_data(), settings("disk", tmp_path))
    assert sum(seen) == N + N_TEST


def test_what_fitting_asks_of_a_data_set_is_answered(tmp_path: Path) -> None:
    data = small_data()
    passes = cached_activations(small_predictor(), data, settings("ram", tmp_path))
    assert passes is not None
    assert passes.facts == data.facts
    assert passes.class_counts() == data.class_counts()
    assert passes.fingerprint() == data.fingerprint()
    assert len(list(passes.val_dataloader())) == len(list(passes.test_dataloader())) == 1
    with pytest.raises(UnknownName, match=r"No split 'tset' in TensorData.*Did you mean 'test'"):
        passes.in_order("tset")


def test_a_train_split_sorted_by_class_is_mixed_in_every_shard(tmp_path: Path) -> None:
    passes = cached_activations(small_predictor(), small_data(), settings("disk", tmp_path))
    assert passes is not None
    labels = [batch.batch.labels.unique().numel() for batch in passes.train_dataloader()]
    assert sum(labels) / len(labels) > 2


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.filterwarnings("ignore:.*use of fork.. may lead to deadlocks:DeprecationWarning")
def test_images_that_a_worker_reads_are_recorded_alike(tmp_path: Path) -> None:
    here, there = (
        cached_activations(
            small_predictor(), small_data(workers=workers), settings("ram", tmp_path)
        )
        for workers in (0, 1)
    )
    assert here is not None
    assert there is not None
    assert all(
        torch.equal(one, two)
        for one, two in zip(
            values(here.in_order("train")), values(there.in_order("train")), strict=True
        )
    )


# ----------------------------------------------------------------------------- what cannot be kept
def test_off_keeps_nothing() -> None:
    assert cached_activations(small_predictor(), small_data(), CacheSettings("off")) is None


def test_augmented_images_are_not_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = small_data(augmentation=RandomShift(1))
    for kind in ("ram", "disk"):
        with pytest.raises(
            UserError, match=rf"cache={kind} .*Set data\.augmentation=null, or cache=off"
        ):
            cached_activations(small_predictor(), data, settings(kind, tmp_path))
    caplog.set_level(logging.INFO)
    assert cached_activations(small_predictor(), data, settings("auto", tmp_path)) is None
    assert "the predictor runs in each epoch" in caplog.text


def test_auto_takes_memory_then_disk_then_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    auto = settings("auto", tmp_path / "not yet there")
    assert cached_activations(small_predictor(), small_data(), auto)
    assert not auto.folder.exists()
    monkeypatch.setattr(activation_cache, "free_memory", lambda: 3 * ROW * (N + N_TEST))
    assert cached_activations(small_predictor(), small_data(), auto)
    assert len(list(auto.folder.iterdir())) == 3
    monkeypatch.setattr(activation_cache, "_free_disk", lambda folder: 1000)
    assert cached_activations(small_predictor(), small_data(), auto), "what is there needs no space"
    assert cached_activations(small_predictor(), small_data(seed=4, validation=14), auto) is None
    assert re.search(
        r"would take 0\.0\d MB\. Free are 0\.\d+ MB of memory and 0\.00 MB in .*: too little",
        caplog.text,
    )


@pytest.mark.parametrize(("kind", "free"), [("ram", "free_memory"), ("disk", "_free_disk")])
def test_what_does_not_fit_is_refused_before_anything_is_computed(
    kind: str, free: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activation_cache, free, lambda *_: 1_000)
    predictor = small_predictor()
    predictor.network.forward = None
    with pytest.raises(
        UserError,
        match=r"101 images \(conv1, fc1: 2 layers of float16\) need 0\.0\d MB, and 0\.00 MB are "
        r"free .*cache=off",
    ):
        cached_activations(predictor, small_data(), settings(kind, tmp_path))


class Loud(nn.Sequential):
    """A network whose first layer gives 1e5 times what is in the image."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.body = nn.Flatten()
        self.loud = nn.Linear(64, 5)
        self.fc = nn.Linear(5, 3)
        with torch.no_grad():
            self.loud.weight.fill_(factor)
            self.fc.weight.mul_(1e-6)


def test_values_that_the_dtype_cannot_hold_are_reported(tmp_path: Path) -> None:
    predictor = Predictor(Loud(1e5), ["loud"], FACTS)
    with pytest.raises(
        UserError,
        match=r"Layer 'loud' gives values up to 3.*e\+06, and float16 ends at 65504\. "
        r"Set cache\.dtype=bfloat16",
    ):
        cached_activations(predictor, small_data(), settings("disk", tmp_path))
    assert cached_activations(predictor, small_data(), settings("disk", tmp_path, dtype="bfloat16"))
    with torch.no_grad():
        predictor.network.loud.bias[2] = float("nan")
    with pytest.raises(UserError, match=r"(logits|'loud') gives? values that are not finite"):
        cached_activations(predictor, small_data(), settings("ram", tmp_path, dtype="float32"))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"kind": "dsk"}, "Did you mean 'disk'"),
        ({"dtype": "int8"}, "float16"),
        ({"shard_bytes": 0}, "shard_bytes must be a whole number of at least 1"),
    ],
)
def test_settings_are_checked(option: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        CacheSettings(**option)


# ----------------------------------------------------------------------------------------- on disk
def test_fields_are_aligned_and_shards_equal(tmp_path: Path) -> None:
    record_small(tmp_path)
    for folder in tmp_path.iterdir():
        sizes = [file.stat().st_size for file in sorted(folder.glob("*.shard"))]
        assert len(set(sizes[:-1])) <= 1
    form = Layout.of(recorded_layout(tmp_path).fields, 1000, 10_000, 4)
    assert all(offset % ALIGNMENT == 0 for offset in form.offsets(form.rows_per_shard))
    assert form.rows_per_shard % form.chunk == 0
    assert form.total_bytes == sum(form.shard_bytes(shard) for shard in range(form.n_shards))
    assert Layout.read(form.described()) == form


def recorded_layout(root: Path) -> Layout:
    return Layout.read(caches(root)[0].contents)


def test_few_shards_are_mapped_at_once_and_none_after(tmp_path: Path) -> None:
    passes = record_small(tmp_path)

    def mapped() -> int:
        return Path("/proc/self/maps").read_text().count(".shard")

    if not Path("/proc/self/maps").exists():
        pytest.skip("the system does not tell what is mapped")
    counts = [mapped() for _ in passes.train_dataloader()]
    assert 1 <= max(counts) <= 2 * 4
    assert mapped() == 0


def test_a_writer_goes_on_at_the_first_missing_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, seen = DiskStore.put, []

    def stop(self: DiskStore, shard: int, memory: Tensor) -> None:
        if shard == 4:
            raise UserError("stopped")
        put(self, shard, memory)

    monkeypatch.setattr(DiskStore, "put", stop)
    with pytest.raises(UserError, match="stopped"):
        record_small(tmp_path / "broken")
    monkeypatch.undo()
    predictor = small_predictor()
    predictor.network.register_forward_hook(
        lambda _module, inputs, _output: seen.append(len(inputs[0]))
    )
    assert cached_activations(predictor, small_data(), on_disk(tmp_path / "broken"))
    assert sum(seen) == N + N_TEST - 4 * 8
    record_small(tmp_path / "whole")
    assert files(tmp_path / "broken") == files(tmp_path / "whole")


def files(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*.shard")}


def test_recording_leaves_no_thread_behind_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = threading.active_count()
    monkeypatch.setattr(activation_cache, "record", lambda *given: record(*given) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        record_small(tmp_path)
    assert threading.active_count() == before
