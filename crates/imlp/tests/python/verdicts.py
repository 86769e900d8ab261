#!/usr/bin/env python3
"""An independent check of every published verdict: `verdicts.py RESULTS`.

Recomputes, from records.jsonl.gz alone, what each verdict.json below RESULTS says: statistic,
critical value, p-values, AICc, the α chosen on validation, differences, intervals, power and
verdict. Written from docs/analysis.md, docs/claims.md and the heads of recipes/paper/*.toml, not
from the program. Every published number must be the rounded one; what is simulated (critical
value, power, bootstrap intervals) must come near; where a trial diverged nothing is checked.
Prints a line per folder and every disagreement; exits 1 if there is one, or nothing to check.
Needs NumPy and SciPy.
"""

import gzip
import json
import re
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import optimize, stats

# What is judged in a folder: claims, and the ending of the case.
JUDGED = {
    "v-curve": [("v-curve", ""), ("logarithmic-sides", ""), ("fraction", "")],
    "mixer": [("mixer", "")],
    "training-time": [("training-time", "")],
    "first-layer": [("first-layer", f"; equal sum of α over {x}") for x in ("layers", "weights")],
    "schedule": [("schedule", f"; equal {x} prior share") for x in ("final", "mean")],
}
NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)(?:~([\d.]+))?")


class Diverged(Exception):
    """A trial diverged: the verdict is not checked."""


class Study:
    """The records of one folder; accuracies after the last interpolation, in per cent."""

    def __init__(self, folder):
        with gzip.open(folder / "records.jsonl.gz", "rt") as file:
            lines = [json.loads(line) for line in file]
        self.header = lines[0]["study"]
        self.alphas, self.seeds = self.header["alphas"], self.header["seeds"]
        self.configs = [c["config"] for c in self.header["configurations"]]
        self.priors = {x["prior"]["id"]: x["prior"]["record"] for x in lines if "prior" in x}
        trials = [x["trial"] for x in lines if "trial" in x]
        self.trials = {(t["configuration"], t["record"]["seed"], t["record"]["alpha"]): t
                       for t in trials if t["record"]["state"] in ("done", "diverged")}

    def cases(self):
        """Configurations by learning rates and precision, in the order of the header."""
        cases = {}
        for i, config in enumerate(self.configs):
            train, prior = config["train"], config["prior"]["learning_rate"]
            name = f"{train['learning_rate_schedule']} rate {train['learning_rate']:g}"
            name += "" if prior == train["learning_rate"] else f", prior {prior:g}"
            name += "" if train["precision"] == "f32" else f"; in {train['precision']}"
            cases.setdefault(name, []).append(i)
        return cases

    def missing(self, configs, seeds):
        wanted = [(c, s, a) for c in configs for s in seeds for a in self.alphas]
        return sum(key not in self.trials for key in wanted), len(wanted)

    def table(self, config, split="test", seeds=None):
        """Seeds × α."""
        rows = [[self.trials[config, s, a]["record"] for a in self.alphas]
                for s in seeds or self.seeds]
        if any(r["state"] == "diverged" for row in rows for r in row):
            raise Diverged
        return 100 * np.array([[r["after"][split]["accuracy"] for r in row] for row in rows])

    def prior(self, config):
        ids = [self.trials[config, s, self.alphas[0]]["prior"] for s in self.seeds]
        return 100 * np.array([self.priors[i]["test"]["accuracy"] for i in ids])


def t_value(x):
    """Paired t over seeds, which are the last axis; 0 where nothing differs at all."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = x.mean(-1) / x.std(-1, ddof=1) * np.sqrt(x.shape[-1])
    return np.nan_to_num(t, posinf=np.inf, neginf=-np.inf)


def difference(d):
    """Mean, Student's 95 % interval and two-sided p of differences over seeds."""
    half = stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))
    p = 2 * stats.t.sf(abs(t_value(d)), len(d) - 1)
    return d.mean(), d.mean() - half, d.mean() + half, p


