"""The model server: Open Inference Protocol v2 on the kserve SDK. It follows the champions and logs what it answers."""
