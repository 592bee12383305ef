"""Encoders, and the vectors that they have made."""

from apps.features.models.encoders import Encoder, EncoderState, WeightsIn
from apps.features.models.shards import EmbeddingShard

__all__ = ["EmbeddingShard", "Encoder", "EncoderState", "WeightsIn"]
