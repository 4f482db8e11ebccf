"""LIME and VIBI find what a planted classifier looks at, and are what the formulas say."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from captum.attr import Lime
from torch import Tensor

from benchmarks import lime, vibi
from benchmarks.fidelity_baselines import (
    Found,
    Settings,
    about,
    kept,
    measured,
    row,
    table_rows,
    verdict,
)
from benchmarks.image_chunks import ImageChunks, largest
from benchmarks.linear import Loss
from interp_by_design.data.split import TensorSplit
from interp_by_design.run.saved_run import SavedRun
from interp_by_design.terms import DataFacts, Normalisation, UserError
from tests.small import small_model

GRID = ImageChunks(8, 8, 2)  # 16 chunks
LOOKED_AT = 6


def looks_at_one(images: Tensor) -> Tensor:
    """f that decides class 1 where chunk 6 (rows 2 and 3, columns 4 and 5) is bright."""
    bright = 20 * (images[:, :, 2:4, 4:6].mean(dim=(1, 2, 3)) - 0.4)
    return torch.stack([-bright, bright, torch.full_like(bright, -3.0)], dim=1)


def test_chunks_cover_the_image_row_by_row() -> None:
    shown = torch.rand(3, 16)
    mask = GRID.mask(shown)
    for n in range(3):
        for y in range(8):
            for x in range(8):
                assert mask[n, 0, y, x] == shown[n, (y // 2) * 4 + x // 2]
    assert largest(torch.tensor([[0.1, 0.4, -2.0, 0.3]]), 2).tolist() == [
        [False, True, False, True]
    ]
    with pytest.raises(UserError, match="3 x 3 pixels do not cover"):
        ImageChunks(8, 8, 3)


@pytest.mark.parametrize("loss", ["ridge", "logistic"])
@pytest.mark.parametrize("k", [None, 1])
def test_lime_finds_the_chunk_that_f_looks_at(loss: Loss, k: int | None) -> None:
    bright, dark = torch.full((1, 1, 8, 8), 0.9), torch.full((1, 1, 8, 8), 0.9)
    dark[:, :, 2:4, 4:6] = 0.1
    draws = torch.Generator().manual_seed(0)
    seen = lime.neighbours(looks_at_one, bright, GRID, draws)
    kind = lime.Kind(loss, k)
    found = lime.surrogates(seen, [kind])[kind]
    weight = found.coefficients[1].abs()
    assert found.decided == 1
    assert int(weight.argmax()) == LOOKED_AT
    others = weight[torch.arange(16) != LOOKED_AT]
    assert float(others.max()) < 0.05 * float(weight.max())
    assert found.coefficients[1, LOOKED_AT] > 0 > found.coefficients[0, LOOKED_AT]
    images = torch.cat([bright, dark, bright])
    decided = lime.decisions(looks_at_one, images, GRID, [kind], seed=0)[kind]
    assert decided.tolist() == looks_at_one(images).argmax(dim=1).tolist() == [1, 0, 1]


def test_lime_agrees_with_captum_on_what_matters() -> None:
    """Captum's own surrogate, of one class and by lasso, of the same f and chunks."""
    torch.manual_seed(0)
    image = torch.rand(1, 1, 8, 8) / 2 + 0.4

    def two(images: Tensor) -> Tensor:
        strength = 2 * images[:, :, 2:4, 4:6].mean(dim=(1, 2, 3)) - images[:, :, 6:, :2].mean(
            dim=(1, 2, 3)
        )
        return torch.stack([strength, -strength], dim=1)

    mask = GRID.mask(torch.arange(16.0)[None])[0].long()[None]
    theirs = Lime(lambda images: two(images).softmax(dim=1)).attribute(
        image,
        target=0,
        feature_mask=mask,
        n_samples=400,
        perturbations_per_eval=100,
        return_input_shape=False,
    )
    seen = lime.neighbours(two, image, GRID, torch.Generator().manual_seed(0))
    kind = lime.Kind("ridge")
    ours = lime.surrogates(seen, [kind])[kind].coefficients[0]
    assert int(theirs[0].argmax()) == int(ours.argmax()) == LOOKED_AT
    assert int(theirs[0].argmin()) == int(ours.argmin()) == 12
    assert torch.corrcoef(torch.stack([theirs[0].double(), ours]))[0, 1] > 0.95


