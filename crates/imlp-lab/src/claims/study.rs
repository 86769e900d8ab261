//! A study: the experiment that tries a claim in one reading, at a scale of choice.

use imlp_suggest::did_you_mean;
use serde::{Deserialize, Serialize};

use super::claim::Claim;
use crate::error::LabError;
use crate::recipe::Recipe;

/// How the paper is read where it says two things: its abstract speaks of the fixed weights
/// of a prior, its method trains the prior beside the twin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// The prior is trained beside the twin.
    CoTrained,
    /// The prior is trained first, and then fixed.
    Frozen,
}

impl Reading {
    /// Both.
    pub const ALL: [Self; 2] = [Self::CoTrained, Self::Frozen];

    /// Its name, which is that of the recipe key `prior.training`.
    pub fn name(self) -> &'static str {
        match self {
            Self::CoTrained => "co-trained",
            Self::Frozen => "frozen",
        }
    }
}

/// How much is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// The built-in images: minutes on two cores.
    Smoke,
    /// CIFAR-10, ten epochs: about an hour for a claim on two cores.
    Cpu,
    /// Wider networks and a hundred epochs: for a cluster.
    Full,
}

impl Scale {
    /// All, the smallest first.
    pub const ALL: [Self; 3] = [Self::Smoke, Self::Cpu, Self::Full];

    /// Its name on the command line and in the names of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Cpu => "cpu",
            Self::Full => "full",
        }
    }
}

/// The experiment that tries a claim in one reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Study {
    /// The claim.
    pub claim: Claim,
    /// The reading.
    pub reading: Reading,
    /// What differs from the claim's main study: fewer images, more epochs …
    pub variation: Option<&'static str>,
    /// Path of its recipe under `recipes/paper/`.
    path: &'static str,
    /// Path there of what a variation sets over it.
    over: Option<&'static str>,
}

/// The recipes in `recipes/paper/`, by their paths there.
macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../../recipes/paper/", $path)))),*]
    };
}

const RECIPES: &[(&str, &str)] = embedded![
    "scale/smoke.toml",
    "scale/smoke-cnn.toml",
    "scale/smoke-mixer.toml",
    "scale/smoke-first-layer.toml",
    "scale/smoke-schedule.toml",
    "scale/cpu.toml",
    "scale/cpu-cnn.toml",
    "scale/cpu-mixer.toml",
    "scale/cpu-first-layer.toml",
    "scale/cpu-schedule.toml",
    "scale/full.toml",
    "scale/full-cnn.toml",
    "scale/full-mixer.toml",
    "scale/full-first-layer.toml",
    "scale/full-schedule.toml",
    "v-curve-co-trained.toml",
    "v-curve-frozen.toml",
    "logarithmic-sides-co-trained.toml",
    "logarithmic-sides-frozen.toml",
    "fraction-co-trained.toml",
    "fraction-frozen.toml",
    "mixer-co-trained.toml",
    "mixer-frozen.toml",
    "training-time-co-trained.toml",
    "training-time-frozen.toml",
    "first-layer-co-trained.toml",
    "first-layer-frozen.toml",
    "schedule-co-trained.toml",
    "schedule-frozen.toml",
    "variations/augmented.toml",
    "variations/3-epochs.toml",
    "variations/30-epochs.toml",
    "variations/2000-images.toml",
    "variations/5000-images.toml",
    "variations/half-width.toml",
    "variations/half-width-mixer.toml",
    "variations/twice-width.toml",
    "variations/twice-width-mixer.toml",
    "variations/slow-prior.toml",
    "variations/fast-prior.toml",
    "variations/every-50-steps.toml",
    "variations/exchanged-rates.toml",
    "variations/cifar-100.toml",
    "variations/tiny-imagenet.toml",
];

const fn study(claim: Claim, reading: Reading, path: &'static str) -> Study {
    Study {
        claim,
        reading,
        variation: None,
        path,
        over: None,
    }
}

