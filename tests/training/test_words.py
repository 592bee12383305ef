"""What the letters of a text add to its vector, and that each way of asking says the same."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.training.recipes import recipe_for
from workers.predictor import answers
from workers.training.fit.loop import fit
from workers.training.fit.words import WordCounts, fitted_words, naive_bayes, softmax_regression, word_share
from workers.training.models.bundle import Bundle, dump, load, predict
from workers.training.models.networks import TextHead
from workers.training.models.score import VectorScorer
from workers.training.models.words import MOST_GRAMS, NOTHING, TextRows, WordRegression, grams, packed
from workers.training.standalone import Model

TEXTS = "text-classification"
LABELS = ("bill", "claim")
NOUNS = ("order", "parcel", "letter", "invoice", "card", "account")
QUICK = replace(recipe_for(TEXTS), epochs=4, least_steps=40, hidden=16, encoder="toy")


def texts(n: int, seed: int = 0) -> tuple[TextRows, NDArray[np.int64]]:
    """The label stands in a code alone; the vectors (n, 8) know half of it at best."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    said = [
        f"About my {NOUNS[rng.integers(6)]} {'QX' if each else 'ZK'}-{rng.integers(100, 999)}, please." for each in y
    ]
    vectors = rng.normal(size=(n, 8)) + 0.5 * y[:, None]
    return TextRows((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), said), y


@pytest.fixture(scope="module")
def learned() -> Bundle:
    rows, y = texts(400)
    return fit(rows, y, LABELS, QUICK).bundle


def right(bundle: Bundle, rows: Any, y: NDArray[np.int64]) -> float:
    return float((predict(bundle, rows).argmax(axis=1) == y).mean())


def test_a_code_that_no_vector_knows_is_learned(learned: Bundle) -> None:
    rows, y = texts(300, seed=1)
    assert right(learned, rows, y) > 0.98
    assert right(learned, rows.vectors, y) < 0.9, "without texts the network answers alone"


def test_few_labels_are_judged_in_folds_and_fewer_by_nobody() -> None:
    told: list[str] = []
    rows, y = texts(60)
    found = fit(rows, y, LABELS, QUICK, on_notice=told.append).bundle
    asked, truth = texts(200, seed=2)
    assert found.reads_words and right(found, asked, truth) > 0.95
    assert told[-1].startswith("log-loss by 60 rows that neither saw: vectors alone ")
    assert not fit(rows[:30], y[:30], LABELS, QUICK).bundle.reads_words


def test_words_that_say_nothing_are_left_out() -> None:
    told: list[str] = []
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=300)
    vectors = np.eye(8, dtype=np.float32)[y * 3]
    rows = TextRows(vectors, [f"number {rng.integers(10_000)}" for _ in y])
    assert not fit(rows, y, LABELS, QUICK, on_notice=told.append).bundle.reads_words
    assert told == ["words add nothing to the vectors, by 30 rows that neither saw"]


