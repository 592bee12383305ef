"""The network of a fine-tune: token ids to logits, through an encoder that learns too."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.training.encoders.encoder import DIM, weights_folder
from workers.training.encoders.tuned import Tuned
from workers.training.models.networks import TextHead
from workers.training.recipes import FineTuneRecipe, Recipe

LINEAR = ("query", "key", "value", "dense")  # the encoder's linear layers: attention and what follows it
ALPHA = 2.0  # LoRA's scale is alpha / rank, alpha twice the rank: Hu et al. 2021 and peft's own examples
DOWN, UP = ".lora_A.default.weight", ".lora_B.default.weight"
ENCODER = "encoder."
POOL = 32  # batches whose texts are sorted together: few enough that a batch is still drawn by chance


class TunedNetwork(TextHead):
    """Token ids (n, length), 0 where a text has ended -> logits (n, classes). `head` and `body` read the vectors."""

    def __init__(self, recipe: FineTuneRecipe, classes: int) -> None:
        super().__init__(DIM, recipe.hidden, recipe.dropout, classes)
        self.short = False  # bfloat16, where the device computes it faster than float32
        self.encoder_learning_rate = recipe.encoder_learning_rate
        self.encoder = _encoder(recipe)
        self.vectors: Any = self._vectors  # compiled on a GPU

    def forward(self, ids: Tensor) -> Tensor:
        length = int(ids.ne(0).sum(dim=1).max())  # the longest of the batch; what is padding in all is not computed
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=self.short):
            vectors = self.vectors(ids[:, :length])
            return super().forward(vectors).float()

    def _vectors(self, ids: Tensor) -> Tensor:
        """(n, length) -> (n, 384) of length 1: the mean over the tokens, as the installed encoder takes it."""
        mask = ids.ne(0)
        told = self.encoder(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        weights = mask.unsqueeze(-1).to(told.dtype)
        mean = (told * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
        return F.normalize(mean, dim=1)

    def parameter_groups(self, recipe: Recipe) -> list[tuple[list[nn.Parameter], float]]:
        """The encoder learns slower than the head, which starts from nothing."""
        inside = [p for name, p in self.named_parameters() if name.startswith(ENCODER) and p.requires_grad]
        head = [p for name, p in self.named_parameters() if not name.startswith(ENCODER)]
        return [(inside, self.encoder_learning_rate), (head, recipe.learning_rate)]

    def arranged(self, order: Tensor, x: Tensor, batch_size: int, generator: torch.Generator) -> Tensor:
        """Texts of like length share a batch, so that little padding is computed; which texts, chance decides anew."""
        lengths, whole = x.ne(0).sum(dim=1).cpu(), len(order) // batch_size * batch_size
        pools = [order[start : start + POOL * batch_size] for start in range(0, whole, POOL * batch_size)]
        pools = [pool[: whole - i * POOL * batch_size] for i, pool in enumerate(pools)]
        batches = torch.cat([pool[lengths[pool].argsort(stable=True)] for pool in pools] or [order[:0]])
        places = torch.randperm(whole // batch_size, generator=generator)
        return torch.cat([batches.view(-1, batch_size)[places].view(-1), order[whole:]])

    def text_head(self, recipe: FineTuneRecipe) -> TextHead:
        """What reads the vectors, without the encoder."""
        alone = TextHead(DIM, recipe.hidden, recipe.dropout, self.head.out_features)
        alone.load_state_dict({n: v for n, v in self.state_dict().items() if not n.startswith(ENCODER)})
        return alone

    def tuned(self, recipe: FineTuneRecipe) -> Tuned:
        """What has to be kept of the encoder."""
        state = {n.removeprefix(ENCODER): v for n, v in self.state_dict().items() if n.startswith(ENCODER)}
        if recipe.adapter == "all":
            kept, scale = state, None
        else:
            kept = {n.replace(DOWN, ".down"): v for n, v in state.items() if n.endswith(DOWN)}
            kept |= {n.replace(UP, ".up"): v for n, v in state.items() if n.endswith(UP)}
            scale = ALPHA
        tensors = {name: value.detach().cpu().clone() for name, value in kept.items()}
        return Tuned(recipe.encoder, recipe.encoder_layers, recipe.max_length, scale, tensors)

    def multiplied(self) -> int:
        """Weights that each token is multiplied with, so without the tables that are only looked up."""
        tables = {id(m.weight) for m in self.encoder.modules() if isinstance(m, nn.Embedding)}
        return sum(p.numel() for p in self.encoder.parameters() if p.dim() > 1 and id(p) not in tables)


def tokens_of(texts: Sequence[str], max_length: int) -> Tensor:
    """(n, longest) int32, padded with 0 at the end."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(weights_folder()))
    found = tokenizer(list(texts), truncation=True, max_length=max_length, padding="longest", return_tensors="pt")
    return found["input_ids"].to(torch.int32)  # type: ignore[no-any-return]


def _encoder(recipe: FineTuneRecipe) -> Any:
    """The installed weights, and what of them learns."""
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # it would tell of the pooler, which nothing reads
    network = AutoModel.from_pretrained(
        str(weights_folder()),
        add_pooling_layer=False,
        hidden_dropout_prob=recipe.encoder_dropout,
        attention_probs_dropout_prob=recipe.encoder_dropout,
    )
    network.encoder.layer = network.encoder.layer[: recipe.encoder_layers]
    if recipe.adapter == "all":
        return network
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=round(ALPHA * recipe.lora_rank),
        lora_dropout=recipe.encoder_dropout,
        target_modules=list(LINEAR),
    )
    return inject_adapter_in_model(config, network)
