//! `imlp inspect`.

use imlp_lab::table::aligned;
use imlp_linear::StructuredMap;
use imlp_train::{
    StructureShares, TensorEntry, TensorFile, TensorStatistics, TrainError, bytes, parse_layer,
};

use crate::args::InspectArguments;
use crate::exit::Failure;
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
        "{}: {} tensors, {}\n",
        arguments.file.display(),
        file.tensors().len(),
        bytes(total)
    ))?;
    say(statistics(&file)?)?;
    let mut metadata: Vec<_> = file.metadata().iter().collect();
    metadata.sort();
    for (key, value) in metadata {
        say(format_args!("\nmetadata {key}: {value}"))?;
    }
    match map {
        Some(map) => structure(&file, map.as_ref(), arguments.memory.limit()),
        None => Ok(()),
    }
}

fn statistics(file: &TensorFile) -> Result<String, Failure> {
    let mut rows = Vec::new();
    for tensor in file.tensors() {
        let cells = match TensorStatistics::of(file, tensor) {
            Ok(s) if s.finite == 0 => {
                let nothing = NOTHING.to_owned();
                [
                    nothing.clone(),
                    nothing.clone(),
                    nothing.clone(),
                    nothing,
                    s.not_finite.to_string(),
                ]
            }
            Ok(s) => [
                number(s.norm),
                number(s.min),
                number(s.max),
                number(s.mean),
                s.not_finite.to_string(),
            ],
            Err(error) => return Err(error.into()),
        };
        let mut row = vec![
            tensor.name.clone(),
            format!("{:?}", tensor.dtype),
            format!("{:?}", tensor.shape),
        ];
        row.extend(cells);
        rows.push(row);
    }
    let heads = [
        "tensor",
        "dtype",
        "shape",
        "norm",
        "min",
        "max",
        "mean",
        "not finite",
    ];
    Ok(aligned(&heads, rows, 3))
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
    for tensor in fitting {
        let weight = file.finite_values(tensor)?;
        let found = StructureShares::of(map, &weight).map_err(TrainError::from)?;
        let [of_tensor, of_gaussian] = shares(&tensor.name, &found);
        rows.push(of_tensor);
        gaussian = Some(of_gaussian);
    }
    rows.extend(gaussian);
    say(format_args!("{}\n\n{LEGEND}", aligned(&SHARES, rows, 1)))
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
                Some(found.gaussian_locality()),
                found.gaussian_sharing(),
            ],
        ),
    ]
}
