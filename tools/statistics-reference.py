#!/usr/bin/env python3
"""Write what NumPy, SciPy and scikit-learn compute, for the tests of the Statistics module to agree with.

Each case of Tests/StatisticsTests/Golden/reference.json holds an input, drawn with a fixed seed, and the expected
values. Both are synthetic. The tests read the file, so that they need none of the three packages:

    python3 -m venv /tmp/reference && /tmp/reference/bin/pip install numpy scipy scikit-learn
    /tmp/reference/bin/python tools/statistics-reference.py --check
"""

import argparse
import itertools
import json
import math
import pathlib
import sys

try:
    import numpy as np
    import scipy.spatial
    import scipy.stats
    import sklearn
    import sklearn.linear_model
    import sklearn.metrics
    import sklearn.model_selection
    import sklearn.naive_bayes
    import sklearn.neighbors
    import sklearn.preprocessing
except ImportError as error:
    MISSING = str(error)
else:
    MISSING = None

FILE = pathlib.Path(__file__).resolve().parent.parent / "Tests/StatisticsTests/Golden/reference.json"
# Values that a package draws at random: its own generator may change between releases.
RANDOM = {"scipyBootstrap": 0.02, "permutation": 0.02}
TOLERANCE = 1e-6


def draw_information(rng):
    cases = []
    for count, values, lean in ((40, 3, 0.0), (200, 8, 0.25), (300, 6, 0.6), (60, 8, 1.0)):
        positive = rng.random(count) < 0.3
        value = rng.integers(0, values, count)
        value = np.where(positive & (rng.random(count) < lean), value // 2, value)
        cases.append({"values": value.tolist(), "positive": positive.tolist(),
                      "groups": np.sort(rng.integers(0, 4, count)).tolist()})
    return {"cases": cases}


def information(values, positive):
    return sklearn.metrics.mutual_info_score(values, positive) / math.log(2)


def balanced_information(values, positive):
    table = sklearn.metrics.cluster.contingency_matrix(values, positive)
    # Each class as often as the other has observations: scikit-learn counts in whole numbers.
    table = table * table.sum(axis=0)[::-1]
    return float(sklearn.metrics.mutual_info_score(None, None, contingency=table) / math.log(2))


def corrected_information(values, positive):
    def entropy(items):
        counts = np.unique(np.asarray(items), return_counts=True, axis=0)[1]
        return scipy.stats.entropy(counts) + (len(counts) - 1) / (2 * counts.sum())
    pairs = list(zip(values, [int(p) for p in positive]))
    return max(0, float(entropy(values) + entropy(positive) - entropy(pairs)) / math.log(2))


def best_error(values, positive):
    """The error of the best of all rules, tried one by one."""
    values, positive = np.array(values), np.array(positive)
    kinds = np.unique(values)
    return min(
        1 - sklearn.metrics.balanced_accuracy_score(positive, np.isin(values, chosen))
        for size in range(len(kinds) + 1) for chosen in itertools.combinations(kinds, size))


def expect_information(data):
    results = []
    for case in data["cases"]:
        values, positive, groups = (np.array(case[k]) for k in ("values", "positive", "groups"))
        within = [(np.sum(groups == g), information(values[groups == g], positive[groups == g])) for g in set(groups)]
        results.append({
            "observed": information(values, positive), "balanced": balanced_information(values, positive),
            "corrected": corrected_information(values, positive), "bestError": best_error(values, positive),
            "within": sum(n * bits for n, bits in within) / len(values)})
    return results


def draw_permutation(rng):
    positive = rng.random(120) < 0.4
    return {"values": (rng.integers(0, 4, 120) + positive * (rng.random(120) < 0.25)).tolist(),
            "positive": positive.tolist()}


def expect_permutation(data):
    test = scipy.stats.permutation_test(
        (np.array(data["positive"], dtype=int),), lambda labels: information(data["values"], labels),
        permutation_type="pairings", n_resamples=9_999, alternative="greater", rng=np.random.default_rng(5))
    return {"mean": float(np.mean(test.null_distribution)), "p": float(test.pvalue),
            "percentile95": float(np.quantile(test.null_distribution, 0.95))}


def draw_roc(rng):
    cases = []
    for count, gap, digits in ((30, 1.0, 0), (200, 0.7, 1), (200, 2.5, 6), (50, 0.0, 0)):
        positive = rng.random(count) < 0.35
        cases.append({"scores": np.round(rng.normal(0, 1, count) + gap * positive, digits).tolist(),
                      "positive": positive.tolist()})
    return {"cases": cases, "rates": [0, 0.01, 0.05, 0.2, 0.5, 1], "baseRates": [0.5, 0.1, 0.001]}


def delong_variance(scores, positive):
    """DeLong's variance by its definition, over all pairs."""
    high, low = scores[positive], scores[~positive]
    wins = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    return float(wins.mean(axis=1).var(ddof=1) / len(high) + wins.mean(axis=0).var(ddof=1) / len(low))


def expect_roc(data):
    results = []
    for case in data["cases"]:
        scores, positive = np.array(case["scores"]), np.array(case["positive"])
        false, true, thresholds = sklearn.metrics.roc_curve(positive, scores, drop_intermediate=False)
        best = int(np.argmax(true - false))
        said = scores >= thresholds[best]
        precisions = []
        for rate in data["baseRates"]:
            weights = np.where(positive, rate / positive.sum(), (1 - rate) / (~positive).sum())
            precisions.append(float(sklearn.metrics.precision_score(positive, said, sample_weight=weights)))
        results.append({
            "area": float(sklearn.metrics.roc_auc_score(positive, scores)),
            "variance": delong_variance(scores, positive),
            "averagePrecision": float(sklearn.metrics.average_precision_score(positive, scores)),
            "falsePositiveRates": false.tolist(), "truePositiveRates": true.tolist(),
            "thresholds": thresholds[1:].tolist(), "bestGain": float(true[best] - false[best]),
            "atRates": [float(true[false <= rate].max()) for rate in data["rates"]], "precisions": precisions})
    return results


def draw_proportions(_):
    return {"cases": [[k, n, c] for n in (1, 2, 7, 30, 400, 20_000) for k in sorted({0, 1, n // 3, n - 1, n})
                      for c in (0.9, 0.95, 0.999)]}


def expect_proportions(data):
    results = []
    for successes, trials, confidence in data["cases"]:
        test = scipy.stats.binomtest(successes, trials)
        wilson = test.proportion_ci(confidence, "wilson")
        exact = test.proportion_ci(confidence, "exact")
        results.append([float(x) for x in (wilson.low, wilson.high, exact.low, exact.high)])
    return results


def draw_bootstrap(rng):
    count = 90
    groups = rng.integers(0, 9, count)
    # The last group alone holds most positives, so that some resamples lack a class.
    positive = np.where(groups == 8, rng.random(count) < 0.9, groups == 7)
    return {"groups": groups.tolist(), "positive": positive.tolist(),
            "scores": np.round(rng.normal(0, 1, count) + positive, 1).tolist(), "confidence": 0.9,
            "draws": rng.integers(0, 9, (80, 9)).tolist()}


def expect_bootstrap(data):
    groups, positive, scores = (np.array(data[k]) for k in ("groups", "positive", "scores"))
    members = [np.flatnonzero(groups == g) for g in range(9)]
    statistics = {"mean": [], "quantile": [], "area": [], "information": []}
    skipped = 0
    for drawn in data["draws"]:
        chosen = np.concatenate([members[g] for g in drawn])
        statistics["mean"].append(scores[chosen].mean())
        statistics["quantile"].append(np.quantile(scores[chosen], 0.95))
        statistics["information"].append(information(np.round(scores[chosen]), positive[chosen]))
        if len(set(positive[chosen])) == 2:
            statistics["area"].append(sklearn.metrics.roc_auc_score(positive[chosen], scores[chosen]))
        else:
            skipped += 1
    tail = 100 * (1 - data["confidence"]) / 2
    bounds = {k: np.percentile(v, [tail, 100 - tail]).tolist() for k, v in statistics.items()}
    return {**bounds, "skipped": skipped}


def draw_scipy_bootstrap(rng):
    # Groups of equal size: the mean of all is then the mean of the groups' means, which SciPy can draw.
    return {"groups": [g for g in range(20) for _ in range(5)],
            "values": np.round(np.repeat(rng.normal(10, 3, 20), 5) + rng.normal(0, 1, 100), 3).tolist()}


def expect_scipy_bootstrap(data):
    means = np.array(data["values"]).reshape(20, 5).mean(axis=1)
    result = scipy.stats.bootstrap(
        (means,), np.mean, n_resamples=50_000, method="percentile", rng=np.random.default_rng(3), vectorized=True)
    single = scipy.stats.bootstrap(
        (np.array(data["values"]),), np.median, n_resamples=20_000, method="percentile", rng=np.random.default_rng(3))
    return {"mean": [float(x) for x in result.confidence_interval],
            "median": [float(x) for x in single.confidence_interval]}


def draw_histogram(rng):
    return {"first": np.round(rng.normal(5, 2, 150), 1).tolist(), "second": np.round(rng.normal(6, 1, 80), 1).tolist(),
            "edges": [2, 4, 4.5, 5, 6, 7.5, 9], "probabilities": [0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.999, 1]}


def expect_histogram(data):
    edges = np.array(data["edges"])
    counts, shares = [], []
    for values in (np.array(data["first"]), np.array(data["second"])):
        counts.append(np.histogram(values, edges)[0].tolist())
        shares.append(np.histogram(values, np.concatenate([[-1e9], edges, [1e9]]))[0] / len(values))
        # Above the upper bound, not at it.
        at_upper = np.sum(values == edges[-1]) / len(values)
        shares[-1][-1] -= at_upper
        shares[-1][-2] += at_upper
    return {"counts": counts, "totalVariation": float(scipy.spatial.distance.cityblock(*shares)) / 2,
            "quantiles": np.quantile(data["first"], data["probabilities"]).tolist(),
            "equalWidth": np.histogram_bin_edges(data["first"], 7).tolist()}


def draw_rules(rng):
    cases = []
    for count, shape in ((40, "up"), (40, "down"), (60, "inside"), (60, "outside"), (30, "noise")):
        value = rng.integers(0, 25, count)
        chance = {"up": value > 14, "down": value < 9, "inside": (value > 8) & (value < 15),
                  "outside": (value < 6) | (value > 18), "noise": value < 0}[shape]
        cases.append({"values": value.tolist(),
                      "positive": (rng.random(count) < np.where(chance, 0.85, 0.2)).tolist()})
    return {"cases": cases}


def expect_rules(data):
    """The least balanced error of each shape, with every pair of bounds tried."""
    results = []
    for case in data["cases"]:
        values, positive = np.array(case["values"]), np.array(case["positive"])
        kinds = np.unique(values)
        pairs = [(low, high) for low in kinds for high in kinds if low <= high]

        def least(rules):
            return min(float(1 - sklearn.metrics.balanced_accuracy_score(positive, rule)) for rule in rules)
        results.append({
            "atLeast": least(values >= low for low in kinds), "atMost": least(values <= high for high in kinds),
            "inside": least((values >= low) & (values <= high) for low, high in pairs),
            "outside": least((values < low) | (values > high) for low, high in pairs)})
    return results


def draw_bayes(rng):
    classes = rng.integers(0, 3, 60)
    counts = rng.poisson(np.array([[3, 1, 0.2, 1], [1, 3, 1, 1], [0.5, 0.5, 3, 1]])[classes])
    return {"rows": counts.tolist(), "classes": classes.tolist(), "smoothings": [1.0, 0.1],
            "categories": np.minimum(counts, 4).tolist(), "asked": rng.poisson(1.5, (8, 4)).tolist()}


def expect_bayes(data):
    rows, classes, asked = (np.array(data[k]) for k in ("rows", "classes", "asked"))
    results = {"multinomial": [], "bernoulli": [], "categorical": []}
    for smoothing, even in itertools.product(data["smoothings"], (False, True)):
        options = {"alpha": smoothing, "fit_prior": not even}
        fitted = sklearn.naive_bayes.MultinomialNB(**options).fit(rows, classes)
        results["multinomial"].append(fitted.predict_log_proba(asked).tolist())
        fitted = sklearn.naive_bayes.BernoulliNB(**options).fit(rows, classes)
        results["bernoulli"].append(fitted.predict_log_proba(asked).tolist())
        fitted = sklearn.naive_bayes.CategoricalNB(min_categories=5, **options).fit(data["categories"], classes)
        results["categorical"].append(fitted.predict_log_proba(np.minimum(asked, 4)).tolist())
    return results


def draw_logistic(rng):
    dense = np.round(rng.normal(0, 1, (150, 4)) * [1, 5, 0.1, 1] + [0, 2, 0, 0], 3)
    slope = dense @ [1.2, -0.3, 2, 0] - 0.4
    levels = rng.integers(0, 4, (200, 2))
    one_hot = np.concatenate([np.eye(4)[levels[:, 0]], np.eye(4)[levels[:, 1]]], axis=1).astype(int)
    separable = np.arange(20)[:, None] / 10
    return {"cases": [
        {"rows": dense.tolist(), "positive": (rng.random(150) < 1 / (1 + np.exp(-slope))).tolist(),
         "weights": rng.integers(1, 4, 150).tolist()},
        {"rows": one_hot.tolist(), "positive": (rng.random(200) < 0.05 + 0.2 * levels[:, 0]).tolist(),
         "weights": [1] * 200},
        {"rows": separable.tolist(), "positive": (separable[:, 0] > 1.2).tolist(), "weights": [1] * 20},
    ], "strengths": [0.05, 1, 30]}


def expect_logistic(data):
    results = []
    for case in data["cases"]:
        for strength, balanced in itertools.product(data["strengths"], (False, True)):
            model = sklearn.linear_model.LogisticRegression(
                C=strength, solver="lbfgs", tol=1e-12, max_iter=100_000, class_weight="balanced" if balanced else None)
            model.fit(case["rows"], case["positive"], sample_weight=None if balanced else case["weights"])
            results.append([float(model.intercept_[0])] + model.coef_[0].tolist())
    return results


def draw_linear(rng):
    x = rng.integers(8, 129, 60)
    return {"x": x.tolist(), "y": np.round(1.7 * x + 86 + rng.normal(0, 12, 60)).tolist()}


def expect_linear(data):
    x, y = np.array(data["x"])[:, None], np.array(data["y"])
    model = sklearn.linear_model.LinearRegression().fit(x, y)
    said = model.predict(x)
    return {"intercept": float(model.intercept_), "slope": float(model.coef_[0]),
            "meanAbsoluteError": float(sklearn.metrics.mean_absolute_error(y, said)),
            "explained": float(sklearn.metrics.r2_score(y, said))}


def draw_bins(rng):
    return {"bins": 5, "fitted": np.round(rng.gamma(2, 50, (80, 2)), 4).tolist(),
            "asked": np.round(rng.gamma(2, 60, (30, 2)), 4).tolist()}


def expect_bins(data):
    cutter = sklearn.preprocessing.KBinsDiscretizer(
        data["bins"], encode="onehot-dense", strategy="quantile", quantile_method="linear", subsample=None)
    cutter.fit(data["fitted"])
    return {"edges": [edges[1:-1].tolist() for edges in cutter.bin_edges_],
            "oneHot": cutter.transform(data["asked"]).astype(int).tolist()}


def draw_folds(rng):
    groups = [g for g, size in enumerate((3, 11, 5, 8, 2, 7, 13)) for _ in range(size)]
    return {"groups": rng.permutation(groups).tolist(), "folds": 3}


def expect_folds(data):
    groups = np.array(data["groups"])
    split = sklearn.model_selection.GroupKFold(data["folds"]).split(groups, groups=groups)
    return sorted(sorted(set(groups[held].tolist())) for _, held in split)


def draw_confusion(rng):
    truth = rng.integers(0, 4, 120)
    return {"truth": truth.tolist(),
            "predicted": np.where(rng.random(120) < 0.7, truth, rng.integers(0, 4, 120)).tolist()}


def expect_confusion(data):
    pair = (data["truth"], data["predicted"])
    return {"counts": sklearn.metrics.confusion_matrix(*pair).tolist(),
            "accuracy": float(sklearn.metrics.accuracy_score(*pair)),
            "recalls": sklearn.metrics.recall_score(*pair, average=None).tolist(),
            "precisions": sklearn.metrics.precision_score(*pair, average=None).tolist(),
            "balanced": float(sklearn.metrics.balanced_accuracy_score(*pair))}


def draw_lengths(rng):
    # Even lengths are learnt, each once; asked are lengths of which one learnt length is nearer than any other.
    lengths = np.sort(rng.choice(np.arange(40, 400, 4), 40, replace=False))
    asked = [int(a) for a in rng.integers(0, 450, 200) if len(set(np.sort(abs(lengths - a))[:2])) == 2][:60]
    return {"lengths": lengths.tolist(), "classes": rng.integers(0, 5, 40).tolist(), "asked": asked}


def expect_lengths(data):
    model = sklearn.neighbors.KNeighborsClassifier(1).fit(np.array(data["lengths"])[:, None], data["classes"])
    return model.predict(np.array(data["asked"])[:, None]).tolist()


def draw_generator(_):
    return {"seeds": [0, 1, 20_260_101], "count": 5}


def expect_generator(data):
    """xoshiro256** over SplitMix64 in whole numbers; as text, since JSON's numbers may not hold 64 bits."""
    mask = (1 << 64) - 1

    def rotate(x, by):
        return (x << by | x >> 64 - by) & mask
    results = []
    for seed in data["seeds"]:
        s = []
        for step in range(1, 5):
            z = (seed + step * 0x9E3779B97F4A7C15) & mask
            z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
            z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
            s.append(z ^ z >> 31)
        numbers = []
        for _ in range(data["count"]):
            numbers.append(str(rotate(s[1] * 5 & mask, 7) * 9 & mask))
            t = s[1] << 17 & mask
            s[2] ^= s[0]
            s[3] ^= s[1]
            s[1] ^= s[2]
            s[0] ^= s[3]
            s[2] ^= t
            s[3] = rotate(s[3], 45)
        results.append(numbers)
    return results


CASES = {
    "information": (draw_information, expect_information), "permutation": (draw_permutation, expect_permutation),
    "roc": (draw_roc, expect_roc), "proportions": (draw_proportions, expect_proportions),
    "bootstrap": (draw_bootstrap, expect_bootstrap), "scipyBootstrap": (draw_scipy_bootstrap, expect_scipy_bootstrap),
    "histogram": (draw_histogram, expect_histogram), "rules": (draw_rules, expect_rules),
    "bayes": (draw_bayes, expect_bayes), "logistic": (draw_logistic, expect_logistic),
    "linear": (draw_linear, expect_linear), "bins": (draw_bins, expect_bins), "folds": (draw_folds, expect_folds),
    "confusion": (draw_confusion, expect_confusion), "lengths": (draw_lengths, expect_lengths),
    "generator": (draw_generator, expect_generator),
}


def versions():
    return {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__}


def different(committed, now, tolerance, path):
    """Where two JSON values differ, one line each; numbers may by the tolerance."""
    if isinstance(committed, dict) and isinstance(now, dict) and committed.keys() == now.keys():
        return [line for k in now for line in different(committed[k], now[k], tolerance, f"{path}.{k}")]
    if isinstance(committed, list) and isinstance(now, list) and len(committed) == len(now):
        return [line for i, pair in enumerate(zip(committed, now))
                for line in different(*pair, tolerance, f"{path}[{i}]")]
    numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (committed, now))
    if committed == now or numbers and math.isclose(committed, now, rel_tol=tolerance, abs_tol=tolerance):
        return []
    return [f"{path}: the file has {committed}, computed is {now}"]


def write():
    rng = np.random.default_rng(20_260_101)
    parts = []
    for name, (draw, expect) in CASES.items():
        data = draw(rng)
        lines = [f'    "{k}": {json.dumps(v)}' for k, v in (("input", data), ("expected", expect(data)))]
        parts.append(f'  "{name}": {{\n' + ",\n".join(lines) + "\n  }")
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(f'{{\n  "versions": {json.dumps(versions())},\n' + ",\n".join(parts) + "\n}\n")
    print(f"{FILE}: {len(CASES)} parts, {FILE.stat().st_size} bytes")
    return 0


def check():
    committed = json.loads(FILE.read_text())
    bad = []
    for name, (_, expect) in CASES.items():
        if name not in committed:
            bad.append(f"{name}: not in the file")
            continue
        now = json.loads(json.dumps(expect(committed[name]["input"])))
        bad += different(committed[name]["expected"], now, RANDOM.get(name, TOLERANCE), name)
    used = ", ".join(f"{k} {v}" for k, v in versions().items())
    for line in bad[:20]:
        print(f"statistics-reference: {line}", file=sys.stderr)
    print(f"statistics-reference: {len(CASES)} parts, {len(bad)} values differ from what {used} compute")
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compute again from the file's inputs and compare")
    arguments = parser.parse_args()
    if MISSING is not None:
        what = "scikit-learn is not installed" if "sklearn" in MISSING else f"a package is not installed ({MISSING})"
        print(f"SKIPPED: {what}, the statistics' reference values were not computed again")
        return 0 if arguments.check else 2
    return check() if arguments.check else write()


if __name__ == "__main__":
    sys.exit(main())
