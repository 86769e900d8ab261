//! `imlp dense`.

use std::path::Path;

use imlp_lab::files::Output;
use imlp_lab::table::aligned;
use imlp_lab::{read_file, text::thousands};
use imlp_linear::BatchNormStatistics;
use imlp_suggest::counted;
use imlp_train::{
    Check, DenseNetwork, Difference, Form, NetworkConfig, TensorAssignment, TensorFile,
    WeightedNetwork, bytes, check,
};

use crate::args::DenseArguments;
use crate::failure::Failure;
use crate::output::{number, say};
use crate::tensor_output::{refuse_other_ending, refuse_same, write};

pub fn run(arguments: &DenseArguments) -> Result<(), Failure> {
    let out = &arguments.out;
    refuse_other_ending(out)?;
    let weights = arguments.weights.as_deref();
    if let Some(weights) = weights {
        refuse_same(out, weights)?;
    }
    let source = read(arguments, weights)?;
    let form = if arguments.sparse {
        Form::Sparse
    } else {
        Form::Dense
    };
    let limit = arguments.memory.limit();
    let network = DenseNetwork::new(&source, form, arguments.fold, limit)?;
    if !source.assignments().is_empty() {
        say(assignments(source.assignments()))?;
        say("")?;
    }
    say(matrices(&network))?;
    let file = network.file()?;
    say(format_args!(
        "\n{} in {}, about {} of memory",
        bytes(file.bytes()),
        out.display(),
        bytes(network.memory())
    ))?;
    let mut output = Output::to(out)?;
    if arguments.check.is_some() && output.path().is_none() {
        return Err(Failure::Message(format!(
            "--check reads the file again, which {} does not allow; give the name of a file",
            out.display()
        )));
    }
    write(&mut output, out, file)?;
    if let (Some(inputs), Some(path)) = (arguments.check, output.path()) {
        // The file's temporary name means nothing to the reader.
        let written = TensorFile::open(path)?;
        let found = check(&network, &written, inputs.into())?;
        say(format_args!("\n{}", differences(&found, inputs)))?;
        refuse_differences(&found, out)?;
    }
    output.keep()?;
    say(format_args!("\nwrote {}", out.display()))
}

fn read(arguments: &DenseArguments, weights: Option<&Path>) -> Result<WeightedNetwork, Failure> {
    let file = weights.map(TensorFile::open).transpose()?;
    Ok(match &arguments.described.network {
        Some(network) => {
            let config: NetworkConfig = read_file(network)?;
            WeightedNetwork::load(&config, file.as_ref())?
        }
        None => {
            let text = arguments.described.layer.as_deref().unwrap_or_default();
            let epsilon = arguments.eps.unwrap_or(BatchNormStatistics::EPSILON);
            WeightedNetwork::single(text, epsilon, file.as_ref())?
        }
    })
}

/// Which layer takes which tensors.
fn assignments(assignments: &[TensorAssignment]) -> String {
    let rows = assignments.iter().flat_map(|assignment| {
        let TensorAssignment { layer, kind, .. } = assignment;
        let tensors = assignment.tensors.iter().enumerate();
        tensors.map(move |(i, tensor)| {
            let first = |text: &str| {
                if i == 0 {
                    text.to_owned()
                } else {
                    String::new()
                }
            };
            let remark = match (assignment.inferred, assignment.alternatives.as_slice()) {
                (false, _) => "named".to_owned(),
                (true, []) => "the only one that fits".to_owned(),
                (true, [one]) => format!("by its number; {one} fits too"),
                (true, [one, more @ ..]) => {
                    format!("by its number; {one} and {} more fit too", more.len())
                }
            };
            vec![
                first(if layer.is_empty() { "–" } else { layer }),
                first(kind),
                tensor.name.clone(),
                format!("{:?}", tensor.dtype),
                format!("{:?}", tensor.shape),
                first(&remark),
            ]
        })
    });
    let heads = ["layer", "type", "tensor", "dtype", "shape", "module"];
    aligned(&heads, rows, heads.len())
}

/// What will be written.
fn matrices(network: &DenseNetwork<'_>) -> String {
    let rows = network.layers().iter().map(|layer| {
        let (out, input) = (layer.output.len(), layer.input.len());
        vec![
            if layer.name.is_empty() {
                "–".to_owned()
            } else {
                layer.name.clone()
            },
            layer.kinds(),
            format!("{} → {}", layer.input, layer.output),
            format!("{out}×{input}"),
            thousands(layer.entries),
            bytes(layer.bytes(network.form())),
        ]
    });
    let entries = match network.form() {
        Form::Dense => "entries",
        Form::Sparse => "sparse entries",
    };
    let heads = ["matrix", "of", "shapes", "out×in", entries, "size"];
    aligned(&heads, rows, 3)
}

fn differences(found: &Check, inputs: u16) -> String {
    let row = |name: &str, d: &Difference| {
        vec![
            name.to_owned(),
            number(d.largest),
            format!("{:.1e}", d.absolute),
            format!("{:.1e}", d.relative()),
            format!("{:.1} %", 100.0 * d.of_bound),
        ]
    };
    let layers = found.layers.iter().map(|d| {
        let name = if d.name.is_empty() { "–" } else { &d.name };
        row(name, d)
    });
    let rows = layers.chain([row("the whole network", &found.network)]);
    let heads = [
        "matrix against layer",
        "largest output",
        "difference",
        "relative",
        "of the rounding bound",
    ];
    format!(
        "checked on {}\n{}",
        counted(inputs, "random input"),
        aligned(&heads, rows, 1)
    )
}

fn refuse_differences(found: &Check, out: &Path) -> Result<(), Failure> {
    let beyond = found.layers.iter().filter(|d| !d.is_rounding());
    let names: Vec<_> = beyond.map(|d| format!("`{}`", d.name)).collect();
    let what = match (names.as_slice(), found.network.is_rounding()) {
        ([], true) => return Ok(()),
        ([], false) => {
            "each matrix agrees with its layer, but the networks differ: this network amplifies \
             rounding"
                .to_owned()
        }
        (names, _) => format!(
            "{} differ from the structured layers by more than rounding, which is a defect of \
             imlp; please report it",
            names.join(", ")
        ),
    };
    Err(Failure::Message(format!(
        "{what}; {} was not written",
        out.display()
    )))
}
