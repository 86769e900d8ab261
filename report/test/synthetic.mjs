// Views of experiments that were never run: realistic numbers, in every state. Seeded, so
// the same on every machine. Real experiments are made by make-experiments.sh.

/** Mulberry32: numbers in [0, 1). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Student's 97.5 % quantiles for 1 to 19 degrees of freedom.
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093];

function statistics(pairs) {
  const values = pairs.filter((p) => p.value !== null);
  const n = values.length;
  const mean = n ? values.reduce((sum, p) => sum + p.value, 0) / n : null;
  let ci95 = null;
  if (n > 1) {
    const variance = values.reduce((sum, p) => sum + (p.value - mean) ** 2, 0) / (n - 1);
    const half = T[n - 2] * Math.sqrt(variance / n);
    ci95 = [mean - half, mean + half];
  }
  return { values, diverged: pairs.filter((p) => p.value === null).map((p) => p.seed), mean, ci95, n };
}

const round = (x, step = 0.0005) => Number((Math.round(x / step) * step).toFixed(4));
const none = { training: null, validation: null, test: null };

/** One configuration. `shape(alpha)` is the accuracy at α; `state(alpha, seed)` a state. */
export function configuration({
  label = "",
  alphas = [0, 0.01, 0.03, 0.1, 0.15, 0.2, 0.3, 0.6, 1],
  seeds = [101, 102, 103, 104, 105],
  epochs = 5,
  shape = (a) => 0.845 - 0.07 * Math.exp(-((Math.log10(a + 1e-6) + 0.82) ** 2) / 0.15),
  state = () => ["done", null],
  layers = ["conv1", "conv2", "linear1", "linear2"],
  allocation = () => 1,
  schedule = () => 1,
  channels = 1,
  weights = true,
  notes = [],
  seed = 1,
} = {}) {
  const next = random(seed);
  const priorEnd = Object.fromEntries(seeds.map((s) => [s, round(0.843 + 0.006 * (next() - 0.5))]));
  const trials = alphas.flatMap((alpha) =>
    seeds.map((s) => trial(alpha, s, { epochs, shape, state, layers, allocation, schedule, next })),
  );
  const finished = trials.filter((t) => t.state === "done" || t.state === "diverged");
  const curves = ["test", "validation", "training"].flatMap((on) =>
    ["before", "after"].map((at) => curve(finished, on, at, seeds, priorEnd)),
  );
  const validation = curves.find((c) => c.on === "validation" && c.at === "after").curve;
  const best = validation.points.filter((p) => p.mean !== null).reduce((a, b) => (!a || b.n > a.n || (b.n === a.n && b.mean > a.mean) ? b : a), null);
  for (const { curve } of curves) curve.chosen_alpha = best?.alpha ?? null;
  const test = curves[1].curve;
  const kept = curves.filter((c) => c.curve.points.length > 0);
  return {
    label,
    answer: best && answer(test, best.alpha, priorEnd),
    notes,
    ends_as_prior: true,
    subtitle: `dense twin with 2 044 970 parameters, ${epochs} epochs, co-trained prior, interpolated after every epoch`,
    curves: kept,
    layers,
    trials,
    priors: finished.length
      ? seeds.map((s) => ({
          seed: s,
          diverged_epoch: null,
          end: { training: round(priorEnd[s] + 0.03), validation: round(priorEnd[s] - 0.01), test: priorEnd[s] },
          points: course(epochs, priorEnd[s] - 0.01, next, 0, [], () => 0),
        }))
      : [],
    first_layer: weights && finished.length ? firstLayer(alphas, channels, seeds[0], next) : null,
    cost: { prior_parameters: 20490, twin_parameters: 2044970, prior_macs: 304000, twin_macs: 2042368, prior_flops: 1824000, twin_flops: 12254208 },
    facts: [
      { name: "data", value: "fashion-mini: 10 000 training, 1 000 validation and 2 000 test images" },
      { name: "checksum", value: "sha256 5f1c…9e02" },
      { name: "twin", value: "2 044 970 parameters" },
    ],
    config_toml: `[data]\nname = "fashion-mini"\n\n[train]\nepochs = ${epochs}\n`,
  };
}

