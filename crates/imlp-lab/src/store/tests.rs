//! Workers that compete for a job.

use std::sync::Arc;

use imlp_linear::Alpha;
use imlp_train::Checkpoints;
use serde_json::json;

use super::attempt::{self, Attempt, Ending};
use super::checkpoint::LeaseCheckpoints;
use super::checkpoint_file;
use super::folder::Store;
use super::lease::Lease;
use super::manifest::{ListedConfiguration, ListedTrial, Manifest};
use super::result::{Published, RESULT};
use super::sealed;
use super::state::State;
use super::worker::{Claim, Worker};
use crate::error::LabError;
use crate::experiment::{CheckpointEvery, Policy};
use crate::files::{is_unfinished, list, write_json, write_new_json};
use crate::identity::{Identity, sha256_hex};
use crate::status::Status;

fn identity() -> Identity {
    Identity {
        results_version: 1,
        burn_version: String::new(),
        backend: String::new(),
        data_checksum: String::new(),
        config: json!({}),
        seed: 0,
        parting: None,
    }
}

/// The policy of tests: nobody waits.
fn policy() -> Policy {
    Policy {
        stale_after: std::time::Duration::from_secs(60),
        ..Policy::default()
    }
}

#[test]
fn of_many_that_ask_at_once_one_is_told_that_it_is_theirs() {
    const ASKING: usize = 8;
    const ROUNDS: usize = 100;
    let root = tempfile::tempdir().unwrap();
    let workers: Vec<Worker> = (0..ASKING)
        .map(|_| Worker::join(&root.path().join("workers"), policy(), None).unwrap())
        .collect();
    for round in 0..ROUNDS {
        let folder = root.path().join(format!("{round}"));
        let start = std::sync::Barrier::new(ASKING);
        let claims: Vec<Claim> = std::thread::scope(|scope| {
            let asking: Vec<_> = workers
                .iter()
                .map(|worker| {
                    scope.spawn(|| {
                        start.wait();
                        worker.claim(&folder, &identity()).unwrap()
                    })
                })
                .collect();
            asking.into_iter().map(|a| a.join().unwrap()).collect()
        });
        let (mine, others): (Vec<_>, Vec<_>) = claims
            .into_iter()
            .partition(|claim| matches!(claim, Claim::Acquired(_)));
        assert_eq!(mine.len(), 1, "round {round}");
        for claim in others {
            assert!(matches!(claim, Claim::Busy), "{claim:?}");
        }
        assert!(
            !list(&folder)
                .unwrap()
                .iter()
                .any(|name| is_unfinished(name))
        );
    }
}

#[test]
fn an_attempt_that_was_taken_over_publishes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
    let folder = root.path().join("trial");
    let Claim::Acquired(old) = worker.claim(&folder, &identity()).unwrap() else {
        panic!("nobody else asks");
    };
    // As another worker that takes the first for gone would.
    let new = Attempt {
        number: 2,
        ..old.attempt.clone()
    };
    assert!(write_new_json(&attempt::path(&folder, 2), &new).unwrap());
    let new = Lease {
        folder: folder.clone(),
        attempt: new,
        lost: Arc::default(),
    };
    assert!(old.publish("old").unwrap().is_none());
    assert!(!folder.join(RESULT).exists());
    assert!(new.publish("new").unwrap().is_some());
    let there: Published<String> = sealed::read(&folder.join(RESULT)).unwrap().unwrap();
    assert_eq!((there.attempt, there.result.as_str()), (2, "new"));
    let claim = worker.claim(&folder, &identity()).unwrap();
    assert!(matches!(claim, Claim::Finished), "{claim:?}");
}

