use super::*;

fn config(text: &str) -> PriorConfig {
    toml::from_str(text).unwrap()
}

fn twin_sizes(text: &str, input: Shape) -> Vec<usize> {
    let prior = config(text).network(input.clone(), 10).unwrap();
    let twin = prior.dense_twin().unwrap();
    std::iter::once(input.len())
        .chain(twin.linear_layers().iter().map(|l| l.map.out_len()))
        .collect()
}

#[test]
fn presets_have_the_documented_sizes() {
    let cifar = Shape::image(3, 32, 32);
    assert_eq!(twin_sizes("", cifar.clone()), [3072, 1024, 1024, 1024, 10]);
    assert_eq!(
        twin_sizes("", Shape::image(1, 28, 28)),
        [784, 784, 784, 1024, 10]
    );
    assert_eq!(
        twin_sizes(
            "kind = \"mixer\"\npatch = 8\nchannels = 6\nblocks = 1\ntoken_hidden = 5\nchannel_hidden = 7",
            cifar.clone()
        ),
        [3072, 96, 30, 96, 112, 96, 6, 10]
    );
    assert_eq!(
        twin_sizes(
            "kind = \"mixer\"\npatch = 16\nblocks = 0\nhead = \"flatten\"",
            cifar
        ),
        [3072, 64, 10]
    );
}

#[test]
fn a_batch_norm_is_refused_in_a_prior_but_not_in_a_network() {
    let layers = r#"
        [[layers]]
        type = "residual"
        layers = [{ type = "relu" }, { type = "batch-norm", name = "stem.bn" }]
        [[layers]]
        type = "linear"
    "#;
    let prior = format!("kind = \"custom\"\n{}", layers.replace("[[", "[[prior."));
    #[derive(Deserialize)]
    struct Recipe {
        prior: PriorConfig,
    }
    let Recipe { prior } = toml::from_str(&format!("[prior]\n{prior}")).unwrap();
    let input = Shape::image(3, 4, 4);
    let message = prior.network(input.clone(), 10).unwrap_err().to_string();
    for part in ["prior.layers", "`stem.bn`", "statistics of the batch"] {
        assert!(message.contains(part), "{message}");
    }
    let network = Network::new(input, 10, &prior.layers.unwrap()).unwrap();
    assert_eq!(network.linear_layers()[0].epsilon, Some(1e-5));
}

#[test]
fn keys_of_another_kind_are_refused_by_name() {
    for (text, part) in [
        ("patch = 4", "prior.patch"),
        ("kind = \"mixer\"\nkernel = 3", "prior.kernel"),
        ("kind = \"mixer\"\nchannels = [4, 8]", "one number"),
        ("channels = 4", "a list"),
        ("kind = \"custom\"", "prior.layers"),
        ("epochs = 3", "prior.epochs"),
        ("kind = \"mixer\"\npatch = 5", "patch_embedding"),
    ] {
        let message = config(text)
            .network(Shape::image(3, 32, 32), 10)
            .unwrap_err()
            .to_string();
        assert!(message.contains(part), "{text}: {message}");
    }
}