def holm(p):
    order = np.argsort(p)
    adjusted = np.maximum.accumulate([(len(p) - i) * p[k] for i, k in enumerate(order)])
    return np.minimum(adjusted, 1)[np.argsort(order)]


def v_values(y):
    """V and V of the negative of … × seeds × levels; rank scores are centred on each side."""
    k = y.shape[-1]
    left = [t_value(-(y[..., :j + 1] @ (np.arange(j + 1) - j / 2))) for j in range(1, k - 1)]
    right = [t_value(y[..., j:] @ (np.arange(j, k) - (j + k - 1) / 2)) for j in range(1, k - 1)]
    return np.minimum(left, right).max(0), -np.maximum(left, right).min(0)


@lru_cache
def critical(levels, seeds):
    """95 % quantile of V after a steep drop to level 1: the left contrasts are infinite, the
    right ones noise."""
    rng, found = np.random.default_rng(1), []
    contrasts = np.zeros((levels - 1, levels - 2))
    for j in range(levels - 2):
        contrasts[j:, j] = np.arange(j, levels - 1) - (j + levels - 2) / 2
    for _ in range(20):
        noise = rng.standard_normal((20_000, seeds, levels - 1)) @ contrasts
        found.append(t_value(noise.swapaxes(1, 2)).max(1))
    return np.quantile(found, 0.95)


def power(y):
    """Shares of experiments that would declare a minimum, and a maximum. The noise of a level is
    without what a seed adds to all levels; its variance is estimated without bias."""
    n, k = y.shape
    residuals = y - y.mean(1, keepdims=True) - y.mean(0) + y.mean()
    raw = (residuals ** 2).sum(0) / (n - 1)
    variances = np.maximum(k / (k - 2) * (raw - raw.sum() / (k * (k - 1))), 0)
    noise = np.random.default_rng(2).standard_normal((4000, n, k)) * np.sqrt(variances)
    low, high = np.array(v_values(y.mean(0) + noise)) > critical(k, n)
    return low.mean(), high.mean()


def valley(v):
    """Of each row: the interior level lowest below the highest on either side, and those two."""
    v, rows = v.round(9), np.arange(len(v))
    options, by = [], []
    for j in range(1, v.shape[1] - 1):
        a, b = v[:, :j].argmax(1), j + 1 + v[:, j + 1:].argmax(1)
        options.append((np.full(len(v), j), a, b))
        by.append((np.minimum(v[rows, a], v[rows, b]) - v[:, j]).round(9))
    return np.array(options)[np.argmax(by, 0), :, rows]


def depth(test, validation):
    """Place chosen on validation, depth there on test, and its percentile interval."""
    n = len(test)
    draws = np.vstack([np.arange(n), np.random.default_rng(3).integers(0, n, (10_000, n))])
    places = valley(validation[draws].mean(1))
    bottom, a, b = np.take_along_axis(test[draws].mean(1), places, 1).T
    by = (np.minimum(a, b) - bottom).round(9)
    return places[0, 0], by[0], *np.quantile(by[1:], [0.025, 0.975])


def all_equal(y):
    """Every two levels within ±1 point, by two one-sided tests each."""
    pairs = [y[:, i] - y[:, j] for i in range(y.shape[1]) for j in range(i)]
    return stats.t.sf(min(t_value(s * d + 1) for d in pairs for s in (1, -1)), len(y) - 1) < 0.05