def test_saved_loaded_asked_by_the_predictor_and_by_the_download_it_says_the_same(
    learned: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, _ = texts(50, seed=3)
    expected, blob = predict(learned, rows), dump(learned)
    assert np.array_equal(predict(load(blob), rows), expected)
    monkeypatch.setattr(answers, "encoder_ready", lambda name: SimpleNamespace(encode=lambda said: rows.vectors))
    request = SimpleNamespace(inputs=[SimpleNamespace(name="text", shape=[50], data=list(rows.texts))])
    assert np.allclose(answers.answer(learned, request), expected, atol=1e-6)
    (tmp_path / "model.safetensors").write_bytes(blob)
    said = [[row["probabilities"][x] for x in LABELS] for row in Model(tmp_path).answer(rows.texts, rows.vectors)]
    np.testing.assert_allclose(said, expected, atol=1e-5)


def test_requests_that_go_together_keep_their_texts(learned: Bundle) -> None:
    rows, _ = texts(9, seed=4)
    together = answers.apart(lambda asked: answers.predicted(learned, asked), [rows[:4], rows[4:5], rows[5:]])
    assert np.allclose(np.concatenate(together), predict(learned, rows), atol=1e-6)  # type: ignore[arg-type]


def test_the_pool_is_scored_by_vectors_alone(learned: Bundle) -> None:
    rows, _ = texts(20, seed=5)
    scored = VectorScorer(learned)(rows.vectors.astype(np.float16))
    assert np.allclose(scored, predict(learned, rows.vectors), atol=0.01)


def test_an_incremental_run_goes_on_from_the_words_of_its_base(learned: Bundle) -> None:
    """One of its two codes is not met again, and is still known."""
    told: list[str] = []
    new, y = texts(200, seed=6)
    said = [
        text.replace("QX", "KW").replace("my", "our" if each else "the")
        for text, each in zip(new.texts, y, strict=True)
    ]
    rows = TextRows(new.vectors, said)
    recipe = replace(recipe_for(TEXTS, "incremental"), epochs=1, least_steps=5, encoder="toy")
    found = fit(rows, y, LABELS, recipe, base=learned, on_notice=told.append).bundle
    assert told == ["the regression on words goes on from the base’s with 200 texts"]
    assert found.preprocessor == learned.preprocessor
    before, after = (each.module.words for each in (learned, found))  # type: ignore[union-attr]
    assert isinstance(before, WordRegression) and isinstance(after, WordRegression)
    assert torch.equal(before.known, after.known) and not torch.equal(before.weight, after.weight)
    asked, truth = texts(200, seed=7)
    assert right(found, asked, truth) > 0.95, "what it knew"


def test_where_words_turn_with_time_it_says_what_random_rows_would_have_promised() -> None:
    early, y = texts(340)
    late, turned = texts(60, seed=10)
    told: list[str] = []
    rows = TextRows(np.concatenate([late.vectors, early.vectors]), [*late.texts, *early.texts])
    truth = np.concatenate([1 - turned, y])
    times = [*range(1000, 1060), *range(340)]
    fit(rows, truth, LABELS, QUICK, times=times, on_notice=told.append)
    promised, said = told[1].split("accuracy of ")[1].split(", later rows say ")
    assert float(promised.rstrip("%")) > 75 and float(said.rstrip("%")) < 20, told
    told.clear()
    fit(rows, truth, LABELS, QUICK, on_notice=told.append)
    assert len(told) == 1, "nobody gave moments"


def test_columns_go_by_the_names_of_labels(learned: Bundle) -> None:
    rows, y = texts(100, seed=8)
    recipe = replace(recipe_for(TEXTS, "incremental"), epochs=1, least_steps=5, encoder="toy")
    turned = fit(rows, 1 - y, LABELS[::-1], recipe, base=learned).bundle
    assert right(turned, rows, 1 - y) > 0.95


def test_a_text_is_read_up_to_a_bound_and_an_empty_one_is_nothing() -> None:
    long = " ".join(f"word{n}" for n in range(50_000))
    assert len(grams(long)) == MOST_GRAMS and grams(long) == sorted(set(grams(long)))
    assert packed([""]).tolist() == [[NOTHING]] and packed([]).shape == (0, 1)
    assert len(set(grams("naïve 東京 \ud800"))) == len(grams("naïve 東京 \ud800")) > 5


def test_the_module_says_what_the_regression_was_fitted_to() -> None:
    rows, y = texts(120, seed=9)
    counts = WordCounts.of(rows.texts)
    found = fitted_words(counts, np.arange(100), y, 2, np.ones(120))
    asked = np.arange(100, 120)
    module = found.module(1.0, 1.0)
    said = module(torch.from_numpy(packed([rows.texts[i] for i in asked])))
    np.testing.assert_allclose(said.numpy(), found.logits(counts, asked), atol=0.01)  # weights are kept as float16


def test_it_is_the_regression_that_scikit_learn_fits() -> None:
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 5)).astype(np.float32), rng.integers(3, size=200)
    counts = rng.uniform(0.5, 2, 200)
    ours = softmax_regression(sparse.csr_matrix(x), y, counts, np.zeros((6, 3)), 1.0, rounds=500)
    theirs = LogisticRegression(C=1.0).fit(x, y, sample_weight=counts)
    expected = theirs.predict_proba(x)
    logits = x @ ours[:-1] + ours[-1]
    found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_many_labels_are_learned_in_one_pass_and_stay_as_they_are_in_an_incremental_run() -> None:
    rng = np.random.default_rng(0)
    labels = tuple(f"kind {n}" for n in range(12))
    y = rng.integers(12, size=600)
    rows = TextRows(
        rng.normal(size=(600, 8)).astype(np.float32), [f"about {'qwxzkjvpfmgh'[each] * 4} today" for each in y]
    )
    base = fit(rows, y, labels, QUICK).bundle
    assert base.reads_words and right(base, rows, y) > 0.95 > right(base, rows.vectors, y) + 0.5
    told: list[str] = []
    recipe = replace(recipe_for(TEXTS, "incremental"), epochs=1, least_steps=5, encoder="toy")
    after = fit(rows[:60], y[:60], labels, recipe, base=base, on_notice=told.append).bundle
    assert told == ["words say what they said in the base; the next full run learns them anew"]
    assert torch.equal(after.module.words.weight, base.module.words.weight)  # type: ignore[union-attr]


