//! Both networks learn real images.

mod common;

use common::{fashion, prior, setup_on, trial};

const CNN: &str = "prior.channels = [4, 8]\n";
const MIXER: &str =
    "prior.kind = \"mixer\"\nprior.patch = 7\nprior.channels = 8\nprior.blocks = 1\n";
const SGD: &str = "train.learning_rate = 0.05\n";
const ADAMW: &str = "train.optimizer = \"adamw\"\ntrain.learning_rate = 0.005\n";

/// Chance is 0.1.
const LEARNED: f64 = 0.5;

#[test]
fn prior_and_twin_learn_with_both_presets_and_both_optimizers() {
    let data = fashion(1500, 500);
    for (network, name) in [(CNN, "cnn"), (MIXER, "mixer")] {
        for optimizer in [SGD, ADAMW] {
            let setup = setup_on(
                data.clone(),
                &format!(
                    "{network}{optimizer}train.epochs = 4\ntrain.batch_size = 50\nevaluation.train_images = 200\n"
                ),
            );
            let prior = prior(&setup, 1);
            let of_prior = prior.record.test.unwrap().accuracy;
            assert!(of_prior > LEARNED, "{name} prior, {optimizer}: {of_prior}");
            let losses = prior.record.epochs.iter().map(|e| e.train_loss.unwrap());
            let losses: Vec<f64> = losses.collect();
            assert!(
                losses[3] < 0.8 * losses[0],
                "{name}, {optimizer}: {losses:?}"
            );
            for value in [0.0, 0.3] {
                let trial = trial(&setup, value, 1, Some(&prior));
                let test = trial.record.after.test.unwrap().accuracy;
                assert!(
                    test > LEARNED,
                    "{name} twin, {optimizer}, α = {value}: {test}"
                );
                let train = trial.record.after.train.unwrap().accuracy;
                assert!(
                    train > LEARNED,
                    "{name} twin, {optimizer}, α = {value}: {train}"
                );
            }
        }
    }
}

#[test]
fn an_untrained_prior_knows_nothing() {
    let setup = setup_on(
        fashion(300, 500),
        &format!("{CNN}prior.training = \"untrained\"\n"),
    );
    let accuracy = prior(&setup, 1).record.test.unwrap().accuracy;
    assert!(accuracy < 0.3, "{accuracy}");
}