def test_neighbours_are_weighted_as_written() -> None:
    seen = lime.neighbours(
        looks_at_one, torch.full((1, 1, 8, 8), 0.9), GRID, torch.Generator().manual_seed(1)
    )
    assert seen.shown[0].tolist() == [1.0] * 16
    assert 0.45 < float(seen.shown[1:].mean()) < 0.55
    for s in range(20):
        z = [float(value) for value in seen.shown[s]]
        cosine = sum(z) / (math.sqrt(sum(v * v for v in z)) * math.sqrt(16)) if sum(z) else 0.0
        assert float(seen.weights[s]) == pytest.approx(
            math.sqrt(math.exp(-((1 - cosine) ** 2) / 0.25**2)), rel=1e-5
        )
        left = torch.tensor(0.9 if z[LOOKED_AT] else 0.0)
        wanted = looks_at_one(left.expand(1, 1, 8, 8)).softmax(dim=1)[0]
        assert seen.probabilities[s].tolist() == pytest.approx(wanted.tolist(), abs=1e-6)


def test_a_relaxed_subset_is_between_nothing_and_k_chunks() -> None:
    draws = torch.Generator().manual_seed(0)
    log_p = (
        torch.tensor([[8.0, 7.0] + [0.0] * 14]).log_softmax(dim=1).repeat(200, 1).requires_grad_()
    )
    soft = vibi.relaxed_subset(log_p, 3, 0.5, draws)
    soft.sum().backward()  # type: ignore[no-untyped-call]
    assert log_p.grad is not None
    assert log_p.grad.abs().sum() > 0
    soft, hard = soft.detach(), vibi.relaxed_subset(log_p.detach(), 3, 1e-5, draws)
    assert 0 <= float(soft.min()) <= float(soft.max()) <= 1
    assert set(hard.round(decimals=2).flatten().tolist()) == {0.0, 1.0}
    assert float(hard.sum(dim=1).max()) <= 3.001
    # Three independent draws of the distribution: the chance of a chunk is 1 - (1 - p)^3.
    p = log_p.detach().exp()[0]
    assert hard.mean(dim=0).tolist() == pytest.approx((1 - (1 - p) ** 3).tolist(), abs=0.1)


def test_the_divergence_from_uniform_is_the_sum_written_out() -> None:
    log_p = torch.randn(5, 16, generator=torch.Generator().manual_seed(0)).log_softmax(dim=1)
    sums = [sum(math.exp(v) * (v - math.log(1 / 16)) for v in row) for row in log_p.tolist()]
    assert float(vibi.from_uniform(log_p)) == pytest.approx(sum(sums) / 5, abs=1e-5)
    assert float(vibi.from_uniform(torch.zeros(2, 16).log_softmax(dim=1))) == pytest.approx(
        0, abs=1e-6
    )