#[test]
fn a_result_is_published_once_even_by_two_that_both_believe_to_hold_it() {
    let root = tempfile::tempdir().unwrap();
    let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
    let folder = root.path().join("trial");
    let Claim::Acquired(lease) = worker.claim(&folder, &identity()).unwrap() else {
        panic!("nobody else asks");
    };
    let copy = Lease {
        folder: folder.clone(),
        attempt: lease.attempt.clone(),
        lost: Arc::default(),
    };
    let told = std::thread::scope(|scope| {
        let one = scope.spawn(|| lease.publish(1).unwrap());
        let two = scope.spawn(|| copy.publish(2).unwrap());
        [one.join().unwrap(), two.join().unwrap()]
    });
    assert_eq!(told.iter().filter(|told| told.is_some()).count(), 1);
}

#[test]
fn a_folder_of_something_else_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
    let folder = root.path().join("trial");
    let claim = worker.claim(&folder, &identity()).unwrap();
    let Claim::Acquired(lease) = claim else {
        panic!("nobody else asks");
    };
    lease.end(Ending::Interrupted, None).unwrap();
    let other = Identity {
        seed: 1,
        ..identity()
    };
    let refused = worker.claim(&folder, &other);
    assert!(matches!(refused, Err(LabError::Damaged { .. })));
}

#[test]
fn a_checkpoint_is_due_once_after_so_many_epochs() {
    let root = tempfile::tempdir().unwrap();
    let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
    let claim = worker.claim(&root.path().join("trial"), &identity());
    let Claim::Acquired(lease) = claim.unwrap() else {
        panic!("nobody else asks");
    };
    let every = CheckpointEvery::Epochs(3);
    let checkpoints = LeaseCheckpoints::new(&lease, every);
    // As a trial asks: after each step and at each end of an epoch.
    let asked = [0, 0, 1, 2, 2, 3, 3, 3, 4, 5, 6, 6, 7];
    let due: Vec<u32> = asked
        .into_iter()
        .filter(|epochs| checkpoints.due(*epochs))
        .collect();
    assert_eq!(due, [3, 6]);
}

#[test]
fn an_interruption_that_kept_a_checkpoint_counts_for_nothing() {
    let root = tempfile::tempdir().unwrap();
    let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
    let folder = root.path().join("trial");
    for _ in 0..2 * policy().max_attempts {
        let Claim::Acquired(lease) = worker.claim(&folder, &identity()).unwrap() else {
            panic!("it can always be asked for");
        };
        let name = checkpoint_file::name(lease.attempt(), 0, &sha256_hex(b""));
        std::fs::write(folder.join(name), "").unwrap();
        lease.end(Ending::Interrupted, None).unwrap();
    }
}

