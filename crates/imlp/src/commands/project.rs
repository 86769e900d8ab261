//! `imlp project`.

use imlp_lab::files::Output;
use imlp_lab::table::aligned;
use imlp_train::{StructureShares, TensorFile, project};

use super::inspect::{LEGEND, SHARES, shares};
use crate::args::ProjectArguments;
use crate::failure::Failure;
use crate::output::say;
use crate::tensor_output::{refuse_other_ending, refuse_same, write};

pub fn run(arguments: &ProjectArguments) -> Result<(), Failure> {
    let out = &arguments.out;
    refuse_other_ending(out)?;
    refuse_same(out, &arguments.weights)?;
    let dense = TensorFile::open(&arguments.weights)?;
    let projected = project(&arguments.layer, &dense, arguments.memory.limit())?;
    let (map, projection) = (&projected.map, &projected.projection);
    let file = projected.file();
    if file.tensors.is_empty() {
        return Err(Failure::Message(format!(
            "{} has no parameters, so there is nothing to write; `imlp inspect --layer` tells how \
             much of a matrix its structure explains",
            map.kind()
        )));
    }
    say(format_args!(
        "{} {} → {}, {} parameters for a matrix of {}×{}\n",
        map.kind(),
        map.in_shape(),
        map.out_shape(),
        map.parameter_count(),
        map.out_len(),
        map.in_len()
    ))?;
    let found = StructureShares::with_energy(map.as_ref(), projection.energy)
        .map_err(imlp_train::TrainError::from)?;
    let rows = shares("weight", &found);
    say(format_args!("{}\n\n{LEGEND}\n", aligned(&SHARES, rows, 1)))?;
    let percent = |share: Option<f64>| {
        share.map_or("nothing: it is 0".to_owned(), |s| {
            format!("{:.4} %", 100.0 * s)
        })
    };
    say(format_args!(
        "lost of the weight's energy: {}",
        percent(projection.lost)
    ))?;
    match (projected.dense_bias, map.has_bias()) {
        (true, true) => say(format_args!(
            "lost of the bias's energy:   {}",
            percent(projection.bias_lost)
        ))?,
        (true, false) => say(format_args!(
            "lost of the bias's energy:   {} (the layer has no bias)",
            percent(projection.bias_lost)
        ))?,
        (false, true) => say("the matrix has no bias: the layer's is 0")?,
        (false, false) => {}
    }
    let new = file.new_file().map_err(Failure::Message)?;
    let mut output = Output::to(out)?;
    write(&mut output, out, new)?;
    output.keep()?;
    let tensors = file.tensors.iter();
    let tensors = tensors.map(|t| format!("{} {:?}", t.name, t.shape));
    say(format_args!(
        "\nwrote {}: {}",
        out.display(),
        tensors.collect::<Vec<_>>().join(", ")
    ))
}
