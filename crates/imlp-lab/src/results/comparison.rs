//! What the configurations of an experiment have in common and how they differ: one figure
//! and one table.

use imlp_suggest::counted;

use super::curves::Curves;
use super::records::Records;
use crate::comparison::names::{differing_keys, short_names};
use crate::comparison::{Comparison, Origin, Side, compare_by_data};
use crate::curve::Curve;
use crate::description::{ACCURACY_AGAINST_ALPHA, start};
use crate::error::LabError;
use crate::experiment::Configuration;
use crate::figure::overlay;
use crate::statistics::StatisticsError;

/// A configuration of which a trial finished.
pub(super) struct Finished<'a> {
    /// The configuration.
    pub(super) configuration: &'a Configuration,
    /// Its curves.
    pub(super) curves: &'a Curves,
}

/// The configurations of an experiment beside each other.
pub(super) struct Compared {
    /// Their differences.
    pub(super) comparison: Comparison,
    /// The curves overlaid.
    pub(super) svg: String,
}

impl Compared {
    /// Compares `configurations`, at least two.
    ///
    /// # Errors
    /// A figure that cannot be drawn.
    pub(super) fn new(
        records: &Records<'_>,
        configurations: &[Finished<'_>],
    ) -> Result<Self, LabError> {
        let assignments: Vec<_> = configurations
            .iter()
            .map(|c| c.configuration.assignments.as_slice())
            .collect();
        let names = short_names(&assignments);
        let title = title(configurations);
        let subtitle = format!(
            "the configurations differ in {}; {}",
            differing_keys(&assignments).join(", "),
            counted(records.experiment.seeds.len(), "seed"),
        );
        let curves: Vec<(&str, &Curve)> = names
            .iter()
            .zip(configurations)
            .map(|(name, c)| (name.as_str(), &c.curves.test))
            .collect();
        let svg = overlay(&title, &subtitle, &curves)?;
        let mut comparison = differences(&names, configurations)?;
        let missing = records.experiment.configurations.len() - configurations.len();
        if missing > 0 {
            comparison.notes.push(format!(
                "{} without a finished trial, missing here",
                counted(missing, "configuration")
            ));
        }
        Ok(Self { comparison, svg })
    }
}

fn title(configurations: &[Finished<'_>]) -> String {
    let of = |name: fn(&Configuration) -> &str| {
        let first = name(configurations[0].configuration);
        let same = configurations
            .iter()
            .all(|c| name(c.configuration) == first);
        same.then_some(first)
    };
    let data = of(|c| &c.config.data.name);
    let prior = of(|c| c.config.prior.kind.name());
    match (data, prior) {
        (Some(data), Some(prior)) => format!("{ACCURACY_AGAINST_ALPHA}{data} toward {prior}"),
        (Some(data), None) => format!("{ACCURACY_AGAINST_ALPHA}{data}"),
        _ => "Accuracy against α".to_owned(),
    }
}

/// The differences of configurations that are measured on the same images.
fn differences(
    names: &[String],
    configurations: &[Finished<'_>],
) -> Result<Comparison, StatisticsError> {
    let starts: Vec<String> = configurations
        .iter()
        .map(|c| start(c.configuration))
        .collect();
    let sides = names
        .iter()
        .zip(configurations)
        .zip(&starts)
        .map(|((name, c), start)| {
            let origin = Origin {
                data: &c.configuration.setup.data().dataset().checksum,
                start,
            };
            let side = Side {
                name,
                test: &c.curves.test,
                validation: c.curves.validation.as_ref(),
            };
            (origin, side)
        });
    compare_by_data(sides)
}