def test_a_label_without_a_row_says_nothing_in_naive_bayes() -> None:
    from scipy import sparse

    x = sparse.csr_matrix(np.array([[1, 0, 0], [0, 1, 0], [0, 1, 1]], np.float32))
    found = naive_bayes(x, np.array([0, 1, 1]), np.array([1.0, 1.0, 2.0]), 3)
    log_usual = np.log(np.array([1, 3, 2]) / 6)
    odds = np.log(
        (np.array([[1, 0, 0], [0, 3, 0], [0, 2, 0]]) + 60 * np.array([[1], [3], [2]]) / 6) / (np.array([1, 5, 0]) + 60)
    )
    np.testing.assert_allclose(found[:3], odds - odds.mean(axis=1, keepdims=True))
    np.testing.assert_allclose(odds[:, 2], log_usual)


def test_as_much_is_added_as_the_judges_like_best() -> None:
    y = np.array([0, 1] * 50)
    sure, blind, wrong = np.eye(2)[y] * 4, np.zeros((100, 2)), np.eye(2)[1 - y] * 4
    counts = np.ones(100)
    assert word_share(blind, sure, y, counts).share == 2.0
    assert word_share(sure, wrong, y, counts).share == 0.0
    half = np.where(np.arange(100)[:, None] < 50, wrong, sure)
    counted = np.where(np.arange(100) < 50, 0.0, 1.0)
    assert word_share(blind, half, y, counted).share == 2.0 and word_share(blind, half, y, 1 - counted).share == 0.0


def test_rows_as_an_array_are_their_vectors() -> None:
    rows, _ = texts(6)
    assert np.shape(rows) == (6, 8) and len(rows[1:3]) == 2 and list(rows[1:3].texts) == list(rows.texts)[1:3]
    assert np.array_equal(np.asarray(rows[np.array([5, 0])]), rows.vectors[[5, 0]])
    assert list(rows[np.array([5, 0])].texts) == [rows.texts[5], rows.texts[0]]
    assert isinstance(TextHead(8, 0, 0.0, 2)(torch.from_numpy(np.asarray(rows))), torch.Tensor)


def test_texts_are_fetched_once_they_are_needed() -> None:
    asked: list[int] = []

    def fetched() -> list[str]:
        asked.append(1)
        return ["a", "b"]

    rows = TextRows(np.zeros((2, 8), np.float32), fetched)
    part = rows[:1]
    assert not asked and list(part.texts) == ["a"] and list(rows.texts) == ["a", "b"] and asked == [1]
