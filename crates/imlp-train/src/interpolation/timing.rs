//! When the twin is interpolated: during training, every epoch or every so many
//! steps, or once at the end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When the twin is interpolated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// Again and again while the twin trains.
    #[default]
    TrainingTime,
    /// Once, after twin and prior have been trained apart.
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
    /// After every so many optimiser steps, counted over the whole run.
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

/// Where the interpolations of an epoch fall. It depends on neither α nor the
/// schedule's values, so every trial of an experiment shares the prior's
/// snapshots at these points.
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
