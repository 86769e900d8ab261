//! The instruction set: pinned, recorded, and never changed in the middle of a run.

mod common;

use common::interruption::{Kept, StopAfter};
use common::{CNN, MIXER, alpha, bits, dataset, prior, setup, setup_by, timeless, trial};
use imlp_train::{
    Backend, Device, InstructionSet, Observer, PriorTrajectory, Setup, TrainError, Trial,
    Unobserved, continue_prior, continue_trial,
};

/// The instruction sets that this machine has for `f32`.
fn available() -> Vec<InstructionSet> {
    let config = |set: InstructionSet| format!("{CNN}train.instructions = \"{set}\"\n");
    let usable = |set: &InstructionSet| {
        let config = toml::from_str(&config(*set)).unwrap();
        Setup::new(config, dataset(), Backend::Cpu).is_ok()
    };
    InstructionSet::ALL.into_iter().filter(usable).collect()
}

fn pinned(network: &str, set: InstructionSet) -> Setup {
    setup(&format!(
        "{network}train.epochs = 2\ntrain.instructions = \"{set}\"\n"
    ))
}

/// The trial of α = 0.3 and seed 2.
fn trained(setup: &Setup) -> Trial {
    let prior = prior(setup, 2);
    trial(setup, 0.3, 2, Some(&prior))
}

#[test]
fn a_pinned_instruction_set_is_used_and_recorded() {
    for network in [CNN, MIXER] {
        let free = setup(&format!("{network}train.epochs = 2\n"));
        let fastest = trained(&free);
        for set in available() {
            let pinned = pinned(network, set);
            assert_eq!(pinned.twin_instructions(), set.name());
            assert_eq!(
                prior(&pinned, 2).record.instructions.as_deref(),
                Some(set.name())
            );
            let trial = trained(&pinned);
            assert_eq!(trial.record.instructions.as_deref(), Some(set.name()));
            // The same algorithm in another order of sums: equal up to rounding, and
            // equal to the bit where the machine would have chosen this set itself.
            if fastest.record.instructions == trial.record.instructions {
                assert_eq!(bits(&fastest.parameters), bits(&trial.parameters));
                assert_eq!(timeless(&fastest.record), timeless(&trial.record));
            }
            let pairs = fastest.parameters.iter().zip(&trial.parameters);
            for (fastest, other) in pairs {
                let largest = fastest.iter().fold(0.0f32, |m, v| m.max(v.abs()));
                for (fastest, other) in fastest.iter().zip(other) {
                    assert!((fastest - other).abs() <= 1e-4 * largest.max(1.0), "{set}");
                }
            }
        }
    }
}

#[test]
fn a_checkpoint_of_another_instruction_set_is_not_continued() {
    let available = available();
    for &made in &available {
        for &used in &available {
            let kept = Kept::default();
            let made_setup = pinned(CNN, made);
            let stopped = continue_prior(&made_setup, 3, &StopAfter::new(4), &kept);
            assert!(matches!(stopped, Err(TrainError::Interrupted)));
            let outcome = continue_prior(&pinned(CNN, used), 3, &Unobserved, &kept);
            match outcome {
                Ok(_) => assert_eq!(made, used),
                Err(TrainError::OtherInstructions { there, here }) => {
                    assert_ne!(made, used);
                    assert_eq!((there.as_deref(), &*here), (Some(made.name()), used.name()));
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    // On every machine: what the engine began is not continued by Burn, whatever name
    // it has, and a trial is as strict as a prior.
    let recipe = format!("{CNN}train.epochs = 2\n");
    let engine = setup(&recipe);
    let kept = Kept::default();
    let stop = StopAfter::new(4);
    let stopped = continue_trial(&engine, alpha(0.0), 3, None, &stop, &kept);
    assert!(matches!(stopped, Err(TrainError::Interrupted)));
    let mut bytes = kept.last.lock().unwrap();
    let text = bytes.take().unwrap();
    // A file of an early version, which does not name its instructions.
    let name = format!(
        "\\\"instructions\\\":\\\"{}\\\"",
        engine.twin_instructions()
    );
    *bytes = Some(replace(&text, &name, "\\\"instructions\\\":null"));
    drop(bytes);
    let outcome = continue_trial(&engine, alpha(0.0), 3, None, &Unobserved, &kept);
    let Err(error @ TrainError::OtherInstructions { there: None, .. }) = outcome else {
        panic!("{:?}", outcome.map(|trial| trial.record));
    };
    let message = error.to_string();
    assert!(message.contains(&engine.twin_instructions()), "{message}");
}

#[test]
fn a_trial_is_not_continued_toward_a_prior_of_another_instruction_set() {
    let setup = setup(&format!("{CNN}train.epochs = 2\n"));
    let mut prior = prior(&setup, 3);
    let kept = Kept::default();
    let go = |prior: &PriorTrajectory, observer: &dyn Observer| {
        continue_trial(&setup, alpha(0.3), 3, Some(prior), observer, &kept)
    };
    let stopped = go(&prior, &StopAfter::new(8));
    assert!(matches!(stopped, Err(TrainError::Interrupted)));
    // It was lost, and trained again on another machine.
    let here = prior.record.instructions.replace("another".to_owned());
    let outcome = go(&prior, &Unobserved);
    let Err(error @ TrainError::OtherInstructions { .. }) = outcome else {
        panic!("{:?}", outcome.map(|trial| trial.record));
    };
    let message = error.to_string();
    assert!(message.contains("another"), "{message}");
    prior.record.instructions = here;
    go(&prior, &Unobserved).unwrap();
}

/// Replaces text in the header of a SafeTensors file by shorter text.
fn replace(file: &[u8], from: &str, to: &str) -> Vec<u8> {
    let found = file.windows(from.len()).position(|w| w == from.as_bytes());
    let at = found.expect("the text is there");
    let to = format!("{to:<width$}", width = from.len());
    let mut file = file.to_vec();
    file[at..at + from.len()].copy_from_slice(to.as_bytes());
    file
}

#[test]
fn an_instruction_set_that_cannot_be_pinned_is_refused() {
    let refuse = |recipe: &str, backend| {
        let config = toml::from_str(recipe).unwrap();
        Setup::new(config, dataset(), backend)
            .unwrap_err()
            .to_string()
    };
    let recipe = format!("{CNN}train.instructions = \"avx2\"\n");
    let message = refuse(&recipe, Backend::Burn(Device::flex()));
    for part in ["train.instructions", "avx2", "device cpu"] {
        assert!(message.contains(part), "{message}");
    }
    // A low-rank map is not linear in its weight, so Burn trains the prior.
    let low_rank = "prior.kind = \"custom\"\nprior.layers = [{ type = \"low-rank\", \
                    features = 8, rank = 2 }, { type = \"relu\" }, { type = \"linear\" }]\n\
                    train.instructions = \"avx2\"\n";
    let message = refuse(low_rank, Backend::Cpu);
    for part in ["train.instructions", "avx2", "Burn"] {
        assert!(message.contains(part), "{message}");
    }
    let unknown = toml::from_str::<imlp_train::TrialConfig>("train.instructions = \"sse2\"\n");
    let message = unknown.unwrap_err().to_string();
    for part in ["sse2", "avx2", "avx512", "amx"] {
        assert!(message.contains(part), "{message}");
    }
    let named = setup_by(Backend::Burn(Device::flex()), CNN).twin_instructions();
    assert!(named.starts_with("burn"), "{named}");
}
