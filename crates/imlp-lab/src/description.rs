//! What a configuration is: kept in its experiment's folder, for those who have the folder but
//! neither data nor networks.

mod titles;

pub(crate) use titles::{ACCURACY_AGAINST_ALPHA, titles};

use imlp_data::ImageSet;
use imlp_train::{BURN_VERSION, NetworkCost, TrialConfig, macs_per_image};
use serde::{Deserialize, Serialize};

use crate::error::LabError;
use crate::experiment::{Configuration, Experiment};
use crate::identity::sha256_hex;
use crate::sweep_config::SweepConfig;
use crate::text::thousands;

/// A configuration in words and numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Title of its figures: data set and prior.
    pub title: String,
    /// How it is trained.
    pub subtitle: String,
    /// Its linear layers in order, named as in the twin.
    pub layers: Vec<String>,
    /// Whether a trial with α = 1 ends as the prior: not when the schedule falls, some layer
    /// gets less than all of α, or biases are left out.
    pub ends_as_prior: bool,
    /// What training costs.
    pub cost: TrainingCost,
    /// Data, checksum, parameters …
    pub facts: Vec<Fact>,
    /// SHA-256 of the images and labels.
    pub data_checksum: String,
    /// The share of its most frequent class in the test set; none in a file of an early version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_frequent_class: Option<f64>,
    /// A checksum of what decides, beside the seed, the initial weights of the dense twin and
    /// the order of images; empty in a file of an early version.
    #[serde(default)]
    pub start: String,
    /// The recipe with every default written out, as TOML.
    pub recipe: String,
}

/// A name and a value, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// The value in words.
    pub value: String,
}

impl Fact {
    /// A fact.
    pub fn new(name: &str, value: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: value.into(),
        }
    }
}

/// What training costs, by network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingCost {
    /// Free parameters of the prior.
    pub prior_parameters: u64,
    /// Of the dense twin.
    pub twin_parameters: u64,
    /// Multiply-adds of the prior per image, forward.
    pub prior_macs: u64,
    /// Of the dense twin.
    pub twin_macs: u64,
    /// Floating-point operations of the prior per training image, forward and backward.
    pub prior_flops: u64,
    /// Of the dense twin.
    pub twin_flops: u64,
    /// Images in one epoch.
    pub epoch_images: u64,
}

impl Description {
    /// The description of the configuration of that index.
    ///
    /// # Errors
    /// Interpolation keys that do not fit the twin; a configuration that TOML cannot say.
    pub fn of(experiment: &Experiment, index: usize) -> Result<Self, LabError> {
        let configuration = &experiment.configurations[index];
        let setup = &configuration.setup;
        let (title, subtitle) = titles(experiment, index);
        let layers = setup.twin().linear_names().into_iter();
        Ok(Self {
            title,
            subtitle,
            layers: layers.map(str::to_owned).collect(),
            ends_as_prior: setup.ends_as_prior()?,
            cost: TrainingCost::of(configuration),
            facts: facts(configuration),
            data_checksum: setup.data().dataset().checksum.clone(),
            most_frequent_class: Some(most_frequent_class(&setup.data().dataset().test)),
            start: start(configuration),
            recipe: complete_recipe(configuration, &experiment.sweep)?,
        })
    }
}

/// [`Description::most_frequent_class`] of a test set.
pub(crate) fn most_frequent_class(test: &ImageSet) -> f64 {
    let largest = test.class_counts().into_iter().max();
    largest.unwrap_or(0) as f64 / test.len() as f64
}

/// [`Description::start`] of a configuration.
pub(crate) fn start(configuration: &Configuration) -> String {
    let config = &configuration.config;
    let parameters = configuration.setup.twin().parameter_specs();
    let parameters: Vec<_> = parameters.iter().map(|p| (&p.name, &p.shape)).collect();
    let decides = serde_json::to_vec(&(&config.data, &config.twin, parameters));
    sha256_hex(&decides.expect("a configuration has only text keys"))
}

impl TrainingCost {
    fn of(configuration: &Configuration) -> Self {
        let (setup, cost) = (&configuration.setup, configuration.cost());
        Self {
            prior_parameters: cost.prior.parameters,
            twin_parameters: cost.twin.parameters,
            prior_macs: macs_per_image(setup.prior()),
            twin_macs: macs_per_image(setup.twin()),
            prior_flops: cost.prior.flops_per_image,
            twin_flops: cost.twin.flops_per_image,
            epoch_images: setup.data().train_len() as u64,
        }
    }
}

fn facts(configuration: &Configuration) -> Vec<Fact> {
    let data = configuration.setup.data();
    let cost = configuration.cost();
    let both = |count: fn(&NetworkCost) -> u64| {
        let [prior, twin] = [&cost.prior, &cost.twin].map(|network| thousands(count(network)));
        format!("prior {prior}, dense twin {twin}")
    };
    let mut facts = vec![
        Fact::new(
            "Data",
            format!(
                "{}: {} training, {} validation, {} test images",
                configuration.config.data.name,
                data.train_len(),
                data.validation_len(),
                data.dataset().test.len()
            ),
        ),
        Fact::new("Data checksum (SHA-256)", &*data.dataset().checksum),
        Fact::new("Prior", configuration.config.prior.kind.name()),
        Fact::new("Parameters", both(|network| network.parameters)),
        Fact::new(
            "FLOPs per image, forward and backward (a multiply-add is 2)",
            both(|network| network.flops_per_image),
        ),
        Fact::new(
            "Versions",
            format!("imlp {}, Burn {BURN_VERSION}", env!("CARGO_PKG_VERSION")),
        ),
    ];
    let notes = data.dataset().notes.iter();
    facts.extend(notes.map(|note| Fact::new("Note on the data", note.as_str())));
    facts
}

/// The recipe of one configuration, every default written out.
fn complete_recipe(configuration: &Configuration, sweep: &SweepConfig) -> Result<String, LabError> {
    #[derive(Serialize)]
    struct CompleteRecipe<'a> {
        #[serde(flatten)]
        trial: &'a TrialConfig,
        sweep: &'a SweepConfig,
    }
    toml::to_string(&CompleteRecipe {
        trial: &configuration.config,
        sweep,
    })
    .map_err(|e| LabError::Toml {
        origin: "the configuration".to_owned(),
        reason: e.to_string(),
    })
}
