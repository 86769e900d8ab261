//! Bad input is refused by name before any work starts.

mod common;

use common::Scratch;

#[test]
fn options_and_keys_that_cannot_be_are_named() {
    let scratch = Scratch::new();
    scratch.write("file", "");
    scratch.write("bad.toml", "[train\nepochs = 1");
    scratch.write("unknown.toml", "[train]\nlerning_rate = 0.1");
    for (arguments, parts) in [
        (vec!["sweep", "--alphas=0,2"], vec!["sweep.alphas", "2"]),
        (vec!["sweep", "--alphas=0,x"], vec!["sweep.alphas", "x"]),
        (vec!["sweep", "--alphas=nan"], vec!["sweep.alphas", "nan"]),
        (
            vec!["sweep", "--alphas=cubic:1:2"],
            vec!["sweep.alphas", "cubic"],
        ),
        (vec!["sweep", "--seeds=0"], vec!["sweep.seeds", "0"]),
        (vec!["sweep", "--seeds=-3"], vec!["--seeds", "-3"]),
        (
            vec!["sweep", "--alphas", "-0.5"],
            vec!["sweep.alphas", "-0.5"],
        ),
        (
            vec!["sweep", "--seeds=1000000000000000"],
            vec!["sweep.seeds", "1000000000000000"],
        ),
        (
            vec!["sweep", "--epochs=4294967295"],
            vec!["train.epochs", "4294967295"],
        ),
        (
            vec!["sweep", "--prior=mixer", "--set=prior.blocks=1000000000"],
            vec!["prior.blocks", "1000000000"],
        ),
        (
            vec!["sweep", "--set=interpolation.every=1000000"],
            vec!["interpolation.every", "1000000", "180 steps"],
        ),
        (
            vec![
                "sweep",
                "--prior=custom",
                "--set=prior.layers=[{type=\"avg-pool2d\",kernel=[14,5]}]",
            ],
            vec!["prior.training", "no parameters"],
        ),
        (
            vec!["sweep", "--set=train=3"],
            vec!["train", "expected a table"],
        ),
        (
            vec!["sweep", "--set=prior.layers=[{type=\"relu\",kernel=3}]"],
            vec!["prior.layers", "kernel"],
        ),
        (vec!["sweep", "--epochs=0"], vec!["train.epochs", "0"]),
        (vec!["sweep", "--out=file"], vec!["file", "folder"]),
        (vec!["sweep", "--data=cifra10"], vec!["cifra10", "cifar10"]),
        (
            vec!["sweep", "--prior=transformer"],
            vec!["prior.kind", "transformer"],
        ),
        (
            vec!["sweep", "--set", "train.momentum"],
            vec!["train.momentum", "key=value"],
        ),
        (
            vec!["sweep", "--set", "train.momentun=0.9"],
            vec!["train.momentun", "`momentum`"],
        ),
        (
            vec!["sweep", "--set", "sweep.alpha=1"],
            vec!["sweep.alpha", "`alphas`"],
        ),
        (
            vec!["sweep", "--set", "prior.kernel=40"],
            vec!["conv1", "spans 40", "1×28×28"],
        ),
        (
            vec!["sweep", "--prior=mixer", "--set", "prior.patch=5"],
            vec!["patch_embedding", "1×28×28"],
        ),
        (
            vec!["sweep", "--set", "interpolation.allocation=[1,0]"],
            vec!["interpolation.allocation", "4 linear layers"],
        ),
        (
            vec!["sweep", "--set", "data.validation_fraction=1.0"],
            vec!["data.validation_fraction", "1"],
        ),
        (
            vec!["sweep", "--max-memory=1MiB"],
            vec!["1.0 MiB", "--jobs"],
        ),
        (vec!["sweep", "bad.toml"], vec!["bad.toml", "TOML"]),
        (
            vec!["sweep", "unknown.toml"],
            vec!["train.lerning_rate", "`learning_rate`"],
        ),
        (vec!["sweep", "absent.toml"], vec!["absent.toml"]),
        (
            vec!["train", "--alpha=-0.5"],
            vec!["interpolation.alpha", "-0.5"],
        ),
        (
            vec!["train", "--alpha=nan"],
            vec!["interpolation.alpha", "NaN"],
        ),
        (vec!["train", "--out=file"], vec!["file", "folder"]),
        (
            vec!["eval", "absent.safetensors"],
            vec!["absent.safetensors"],
        ),
        (vec!["eval", "bad.toml"], vec!["bad.toml", "SafeTensors"]),
        (vec!["data", "verify", "mnsit"], vec!["mnsit", "mnist"]),
        (
            vec!["data", "fetch", "mnist", "--from=absent"],
            vec!["absent"],
        ),
    ] {
        let message = scratch.refuse(&arguments);
        for part in parts {
            assert!(
                message.contains(part),
                "{arguments:?}: no `{part}` in {message}"
            );
        }
        assert!(
            !scratch.path("imlp-out").exists(),
            "{arguments:?} began to work"
        );
    }
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    let scratch = Scratch::new();
    for arguments in [
        vec!["swep"],
        vec!["sweep", "--jobs=0"],
        vec!["sweep", "--frobnicate"],
    ] {
        assert_eq!(
            scratch.run(&arguments).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let scratch = Scratch::new();
    let message = scratch.refuse(&["sweep", "--quiet", "--out=/dev/null/here"]);
    assert!(message.contains("/dev/null/here"), "{message}");
}
