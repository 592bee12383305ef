"""From yesterday's weights to today's first step."""

import torch
from torch import nn

from workers.training.models.bundle import Bundle
from workers.training.models.networks import Network


def warm_start(
    module: Network, labels: tuple[str, ...], base: Bundle, shrink: float, perturb: float, generator: torch.Generator
) -> None:
    """Fill a fresh module from base: the body as it is, head rows by label name; a new label keeps its fresh row.

    Then shrink and perturb (Ash and Adams 2020, "On Warm-Starting Neural Network Training"): warm weight matrices are
    multiplied by shrink and get normal noise of deviation perturb. Biases and normalisation stay.
    """
    body = {name: value for name, value in base.module.state_dict().items() if not name.startswith("head.")}
    module.load_state_dict(body, strict=False)
    place = {label: row for row, label in enumerate(base.labels)}
    kept = [row for row, label in enumerate(labels) if label in place]
    source = [place[labels[row]] for row in kept]
    with torch.no_grad():
        module.head.weight[kept] = base.module.head.weight[source].to(module.head.weight.device)
        module.head.bias[kept] = base.module.head.bias[source].to(module.head.bias.device)
        for weight in _matrices(module):
            noise = torch.randn(weight.shape, generator=generator).to(weight.device)
            weight.mul_(shrink).add_(noise, alpha=perturb)


def _matrices(module: nn.Module) -> list[nn.Parameter]:
    return [weight for weight in module.parameters() if weight.dim() > 1]