function course(epochs, end, next, alpha, layers, alphaOf, diverges = false) {
  const points = [];
  let share = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const left = Math.exp(-epoch / (0.35 * epochs));
    const accuracy = end - (end - 0.1) * left * 0.4 + 0.004 * (next() - 0.5);
    const own = layers.map((_, i) => alphaOf(epoch, i));
    const a = own[0] ?? 0;
    share = 1 - (1 - share) * (1 - a);
    const before = { training: round(accuracy + 0.03), validation: round(accuracy + 0.02 * a), test: null };
    points.push({
      epoch,
      loss: diverges && epoch === epochs ? null : 0.3 + 1.6 * left + 0.02 * next() + (diverges ? epoch ** 2 : 0),
      before,
      after: { training: round(accuracy + 0.02), validation: round(accuracy), test: null },
      alphas: alpha > 0 ? own : [],
      prior_share: alpha > 0 ? share : layers.length ? 0 : null,
    });
  }
  return points;
}

function trial(alpha, seed, { epochs, shape, state, layers, allocation, schedule, next }) {
  const [word, reason] = state(alpha, seed);
  const done = word === "done";
  const trained = done ? epochs : word === "diverged" ? Math.max(1, epochs - 2) : word === "running" ? Math.ceil(epochs / 2) : 0;
  const end = shape(alpha) + 0.012 * (next() - 0.5);
  const id = Array.from({ length: 16 }, () => Math.floor(16 * next()).toString(16)).join("");
  const alphaOf = (epoch, layer) => alpha * allocation(layer) * schedule(epoch / epochs);
  const ended = (shift) => ({ training: round(end + 0.03 + shift), validation: round(end - 0.006 + shift), test: round(end + shift) });
  return {
    id,
    alpha,
    seed,
    state: word,
    reason,
    before: done ? ended(0.02 * alpha) : none,
    after: done ? ended(0) : none,
    prior_share: done ? 1 - (1 - alpha) ** epochs : null,
    epochs: done || word === "diverged" ? trained : null,
    train_seconds: done ? 4 + next() : null,
    images_per_second: done ? 8200 + 900 * next() : null,
    flops: done ? 12254208 * 10000 * epochs : null,
    record: done ? `trials/${id}/result.json` : null,
    points: course(trained, end - 0.006, next, alpha, layers, alphaOf, word === "diverged"),
  };
}

function curve(trials, on, at, seeds, priorEnd) {
  const alphas = [...new Set(trials.map((t) => t.alpha))].sort((a, b) => a - b);
  const points = alphas.map((alpha) => ({
    alpha,
    ...statistics(trials.filter((t) => t.alpha === alpha).map((t) => ({ seed: t.seed, value: t[at][on] }))),
  }));
  const shift = { test: 0, validation: -0.01, training: 0.03 }[on];
  return {
    on,
    at,
    curve: {
      title: "fashion-mini toward cnn",
      subtitle: "",
      metric: `${on} accuracy`,
      points,
      prior: trials.length ? statistics(seeds.map((seed) => ({ seed, value: round(priorEnd[seed] + shift) }))) : null,
      plain_mlp: points.find((p) => p.alpha === 0) ?? null,
      chosen_alpha: null,
    },
  };
}

function answer(test, alpha, priorEnd) {
  const at = test.points.find((p) => p.alpha === alpha);
  const gain = (other) => {
    const pairs = at.values.flatMap((v) => (other(v.seed) == null ? [] : [{ seed: v.seed, value: v.value - other(v.seed) }]));
    const { mean, ci95, n } = statistics(pairs);
    return n ? { mean, interval: ci95, seeds: n } : null;
  };
  return {
    best_alpha: alpha,
    accuracy: at.mean,
    interval: at.ci95,
    gain_over_plain_mlp: alpha === 0 ? null : gain((seed) => test.plain_mlp?.values.find((v) => v.seed === seed)?.value),
    gain_over_prior: gain((seed) => priorEnd[seed]),
    shape: "a valley: the curve falls below both of its ends (V-test, p = 0.0004)",
    diagnosis:
      "α = 0.15 is worse than both ends (-7.36 ± 2.11 points to the plain MLP, -7.05 ± 2.08 to the prior), as where the two networks lie in different minima and the weights between them in neither",
  };
}