def side(alphas, y, distance):
    """Excess AICc of each form, an intercept per seed; Student interval of the slopes."""
    (n, total), centred, aicc = (len(y), y.size), y - y.mean(1, keepdims=True), {}
    forms = {"constant": 0 * alphas, "linear": alphas, "logarithmic": np.log10(distance),
             "logistic": np.log(alphas / (1 - alphas))}
    for form, x in forms.items():
        x = x - x.mean()
        slope = (centred @ x).mean() / (x @ x) if x.any() else 0
        k = n + 1 + bool(x.any())                        # intercepts, variance, slope
        rest = ((centred - slope * x) ** 2).sum()
        aicc[form] = total * np.log(rest / total) + 2 * k + 2 * k * (k + 1) / (total - k - 1)
    x = forms["logarithmic"] - forms["logarithmic"].mean()
    return {f: a - min(aicc.values()) for f, a in aicc.items()}, difference(centred @ x / (x @ x))


# A judgement is verdict, statistic, critical value, power, what was found. In its texts
# "1.234567~0.1" is a number from which the published one may differ by 0.1 and rounding. None
# is a text that the documentation does not give.

def num(x, near=0, sign=""):
    return f"{x:{sign}.6f}~{near}"


def p_text(p):
    return "p < 0.0001" if p < 0.0001 else f"p = {num(p)}"


def ends(low, high, near=0):
    return f"({num(low, near)} to {num(high, near)})"


def sign_word(above, below):
    return "contradicted" if below and not above else "reproduced" if above and not below \
        else "not-shown"


def curve(study, config, mixer):
    y, v = study.table(config), study.table(config, "validation")
    alphas, (n, k) = np.array(study.alphas), y.shape
    c, (low, high), powers = critical(k, n), v_values(y), power(y)
    c_text, minimum, maximum = num(c, c * (0.02 if n > 3 else 0.05)), low > c, high > c

    names = [f"an interior {x}" for x, is_there in (("minimum", minimum), ("maximum", maximum))
             if is_there]
    found = "the tests declare " + (" and ".join(names) or "no shape")
    trend = difference(y @ (np.arange(k) - (k - 1) / 2))
    flat = not names and trend[3] >= 0.05 and all_equal(y)
    if not names and trend[3] < 0.05:
        word = "rises" if trend[0] > 0 else "falls"
        found = f"the tests declare no interior extremum; it {word} with α"
    for word, s in (("lowest", 1), ("highest", -1)):
        j, by, *interval = depth(s * y, s * v)
        near = 0.05 + 0.05 * (interval[1] - interval[0])
        if by > 0:
            found += (f"; {word} inside at α = {alphas[j]:g}, by {num(by)} points "
                      f"{ends(*interval, near)}")
    found = None if flat else found
    if mixer:
        word = "reproduced" if minimum and maximum else "contradicted" if flat else "not-shown"
        return [(word, f"V = {num(low)}, of the negative {num(high)}", c_text, min(powers), found)]
    word = "reproduced" if minimum else "contradicted" if maximum or flat else "not-shown"
    judged = [(word, f"V = {num(low)}", c_text, powers[0], found)]

    # Logarithmic sides: the levels from an end, without it, to the minimum.
    if minimum:
        j, leads, tables, slopes = valley(v.mean(0)[None])[0, 0], [], [], []
        for name, part in (("left", slice(1, j + 1)), ("right", slice(j, k - 1))):
            a = alphas[part]
            if len(a) >= 3:
                excess, slope = side(a, y[:, part], a if name == "left" else 1 - a)
                order = sorted(excess, key=excess.get)
                leads.append(order[0] if excess[order[1]] >= 2 else None)
                tables.append(f"{name} " + ", ".join(f"{f} {num(excess[f])}" for f in order))
                slopes.append(f"{name} {num(slope[0])} {ends(*slope[1:3])}")
        word = "contradicted" if set(leads) - {None, "logarithmic"} else \
            "reproduced" if leads == ["logarithmic"] * 2 else "not-shown"
        whole = len(leads) == 2
        judged.append((word, "excess AICc: " + "; ".join(tables) if whole else None,
                       "lead of 2" if leads else "–", None,
                       "points per decade of the distance: " + ", ".join(slopes)
                       if whole else None))
    else:
        judged.append(("not-shown", "–", "–", None, "there is no V whose sides to fit"))

    # Fraction: the interior α that is highest on validation, against both ends.
    j = 1 + v.mean(0).round(9)[1:-1].argmax()
    mlp, prior = difference(y[:, j] - y[:, 0]), difference(y[:, j] - study.prior(config))
    mean, _, _, p = min(mlp, prior)
    word = sign_word(maximum and mean > 0 and p < 0.05, mean < 0 and p < 0.05)
    judged.append((word, f"V of the negative = {num(high)}; {p_text(p)}", c_text + "; p < 0.05",
                   powers[1], f"at α = {alphas[j]:g}, chosen on validation, "
                   f"{num(mlp[0], 0, '+')} points from the plain MLP and "
                   f"{num(prior[0], 0, '+')} from the prior"))
    return judged


