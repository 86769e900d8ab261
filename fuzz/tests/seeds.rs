//! Valid inputs and seeded mutations of them through every parser: nothing panics.

use imlp_fuzz::{archive, cifar, cifar_sheets, idx, layer, network, recipe, tensor_file};
use imlp_linear::REGISTRY;
use imlp_train::{NamedTensor, WeightsFile};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// Bytes that formats give a meaning: bounds, digits, separators.
const TELLING: &[u8] = b"\x00\x01\x7f\x80\xff0129-.,=xX[]{}\"'\n #";

/// Texts that number formats and keys give a meaning.
const TELLING_TEXTS: &[&str] = &[
    "0",
    "-1",
    "1e999",
    "nan",
    "inf",
    "4294967296",
    "18446744073709551615",
    "9223372036854775807",
    "\"\"",
    "[]",
    "{}",
    "same",
    "all",
    "true",
];

/// Runs `parse` on every seed and on `mutations` mutations of each.
fn replay(seeds: &[Vec<u8>], mutations: usize, parse: impl Fn(&[u8])) {
    let mut rng = StdRng::seed_from_u64(0);
    for seed in seeds {
        parse(seed);
        for _ in 0..mutations {
            let mut input = seed.clone();
            for _ in 0..rng.random_range(1..=4) {
                mutate(&mut input, seeds, &mut rng);
            }
            parse(&input);
        }
    }
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut StdRng) {
    let at = rng.random_range(0..=input.len());
    let end = rng.random_range(at..=input.len().min(at + 16));
    match rng.random_range(0..6) {
        0 if at < input.len() => input[at] = rng.random(),
        1 if at < input.len() => input[at] = *TELLING.choose(rng).expect("not empty"),
        2 => input.truncate(at),
        3 => {
            input.drain(at..end);
        }
        4 => {
            let text = *TELLING_TEXTS.choose(rng).expect("not empty");
            input.splice(at..end, text.bytes());
        }
        _ => {
            let other = seeds.choose(rng).expect("not empty");
            let from = rng.random_range(0..=other.len());
            let to = rng.random_range(from..=other.len().min(from + 64));
            input.splice(at..end, other[from..to].iter().copied());
        }
    }
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[test]
fn idx_files() {
    let mut images = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
    images.extend(0..12);
    let labels = vec![0, 0, 8, 1, 0, 0, 0, 3, 0, 9, 4];
    replay(&[images, labels], 2000, idx);
}

#[test]
fn cifar_records() {
    let cifar10 = vec![7; 2 * 3073];
    let cifar100 = vec![9; 2 * 3074];
    replay(&[cifar10, cifar100], 1000, cifar);
}

#[test]
fn cifar_sheets_and_labels() {
    let mut sheet = Vec::new();
    let mut encoder = png::Encoder::new(&mut sheet, 1024, 2);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[5; 2 * 3072]).unwrap();
    writer.finish().unwrap();
    replay(&[sheet, b"[3, 0, 9]".to_vec()], 2000, cifar_sheets);
}

#[test]
fn archives() {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in [
        ("cifar-10-batches-bin/data_batch_1.bin", &[1; 100][..]),
        ("package/test_lables.json", b"[1, 2]"),
        ("train-images-idx3-ubyte.gz", &[0x1f, 0x8b, 8, 0]),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append_data(&mut header, name, content).unwrap();
    }
    let gzip_head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3].to_vec();
    replay(&[builder.into_inner().unwrap(), gzip_head], 300, archive);
}

#[test]
fn tensor_files() {
    let tensor = |name: &str, shape: &[usize]| NamedTensor {
        name: name.to_owned(),
        shape: shape.to_vec(),
        values: vec![1.5; shape.iter().product()],
    };
    let file = WeightsFile {
        tensors: vec![tensor("a.weight", &[2, 3]), tensor("a.bias", &[2])],
        ..WeightsFile::default()
    };
    let every_type: Vec<Vec<u8>> = ["F64", "F16", "BF16", "I64", "U8", "BOOL", "F8_E4M3"]
        .map(|dtype| {
            let header =
                format!(r#"{{"t":{{"dtype":"{dtype}","shape":[2],"data_offsets":[0,16]}}}}"#);
            let length = header.len() as u64;
            [&length.to_le_bytes(), header.as_bytes(), &[3; 16]].concat()
        })
        .to_vec();
    let seeds = [vec![file.to_bytes().unwrap()], every_type].concat();
    replay(&seeds, 500, tensor_file);
}

#[test]
fn recipes() {
    let seeds = [
        include_bytes!("../../recipes/cifar10-cnn.toml").to_vec(),
        include_bytes!("../../recipes/custom-prior.toml").to_vec(),
        include_bytes!("../../recipes/first-layer.toml").to_vec(),
        include_bytes!("../../recipes/mixer.toml").to_vec(),
    ];
    replay(&seeds, 500, recipe);
}

#[test]
fn layers() {
    let kinds: Vec<String> = REGISTRY
        .iter()
        .map(|kind| format!("{}({})", kind.kind, kind.syntax.replace(';', ",")))
        .collect();
    let mut seeds: Vec<Vec<u8>> = kinds.into_iter().map(String::into_bytes).collect();
    seeds.extend(texts(&[
        "conv2d(in=2, out=3, kernel=3, stride=2, padding=1, input=5x4, padding_mode=reflect)",
        "conv1d(in=2, out=2, kernel=3, padding=same, input=7, groups=2, dilation=2)",
        "conv-transpose2d(in=2, out=2, kernel=3, stride=2, output_padding=1, input=3)",
        "locally-connected2d(in=1, out=2, kernel=2, input=4)",
        "adaptive-avg-pool2d(in=2, size=3x2, input=7x5)",
        "avg-pool2d(in=2, kernel=2, input=4x6, padding=1, count_include_pad=false)",
        "low-rank(in=4, out=3, rank=2)",
        "permutation(order=2/0/1)",
        "batch-norm(in=3, input=2x2, bias=false)",
    ]));
    replay(&seeds, 200, layer);
}

#[test]
fn networks() {
    let seeds = texts(&[
        "input = [3, 8, 8]\n[[layers]]\ntype = \"conv2d\"\nchannels = 4\nkernel = [3, 3]\npadding = 1\n\
         [[layers]]\ntype = \"relu\"\n[[layers]]\ntype = \"avg-pool2d\"\nkernel = 2\n\
         [[layers]]\ntype = \"linear\"\nname = \"head\"\nout = 10\n",
        "input = [4]\nlayers = [\n{ type = \"residual\", layers = [{ type = \"linear\", out = 4 }] },\n\
         { type = \"low-rank\", out = 3, rank = 2 },\n]\n",
    ]);
    replay(&seeds, 1500, network);
}