function firstLayer(alphas, channels, seed, next) {
  const [height, width] = [28, 28];
  const units = ["channel 0 at (6, 6)", "channel 1 at (12, 4)", "channel 2 at (14, 14)", "channel 5 at (20, 9)", "channel 6 at (9, 22)", "channel 7 at (24, 24)"];
  const places = units.map((u) => u.match(/\((\d+), (\d+)\)/).slice(1).map(Number));
  const prior = places.map(([y, x]) => {
    const row = new Array(channels * height * width).fill(0);
    for (let c = 0; c < channels; c++) {
      for (let i = -2; i <= 2; i++) {
        for (let j = -2; j <= 2; j++) {
          const at = [y + i, x + j];
          if (at.every((v) => v >= 0 && v < 28)) row[c * height * width + at[0] * width + at[1]] = Number((0.5 * (next() - 0.5)).toFixed(4));
        }
      }
    }
    return row;
  });
  const twins = alphas.map((alpha) => {
    const share = 1 - (1 - alpha) ** 5;
    return { alpha, rows: prior.map((row) => row.map((w) => Number((share * w + (1 - share) * 0.16 * (next() - 0.5)).toFixed(4)))) };
  });
  const packed = twins.map(({ alpha, rows }) => ({ alpha, rows: rows.map(pack) }));
  return { seed, layer: "conv1", shape: [channels, height, width], units, prior: prior.map(pack), twins: packed };
}

/** As crates/imlp-lab/src/packed_row.rs. */
function pack(row) {
  const largest = Math.max(...row.map(Math.abs));
  const byte = (weight) => (Math.round((weight / largest) * 127) + 256) % 256;
  return { largest, bytes: row.map((weight) => byte(weight).toString(16).padStart(2, "0")).join("") };
}

export function view({ name = "fashion-mini-cnn", configurations = [configuration()], running = false, ...rest } = {}) {
  const trials = configurations.flatMap((c) => c.trials);
  const number = (...states) => trials.filter((t) => states.includes(t.state)).length;
  return {
    title: "fashion-mini toward cnn",
    name,
    state: { running, trials: trials.length, done: number("done"), diverged: number("diverged", "prior-diverged"), failed: number("failed") },
    read_at: 1790000000,
    configurations,
    comparison: [],
    command: `imlp sweep recipes/first-run.toml --out imlp-out/${name}`,
    facts: [
      { name: "imlp", value: "0.1.0" },
      { name: "processor", value: "AMD EPYC 9R14, instruction set avx512" },
      { name: "wall time", value: "2 min 41 s" },
    ],
    files: ["results.csv", "summary.json", "analysis.json", "curve.svg", "curve.png"],
    ...rest,
  };
}

const grid = (n) => [0, ...Array.from({ length: n - 2 }, (_, i) => Number((10 ** (-3 + (3 * i) / (n - 2))).toPrecision(3))), 1];
const HOSTILE = `<img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script>'"\n\u202e\u0007&amp;`;

