//! A check of matrices against their layers finds what is wrong with them, and
//! nothing else.

use std::path::Path;

use imlp_train::{
    DenseNetwork, Form, NamedTensor, NetworkConfig, TensorFile, WeightedNetwork, WeightsFile, check,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const NET: &str = r#"
input = [2, 6, 5]
layers = [
    { type = "conv2d", channels = 3, kernel = 3, padding = 1, padding_mode = "circular" },
    { type = "gelu" },
    { type = "residual", layers = [
        { type = "locally-connected2d", channels = 3, kernel = 3, padding = 1 },
        { type = "bilinear-resize", size = [3, 3] },
        { type = "conv-transpose2d", channels = 3, kernel = [4, 3], padding = [0, 0] },
    ] },
    { type = "relu" },
    { type = "patch-embedding", patch = [2, 5], channels = 4 },
    { type = "layer-norm" },
    { type = "kronecker", output = [4, 3] },
    { type = "low-rank", features = 7, rank = 2 },
    { type = "circulant" },
    { type = "linear", features = 3 },
]
"#;

/// The network with random parameters, from a file in `folder`.
fn network(folder: &Path) -> WeightedNetwork {
    let config: NetworkConfig = toml::from_str(NET).unwrap();
    let mut random = StdRng::seed_from_u64(3);
    let (_, layers) = config.build().unwrap();
    let mut tensors = Vec::new();
    let mut add = |name: String, shape: Vec<usize>| {
        let values = (0..shape.iter().product::<usize>())
            .map(|_| random.random_range(-1.0..1.0))
            .collect();
        tensors.push(NamedTensor {
            name,
            shape,
            values,
        });
    };
    fn each(layers: &[imlp_train::Layer], add: &mut impl FnMut(String, Vec<usize>)) {
        use imlp_train::Layer;
        for layer in layers {
            match layer {
                Layer::Linear(linear) => {
                    if linear.map.weight_len() > 0 {
                        add(format!("{}.weight", linear.name), linear.map.weight_shape());
                    }
                    if linear.map.has_bias() {
                        add(format!("{}.bias", linear.name), vec![linear.map.bias_len()]);
                    }
                }
                Layer::LayerNorm(norm) => {
                    for suffix in ["weight", "bias"] {
                        add(format!("{}.{suffix}", norm.name), vec![norm.channels()]);
                    }
                }
                Layer::Residual(branch) => each(branch, add),
                Layer::Relu | Layer::Gelu => {}
            }
        }
    }
    each(&layers, &mut add);
    let file = WeightsFile {
        tensors,
        ..WeightsFile::default()
    };
    let path = folder.join("weights.safetensors");
    std::fs::write(&path, file.to_bytes().unwrap()).unwrap();
    WeightedNetwork::load(&config, Some(&TensorFile::open(&path).unwrap())).unwrap()
}

#[test]
fn every_matrix_is_within_rounding_of_its_layer_and_a_wrong_entry_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let source = network(folder.path());
    let path = folder.path().join("dense.safetensors");
    for (form, fold) in [
        (Form::Dense, false),
        (Form::Sparse, false),
        (Form::Dense, true),
        (Form::Sparse, true),
    ] {
        let dense = DenseNetwork::new(&source, form, fold, u64::MAX).unwrap();
        assert_eq!(dense.layers().len(), if fold { 4 } else { 9 });
        let mut bytes = Vec::new();
        dense.file().unwrap().write(&mut bytes).unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let found = check(&dense, &TensorFile::open(&path).unwrap(), 5).unwrap();
        for difference in found.layers.iter().chain([&found.network]) {
            assert!(difference.is_rounding(), "{form:?} {fold}: {difference:?}");
            assert!(difference.largest > 0.0);
        }

        // The last four bytes are a weight of the last matrix in the file: by
        // a thousandth.
        let end = bytes.len() - 4;
        let value = f32::from_le_bytes(bytes[end..].try_into().unwrap());
        assert_ne!(value, 0.0);
        bytes[end..].copy_from_slice(&(value * 1.001).to_le_bytes());
        std::fs::write(&path, &bytes).unwrap();
        let found = check(&dense, &TensorFile::open(&path).unwrap(), 5).unwrap();
        let wrong = found.layers.iter().filter(|d| !d.is_rounding()).count();
        assert_eq!(wrong, 1, "{form:?} {fold}: {found:?}");
    }
}
