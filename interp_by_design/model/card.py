"""Model card of a saved interpreter."""

from __future__ import annotations

from huggingface_hub import ModelCard, ModelCardData

from interp_by_design.model.config import LIBRARY, Config
from interp_by_design.predictor import Preprocessing

TAGS = ["image-classification", "interpretability", "explainable-ai", "pytorch"]
MAX_LISTED = 20  # class names

TEXT = """# An interpreter of {network}

It explains each decision of {network} among {n_classes} classes by a few of {n_attributes}
attributes, which it computes from the hidden layers {layers}. The network itself is not included,
and is needed to use the interpreter.

```python
from interp_by_design import InterpretableModel

model = InterpretableModel.from_pretrained("this folder or repository", predictor=network)
print(model.explain(image))
```

- `network`: {network} as a `torch.nn.Module`, with weights of SHA-256 `{hash}`. Others are refused.
- `image`: [{shape}] in [0, 1]. The model prepares it itself: {preprocessing}.
- Classes: {classes}.

## What it was fitted to, and how well

{scores}

## What an explanation is, and is not

It lists the attributes that contribute to the interpreter's decision, and how much each
contributes. It explains the network as far as the two agree (`fidelity`). It does not prove that
the network uses these attributes and no others, that they mean what a person sees in them, or that
a decision is right.
"""


def card_of(config: Config, n_attributes: int) -> ModelCard:
    """Return the model card of a saved interpreter.

    Args:
        config: What is saved of it.
        n_attributes: J.
    """
    data = ModelCardData(library_name=LIBRARY, tags=list(TAGS), pipeline_tag="image-classification")
    seen, names = config.predictor, config.facts.class_names
    text = TEXT.format(
        network=seen.network,
        n_classes=len(names),
        n_attributes=n_attributes,
        layers=", ".join(f"`{name}`" for name in seen.hidden_layers),
        hash=seen.weights_sha256,
        shape=", ".join(map(str, config.facts.image_shape)),
        preprocessing=_described(seen.preprocessing),
        classes=", ".join(names[:MAX_LISTED])
        + (f", and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""),
        scores=_table(config),
    )
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{text}")


def _described(preprocessing: Preprocessing) -> str:
    normalisation = preprocessing.normalisation
    mean, std = (
        [round(value, 4) for value in values] for values in (normalisation.mean, normalisation.std)
    )
    size = (
        f"resized to {preprocessing.size[0]} x {preprocessing.size[1]}, "
        if preprocessing.size
        else ""
    )
    return (
        f"{size}colours in the order {preprocessing.colour_order}, mean {mean}, "
        f"standard deviation {std}"
    )


def _table(config: Config) -> str:
    if not config.scores:
        return "No scores were recorded."
    rows = [f"| {name} | {value:.4g} |" for name, value in config.scores.items()]
    return "\n".join(["| score | value |", "|---|---|", *rows])