def marked(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Grey noise with one bright chunk, one of its four pixels black: images, chunk, pixel."""
    draws = torch.Generator().manual_seed(seed)
    images = torch.rand(n, 1, 8, 8, generator=draws) * 0.3
    place, kind = torch.randint(16, (n,), generator=draws), torch.randint(4, (n,), generator=draws)
    for i in range(n):
        top, left = 2 * int(place[i] // 4), 2 * int(place[i] % 4)
        images[i, 0, top : top + 2, left : left + 2] = 1.0
        images[i, 0, top + int(kind[i]) // 2, left + int(kind[i]) % 2] = 0.0
    return images, place, kind


def reads_the_mark(images: Tensor) -> Tensor:
    """f that looks at the brightest chunk alone: class q where its pixel q is the darkest."""
    squares = images.reshape(-1, 4, 2, 4, 2).transpose(2, 3).reshape(-1, 16, 4)
    brightest = squares.sum(dim=2).argmax(dim=1)
    return -20 * squares[torch.arange(len(squares)), brightest]


def test_vibi_selects_the_one_chunk_that_reveals_the_class() -> None:
    """Of all classes but one: selecting anything else reveals the last, as the method allows."""
    images, _, kind = marked(2000, seed=0)
    assert reads_the_mark(images).argmax(dim=1).equal(kind)
    settings = vibi.VibiSettings(k=1, epochs=12, rate=1e-2)
    before = torch.get_rng_state()
    learned = vibi.learned(TensorSplit(images, kind), kind, 4, GRID, settings, seed=0)
    assert torch.equal(before, torch.get_rng_state())
    images, place, kind = marked(400, seed=1)
    with torch.no_grad():
        chosen = learned.log_probabilities(images).argmax(dim=1)
        kept = learned.selected(images)
    assert int((kept > 0).sum(dim=(1, 2, 3)).max()) <= 4
    found = [float((chosen == place)[kind == label].float().mean()) for label in range(4)]
    assert sorted(found)[1] > 0.98
    approximated, rationale = vibi.decisions(learned, reads_the_mark, TensorSplit(images, kind))
    assert float((approximated == kind).float().mean()) > 0.98
    assert float((rationale == kind)[chosen == place].float().mean()) == 1.0


def test_vibi_is_the_same_for_the_same_seed() -> None:
    images, _, kind = marked(200, seed=0)
    split, settings = TensorSplit(images, kind), vibi.VibiSettings(k=2, epochs=1)
    first, again, other = (vibi.learned(split, kind, 4, GRID, settings, seed) for seed in (0, 0, 1))
    assert torch.equal(first(images), again(images))
    assert not torch.equal(first(images), other(images))


def found(method: str, fidelity: float, network: str = "LeNet", data: str = "mnist") -> Found:
    return Found(data, network, method, 500, fidelity, 10.0)


def test_a_row_has_mean_deviation_and_its_difference_to_the_paper() -> None:
    lime_row = row(
        [found("LIME, logistic, all chunks", 95.0), found("LIME, logistic, all chunks", 97.0)]
    )
    assert lime_row == [
        *("mnist", "LeNet", "LIME, logistic, all chunks", 2, 500, 96.0, 1.41, 0.88),
        *("95.6 ± 0.4", 0.4, "within one deviation", 10.0),
    ]
    assert row([found("LIME, ridge", 95.0, data="digits")])[6:11] == [None, 0.97, None, None, ""]
    assert row([found("VIBI's chunks to f, 4 chunks", 90.0)])[8] is None
    assert verdict(90.0, 95.6, 0.4) == "misses by 5.20 more than one deviation"
    assert verdict(97.0, 95.6, 0.4) == "above by 1.00 more than one deviation"


def test_rows_of_a_network_stand_together_and_count_their_runs() -> None:
    lines = table_rows(
        [found("a", 1.0), found("a", 1.0, "Other"), found("b", 1.0), found("a", 3.0)]
    )
    assert [line[1:4] for line in lines] == [
        ["LeNet", "a", 2],
        ["LeNet", "b", 1],
        ["Other", "a", 1],
    ]


def test_earlier_rows_are_kept_unless_they_are_measured_again(tmp_path: Path) -> None:
    path, settings = tmp_path / "before.json", Settings(k=(4,))
    assert kept(settings, [], path) == ([], {})
    before = [found("a", 1.0), found("a", 2.0, "Other"), found("a", 3.0, data="quickdraw")]
    content = asdict(settings) | {
        "classes": {"quickdraw": "cat, dog"},
        "found": [asdict(each) for each in before],
    }
    path.write_text(json.dumps(content))
    assert kept(settings, [found("a", 5.0)], path) == (before[1:], {"quickdraw": "cat, dog"})
    with pytest.raises(UserError, match="made with other options"):
        kept(Settings(k=(8,)), [], path)
    assert "Classes of quickdraw here: cat, dog; in the paper: ant" in about(
        settings, {"quickdraw": "cat, dog"}
    )


def opened(folder: Path) -> SavedRun:
    """A run whose f reads the mark, and whose g is wrong on every fourth test image."""
    (folder / ".hydra").mkdir()
    (folder / ".hydra/overrides.yaml").write_text("- experiment=mnist_flint\n- seed=3\n")
    model = small_model(DataFacts((1, 8, 8), ("a", "b", "c", "d"), Normalisation()))
    splits, tables = {}, {}
    for split, n in (("train", 300), ("test", 40)):
        images, _, kind = marked(n, seed=n)
        logits = model.eval()(images, reconstruct=False).predictor.detach()
        wrong = logits.roll(1, dims=1)
        explained = torch.where((torch.arange(n) % 4 == 0)[:, None], wrong, logits)
        splits[split], tables[split] = (
            TensorSplit(images, kind),
            SimpleNamespace(predictor=logits, interpreter=explained),
        )
    data = SimpleNamespace(split=splits.__getitem__)
    run = SimpleNamespace(
        model=model,
        data=data,
        table=tables.__getitem__,
        seed=3,
        folder=SimpleNamespace(path=folder),
    )
    return cast("SavedRun", run)


def test_every_method_is_asked_about_the_f_of_a_run(tmp_path: Path) -> None:
    settings = Settings(images=20, chunk=2, k=(2,), epochs=1, seeds=2)
    run = opened(tmp_path)
    lines = list(measured(run, settings))
    assert {(each.data, each.network) for each in lines} == {("mnist", "LeNet")}
    methods = [each.method for each in lines]
    assert methods[:8] == methods[8:]
    assert methods[:4] == [
        f"LIME, {loss}, {used}"
        for loss in ("logistic", "ridge")
        for used in ("all chunks", "2 chunks")
    ]
    assert methods[4:8] == [
        "g, LIME's images",
        "VIBI, 2 chunks, beta 0.01",
        "VIBI's chunks to f, 2 chunks, beta 0.01",
        "g, all test images",
    ]
    assert [each.images for each in lines[:8]] == [20] * 5 + [40] * 3
    assert lines[7].fidelity == lines[15].fidelity == 75.0
    assert all(0 <= each.fidelity <= 100 for each in lines)
    again = list(measured(run, settings))
    assert [each.fidelity for each in again] == [each.fidelity for each in lines]