/// The main studies, in the order in which they are run.
const MAIN: [Study; 10] = {
    use Claim::{FirstLayer, Mixer, Schedule, TrainingTime, VCurve};
    use Reading::{CoTrained, Frozen};
    [
        study(VCurve, CoTrained, "v-curve-co-trained.toml"),
        study(VCurve, Frozen, "v-curve-frozen.toml"),
        study(Mixer, CoTrained, "mixer-co-trained.toml"),
        study(Mixer, Frozen, "mixer-frozen.toml"),
        study(TrainingTime, CoTrained, "training-time-co-trained.toml"),
        study(TrainingTime, Frozen, "training-time-frozen.toml"),
        study(FirstLayer, CoTrained, "first-layer-co-trained.toml"),
        study(FirstLayer, Frozen, "first-layer-frozen.toml"),
        study(Schedule, CoTrained, "schedule-co-trained.toml"),
        study(Schedule, Frozen, "schedule-frozen.toml"),
    ]
};

/// The variations by name and claim, each with what it sets over the claim's recipe. The
/// cheapest come first.
const VARIATIONS: &[(&str, Claim, &str)] = {
    use Claim::{Mixer, VCurve};
    &[
        ("2000-images", VCurve, "variations/2000-images.toml"),
        ("2000-images", Mixer, "variations/2000-images.toml"),
        ("5000-images", VCurve, "variations/5000-images.toml"),
        ("5000-images", Mixer, "variations/5000-images.toml"),
        ("exchanged-rates", VCurve, "variations/exchanged-rates.toml"),
        ("3-epochs", VCurve, "variations/3-epochs.toml"),
        ("3-epochs", Mixer, "variations/3-epochs.toml"),
        ("half-width", VCurve, "variations/half-width.toml"),
        ("half-width", Mixer, "variations/half-width-mixer.toml"),
        ("augmented", VCurve, "variations/augmented.toml"),
        ("augmented", Mixer, "variations/augmented.toml"),
        ("cifar-100", VCurve, "variations/cifar-100.toml"),
        ("cifar-100", Mixer, "variations/cifar-100.toml"),
        ("slow-prior", VCurve, "variations/slow-prior.toml"),
        ("slow-prior", Mixer, "variations/slow-prior.toml"),
        ("fast-prior", VCurve, "variations/fast-prior.toml"),
        ("fast-prior", Mixer, "variations/fast-prior.toml"),
        ("every-50-steps", VCurve, "variations/every-50-steps.toml"),
        ("every-50-steps", Mixer, "variations/every-50-steps.toml"),
        ("tiny-imagenet", VCurve, "variations/tiny-imagenet.toml"),
        ("30-epochs", VCurve, "variations/30-epochs.toml"),
        ("30-epochs", Mixer, "variations/30-epochs.toml"),
        ("twice-width", VCurve, "variations/twice-width.toml"),
        ("twice-width", Mixer, "variations/twice-width-mixer.toml"),
    ]
};

/// All studies, in the order in which they are run and shown: the main ones, then the
/// variations in both readings.
pub fn studies() -> impl Iterator<Item = Study> {
    let variations = VARIATIONS.iter().flat_map(|&(name, claim, over)| {
        let of_claim = MAIN.iter().filter(move |study| study.claim == claim);
        of_claim.map(move |study| Study {
            variation: Some(name),
            over: Some(over),
            ..*study
        })
    });
    MAIN.into_iter().chain(variations)
}

impl Study {
    /// Those that decide one of `claims` in one of `readings`; the main ones, or with
    /// `variation` that variation of them.
    pub fn of(
        claims: &[Claim],
        readings: &[Reading],
        variation: Option<&str>,
    ) -> Result<Vec<Self>, String> {
        let measured: Vec<Claim> = claims.iter().map(|claim| claim.measured_by()).collect();
        let asked =
            |study: &Self| measured.contains(&study.claim) && readings.contains(&study.reading);
        let of_claims: Vec<Self> = studies().filter(asked).collect();
        let varied = of_claims
            .iter()
            .filter(|study| study.variation == variation);
        let found: Vec<Self> = varied.copied().collect();
        match variation {
            Some(name) if found.is_empty() => {
                let names = of_claims.iter().filter_map(|study| study.variation);
                let mut names: Vec<&str> = names.collect();
                names.sort_unstable();
                names.dedup();
                let hint = did_you_mean(name, names.iter().copied());
                let known = match names.as_slice() {
                    [] => "these claims have none".to_owned(),
                    names => format!("known here: {}", names.join(", ")),
                };
                Err(format!("there is no such variation{hint}; {known}"))
            }
            _ => Ok(found),
        }
    }

