"""Ask a downloaded model without the console: `python predict.py request.json`, or `Model(folder).answer(rows)`.

It needs torch, safetensors and numpy; Pillow for images; sentence-transformers where texts are to become vectors here.
Rows are dicts (tables), encoded images (bytes), texts, or an array (n, dim) of the encoder's vectors. Vectors that you made
yourself of texts are given beside them, `answer(texts, vectors)`: without the texts a model that reads words too says what its
network says of the vectors alone.
"""

import base64
import io
import json
import math
import re
import struct
import sys
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

MINILM = "all-minilm-l6-v2"  # is sentence-transformers/all-MiniLM-L6-v2


class Model:
    def __init__(self, folder: str | Path = ".") -> None:
        path = Path(folder) / "model.safetensors"
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            about = json.loads(json.loads(file.read(length))["__metadata__"]["fastloop"])
        self.labels: list[str] = about["labels"]
        self.temperature = float(about["temperature"])
        self.encoder: str = about["recipe"].get("encoder") or ""
        self.carries_encoder = "encoder" in about
        self.input: dict[str, Any] = about["preprocessor"]
        self.tensors = {name: t for name, t in load_file(path).items() if not name.startswith("encoder.")}

    def answer(self, rows: Any, vectors: Any = None) -> list[dict[str, Any]]:
        """The label of each row, how sure it is, and the probability of every label."""
        with torch.inference_mode():
            logits = self._logits(rows if vectors is None else vectors)
            if "words.weight" in self.tensors and len(rows) and isinstance(rows[0], str):
                logits = (logits + self.tensors["words.share"] * self._words(rows)) * self.tensors["words.scale"]
            found = (logits / self.temperature).softmax(dim=1)
        return [
            {
                "label": self.labels[int(row.argmax())],
                "confidence": float(row.max()),
                "probabilities": dict(zip(self.labels, row.tolist(), strict=True)),
            }
            for row in found
        ]

    def _logits(self, rows: Any) -> Tensor:
        kind = self.input.get("kind", "")
        if kind == "hashed":
            return self._hashed(rows)
        x = self._numbers(rows)
        if kind.startswith("linear-"):
            return F.logsigmoid(self._linear("head", x.flatten(1)))
        if "side" in self.input:
            return self._linear("head", self._convolved(2 * x - 1))
        if "dim" in self.input:
            x = x * self.input["dim"] ** 0.5
            return self._linear("head", F.gelu(self._linear("body.1", x)) if "body.1.weight" in self.tensors else x)
        network = self._linear("head", F.relu(self._linear("body.3", F.relu(self._linear("body.0", x)))))
        return self._beside(network, rows) if "beside.shares" in self.tensors else network

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return F.linear(x, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    def _numbers(self, rows: Any) -> Tensor:
        if "side" in self.input:
            return torch.stack([self._pixels(row) for row in rows])
        if "dim" in self.input:
            given = self._vectors(rows) if len(rows) and isinstance(rows[0], str) else rows
            return torch.from_numpy(np.array(given, dtype=np.float32))
        return self._table(rows)

    def _vectors(self, texts: list[str]) -> Any:
        if self.carries_encoder or self.encoder != MINILM:
            raise SystemExit(f"Make the vectors of “{self.encoder}” yourself and pass them as an array: see README.md.")
        from sentence_transformers import SentenceTransformer

        found = SentenceTransformer("sentence-transformers/all-MiniLM-L6-v2").encode(texts, normalize_embeddings=True)
        return np.asarray(found).astype(np.float16)

    def _pixels(self, encoded: bytes) -> Tensor:
        from PIL import Image, ImageOps

        side, channels = self.input["side"], self.input["channels"]
        with Image.open(io.BytesIO(encoded)) as image:
            turned = ImageOps.exif_transpose(image)
            if turned.mode.startswith("I"):  # 16 bits of grey
                turned = Image.fromarray((np.asarray(turned, np.float32) / 257).clip(0, 255).astype(np.uint8))
            fitted = turned.convert("L" if channels == 1 else "RGB")
        if fitted.size != (side, side):
            fitted = ImageOps.pad(fitted, (side, side), Image.Resampling.BILINEAR)
        pixels = np.asarray(fitted, dtype=np.float32).reshape(side, side, channels)
        return torch.from_numpy(pixels.transpose(2, 0, 1) / 255)

    def _convolved(self, x: Tensor) -> Tensor:
        """Convolutions with their normalization, halved where the side still has 8 pixels; then one layer."""
        remaining, first, place = self.input["side"], True, 0
        while f"body.{place}.weight" in self.tensors and self.tensors[f"body.{place}.weight"].dim() == 4:
            x = F.relu(
                self._normalized(f"body.{place + 1}", F.conv2d(x, self.tensors[f"body.{place}.weight"], padding=1))
            )
            halved = remaining >= 16 if first else True
            x = F.max_pool2d(x, 2) if halved else x
            remaining, first, place = remaining // (2 if halved else 1), False, place + (4 if halved else 3)
        last = max(
            int(name.split(".")[1]) for name in self.tensors if name.startswith("body.") and name.endswith(".bias")
        )
        return F.relu(self._linear(f"body.{last}", x.flatten(1)))

    def _normalized(self, name: str, x: Tensor) -> Tensor:
        mean, variance = self.tensors[f"{name}.running_mean"], self.tensors[f"{name}.running_var"]
        return F.batch_norm(x, mean, variance, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])

    def _table(self, rows: list[dict[str, Any]]) -> Tensor:
        numbers, chosen = self._cells(rows)
        parts = [F.embedding(index, self.tensors[f"tables.{place}.weight"]) for place, index in enumerate(chosen)]
        return torch.cat([numbers, *parts], dim=1)

    def _cells(self, rows: list[dict[str, Any]]) -> tuple[Tensor, list[Tensor]]:
        """Numbers and marks of missing ones (n, ...), and of each category the index (n,)."""
        columns, marks, chosen = [], [], []
        for name, mean, deviation in self.input["numbers"]:
            values = np.array([_number(row.get(name)) for row in rows], dtype=np.float64)
            columns.append(np.nan_to_num(np.clip((values - mean) / deviation, -8, 8), nan=0.0).astype(np.float32))
            marks.append(np.isnan(values).astype(np.float32))
        for name, known in self.input["categories"]:
            index = {value: i for i, value in enumerate(known, start=1)}
            chosen.append(torch.tensor([index.get(_word(row.get(name)), 0) for row in rows]))
        numbers = columns + marks
        dense = np.stack(numbers, axis=1) if numbers else np.zeros((len(rows), 0), np.float32)
        return torch.from_numpy(dense), chosen

    def _beside(self, network: Tensor, rows: list[dict[str, Any]]) -> Tensor:
        """Logarithms of the blend with boosted trees and a regression."""
        mine = {name.removeprefix("beside."): t for name, t in self.tensors.items() if name.startswith("beside.")}
        numbers, chosen = self._cells(rows)
        places = [index + start for index, start in zip(chosen, mine["regression.starts"], strict=True)]
        regression = numbers @ mine["regression.weight"][: numbers.shape[1]] + mine["regression.bias"]
        for index in places:
            regression = regression + mine["regression.weight"][index]
        codes = [mine["codes.codes"][index - numbers.shape[1]][:, None] for index in places]
        found = [network, self._boosted(mine, torch.cat([numbers.double(), *codes], dim=1)), regression]
        total = torch.zeros_like(network)
        for share, logits in zip(mine["shares"], found, strict=True):
            if logits.shape[1] < len(
                self.labels
            ):  # of the labels that it was fitted on; the others are hardly possible
                rest = (logits.logsumexp(dim=1, keepdim=True) - 12).expand(-1, len(self.labels)).clone()
                logits = rest.index_copy(1, mine["present"], logits)
            total += share * logits.softmax(dim=1)
        return total.clamp_min(1e-9).log()

    def _boosted(self, mine: dict[str, Tensor], x: Tensor) -> Tensor:
        trees = len(mine["trees.feature"])
        at = torch.zeros(len(x), trees, dtype=torch.long)
        own = torch.arange(trees).expand(len(x), trees)
        for _ in range(int(mine["trees.steps"])):
            feature, threshold = mine["trees.feature"].long()[own, at], mine["trees.threshold"][own, at]
            smaller = x.gather(1, feature) <= threshold
            at = torch.where(smaller, mine["trees.left"].long()[own, at], mine["trees.right"].long()[own, at])
        outputs = len(mine["trees.baseline"])
        raw = mine["trees.value"][own, at].reshape(len(x), -1, outputs).sum(dim=1) + mine["trees.baseline"]
        return (torch.cat([torch.zeros_like(raw), raw], dim=1) if outputs == 1 else raw).float()

    def _words(self, texts: list[str]) -> Tensor:
        """What a regression on hashed words, pairs and pieces of words says: (n, labels)."""
        known = {int(index): place for place, index in enumerate(self.tensors["words.known"])}
        weight, out = self.tensors["words.weight"].float(), []
        for text in texts:
            places = torch.tensor([known[index] for index in _grams(text) if index in known], dtype=torch.long)
            values = self.tensors["words.rarity"][places]
            out.append((values / values.norm().clamp_min(1e-9)) @ weight[places] + self.tensors["words.bias"])
        return torch.stack(out)

    def _hashed(self, rows: list[dict[str, Any]]) -> Tensor:
        places = {int(index): place for place, index in enumerate(self.tensors["known"])}
        weights, out = self.tensors["head.weight"].T, []
        for row in rows:
            total = self.tensors["head.bias"].clone()
            for name, slots in self.input["columns"]:
                for index, value in _features(name, row.get(name), self.input["bits"])[:slots]:
                    if index in places:
                        total += float(np.float32(value)) * weights[places[index]]
            out.append(total)
        return F.logsigmoid(torch.stack(out))


