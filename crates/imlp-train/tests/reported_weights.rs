//! The weights of a run have the accuracy and the loss that its record reports: exactly, but
//! for a twin trained in bf16, which is measured in bf16 while it is trained.

mod common;

use common::{CNN, MIXER, prior, setup, trial};
use imlp_train::{HostParameters, Metrics, Network, Setup, Subset};

/// Validation and test, as `imlp eval` measures saved weights.
fn measured(setup: &Setup, network: &Network, parameters: &HostParameters) -> [Option<Metrics>; 2] {
    [Subset::Validation, Subset::Test].map(|on| setup.evaluate(network, parameters, on))
}

#[test]
fn weights_are_those_that_were_measured() {
    // An epoch has 5 steps: after 3, 4 and 7, the run goes on after its last interpolation.
    for every in ["\"epoch\"", "3", "4", "5", "7", "10"] {
        for (recipe, extra) in [
            (CNN, ""),
            (MIXER, ""),
            (CNN, "prior.training = \"frozen\"\nprior.epochs = 3\n"),
            (MIXER, "prior.training = \"untrained\"\n"),
            (
                CNN,
                "train.optimizer = \"adamw\"\ntrain.learning_rate = 0.003\n",
            ),
        ] {
            let text = format!(
                "{recipe}{extra}interpolation.every = {every}\ntrain.epochs = 2\n\
                 data.validation_fraction = 0.2\n"
            );
            let setup = setup(&text);
            let prior = prior(&setup, 3);
            let end = prior.at_the_end().unwrap();
            assert_eq!(
                measured(&setup, setup.prior(), end),
                [prior.record.validation, prior.record.test],
                "{text}"
            );
            assert!(prior.record.test.is_some());
            for alpha in [0.0, 0.3, 1.0] {
                let trial = trial(&setup, alpha, 3, Some(&prior));
                let after = &trial.record.after;
                assert_eq!(
                    measured(&setup, setup.twin(), &trial.parameters),
                    [after.validation, after.test],
                    "{text}α = {alpha}"
                );
                assert!(after.test.is_some());
            }
        }
    }
}
