// What the page is given: crates/imlp-lab/src/view.rs and curve.rs as serde writes them.
// Accuracies are fractions, losses nats.

export interface ReportData {
  views: View[];
  /** After how many seconds a running experiment is read again; null when it is final. */
  refresh_seconds: number | null;
}

export interface View {
  title: string;
  name: string;
  state: ExperimentState;
  /** Seconds since 1970. */
  read_at: number;
  configurations: ConfigurationView[];
  comparison: string[];
  command: string;
  facts: Fact[];
  files: string[];
}

export interface ExperimentState {
  running: boolean;
  trials: number;
  done: number;
  diverged: number;
  failed: number;
}

export interface Fact {
  name: string;
  value: string;
}

export interface ConfigurationView {
  label: string;
  answer: Answer | null;
  notes: string[];
  ends_as_prior: boolean;
  /** How it was trained, in a line; may be empty. */
  subtitle: string;
  curves: CurveView[];
  layers: string[];
  trials: TrialView[];
  priors: PriorView[];
  first_layer: FirstLayerView | null;
  cost: CostView | null;
  facts: Fact[];
  config_toml: string;
}

export interface Answer {
  best_alpha: number | null;
  accuracy: number | null;
  interval: Interval | null;
  gain_over_plain_mlp: Gain | null;
  gain_over_prior: Gain | null;
  shape: string;
  diagnosis: string;
}

export type Interval = [number, number];

export interface Gain {
  mean: number;
  interval: Interval | null;
  seeds: number;
}

export type ImageSet = "training" | "validation" | "test";
export type Moment = "before" | "after";

export interface CurveView {
  on: ImageSet;
  at: Moment;
  curve: Curve;
}

export interface Curve {
  title: string;
  subtitle: string;
  metric: string;
  points: CurvePoint[];
  prior: SeedStatistics | null;
  plain_mlp: SeedStatistics | null;
  chosen_alpha: number | null;
}

export interface SeedStatistics {
  values: { seed: number; value: number }[];
  diverged: number[];
  mean: number | null;
  ci95: Interval | null;
  n: number;
}

export interface CurvePoint extends SeedStatistics {
  alpha: number;
}

export interface TrialView {
  id: string;
  alpha: number;
  seed: number;
  state: string;
  reason: string | null;
  before: Accuracies;
  after: Accuracies;
  prior_share: number | null;
  epochs: number | null;
  train_seconds: number | null;
  images_per_second: number | null;
  flops: number | null;
  record: string | null;
  points: PointView[];
}

export interface Accuracies {
  training: number | null;
  validation: number | null;
  test: number | null;
}

export interface PointView {
  epoch: number;
  loss: number | null;
  before: Accuracies;
  after: Accuracies;
  alphas: number[];
  prior_share: number | null;
}

export interface PriorView {
  seed: number;
  diverged_epoch: number | null;
  end: Accuracies;
  points: PointView[];
}

export interface FirstLayerView {
  seed: number;
  layer: string;
  /** Channels, height, width. */
  shape: [number, number, number];
  units: string[];
  /** Packed in the page, see packed-row.ts. */
  prior: number[][];
  twins: { alpha: number; rows: number[][] }[];
}

export interface CostView {
  prior_parameters: number;
  twin_parameters: number;
  prior_macs: number;
  twin_macs: number;
  prior_flops: number;
  twin_flops: number;
}
