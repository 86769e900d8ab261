//! The statements of the paper that can be tested.

use imlp_suggest::did_you_mean;

/// A statement of the paper that can be tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// Accuracy over α has an interior minimum.
    VCurve,
    /// Its sides are linear in the logarithm of the distance to their end.
    LogarithmicSides,
    /// A Mixer's curve has an interior minimum and an interior maximum.
    Mixer,
    /// Some interior α beats both ends.
    Fraction,
    /// A budget of interpolation is best spent on the first layer.
    FirstLayer,
    /// Interpolation during training beats interpolation at its end.
    TrainingTime,
    /// A schedule beats constant α.
    Schedule,
}

impl Claim {
    /// All of them, in the order in which they are tried and shown.
    pub const ALL: [Self; 7] = [
        Self::VCurve,
        Self::LogarithmicSides,
        Self::Fraction,
        Self::Mixer,
        Self::TrainingTime,
        Self::FirstLayer,
        Self::Schedule,
    ];

    /// Its name on the command line and in the names of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::VCurve => "v-curve",
            Self::LogarithmicSides => "logarithmic-sides",
            Self::Mixer => "mixer",
            Self::Fraction => "fraction",
            Self::FirstLayer => "first-layer",
            Self::TrainingTime => "training-time",
            Self::Schedule => "schedule",
        }
    }

    /// The claim of that name.
    ///
    /// # Errors
    /// What names there are.
    pub fn of_name(name: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|claim| claim.name() == name);
        named.ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let hint = did_you_mean(name, names);
            format!(
                "there is no such claim{hint}; known here: {}",
                names.join(", ")
            )
        })
    }

    /// What the paper says.
    pub fn statement(self) -> &'static str {
        match self {
            Self::VCurve => {
                "With a CNN as prior, accuracy over α has an interior minimum and rises toward both \
                 ends."
            }
            Self::LogarithmicSides => {
                "On each side of that minimum, accuracy is linear in the logarithm of the distance \
                 to the end."
            }
            Self::Mixer => {
                "With an MLP-Mixer as prior, accuracy over α has an interior minimum and an \
                 interior maximum."
            }
            Self::Fraction => "Some α between 0 and 1 beats both the plain MLP and the prior.",
            Self::FirstLayer => {
                "Under a fixed budget, interpolating the first layer beats spreading over all \
                 layers."
            }
            Self::TrainingTime => {
                "Interpolation during training beats a single interpolation at its end."
            }
            Self::Schedule => "An α that decays exponentially beats a constant α.",
        }
    }

    /// How it is decided.
    pub fn rule(self) -> &'static str {
        match self {
            Self::VCurve => {
                "V-test on test accuracy: reproduced where an interior minimum is declared; \
                 contradicted where only an interior maximum is, or where all differences lie \
                 within 1 point."
            }
            Self::LogarithmicSides => {
                "Only where the V is shown. AICc of constant, linear, logarithmic and logistic \
                 sides: reproduced where the logarithm leads on both sides by 2 or more; \
                 contradicted where another form leads by 2 on a side."
            }
            Self::Mixer => {
                "V-tests on test accuracy and on its negative: reproduced where both declare; \
                 contradicted where all differences lie within 1 point."
            }
            Self::Fraction => {
                "V-test on the negative of test accuracy, and at the α with the highest validation \
                 accuracy inside (0, 1) the paired differences on the test set from both ends; the \
                 smaller one counts. Reproduced where the test declares an interior maximum and \
                 that difference is above 0 (p < 0.05); contradicted where it is below 0 (p < 0.05)."
            }
            Self::FirstLayer => {
                "Both ways of spending a budget choose its size on validation; paired difference on \
                 the test set, two-sided t-test at 5 %. Two readings of the budget: the sum of α \
                 over layers, and the sum of α over weights."
            }
            Self::TrainingTime => {
                "Paired differences on the test set at each interior α, Holm over the grid at 5 %: \
                 reproduced where at least one is above 0 and none below; contradicted where it is \
                 the other way round."
            }
            Self::Schedule => {
                "Paired differences on the test set at equal final, and at equal mean, effective \
                 prior share, Holm over the pairs at 5 %: reproduced where at least one is above 0 \
                 and none below; contradicted where it is the other way round."
            }
        }
    }

    /// The claim whose trials decide it, where it needs none of its own.
    pub fn measured_by(self) -> Self {
        match self {
            Self::LogarithmicSides | Self::Fraction => Self::VCurve,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused_with_the_nearest() {
        for claim in Claim::ALL {
            assert_eq!(Claim::of_name(claim.name()), Ok(claim));
        }
        let refused = Claim::of_name("v-curv").unwrap_err();
        assert!(refused.contains("did you mean `v-curve`?"), "{refused}");
        assert!(refused.contains("mixer"), "{refused}");
    }
}
