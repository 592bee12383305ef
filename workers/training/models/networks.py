"""The three networks. Each ends in `head`, the linear layer whose rows are the labels, and takes one tensor."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.training.models.boosted import TableSiblings
from workers.training.models.words import WordRegression
from workers.training.recipes import Recipe

BESIDE, WORDS = "beside.", "words."


class Network(nn.Module):
    head: nn.Linear

    def parameter_groups(self, recipe: Recipe) -> list[tuple[list[nn.Parameter], float]]:
        """What is trained, and the peak of its learning rate."""
        return [(list(self.parameters()), recipe.learning_rate)]

    def arranged(self, order: Tensor, x: Tensor, batch_size: int, generator: torch.Generator) -> Tensor:
        """The rows of an epoch in the order in which they are taken, given a random one."""
        return order

    def trained_state(self) -> dict[str, Tensor]:
        """All that training changes; what is frozen is read from where it came from."""
        frozen = {name for name, parameter in self.named_parameters() if not parameter.requires_grad}
        return {name: value for name, value in self.state_dict().items() if name not in frozen}

    def make_room(self, state: Mapping[str, Tensor]) -> None:
        """For what a saved state holds beside the layers that every network of this kind has."""


class TextHead(Network):
    """Sentence embedding (n, dim) -> logits (n, classes). hidden = 0 is plain softmax regression.

    Rows may be longer: then the indices of their words follow (see `words.packed`), and what `words` makes of those is added.
    It is trained alone.
    """

    def __init__(self, dim: int, hidden: int, dropout: float, classes: int) -> None:
        super().__init__()
        self.dim = dim
        self.scale = dim**0.5  # embeddings have length 1, layers like entries of about 1
        self.body = (
            nn.Sequential(nn.Dropout(dropout / 2), nn.Linear(dim, hidden), nn.GELU(), nn.Dropout(dropout))
            if hidden
            else nn.Identity()
        )
        self.head = nn.Linear(hidden or dim, classes)
        self.words: WordRegression | None = None

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(x[:, : self.dim] * self.scale))
        if self.words is None or self.training or x.shape[1] == self.dim:
            return logits
        return self.words.blended(logits, x[:, self.dim :])

    def make_room(self, state: Mapping[str, Tensor]) -> None:
        if f"{WORDS}weight" in state:
            self.words = WordRegression.shaped(state, WORDS)


class SmallCnn(Network):
    """Images (n, channels, side, side) in [0, 1] -> logits (n, classes), for sides from 8 to 64.

    The image is halved until 4 to 7 pixels remain, so the last map costs the same at every size. In training each
    image is shifted by a random step, drawn from torch's own generator.
    """

    def __init__(self, channels: int, side: int, hidden: int, dropout: float, classes: int) -> None:
        super().__init__()
        self.shift = max(1, side // 14)
        layers: list[nn.Module] = [*_block(channels, 32)]
        width, remaining = 32, side
        if side >= 16:  # a full-size second layer would be four fifths of all the work
            layers.append(nn.MaxPool2d(2))
            remaining //= 2
        while remaining >= 8:
            layers += [*_block(width, 64), nn.MaxPool2d(2)]
            width, remaining = 64, remaining // 2
        self.body = nn.Sequential(
            *layers,
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(width * remaining**2, hidden or 128),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.head = nn.Linear(hidden or 128, classes)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            x = shifted(x, self.shift)
        logits: Tensor = self.head(self.body(2 * x - 1))
        return logits


class TabularNet(Network):
    """Numbers and category indices in one float tensor (n, numbers + categories) -> logits (n, classes).

    Index 0 of each category is "unknown" and starts at zero, so a value never seen is the average value. Where trees and a
    regression answer `beside` it, the three are blended; it is trained alone.
    """

    def __init__(self, numbers: int, categories: tuple[int, ...], hidden: int, dropout: float, classes: int) -> None:
        super().__init__()
        self.numbers, self.sizes, self.classes = numbers, categories, classes
        self.tables = nn.ModuleList(nn.Embedding(size, embedding_width(size)) for size in categories)
        for table in self.tables:
            assert isinstance(table, nn.Embedding)
            nn.init.normal_(table.weight, std=0.1)
            nn.init.zeros_(table.weight[0])
        width = numbers + sum(map(embedding_width, categories))
        hidden = hidden or 128
        self.body = nn.Sequential(
            nn.Linear(width, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.head = nn.Linear(hidden, classes)
        self.beside: TableSiblings | None = None

    def forward(self, x: Tensor) -> Tensor:
        index = x[:, self.numbers :].long()
        parts = [x[:, : self.numbers], *(table(index[:, i]) for i, table in enumerate(self.tables))]
        logits: Tensor = self.head(self.body(torch.cat(parts, dim=1)))
        if self.beside is None or self.training:
            return logits
        blended: Tensor = self.beside(logits, x)
        return blended

    def make_room(self, state: Mapping[str, Tensor]) -> None:
        if f"{BESIDE}shares" in state:
            self.beside = TableSiblings.shaped(self.numbers, self.sizes, self.classes, state, BESIDE)


def embedding_width(size: int) -> int:
    """
    >>> embedding_width(3), embedding_width(1000)
    (2, 16)
    """
    return min(16, 1 + size // 2)


def shifted(x: Tensor, most: int) -> Tensor:
    """Each image moved by up to `most` pixels both ways, edges filled with zeros: (n, c, s, s) -> same."""
    n, side = len(x), x.shape[-1]
    down, right = torch.randint(0, 2 * most + 1, (2, n), device=x.device)
    windows = F.pad(x, (most,) * 4).unfold(2, side, 1).unfold(3, side, 1)
    return windows[torch.arange(n, device=x.device), :, down, right]


def _block(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
