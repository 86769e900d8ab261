//! What holds for the real data sets; each test is skipped where its data set is not installed.

use imlp_data::{Cache, DataError, Dataset, LoadOptions, Normalization};

/// Of the six official files, whose MD5 checksums `imlp data verify cifar10` compares.
const CIFAR10_CHECKSUM: &str = "9ccbc241e3205afddcefe0ac4f0d29a2f9a2c2d50df890b8349eaa79876477a3";

fn installed(name: &str) -> Option<Dataset> {
    match Cache::of_user()
        .unwrap()
        .load(name, &LoadOptions::default())
    {
        Ok(data) => Some(data),
        Err(DataError::NotInstalled { .. }) => {
            println!("skipped: {name} is not installed (`imlp data fetch {name}`)");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn cifar10_is_the_known_one() {
    let Some(data) = installed("cifar10") else {
        return;
    };
    assert_eq!(data.checksum, CIFAR10_CHECKSUM);
    assert_eq!(data.train.class_counts(), [5000; 10]);
    assert_eq!(data.test.class_counts(), [1000; 10]);
    assert_eq!(data.class_names[usize::from(data.train.label(0))], "frog");
    // The statistics that the field quotes for the training set.
    let all: Vec<u32> = (0..data.train.len() as u32).collect();
    let norm = Normalization::of(&data.train, &all).unwrap();
    for (found, expected) in norm.mean.iter().zip([0.4914, 0.4822, 0.4465]) {
        assert!((found - expected).abs() < 1e-4, "{norm:?}");
    }
    for (found, expected) in norm.std.iter().zip([0.2470, 0.2435, 0.2616]) {
        assert!((found - expected).abs() < 1e-4, "{norm:?}");
    }
}

#[test]
fn fashion_mini_images_come_from_the_official_sets() {
    let Some(whole) = installed("fashion-mnist") else {
        return;
    };
    let mini = imlp_data::load("fashion-mini", &LoadOptions::default()).unwrap();
    for (mini, whole) in [(&mini.train, &whole.train), (&mini.test, &whole.test)] {
        let official: std::collections::HashSet<(&[u8], u8)> = (0..whole.len())
            .map(|i| (whole.image(i), whole.label(i)))
            .collect();
        assert!((0..mini.len()).all(|i| official.contains(&(mini.image(i), mini.label(i)))));
    }
}
