"""Reference numbers for the statistics of this folder, from scipy, statsmodels and river. Writes reference.json beside itself.

pip install scipy==1.17.1 statsmodels==0.15.0 river==0.26.1, then: python reference.py
"""

import json
import math
import pathlib
import random

import numpy
import river
import scipy
import statsmodels
from river import drift
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

rng = random.Random(20261121)
gen = numpy.random.default_rng(20261121)


def entropy():
    cases = []
    for k in (0, 1, 2, 5, 20):
        for _ in range(4):
            weights = [rng.expovariate(1) for _ in range(k + 1)] + [rng.expovariate(1) * rng.choice([0.01, 1])]
            shares = [w / sum(weights) for w in weights]
            # The last share is the mass outside the top k, as one symbol.
            cases.append({"logprobs": [math.log(p) for p in shares[:-1]], "bits": float(stats.entropy(shares, base=2))})
    return cases


def psi():
    cases = []
    for bins in (2, 5, 21):
        for _ in range(5):
            a = [rng.choice([0, rng.randrange(200)]) for _ in range(bins)]
            b = [rng.choice([0, rng.randrange(900)]) for _ in range(bins)]
            a[0] += 1
            b[0] += 1
            p = (numpy.array(b) + 0.5) / (sum(b) + 0.5 * bins)
            q = (numpy.array(a) + 0.5) / (sum(a) + 0.5 * bins)
            # PSI is Jeffreys' divergence: the two Kullback-Leibler divergences together.
            cases.append({"baseline": a, "current": b, "psi": float(stats.entropy(p, q) + stats.entropy(q, p))})
    return cases


def noise():
    return [
        {"samples": [n, m], "bins": b, "value": float((1 / n + 1 / m) * stats.chi2.ppf(0.999, b - 1))}
        for n, m, b in [(100, 100, 5), (1000, 1000, 21), (5000, 200, 25), (50, 50, 10)]
    ]


def smirnov():
    cases = []
    for n, m, shift in [(5, 7, 0), (20, 20, 0.5), (30, 45, 1), (100, 100, 0.2), (90, 111, 0.4), (256, 256, 0.1), (256, 200, 0.3)]:
        a = [round(float(x), 6) for x in gen.normal(size=n)]
        b = [round(float(x), 6) for x in gen.normal(loc=shift, size=m)]
        exact = stats.ks_2samp(a, b, method="exact")
        cases.append({"a": a, "b": b, "distance": float(exact.statistic), "exact": float(exact.pvalue)})
    return cases


def page_hinkley():
    def indices(values, **options):
        detector = drift.PageHinkley(**options)
        found = []
        for at, value in enumerate(values):
            detector.update(value)
            if detector.drift_detected:
                found.append(at)
        return found

    # The example in river's documentation of drift.PageHinkley: "Change detected at index 1006, input value: 5".
    published = random.Random(12345)
    stream = published.choices([0, 1], k=1000) + published.choices(range(4, 8), k=1000)
    cases = [{"values": stream, "options": [30, 0.005, 50, 1 - 0.0001], "found": indices(stream)}]
    for shift, delta, threshold in [(1, 0.1, 50), (0.5, 0.1, 50), (-1.5, 0.05, 20), (0, 0.1, 50)]:
        values = [round(float(x), 4) for x in gen.normal(size=600)] + [round(float(x), 4) for x in gen.normal(loc=shift, size=600)]
        found = indices(values, min_instances=30, delta=delta, threshold=threshold, alpha=0.9999)
        cases.append({"values": values, "options": [30, delta, threshold, 0.9999], "found": found})
    return cases


def proportions():
    cases = []
    for x1, n1, x2, n2 in [(48, 80, 12, 40), (56, 70, 48, 80), (9, 10, 3, 10), (5, 56, 0, 29), (970, 1000, 940, 1000), (0, 10, 0, 20), (10, 10, 0, 20)]:
        low, high = confint_proportions_2indep(x1, n1, x2, n2, compare="diff", method="newcomb", correction=False)
        z, p = proportions_ztest([x1, x2], [n1, n2]) if 0 < x1 + x2 < n1 + n2 else (0.0, 1.0)
        wilson = proportion_confint(x1, n1, method="wilson")
        cases.append({"first": [x1, n1], "second": [x2, n2], "z": float(z), "p": float(p), "interval": [float(low), float(high)], "wilson": [float(w) for w in wilson]})
    return cases


def welch():
    cases = []
    for n, m, shift in [(40, 60, 0), (200, 150, 0.3), (500, 500, 0.05)]:
        a = [int(x) for x in gen.lognormal(5, 1, size=n)]
        b = [int(x) for x in gen.lognormal(5 + shift, 1, size=m)]
        means = CompareMeans(DescrStatsW(numpy.log1p(a)), DescrStatsW(numpy.log1p(b)))
        z, p = means.ztest_ind(usevar="unequal")
        low, high = means.zconfint_diff(usevar="unequal")
        ratio = math.exp(numpy.log1p(a).mean() - numpy.log1p(b).mean())
        cases.append({"a": a, "b": b, "z": float(z), "p": float(p), "interval": [float(low), float(high)], "ratio": ratio})
    return cases


def medians():
    cases = []
    for n in (1, 2, 9, 24):
        values = [rng.randrange(60) for _ in range(n)]
        cases.append({"values": values, "median": float(numpy.median(values)), "deviation": float(stats.median_abs_deviation(values))})
    return cases


reference = {
    "source": {
        "script": "reference.py",
        "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__,
        "river": river.__version__,
    },
    "entropy": entropy(),
    "psi": psi(),
    "noise": noise(),
    "smirnov": smirnov(),
    "kolmogorov": [{"x": x, "p": float(stats.kstwobign.sf(x))} for x in (0.1, 0.3, 0.6, 0.9, 1.36, 2, 3)],
    "pageHinkley": page_hinkley(),
    "proportions": proportions(),
    "normal": [{"z": z, "p": float(2 * stats.norm.sf(abs(z)))} for z in (0, 0.5, -1, 1.96, 2.5758, 4, 6, -8)],
    "welch": welch(),
    "mcnemar": [
        {"onlyA": a, "onlyB": b, "p": float(mcnemar([[10, a], [b, 10]], exact=True).pvalue)}
        for a, b in [(0, 0), (1, 0), (0, 6), (3, 9), (12, 12), (40, 75), (2, 300)]
    ],
    "medians": medians(),
}
path = pathlib.Path(__file__).with_name("reference.json")
path.write_text(json.dumps(reference, separators=(",", ":")) + "\n")
