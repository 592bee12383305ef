"""What every installed encoder does: vectors of its dimension and of length 1, the same twice, zeros for what it cannot read."""

import io

import numpy as np
import pytest
from PIL import Image

from apps.features.models import Encoder
from apps.features.selectors import default_for, encoders_for
from apps.features.services import encoders_sweep
from apps.projects.task_types import TASK_TYPES
from apps.rules.encoders import ENCODERS, READS_LIKE, reading
from tests.conftest import NOON
from workers.training.encoders.encoder import encoded, encoder

every = pytest.mark.parametrize("installed", ENCODERS.values(), ids=lambda e: e.name)


def picture(shade: int) -> bytes:
    pixels = np.zeros((24, 24), np.uint8)
    pixels[:, shade:] = 200
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "PNG")
    return sink.getvalue()


ROWS = {
    "text": ["my card is lost", "the weather is fine", "send it back"],
    "image": [picture(4), picture(12), picture(20)],
    "tabular": [{"age": 30, "city": "Bonn"}, {"age": 70, "city": "Rome"}, {"city": "Rome"}],
}


def rows_for(installed):
    return ROWS[READS_LIKE.get(installed.payloads[0], installed.payloads[0])]


@every
def test_its_vectors_are_of_length_one_and_the_same_twice(installed):
    vectors = encoded(installed.name, rows_for(installed))
    assert vectors.shape == (3, installed.dim) and encoder(installed.name).dim == installed.dim
    assert np.allclose(np.linalg.norm(vectors.astype(float), axis=1), 1, atol=2e-3)
    again = installed.load().encode(rows_for(installed)[::-1])[::-1]
    assert np.allclose(vectors.astype(float), np.asarray(again, dtype=float), atol=2e-2), (
        "order and company do not matter"
    )


@every
def test_what_differs_has_another_vector(installed):
    first, second, _ = encoded(installed.name, rows_for(installed)).astype(float)
    assert first @ second < 0.999


@every
def test_a_row_that_it_cannot_read_gets_zeros_and_costs_the_others_nothing(installed):
    good = rows_for(installed)[0]
    vectors = encoded(installed.name, [good, object(), good]).astype(float)
    assert not vectors[1].any() and np.linalg.norm(vectors[0]) > 0.99 and np.linalg.norm(vectors[2]) > 0.99


@pytest.mark.django_db
@pytest.mark.parametrize("task", TASK_TYPES.values(), ids=lambda t: t.name)
def test_every_task_type_has_one(task):
    assert default_for(task.name) == reading(task.payload.name)[0].name
    assert next(iter(encoders_for(task.name))) == default_for(task.name)


@pytest.mark.django_db
def test_one_of_an_installed_package_gets_a_row_and_is_offered(install):
    install(
        ENCODERS,
        "acme-encoders",
        """
        import numpy as np
        from apps.rules.encoders import InstalledEncoder

        class Length:
            name, dim = "acme-length", 2

            def encode(self, payloads):
                return np.array([[1.0, 0.0] if len(p) > 9 else [0.0, 1.0] for p in payloads], np.float16)

        ADDED = InstalledEncoder("acme-length", "Long or short", ("text",), 2, "acme_encoders:Length")
        """,
        point="acme_encoders:ADDED",
    )
    encoders_sweep(NOON)
    encoders_sweep(NOON)
    row = Encoder.objects.get(name="acme-length")
    assert (row.title, row.dim, row.state, row.weights_in) == ("Long or short", 2, "ready", "package")
    assert "acme-length" in encoders_for("text-classification") and "acme-length" not in encoders_for("image-boxes")
    assert encoded("acme-length", ["short", "a long sentence"]).tolist() == [[0, 1], [1, 0]]


@pytest.mark.django_db
def test_a_package_that_takes_the_name_of_a_brought_one_does_not_mix_their_vectors(install):
    brought = Encoder.objects.create(
        name="acme-x",
        title="Ours",
        payload="text",
        dim=384,
        weights_in="folder",
        url="/x",
        state="ready",
        added_at=NOON,
    )
    code = """
        from apps.rules.encoders import InstalledEncoder
        ADDED = InstalledEncoder("acme-x", "Theirs", ("text",), 2, "nowhere:Nothing")
        """
    install(ENCODERS, "acme-x", code, point="acme_x:ADDED")
    encoders_sweep(NOON)
    brought.refresh_from_db()
    assert (brought.state, brought.error) == ("failed", "An installed package has brought an encoder of this name.")
