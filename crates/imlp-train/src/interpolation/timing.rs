//! When the twin is interpolated: after every epoch or every k steps of training, or
//! once at the end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When the twin is interpolated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// Repeatedly while the twin trains.
    #[default]
    TrainingTime,
    /// Once, after twin and prior have been trained separately.
    TestTime,
}

/// How often training-time interpolation happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected \"epoch\" or a number of steps")]
pub enum Every {
    /// At the end of every epoch.
    #[default]
    #[serde(with = "epoch_word")]
    Epoch,
    /// After every k optimiser steps, counted over the whole run.
    Steps(u32),
}

impl JsonSchema for Every {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Every".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "`\"epoch\"`, or a number of optimiser steps.",
            "anyOf": [{ "const": "epoch" }, { "type": "integer", "minimum": 1 }],
        })
    }
}

mod epoch_word {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("epoch")
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "epoch" => Ok(()),
            other => Err(D::Error::custom(format!("unknown interval `{other}`"))),
        }
    }
}

/// Optimiser steps `start..end` of one epoch, and whether an interpolation
/// follows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First step, from 0 within the epoch.
    pub start: usize,
    /// One past the last step.
    pub end: usize,
    /// Whether the twin may be interpolated after the last step.
    pub interpolate: bool,
}

/// The segments of an epoch. They depend on neither α nor the schedule, so every trial
/// of an experiment shares the prior's snapshots at their ends.
pub fn segments(
    timing: Timing,
    every: Every,
    epoch: u32,
    epochs: u32,
    steps: usize,
) -> Vec<Segment> {
    let whole = |interpolate| Segment {
        start: 0,
        end: steps,
        interpolate,
    };
    match (timing, every) {
        (Timing::TestTime, _) => vec![whole(epoch == epochs)],
        (Timing::TrainingTime, Every::Epoch) => vec![whole(true)],
        (Timing::TrainingTime, Every::Steps(k)) => {
            let k = k as usize;
            let before = (epoch as usize - 1) * steps;
            let mut segments = Vec::new();
            let mut start = 0;
            while start < steps {
                let next = ((before + start) / k + 1) * k - before;
                let end = next.min(steps);
                segments.push(Segment {
                    start,
                    end,
                    interpolate: next <= steps,
                });
                start = end;
            }
            segments
        }
    }
}

/// Where the training of a network pauses: at the end of a segment, to
/// interpolate, to measure, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    /// Epoch, from 1.
    pub epoch: u32,
    /// The segment that ends here.
    pub segment: Segment,
    /// Whether the epoch ends here.
    pub ends_epoch: bool,
    /// Whether the run ends here.
    pub ends_run: bool,
}

/// Where a trial is interpolated for the first time, and parts from the α = 0 trial of
/// its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Parting {
    /// Epoch, from 1.
    pub epoch: u32,
    /// Optimiser steps of this epoch before it.
    pub step: usize,
}

impl Parting {
    /// Whether it lies at `pause`.
    pub(crate) fn is_at(self, pause: Pause) -> bool {
        (self.epoch, self.step) == (pause.epoch, pause.segment.end)
    }
}

/// The pauses of a run of `last` epochs after its first `epochs` epochs and
/// `done` segments of the next one; `segments` gives those of an epoch.
pub(crate) fn pauses(
    (epochs, done): (u32, usize),
    last: u32,
    segments: impl Fn(u32) -> Vec<Segment>,
) -> impl Iterator<Item = Pause> {
    let of_epoch = move |epoch| {
        let segments = segments(epoch);
        let count = segments.len();
        segments.into_iter().enumerate().map(move |(i, segment)| {
            let ends_epoch = i + 1 == count;
            Pause {
                epoch,
                segment,
                ends_epoch,
                ends_run: ends_epoch && epoch == last,
            }
        })
    };
    (epochs + 1..=last).flat_map(of_epoch).skip(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(timing: Timing, every: Every, epochs: u32, steps: usize) -> Vec<(u32, usize, bool)> {
        (1..=epochs)
            .flat_map(|epoch| {
                segments(timing, every, epoch, epochs, steps)
                    .into_iter()
                    .map(move |s| (epoch, s.end, s.interpolate))
            })
            .collect()
    }

    #[test]
    fn interpolations_fall_where_the_rule_says() {
        let train = Timing::TrainingTime;
        assert_eq!(
            ends(train, Every::Epoch, 2, 7),
            [(1, 7, true), (2, 7, true)]
        );
        assert_eq!(
            ends(Timing::TestTime, Every::Epoch, 2, 7),
            [(1, 7, false), (2, 7, true)]
        );
        // Steps 3, 6, 9, 12 of 14, over two epochs of 7.
        assert_eq!(
            ends(train, Every::Steps(3), 2, 7),
            [
                (1, 3, true),
                (1, 6, true),
                (1, 7, false),
                (2, 2, true),
                (2, 5, true),
                (2, 7, false)
            ]
        );
        // Steps 10, 20: the first falls in epoch 2.
        assert_eq!(
            ends(train, Every::Steps(10), 3, 7),
            [
                (1, 7, false),
                (2, 3, true),
                (2, 7, false),
                (3, 6, true),
                (3, 7, false)
            ]
        );
        assert_eq!(ends(train, Every::Steps(7), 1, 7), [(1, 7, true)]);
    }

    #[test]
    fn a_run_goes_on_at_the_pause_where_it_stopped() {
        let of_epoch = |epoch| segments(Timing::TrainingTime, Every::Steps(3), epoch, 2, 7);
        let from = |start| -> Vec<Pause> { pauses(start, 2, of_epoch).collect() };
        let whole = from((0, 0));
        let ends: Vec<_> = whole.iter().map(|p| (p.epoch, p.segment.end)).collect();
        assert_eq!(ends, [(1, 3), (1, 6), (1, 7), (2, 2), (2, 5), (2, 7)]);
        let ends_epoch: Vec<_> = whole.iter().map(|p| p.ends_epoch).collect();
        assert_eq!(ends_epoch, [false, false, true, false, false, true]);
        assert_eq!(whole.iter().filter(|p| p.ends_run).count(), 1);
        assert!(whole[5].ends_run);
        assert_eq!(from((0, 2)), whole[2..]);
        assert_eq!(from((1, 1)), whole[4..]);
        assert_eq!(from((2, 0)), []);
    }

    #[test]
    fn segments_cover_every_step_once() {
        for (k, steps) in [(1, 5), (2, 5), (5, 5), (6, 5), (4, 9)] {
            for epoch in 1..=4 {
                let mut next = 0;
                for s in segments(Timing::TrainingTime, Every::Steps(k), epoch, 4, steps) {
                    assert_eq!(s.start, next);
                    assert!(s.end > s.start);
                    next = s.end;
                }
                assert_eq!(next, steps);
            }
        }
    }
}
