"""A model as one archive: weights, manifest, labels, input signature, a program that asks it, and how to use all that."""

import hashlib
import json
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, BinaryIO

from django.utils.translation import gettext, gettext_lazy

from apps.errors import DomainError
from apps.integrations import wiring
from apps.integrations.ports import Unavailable
from apps.releases.models import ModelVersion
from apps.rules.signature import HeaderUnreadable, Signature, header_of, signature_of
from fastloop_console.machine.env import ROOT

KINDS = {  # of inputs, for a reader
    "number": gettext_lazy("number"),
    "category": gettext_lazy("one of some values"),
    "any": gettext_lazy("number or text"),
    "text": gettext_lazy("text"),
    "image": gettext_lazy("image, base64"),
}
PROGRAM = ROOT / "workers/training/standalone.py"  # read, never imported: it knows torch
PIECE = 1_000_000  # bytes


class ModelFileGone(DomainError):
    code = "model_file_gone"


@dataclass(frozen=True)
class ModelArchive:
    """A whole archive in a file without a name; the same model gives the same bytes, so a download can be resumed."""

    file: BinaryIO
    size: int
    name: str
    etag: str


def signature_read(version: ModelVersion) -> Signature:
    """From the header of its file. Raises ModelFileGone in words."""
    with _opened(version) as file:
        try:
            return signature_of(header_of(file))
        except HeaderUnreadable as cause:
            raise ModelFileGone(_gone(version, cause)) from cause


def signature_json(version: ModelVersion, signature: Signature) -> dict[str, Any]:
    return {
        "model_name": version.project.slug,
        "model_version": version.number,
        "inputs": [asdict(each) for each in signature.inputs],
        "outputs": signature.metadata_outputs,
        "labels": list(signature.labels),
        "encoder": signature.encoder,
        "example": signature.example,
    }


def archive_of(version: ModelVersion) -> ModelArchive:
    """Raises ModelFileGone where the file is not there, or is not what the run wrote."""
    signature = signature_read(version)
    folder = f"{version.project.slug}-v{version.number}"
    parts = {
        "README.md": _readme(version, signature),
        "manifest.json": _json(_manifest(version)),
        "labels.json": _json(list(signature.labels)),
        "signature.json": _json(signature_json(version, signature)),
        "predict.py": PROGRAM.read_text(encoding="utf-8"),
    }
    file: BinaryIO = tempfile.TemporaryFile()  # type: ignore[assignment]  # noqa: SIM115  closed with the response
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(_entry(f"{folder}/{name}", version.created_at), content)
        _weights_added(archive, f"{folder}/model.safetensors", version)
    size = file.tell()
    file.seek(0)
    print_of = hashlib.sha256("\0".join([version.run.weights_digest, *parts.values()]).encode()).hexdigest()[:32]
    return ModelArchive(file, size, f"{folder}.zip", f'"{print_of}"')


def _weights_added(archive: zipfile.ZipFile, name: str, version: ModelVersion) -> None:
    digest = hashlib.sha256()
    with _opened(version) as source, archive.open(_entry(name, version.created_at), "w", force_zip64=True) as target:
        while piece := source.read(PIECE):
            digest.update(piece)
            target.write(piece)
    if version.run.weights_digest and digest.hexdigest() != version.run.weights_digest:
        raise ModelFileGone(_gone(version, gettext("it is not what the run wrote.")))


def _entry(name: str, at: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, at.timetuple()[:6])
    entry.external_attr = 0o644 << 16
    return entry


def _opened(version: ModelVersion) -> BinaryIO:
    try:
        return open(wiring.storage().local_path(version.run.artifact_url), "rb")
    except (OSError, Unavailable) as cause:
        raise ModelFileGone(_gone(version, gettext("it is not there any more."))) from cause


def _gone(version: ModelVersion, cause: object) -> str:
    return gettext("The file of v{number} cannot be read: {cause}").format(number=version.number, cause=cause)


def _manifest(version: ModelVersion) -> dict[str, Any]:
    run = version.run
    return {
        "project": version.project.name,
        "model_name": version.project.slug,
        "model_version": version.number,
        "created_at": version.created_at.isoformat(),
        "verdict": version.report.outcome,
        "metrics": version.report.metrics,
        "holdout_examples": version.report.examples,
        "run": {"id": run.pk, "number": run.number, "kind": run.kind, "name": run.name, "seed": run.seed},
        "recipe": run.recipe,
        "data_version": run.dataset_version.number if run.dataset_version else None,
        "data_digest": run.dataset_version.digest if run.dataset_version else "",
        "labels": run.labels,
        "code_version": run.code_version,
        "packages": run.packages,
        "weights_sha256": run.weights_digest,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n"


def _readme(version: ModelVersion, signature: Signature) -> str:
    """For whoever has the archive and no console; in English, like the program beside it."""
    reads = ", ".join(f"`{each.name}` ({each.kind})" for each in signature.inputs[:20]) or "what signature.json says"
    return README.format(
        name=version.project.name,
        number=version.number,
        labels=len(signature.labels),
        reads=reads,
        vectors=_vectors_words(signature),
    )


def _vectors_words(signature: Signature) -> str:
    if not signature.encoder:
        return ""
    if "encoder" in signature.header:
        return CARRIES.format(encoder=signature.encoder)
    return VECTORS.format(encoder=signature.encoder)


VECTORS = """
## Texts and vectors

The model reads vectors of the encoder `{encoder}`, of length 1. `all-minilm-l6-v2` is `sentence-transformers/all-MiniLM-L6-v2`;
predict.py makes its vectors itself where sentence-transformers is installed. Of any other encoder, make the vectors with the
same weights as the console did and pass them, an array (n, dim), beside the texts: `answer(texts, vectors)`. A model that has
tensors under `words.` reads the words of the texts too; asked by vectors alone it says what its network says.
"""
CARRIES = """
## Texts and vectors

This model was fine-tuned together with its encoder `{encoder}`, whose changed weights are in model.safetensors under `encoder.`;
how they are laid over the encoder they come from stands in the file's header. predict.py asks the head and takes the vectors as
an array (n, dim); the console's own code (workers/training) makes them from texts.
"""
README = """# {name}, v{number}

| file | what it is |
|---|---|
| model.safetensors | the weights; its header holds labels, recipe and how rows are read, as JSON |
| manifest.json | where it comes from: run, data version, recipe, packages, metrics, SHA-256 of the weights |
| labels.json | the {labels} labels, in the order of the probabilities |
| signature.json | inputs with types, ranges and values seen in training, outputs, and a request |
| predict.py | asks the model; no console is needed |

## Ask it

    pip install torch safetensors numpy pillow
    python predict.py signature.json        # answers the request that stands there as an example
    python predict.py request.json          # any request in the words of the Open Inference Protocol v2

Or in Python:

    from predict import Model
    print(Model(".").answer(rows))

It reads {reads}. A number that is missing is the mean, a value never seen is an average one, as in the console.
Probabilities are calibrated by the temperature in the header.
{vectors}"""
