"""A sentence encoder from a folder that somebody brought, as sentence-transformers saves one."""

from pathlib import Path

from workers.training.encoders.encoder import EncoderMissing, SentenceEncoder

PICKLED = ("*.bin", "*.pkl", "*.pt")  # may run code when they are read


class FolderEncoder(SentenceEncoder):
    """Any text encoder; its own dimension. Raises EncoderMissing in a sentence where the folder holds none."""

    def __init__(self, name: str, folder: Path) -> None:
        if not folder.is_dir():
            raise EncoderMissing(f"There is no folder {folder} that this worker could read.")
        if not (folder / "modules.json").exists():
            raise EncoderMissing(f"The folder of {name} has no modules.json: save it by SentenceTransformer.save().")
        pickled = [path.name for pattern in PICKLED for path in folder.rglob(pattern)]
        if pickled and not list(folder.rglob("*.safetensors")):
            raise EncoderMissing(f"The weights of {name} are a pickle ({pickled[0]}); save them as safetensors.")
        try:
            super().__init__(folder)
        except Exception as fault:  # a library's, of a stranger's file
            raise EncoderMissing(f"The folder of {name} cannot be loaded: {fault}") from fault
        self.name = name
        self.dim = int(self._network.get_embedding_dimension() or 0)
        if not self.dim:
            raise EncoderMissing(f"The folder of {name} holds a network that makes no sentence vectors.")
