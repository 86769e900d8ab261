//! `imlp inspect`.

use imlp_lab::table::aligned;
use imlp_linear::StructuredMap;
use imlp_suggest::{beginning, counted};
use imlp_train::{
    StructureShares, TensorEntry, TensorFile, TensorStatistics, TrainError, bytes, parse_layer,
};

use crate::args::InspectArguments;
use crate::failure::Failure;
use crate::output::{number, say};

/// Headers of the columns of [`shares`].
pub const SHARES: [&str; 4] = ["", "energy explained", "locality", "sharing"];

/// Meaning of the columns.
pub const LEGEND: &str = "energy explained = locality × sharing: how much of the sum of squares \
is where the layer can have weights, and how much of that its tied weights explain";

/// An empty cell.
const NOTHING: &str = "–";

pub fn run(arguments: &InspectArguments) -> Result<(), Failure> {
    let layer = arguments.layer.as_deref();
    // Refused before a large file is read.
    let map = layer.map(|text| parse_layer(text, false)).transpose()?;
    let file = TensorFile::open(&arguments.file)?;
    let total: u64 = file.tensors().iter().map(TensorEntry::bytes).sum();
    say(format_args!(
        "{}: {}, {}\n",
        arguments.file.display(),
        counted(file.tensors().len(), "tensor"),
        bytes(total)
    ))?;
    say(statistics(&file))?;
    say_metadata(&file)?;
    match map {
        Some(map) => structure(&file, map.as_ref(), arguments.memory.limit()),
        None => Ok(()),
    }
}

/// Prints the beginning of the metadata, which may be long.
fn say_metadata(file: &TensorFile) -> Result<(), Failure> {
    /// Characters of a key or a value.
    const LONGEST: usize = 600;
    const MOST: usize = 20;
    let mut metadata: Vec<_> = file.metadata().iter().collect();
    metadata.sort();
    for (key, value) in metadata.iter().take(MOST) {
        say(format_args!(
            "\nmetadata {}: {}",
            beginning(key, LONGEST),
            beginning(value, LONGEST)
        ))?;
    }
    match metadata.len().saturating_sub(MOST) {
        0 => Ok(()),
        1 => say("\n1 more key of metadata"),
        more => say(format_args!("\n{more} more keys of metadata")),
    }
}

/// A row for every tensor; one that cannot be measured says why.
fn statistics(file: &TensorFile) -> String {
    const MEASURED: usize = 5;
    let mut rows = Vec::new();
    let mut is_remarked = false;
    for tensor in file.tensors() {
        let (cells, remark) = match TensorStatistics::of(file, tensor) {
            Ok(s) if s.finite == 0 => {
                let mut cells = vec![NOTHING.to_owned(); MEASURED];
                cells[MEASURED - 1] = s.not_finite.to_string();
                (cells, String::new())
            }
            Ok(s) => {
                let numbers = [s.norm, s.min, s.max, s.mean].map(number);
                let counts = [s.not_finite.to_string()];
                (numbers.into_iter().chain(counts).collect(), String::new())
            }
            Err(error) => (vec![NOTHING.to_owned(); MEASURED], reason(error)),
        };
        is_remarked |= !remark.is_empty();
        let mut row = vec![
            tensor.name.clone(),
            format!("{:?}", tensor.dtype),
            format!("{:?}", tensor.shape),
        ];
        row.extend(cells);
        row.push(remark);
        rows.push(row);
    }
    let mut heads = vec![
        "tensor",
        "dtype",
        "shape",
        "norm",
        "min",
        "max",
        "mean",
        "not finite",
    ];
    if is_remarked {
        heads.push("remark");
    } else {
        rows.iter_mut().for_each(|row| row.truncate(heads.len()));
    }
    aligned(&heads, rows, 3)
}

/// Why a tensor of a file cannot be measured, without the file's name.
fn reason(error: TrainError) -> String {
    match error {
        TrainError::Weights { reason, .. } => reason,
        other => other.to_string(),
    }
}

/// How much of each fitting matrix the layer's structure explains.
fn structure(file: &TensorFile, map: &dyn StructuredMap, limit: u64) -> Result<(), Failure> {
    let shape = [map.out_len(), map.in_len()];
    say(format_args!(
        "\nstructure of {} {} → {} in matrices of {}×{}",
        map.kind(),
        map.in_shape(),
        map.out_shape(),
        shape[0],
        shape[1]
    ))?;
    let fits = |tensor: &&TensorEntry| tensor.shape == shape;
    let fitting: Vec<_> = file.tensors().iter().filter(fits).collect();
    if fitting.is_empty() {
        let matrices = file.tensors().iter().filter(|t| t.shape.len() == 2);
        let matrices: Vec<_> = matrices
            .map(|t| format!("`{}` {}×{}", t.name, t.shape[0], t.shape[1]))
            .collect();
        return say(match matrices.as_slice() {
            [] => "the file holds no matrix".to_owned(),
            list => format!(
                "no matrix has this size; the file holds {}",
                list.join(", ")
            ),
        });
    }
    if map.dense_bytes() > limit {
        return Err(Failure::Message(format!(
            "a matrix of {}×{} needs {}, more than the limit of {}; raise --max-memory",
            shape[0],
            shape[1],
            bytes(map.dense_bytes()),
            bytes(limit)
        )));
    }
    let mut rows = Vec::new();
    let mut gaussian = None;
    let mut remarks = String::new();
    for tensor in fitting {
        match file.finite_values(tensor) {
            Ok(weight) => {
                let found = StructureShares::of(map, &weight).map_err(TrainError::from)?;
                let [of_tensor, of_gaussian] = shares(&tensor.name, &found);
                rows.push(of_tensor);
                gaussian = Some(of_gaussian);
            }
            Err(error) => {
                let mut row = vec![NOTHING.to_owned(); SHARES.len()];
                row[0].clone_from(&tensor.name);
                rows.push(row);
                remarks += &format!("\n\nnot measured: {}", reason(error));
            }
        }
    }
    rows.extend(gaussian);
    let table = aligned(&SHARES, rows, 1);
    say(format_args!("{table}{remarks}\n\n{LEGEND}"))
}

/// A row for a matrix, and one for a Gaussian matrix: shares of the energy.
pub fn shares(name: &str, found: &StructureShares) -> [Vec<String>; 2] {
    let row = |name: &str, shares: [Option<f64>; 3]| {
        let cell = |share: Option<f64>| {
            share.map_or(NOTHING.to_owned(), |s| format!("{:.4} %", 100.0 * s))
        };
        let mut row = vec![name.to_owned()];
        row.extend(shares.map(cell));
        row
    };
    let energy = found.energy;
    [
        row(
            name,
            [energy.fraction(), energy.locality(), energy.sharing()],
        ),
        row(
            "a Gaussian matrix",
            [
                found.gaussian_fraction(),
                found.gaussian_locality(),
                found.gaussian_sharing(),
            ],
        ),
    ]
}
