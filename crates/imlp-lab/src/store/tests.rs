//! Workers that compete for a job.

use std::path::PathBuf;
use std::sync::Arc;

use imlp_train::Checkpoints;
use serde_json::json;

use super::attempt::{self, Attempt, Ending};
use super::checkpoint::LeaseCheckpoints;
use super::lease::Lease;
use super::result::{Published, RESULT};
use super::sealed;
use super::worker::{Claim, Worker};
use crate::error::LabError;
use crate::experiment::{CheckpointEvery, Policy};
use crate::files::{unfinished, write_new_json};
use crate::identity::Identity;

fn identity() -> Identity {
    Identity {
        results_version: 1,
        burn_version: String::new(),
        backend: String::new(),
        data_checksum: String::new(),
        config: json!({}),
        seed: 0,
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
        assert_eq!(unfinished(&folder).unwrap(), [] as [PathBuf; 0]);
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
        let name = format!("checkpoint-{:04}-000000-00.safetensors", lease.attempt());
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
