//! The README shows the example as it is.

#[test]
fn the_readme_shows_the_example() {
    let readme = include_str!("../README.md");
    let example = include_str!("../examples/tiny_experiment.rs");
    let start = example.find("use std").expect("the example has imports");
    assert!(readme.contains(&example[start..]));
}
