"""Where scikit-activeml has the same strategy, both say the same."""

import numpy as np
import pytest
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression

from apps.rules.acquisition import STRATEGIES, Candidates, CandidateScores, LabeledVectors
from apps.rules.acquisition.geometry import nearest_of, squared_lengths
from apps.rules.acquisition.gradients import gradient_gaps, pulls
from apps.rules.acquisition.typical import NEIGHBORS, typicality
from apps.rules.acquisition.uncertainty import mutual_information

pool = pytest.importorskip("skactiveml.pool")
SklearnClassifier = pytest.importorskip("skactiveml.classifier").SklearnClassifier
pytestmark = pytest.mark.filterwarnings("ignore")
ROWS, KNOWN = 120, 20


@pytest.fixture(scope="module")
def table():
    """x (120, 5) of length 1, y with the first 20 known, the fitted classifier, its probabilities of the other 100."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 5))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = np.full(ROWS, np.nan)
    y[:KNOWN] = np.arange(KNOWN) % 3
    model = SklearnClassifier(LogisticRegression(), classes=[0, 1, 2]).fit(x, y)
    return x, y, model, model.predict_proba(x[KNOWN:])


def utilities_of(query, x, y, **options):
    _, found = query.query(x, y, return_utilities=True, **options)
    return found[:, KNOWN:]


@pytest.mark.parametrize(
    ("name", "method"), [("least-confidence", "least_confident"), ("margin", "margin_sampling"), ("entropy", "entropy")]
)
def test_doubt_equals_the_utilities_of_uncertainty_sampling(table, name, method):
    x, y, model, probabilities = table
    (theirs,) = utilities_of(pool.UncertaintySampling(method=method), x, y, clf=model, fit_clf=False)
    ours = STRATEGIES[name].priority(CandidateScores(np.arange(len(probabilities)), probabilities), 0)
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_mutual_information_equals_the_utilities_of_greedy_bald(table):
    x, y, _, _ = table
    bagged = BaggingClassifier(LogisticRegression(), n_estimators=5, random_state=0)
    model = SklearnClassifier(bagged, classes=[0, 1, 2]).fit(x, y)
    votes = np.stack([member.predict_proba(x[KNOWN:]) for member in model.estimator_.estimators_])
    (theirs,) = utilities_of(pool.GreedyBALD(), x, y, ensemble=model, fit_ensemble=False)
    assert mutual_information(CandidateScores(np.arange(votes.shape[1]), None, votes)) == pytest.approx(
        theirs, abs=1e-6
    )


def test_squared_distances_of_gradients_are_the_chances_from_which_badge_draws(table):
    x, y, model, probabilities = table
    places, theirs = pool.Badge(random_state=0).query(
        x, y, clf=model, fit_clf=False, batch_size=4, return_utilities=True
    )
    pull, vectors = pulls(probabilities), x[KNOWN:]
    nearest = squared_lengths(pull) * squared_lengths(vectors)  # theirs counts the origin as chosen; the paper does not
    for turn in range(1, 4):
        chosen = [int(place) - KNOWN for place in places[:turn]]
        nearest = np.minimum(nearest, gradient_gaps(pull, vectors, chosen[-1]))
        ours, found = nearest / nearest.sum(), theirs[turn, KNOWN:]
        assert np.delete(ours, chosen) == pytest.approx(np.delete(found, chosen), abs=1e-9)


def test_badge_begins_with_the_same_example(table):
    x, y, model, probabilities = table
    (theirs,) = pool.Badge(random_state=0).query(x, y, clf=model, fit_clf=False, batch_size=1)
    candidates = Candidates(np.arange(KNOWN, ROWS), np.zeros(ROWS - KNOWN), probabilities, x[KNOWN:])
    labeled = LabeledVectors(x[:KNOWN], np.arange(KNOWN) % 3)
    assert candidates.ids[STRATEGIES["badge"].order(candidates, labeled, 1, 1, 0)].tolist() == [theirs]


def test_distance_to_the_nearest_label_equals_the_utilities_of_core_set(table):
    x, y, _, _ = table
    (theirs,) = utilities_of(pool.CoreSet(random_state=0), x, y)
    assert np.sqrt(nearest_of(x[KNOWN:], x[:KNOWN])) == pytest.approx(theirs, abs=1e-7)


def test_core_set_chooses_the_same_examples_in_the_same_order(table):
    x, y, _, _ = table
    theirs = pool.CoreSet(random_state=0).query(x, y, batch_size=30)
    candidates = Candidates(np.arange(KNOWN, ROWS), np.zeros(ROWS - KNOWN), None, x[KNOWN:])
    labeled = LabeledVectors(x[:KNOWN], np.arange(KNOWN) % 3)
    assert candidates.ids[STRATEGIES["core-set"].order(candidates, labeled, 30, 30, 0)].tolist() == list(theirs)


def test_typicality_equals_the_utilities_of_typi_clust_within_a_cluster(table):
    x, _, _, _ = table
    nothing = np.full(ROWS, np.nan)
    (theirs,) = pool.TypiClust(random_state=0, k=NEIGHBORS).query(x, nothing, return_utilities=True)[1]
    assert typicality(x, NEIGHBORS) == pytest.approx(theirs, rel=1e-4)


def test_typicality_and_typi_clust_choose_the_same_examples_where_clusters_lie_apart():
    sizes = [25, 20, 15, 10]
    x = np.repeat(np.eye(4), sizes, axis=0) + 0.1 * np.random.default_rng(1).normal(size=(sum(sizes), 4))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    theirs = pool.TypiClust(random_state=0, k=NEIGHBORS).query(x, np.full(len(x), np.nan), batch_size=4)
    candidates = Candidates(np.arange(len(x)), np.zeros(len(x)), None, x)
    nothing = LabeledVectors(np.empty((0, 4)), np.empty(0, np.int64))
    assert STRATEGIES["typicality"].order(candidates, nothing, 4, 4, 0).tolist() == list(theirs)