#[test]
fn what_ends_without_a_result_is_tried_again_up_to_the_limit() {
    let root = tempfile::tempdir().unwrap();
    let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
    let folder = root.path().join("trial");
    for number in 1..=policy().max_attempts {
        match worker.claim(&folder, &identity()).unwrap() {
            Claim::Acquired(lease) => {
                assert_eq!(lease.attempt(), number);
                lease.end(Ending::TimedOut, None).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    match worker.claim(&folder, &identity()).unwrap() {
        Claim::Failed(reason) => assert!(reason.contains("timed out"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let failed = root.path().join("failed");
    let Claim::Acquired(lease) = worker.claim(&failed, &identity()).unwrap() else {
        panic!("nobody else asks");
    };
    let reason = Some("out of luck".to_owned());
    lease.end(Ending::Failed, reason).unwrap();
    let claim = worker.claim(&failed, &identity()).unwrap();
    assert!(matches!(claim, Claim::Failed(reason) if reason == "out of luck"));
}

#[test]
fn a_result_of_another_job_is_set_aside_and_the_job_runs_again() {
    let root = tempfile::tempdir().unwrap();
    let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
    let [one, two] = ["one", "two"].map(|name| root.path().join(name));
    let Claim::Acquired(lease) = worker.claim(&one, &identity()).unwrap() else {
        panic!("nobody else asks");
    };
    lease.publish("of one").unwrap().unwrap();
    std::fs::create_dir(&two).unwrap();
    std::fs::copy(one.join(RESULT), two.join(RESULT)).unwrap();
    let state = State::of_prior(&two).unwrap();
    assert!(matches!(state, State::Damaged(_)), "{state:?}");
    let claim = worker.claim(&two, &identity()).unwrap();
    assert!(matches!(claim, Claim::Acquired(_)), "{claim:?}");
    let names = list(&two).unwrap();
    let aside = names.iter().filter(|n| n.starts_with("result.damaged-"));
    assert_eq!(aside.count(), 1, "{names:?}");
    let claim = worker.claim(&one, &identity()).unwrap();
    assert!(matches!(claim, Claim::Finished), "{claim:?}");
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_neither_run_nor_waited_for() {
    let root = tempfile::tempdir().unwrap();
    let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
    for name in ["result.json", "identity.json", "attempt-0001.json"] {
        let folder = root.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink("annex/x", folder.join(name)).unwrap();
        let refused = worker.claim(&folder, &identity());
        assert!(
            matches!(&refused, Err(LabError::NotFetched { path, .. }) if path.ends_with(name)),
            "{refused:?}"
        );
        assert!(!folder.join("attempt-0002.json").exists());
        let state = State::of_prior(&folder).unwrap();
        let pending = name == "identity.json";
        assert_eq!(matches!(state, State::NotFetched(_)), !pending, "{state:?}");
    }
}

#[test]
fn an_attempt_whose_folder_is_swept_away_gives_the_job_back() {
    let root = tempfile::tempdir().unwrap();
    let worker = Worker::join(&root.path().join("workers"), policy(), None).unwrap();
    let folder = root.path().join("trial");
    let Claim::Acquired(lease) = worker.claim(&folder, &identity()).unwrap() else {
        panic!("nobody else asks");
    };
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(lease.publish("in vain").unwrap().is_none());
    let Claim::Acquired(lease) = worker.claim(&folder, &identity()).unwrap() else {
        panic!("it can be begun again");
    };
    std::fs::remove_dir_all(&folder).unwrap();
    lease.end(Ending::Failed, None).unwrap();
    assert!(!folder.exists());
}

fn manifest(learning_rate: f64) -> Manifest {
    Manifest {
        command: format!("imlp sweep {learning_rate}"),
        configurations: vec![ListedConfiguration {
            assignments: Vec::new(),
            config: json!({ "train": { "learning_rate": learning_rate } }),
            description: None,
        }],
        trials: Vec::new(),
        max_attempts: None,
        processor: None,
    }
}

#[test]
fn of_many_experiments_that_begin_at_once_in_a_folder_one_has_it() {
    const ASKING: usize = 8;
    const ROUNDS: usize = 100;
    let root = tempfile::tempdir().unwrap();
    for round in 0..ROUNDS {
        let store = Store::create(&root.path().join(format!("{round}"))).unwrap();
        let start = std::sync::Barrier::new(ASKING);
        let told: Vec<Result<(), LabError>> = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..ASKING)
                .map(|i| {
                    let (store, start) = (&store, &start);
                    scope.spawn(move || {
                        start.wait();
                        store.note(&manifest(i as f64))
                    })
                })
                .collect();
            asking.into_iter().map(|a| a.join().unwrap()).collect()
        });
        let accepted: Vec<usize> = (0..ASKING).filter(|i| told[*i].is_ok()).collect();
        assert_eq!(accepted.len(), 1, "round {round}");
        let there = store.manifest().unwrap().unwrap();
        assert_eq!(there, manifest(accepted[0] as f64));
        for refused in told.into_iter().filter_map(Result::err) {
            assert!(matches!(refused, LabError::OtherExperiment { .. }));
        }
    }
}

#[test]
fn an_experiment_that_another_replaced_is_noticed_before_its_figures_are_written() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::create(root.path()).unwrap();
    store.note(&manifest(0.1)).unwrap();
    store.check(&manifest(0.1)).unwrap();
    // As one that looked before the first had written.
    write_json(&root.path().join("experiment.json"), &manifest(0.2)).unwrap();
    let refused = store.check(&manifest(0.1));
    assert!(matches!(refused, Err(LabError::OtherExperiment { .. })));
}

#[test]
fn a_damaged_manifest_is_written_again_where_the_trials_agree() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::create(root.path()).unwrap();
    let path = root.path().join("experiment.json");
    let damage = || std::fs::write(&path, "{ \"comm").unwrap();
    damage();
    store.note(&manifest(0.1)).unwrap();
    assert_eq!(store.manifest().unwrap(), Some(manifest(0.1)));
    let aside = list(root.path()).unwrap();
    let aside = aside
        .iter()
        .filter(|n| n.starts_with("experiment.damaged-"));
    assert_eq!(aside.count(), 1);
    // A trial that the command does not ask for may be that of another experiment.
    damage();
    std::fs::create_dir(root.path().join("trials/0123456789abcdef")).unwrap();
    let refused = store
        .note(&manifest(0.1))
        .expect_err("of another")
        .to_string();
    assert!(refused.contains("trials/0123456789abcdef"), "{refused}");
    assert!(matches!(store.manifest(), Err(LabError::Damaged { .. })));
    let status = Status::of(&store).unwrap();
    assert!(status.notes[0].contains("experiment.json is damaged"));
}

#[test]
fn an_attempt_whose_folder_was_made_anew_by_another_writes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let join = || Worker::join(&root.path().join("workers"), policy(), None).unwrap();
    let (first, second) = (join(), join());
    let folder = root.path().join("trial");
    let acquired = |worker: &Worker| match worker.claim(&folder, &identity()).unwrap() {
        Claim::Acquired(lease) => lease,
        other => panic!("{other:?}"),
    };
    let old = acquired(&first);
    std::fs::remove_dir_all(&folder).unwrap();
    let new = acquired(&second);
    assert_eq!((old.attempt(), new.attempt()), (1, 1));
    let path = attempt::path(&folder, 1);
    let of_new = std::fs::read(&path).unwrap();
    old.end(Ending::Interrupted, None).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), of_new);
    assert!(new.publish("new").unwrap().is_some());
}