def family(what, rows):
    """Differences over seeds by name, with Holm's correction."""
    found = {name: difference(d) for name, d in rows.items()}
    p = holm(np.array([f[3] for f in found.values()]))
    above = sum(f[0] > 0 and q < 0.05 for f, q in zip(found.values(), p))
    below = sum(f[0] < 0 and q < 0.05 for f, q in zip(found.values(), p))
    name, (mean, *interval, _) = max(found.items(), key=lambda item: abs(item[1][0]))
    return (sign_word(above, below),
            f"{above} of {len(rows)} above 0, {below} below; smallest {p_text(p.min())}",
            "p < 0.05 (Holm)", None,
            f"{what}, largest at α = {name}: {num(mean, 0, '+')} points {ends(*interval)}")


def training_time(study, configs):
    timing = {study.configs[c]["interpolation"]["timing"]: study.table(c) for c in configs}
    d = timing["training-time"] - timing["test-time"]
    rows = {f"{a:g}": d[:, i] for i, a in enumerate(study.alphas) if 0 < a < 1}
    return [family("training time minus test time", rows)]


def first_layer(study, configs):
    ways = {}
    for c in configs:
        allocation = study.configs[c]["interpolation"]["allocation"]
        way = "first" if allocation == "first" else \
            "layers" if abs(sum(allocation) - 1) < 1e-6 else "weights"
        j = study.table(c, "validation").mean(0).round(9).argmax()
        ways[way] = study.alphas[j], study.table(c)[:, j]
    judged = []
    for way in ("layers", "weights"):
        mean, low, high, p = difference(ways["first"][1] - ways[way][1])
        word = sign_word(mean > 0 and p < 0.05, mean < 0 and p < 0.05)
        judged.append((word, p_text(p), "p < 0.05", None,
                       f"first layer at its α = {ways['first'][0]:g} minus all layers at the "
                       f"budget of its α = {ways[way][0]:g}: {num(mean, 0, '+')} points "
                       f"{ends(low, high)}"))
    return judged


def schedule(study, config, constant, constant_config):
    """Pairs: the peaks in the study whose final, or mean, prior share is that of a constant α."""
    settings = study.configs[config]
    epochs = np.arange(settings["train"]["epochs"])
    decay = settings["interpolation"]["decay"] ** epochs
    y, flat, judged = study.table(config), constant.table(constant_config, seeds=study.seeds), []
    for of in (lambda shares: shares[-1], np.mean):
        def excess(peak, alpha):
            return of(1 - np.cumprod(1 - peak * decay)) - of(1 - (1 - alpha) ** (epochs + 1))
        rows = {}
        for i, a in enumerate(constant.alphas):
            if 0 < a < 1 and excess(1, a) > 0:
                peak = round(optimize.brentq(excess, 0, 1, args=(a,)), 4)
                if peak in study.alphas:
                    rows[f"{a:g} and exponential from {peak:g}"] = \
                        y[:, study.alphas.index(peak)] - flat[:, i]
        judged.append(family("exponential minus constant", rows))
    return judged