def _grams(text: str) -> list[int]:
    words = re.findall(r"\w+|[^\w\s]", text[:2000].casefold())
    found = {f"={word}" for word in words} | {f"{one} {two}" for one, two in pairwise(words)}
    for word in set(words):
        padded = f" {word} "
        found.update(padded[i : i + long] for long in (3, 4, 5) for i in range(len(padded) - long + 1))
    return sorted({1 + zlib.crc32(gram.encode("utf-8", "replace")) % ((1 << 18) - 1) for gram in found})[:1024]


def _features(name: str, cell: Any, bits: int) -> list[tuple[int, float]]:
    def place(word: str) -> int:
        return 1 + zlib.crc32(word.encode()) % ((1 << bits) - 1)

    if _word(cell) == "":
        return [(place(f"{name}\0"), 1.0)]
    number = _number(cell)
    if math.isnan(number):
        return [(place(f"{name}\0{part}"), 1.0) for part in str(cell).split("|")[:8]]
    bucket = f"{number:.0f}" if number.is_integer() else f"{number:.2g}"
    return [(place(name), number), (place(f"{name}\0{bucket}"), 1.0)]


def _number(cell: Any) -> float:
    """NaN where it is none."""
    try:
        value = float(cell)
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return value if math.isfinite(value) else math.nan


def _word(cell: Any) -> str:
    empty = cell is None or cell == "" or (isinstance(cell, float) and not math.isfinite(cell))
    return "" if empty else str(cell)


def rows_of(request: dict[str, Any]) -> Any:
    """Rows of a request in the words of the Open Inference Protocol v2, as signature.json has one."""
    columns = {each["name"]: each["data"] for each in request["inputs"]}
    if len(columns) == 1 and "text" in columns:
        return columns["text"]
    if len(columns) == 1 and "image" in columns:
        return [base64.b64decode(value) for value in columns["image"]]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    here = Path(__file__).parent
    print(json.dumps(Model(here).answer(rows_of(asked.get("example", asked))), ensure_ascii=False, indent=1))