    /// The study of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        studies().find(|study| study.name() == name)
    }

    /// Its name: claim, variation and reading.
    pub fn name(&self) -> String {
        let variation = self.variation.map(|v| format!("-{v}")).unwrap_or_default();
        format!("{}{variation}-{}", self.claim.name(), self.reading.name())
    }

    /// Whether it is tried at `scale`: variations are of scale `cpu` alone.
    pub fn is_of(&self, scale: Scale) -> bool {
        self.variation.is_none() || scale == Scale::Cpu
    }

    /// Its recipe at `scale`.
    ///
    /// # Errors
    /// None, of the recipes as they are: a test reads all of them.
    pub fn recipe(&self, scale: Scale) -> Result<Recipe, LabError> {
        let text_of = |path: &str| {
            // A recipe as written is of scale "cpu"; the others have files of the same names.
            let path = path.replace("scale/cpu", &format!("scale/{}", scale.name()));
            let mut recipes = RECIPES.iter();
            recipes
                .find(|(known, _)| *known == path)
                .map(|(_, text)| *text)
        };
        let recipe = Recipe::embedded(self.path, &text_of)?;
        match self.over {
            Some(over) => Ok(recipe.under(Recipe::embedded(over, &text_of)?)),
            None => Ok(recipe),
        }
    }

    /// The studies of which its judgement needs the records too.
    pub fn reference(&self) -> Option<Self> {
        let is_reference = |study: &Self| {
            (study.claim, study.reading, study.variation)
                == (Claim::VCurve, self.reading, self.variation)
        };
        match self.claim {
            // Its constant α are those of the V-curve.
            Claim::Schedule => studies().find(is_reference),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn every_study_has_a_recipe_at_its_scales() {
        for study in studies() {
            for scale in Scale::ALL {
                if !study.is_of(scale) {
                    continue;
                }
                let recipe = study.recipe(scale).unwrap();
                let plan = Plan::new(&recipe).unwrap_or_else(|e| panic!("{}: {e}", study.name()));
                for configuration in plan.configurations() {
                    let training = configuration.config.prior.training;
                    assert_eq!(training.name(), study.reading.name(), "{}", study.name());
                }
            }
            assert_eq!(Study::of_name(&study.name()), Some(study));
        }
    }

    /// What is embedded is what a reader finds in the folder.
    #[test]
    fn a_recipe_of_scale_cpu_is_the_file_as_it_lies_there() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/paper");
        for study in MAIN {
            let read = Recipe::read(&folder.join(study.path)).unwrap();
            assert_eq!(study.recipe(Scale::Cpu).unwrap(), read, "{}", study.path);
        }
        let mut files = 0;
        for sub in ["", "scale/", "variations/"] {
            for entry in std::fs::read_dir(folder.join(sub)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if name.ends_with(".toml") {
                    let path = format!("{sub}{name}");
                    assert!(RECIPES.iter().any(|(known, _)| *known == path), "{path}");
                    files += 1;
                }
            }
        }
        assert_eq!(files, RECIPES.len());
    }

    /// A variation that sets nothing, or twice the same, would be the main study once more.
    #[test]
    fn a_variation_asks_for_trials_of_its_own() {
        let mut known: Vec<(String, Recipe)> = Vec::new();
        for study in studies() {
            let mut recipe = study.recipe(Scale::Cpu).unwrap();
            // Fewer seeds do not make other trials.
            recipe.set("sweep.seeds", 1.into()).unwrap();
            let same = known.iter().find(|(_, other)| *other == recipe);
            assert!(same.is_none(), "{} as {}", study.name(), same.unwrap().0);
            known.push((study.name(), recipe));
        }
    }

    #[test]
    fn claims_that_share_a_study_run_it_once() {
        let claims = [Claim::VCurve, Claim::Fraction, Claim::LogarithmicSides];
        let studies = Study::of(&claims, &[Reading::Frozen], None).unwrap();
        let names: Vec<String> = studies.iter().map(Study::name).collect();
        assert_eq!(names, ["v-curve-frozen"]);
        let refused = Study::of(&Claim::ALL, &Reading::ALL, Some("augmentde")).unwrap_err();
        assert!(
            refused.starts_with("there is no such variation (did you mean `augmented`?)"),
            "{refused}"
        );
        let mixers = Study::of(&[Claim::Mixer], &Reading::ALL, Some("half-width")).unwrap();
        let names: Vec<String> = mixers.iter().map(Study::name).collect();
        assert_eq!(
            names,
            ["mixer-half-width-co-trained", "mixer-half-width-frozen"]
        );
    }
}