def judge(folder):
    """Every case of a folder, with its judgements in the order of JUDGED and its seeds."""
    study, claim = Study(folder), folder.parent.name
    for case, configs in study.cases().items():
        missing, total = study.missing(configs, study.seeds)
        text = None if claim in ("schedule", "first-layer") else \
            f"{total - missing} of {total} trials have finished"
        if claim == "schedule":
            constant = folder.parents[1] / "v-curve" / folder.name
            constant = Study(constant) if constant.exists() else None
            partner = constant.cases().get(case) if constant else None
            missing += constant.missing(partner, study.seeds)[0] if partner else 1
        try:
            if missing:
                yield case, [("unfinished", "–", "–", None, text)] * len(JUDGED[claim]), 0
            elif claim in ("v-curve", "mixer"):
                yield case, curve(study, configs[0], claim == "mixer"), len(study.seeds)
            elif claim == "schedule":
                yield case, schedule(study, configs[0], constant, partner[0]), len(study.seeds)
            else:
                of = training_time if claim == "training-time" else first_layer
                yield case, of(study, configs), len(study.seeds)
        except Diverged:
            yield case, [None] * len(JUDGED[claim]), len(study.seeds)


def same(published, own):
    if own is None or NUMBER.sub("#", published) != NUMBER.sub("#", own):
        return own is None
    for (text, _), (value, near) in zip(NUMBER.findall(published), NUMBER.findall(own)):
        near = float(near) + 0.5 * 10 ** -len(text.partition(".")[2]) + 2e-6 if near else 0
        if text != value and abs(float(text) - float(value)) > near:
            return False
    return True


def check(folder):
    """Disagreements of a folder; prints its line."""
    published = json.loads((folder / "verdict.json").read_text())
    published = {(v["claim"], v["case"]): v for v in published}
    header, wrong, words = Study(folder).header, [], Counter()
    for case, judgements, seeds in judge(folder):
        for (claim, suffix), own in zip(JUDGED[folder.parent.name], judgements):
            v = published.pop((claim, case + suffix), None)
            words["not checked, diverged" if own is None else own[0]] += 1
            if v is None or own is None:
                wrong += [] if v else [f"{claim}, {case + suffix}: not published"]
                continue
            word, statistic, limit, strength, found = own
            near = v["power"] == strength if None in (v["power"], strength) else \
                abs(v["power"] - strength) <= 0.04
            name = f"{header['scale']}-{v['reading']}"
            for field, value, agrees in (
                    ("study", header["study"], v["study"] == header["study"]),
                    ("scale", header["scale"], v["scale"] == header["scale"]),
                    ("reading", folder.name, (folder.name + "-").startswith(name + "-")),
                    ("verdict", word, v["verdict"] == word), ("seeds", seeds, v["seeds"] == seeds),
                    ("statistic", statistic, same(v["statistic"], statistic)),
                    ("critical", limit, same(v["critical"], limit)), ("power", strength, near),
                    ("found", found, same(v["found"], found))):
                if not agrees:
                    value = NUMBER.sub(r"\1", str(value))
                    wrong.append(f"{claim}, {case + suffix}: {field}\n  published  {v[field]}"
                                 f"\n  recomputed {value}")
    wrong += [f"{claim}, {case}: not recomputed" for claim, case in published]
    print(f"{folder.parent.name}/{folder.name}: "
          + ", ".join(f"{n} {w}" for w, n in sorted(words.items()))
          + f"; {len(wrong)} disagreements")
    return wrong


def main():
    folders = sorted(path.parent for path in Path(sys.argv[1]).glob("*/*/verdict.json"))
    wrong = [f"{f.parent.name}/{f.name}: {w}" for f in folders for w in check(f)]
    print("\n".join(wrong) or f"{len(folders)} folders agree")
    sys.exit(bool(wrong) or not folders)


if __name__ == "__main__":
    main()