/** Data of a page by the name of what it shows. */
export const PAGES = {
  finished: () => ({ views: [view()], refresh_seconds: null }),
  running: () => ({
    views: [
      view({
        running: true,
        read_at: Math.floor(Date.now() / 1000),
        configurations: [
          configuration({
            state: (a, s) => (a < 0.1 ? ["done", null] : a === 0.1 && s < 103 ? ["done", null] : a === 0.1 && s === 103 ? ["running", null] : ["waiting", null]),
          }),
        ],
      }),
    ],
    refresh_seconds: 2,
  }),
  started: () => ({
    views: [view({ running: true, configurations: [configuration({ state: () => ["waiting", null] })] })],
    refresh_seconds: 10,
  }),
  "partly-failed": () => ({
    views: [
      view({
        configurations: [
          configuration({
            state: (a, s) =>
              a === 0.3 || (a === 0.15 && s === 104)
                ? ["failed", "cannot write imlp-out/fashion-mini-cnn/trials/5e1f/checkpoint.bin: No space left on device (os error 28)"]
                : ["done", null],
            notes: ["6 trials failed: imlp retry imlp-out/fashion-mini-cnn runs them again."],
          }),
        ],
      }),
    ],
    refresh_seconds: null,
  }),
  diverged: () => ({
    views: [
      view({
        configurations: [
          configuration({ state: (a, s) => (a === 1 || (a >= 0.3 && s % 2 === 0) ? ["diverged", "the loss was not finite in epoch 3"] : ["done", null]) }),
        ],
      }),
    ],
    refresh_seconds: null,
  }),
  "all-diverged": () => ({
    views: [view({ configurations: [configuration({ seeds: [1, 2], state: () => ["diverged", "the loss was not finite in epoch 3"] })] })],
    refresh_seconds: null,
  }),
  "one-seed": () => ({ views: [view({ configurations: [configuration({ seeds: [7], alphas: [0, 0.1, 1] })] })], refresh_seconds: null }),
  "many-trials": () => ({
    views: [view({ configurations: [configuration({ alphas: grid(10), seeds: Array.from({ length: 20 }, (_, i) => i + 1), epochs: 25 })] })],
    refresh_seconds: null,
  }),
  compared: () => ({
    views: [
      view(),
      view({ name: "fashion-mini-mixer", configurations: [configuration({ seed: 9, shape: (a) => 0.83 + 0.03 * Math.exp(-((Math.log10(a + 1e-6) + 1.5) ** 2)) })] }),
    ],
    refresh_seconds: null,
  }),
  configurations: () => ({
    views: [
      view({
        comparison: [
          "At the α chosen on validation, allocation = first is 0.42 ± 0.31 points better than allocation = all (5 seeds, p = 0.021 by Holm).",
          "allocation = gradient and allocation = all do not differ (p = 0.44).",
        ],
        configurations: [
          configuration({ label: "allocation = all" }),
          configuration({ label: "allocation = first", seed: 2, allocation: (i) => (i === 0 ? 1 : 0), shape: (a) => 0.846 - 0.02 * Math.exp(-((Math.log10(a + 1e-6) + 0.8) ** 2) / 0.3) }),
          configuration({ label: "allocation = gradient, release after epoch 3", seed: 3, channels: 3, allocation: (i) => 1 - i / 4, schedule: (t) => (t > 0.6 ? 0 : 1), shape: (a) => 0.84 - 0.04 * Math.exp(-((Math.log10(a + 1e-6) + 1) ** 2) / 0.2) }),
        ],
      }),
    ],
    refresh_seconds: null,
  }),
  "two-sided": () => ({
    views: [view({ configurations: [configuration({ alphas: [0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1], seeds: [1, 2, 3] })] })],
    refresh_seconds: null,
  }),
  "plain-only": () => ({ views: [view({ configurations: [configuration({ alphas: [0], seeds: [1, 2] })] })], refresh_seconds: null }),
  hostile: () => {
    const one = () => configuration({ label: HOSTILE, notes: [HOSTILE], layers: [HOSTILE, "x".repeat(120)], seeds: [1, 2], alphas: [0, 0.1, 1], state: (a) => (a === 0.1 ? ["failed", HOSTILE] : ["done", null]) });
    const configurations = [one(), one()];
    for (const c of configurations) {
      c.config_toml = HOSTILE;
      c.subtitle = HOSTILE;
      c.facts = [{ name: HOSTILE, value: HOSTILE }];
      c.answer.shape = HOSTILE;
      c.answer.diagnosis = HOSTILE;
      c.first_layer.units[0] = HOSTILE;
      c.first_layer.layer = HOSTILE;
      c.trials[0].record = "javascript:window.hacked=1";
      c.trials[1].record = "../../etc/passwd";
    }
    return {
      views: [view({ name: HOSTILE, title: HOSTILE, configurations, comparison: [HOSTILE], command: HOSTILE, facts: [{ name: HOSTILE, value: HOSTILE }], files: ["javascript:alert(1)", "//example.org/x", "/etc/passwd", "a/../b", "results.csv", "50% sure?.txt"] })],
      refresh_seconds: null,
    };
  },
};