#[test]
fn a_trunk_is_removed_only_when_nobody_may_need_it() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::create(root.path()).unwrap();
    let worker = store.join(policy(), None).unwrap();
    let claim = |folder: &std::path::Path, identity: &Identity| match worker
        .claim(folder, identity)
        .unwrap()
    {
        Claim::Acquired(lease) => lease,
        other => panic!("{other:?}"),
    };
    let of_seed = |seed| Identity { seed, ..identity() };
    let [sharing, listed] = [1, 2].map(|seed| of_seed(seed).trial_id());
    let trunk = identity().trunk_id();
    let folder = store.trunk_folder(&trunk);
    let free = || {
        store
            .free_trunk(&worker, &trunk, |trial| *trial == sharing)
            .unwrap()
    };
    assert!(!free(), "there is none");

    let lease = claim(&folder, &identity());
    assert!(!free(), "it is being made");
    let published = json!({ "state": "x", "trials": [&sharing] });
    lease.publish(published).unwrap().unwrap();
    assert!(!free(), "a trial shares it");
    // To have failed is to have ended.
    let ended = |seed: u64| {
        let identity = of_seed(seed);
        let lease = claim(&store.trial_folder(&identity.trial_id()), &identity);
        lease.end(Ending::Failed, None).unwrap();
    };
    ended(1);
    // Another command asks for more trials, which may go on from it.
    let mut other = manifest(0.1);
    other.trials.push(ListedTrial {
        id: listed.clone(),
        prior: serde_json::from_value(json!("0123456789abcdef")).unwrap(),
        configuration: 0,
        alpha: Alpha::new(0.5).unwrap(),
        seed: 2,
    });
    store.note(&other).unwrap();
    assert!(!free(), "another command asks for more");
    ended(2);
    // As a removal that was cut short.
    let half = folder.with_file_name(format!(".removing-{}", trunk.as_str()));
    std::fs::create_dir(&half).unwrap();
    std::fs::copy(folder.join(RESULT), half.join(RESULT)).unwrap();
    assert!(free());
    assert!(!folder.exists() && !half.exists());
}
