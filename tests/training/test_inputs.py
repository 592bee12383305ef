import io

import numpy as np
import pytest
import torch
from PIL import Image

from tests.training.samples import digits, png
from workers.training.models.inputs import ImageInput, TabularInput, TextInput


def test_grey_digits_stay_eight_by_eight_with_their_values():
    rows, _ = digits(20)
    learned = ImageInput.fit(rows)
    assert learned == ImageInput(side=8, channels=1)
    pixels = np.asarray(Image.open(io.BytesIO(rows[3])), dtype=np.float32)
    assert torch.equal(learned.tensor(rows)[3, 0], torch.from_numpy(pixels / 255))


@pytest.mark.parametrize(("size", "side"), [((4, 4), 8), ((30, 20), 30), ((300, 10), 64)])
def test_the_side_of_images_is_kept_between_8_and_64(size, side):
    row = png(np.zeros((size[1], size[0], 3), dtype=np.uint8))
    learned = ImageInput.fit([row])
    assert learned == ImageInput(side=side, channels=3)
    assert learned.tensor([row]).shape == (1, 3, side, side)


def test_sixteen_bit_grey_is_scaled_and_not_cut():
    row = png(np.full((8, 8), 65535 // 2, dtype=np.uint16))
    assert ImageInput(8, 1).tensor([row]).mean().item() == pytest.approx(0.5, abs=0.01)


def test_bytes_that_are_no_image_become_nan_and_the_rest_is_read():
    rows, _ = digits(2)
    found = ImageInput(8, 1).tensor([b"no image", rows[0], rows[1][:40]])
    assert found.flatten(1).isfinite().all(dim=1).tolist() == [False, True, False]


ROWS = [
    {"age": 30, "job": "baker", "zip": "12"},
    {"age": "50", "job": "nurse", "zip": None},
    {"age": None, "job": "baker", "zip": "14"},
    {"age": float("nan"), "job": "nurse", "zip": ""},
]


def test_a_column_is_numeric_when_all_it_holds_are_numbers():
    learned = TabularInput.fit(ROWS)
    assert learned.numbers == (("age", 40.0, 10.0), ("zip", 13.0, 1.0))
    assert learned.categories == (("job", ("baker", "nurse")),)


def test_digits_with_a_leading_zero_are_codes_and_so_is_their_whole_column():
    rows = [
        {"zip": code, "price": price} for code, price in (("02134", "0.5"), ("10115", "0"), ("10115", 3), ("02134", 4))
    ]
    fitted = TabularInput.fit(rows)
    assert fitted.numeric == {"price"} and fitted.categories == (("zip", ("02134", "10115")),)
    assert fitted.tensor([{"zip": "2134", "price": 1}])[0, -1] == 0, "another code"


def test_missing_cells_are_the_mean_and_marked_and_unknown_values_are_bucket_zero():
    learned = TabularInput.fit(ROWS)
    found = learned.tensor([ROWS[0], ROWS[3], {"age": "old", "job": "astronaut", "new": 1}])
    # age, zip, age missing, zip missing, job
    assert found.tolist() == [[-1, -1, 0, 0, 1], [0, 0, 1, 1, 2], [0, 0, 1, 1, 0]]


def test_a_value_seen_once_teaches_the_unknown_bucket():
    assert TabularInput.fit([{"c": "a"}, {"c": "a"}, {"c": "b"}]).categories == (("c", ("a",)),)


def test_an_outlier_cannot_explode():
    assert TabularInput((("age", 0.0, 1.0),), ()).tensor([{"age": 1e30}])[0, 0] == 8.0


def test_embeddings_of_another_encoder_are_refused():
    with pytest.raises(ValueError, match="Embeddings have 5 numbers; this model was trained on 384"):
        TextInput(384).tensor(np.zeros((2, 5), dtype=np.float32))


@pytest.mark.parametrize("learned", [TextInput(384), ImageInput(28, 1), TabularInput.fit(ROWS)])
def test_what_was_learned_survives_json(learned):
    import json

    assert type(learned).from_json(json.loads(json.dumps(learned.to_json()))) == learned
