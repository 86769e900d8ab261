//! `imlp plot`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use imlp_lab::figure::{Kind, Letters, Request, Scene, Style, pdf, png, svg};
use imlp_lab::files::write_output;
use imlp_lab::store::Store;
use imlp_lab::view::View;
use imlp_suggest::one_line;

use crate::args::{FigureFormat, FigureName, PlotArguments};
use crate::failure::Failure;
use crate::file_format::{choose, name};
use crate::output::{say, tell};

pub fn run(arguments: &PlotArguments) -> Result<(), Failure> {
    let out = arguments.out.as_deref();
    let format = choose(arguments.format, out, FigureFormat::Pdf, "a figure")?;
    if let (Some(alpha), false) = (arguments.alpha, arguments.figure == FigureName::Layers) {
        return Err(Failure::Message(format!(
            "--alpha {alpha} chooses the trial of --figure layers; no other figure takes it"
        )));
    }
    let views = arguments
        .folders
        .iter()
        .map(|folder| Ok(View::read(&Store::existing(folder)?)?))
        .collect::<Result<Vec<View>, Failure>>()?;
    let request = Request {
        kind: arguments.figure.into(),
        configuration: arguments.configuration.as_deref(),
        alpha: arguments.alpha,
        style: Style::of(arguments.style.into(), arguments.width().into()),
    };
    let scene = request.draw(&views).map_err(imlp_lab::LabError::from)?;
    let path = path(arguments, &views, format);
    refuse_other(&path)?;
    write_output(&path, &bytes(&scene, format)?)?;
    for note in &scene.notes {
        tell(format_args!("note: {note}"));
    }
    say(format_args!(
        "wrote\n  {}",
        one_line(&path.display().to_string())
    ))
}

/// Refuses a file that is there and no figure: the name may be a mistake.
fn refuse_other(path: &Path) -> Result<(), Failure> {
    let mut begin = [0; 5];
    let is_file = path
        .metadata()
        .is_ok_and(|about| about.is_file() && about.len() > 0);
    if !is_file {
        return Ok(());
    }
    // What cannot be read is told when it is written.
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    let begins: [&[u8]; 3] = [b"<svg ", b"%PDF-", b"\x89PNG\r"];
    match read {
        Ok(()) if begins.contains(&&begin[..]) => Ok(()),
        _ => Err(Failure::Message(format!(
            "{} is no figure, and is not replaced; give another --out",
            path.display()
        ))),
    }
}

fn bytes(scene: &Scene, format: FigureFormat) -> Result<Vec<u8>, Failure> {
    Ok(match format {
        // Outlines: a font in the file is shown by browsers, not by Inkscape.
        FigureFormat::Svg => svg(scene, Letters::Outlines).into_bytes(),
        FigureFormat::Png => png(scene).map_err(imlp_lab::LabError::from)?,
        FigureFormat::Pdf => pdf(scene),
    })
}

/// Where the figure goes: not among the results, whose files have names like it.
fn path(arguments: &PlotArguments, views: &[View], format: FigureFormat) -> PathBuf {
    let experiment = match views {
        [one] => &one.name,
        _ => "comparison",
    };
    let kind = Kind::from(arguments.figure).name();
    let usual = format!("{experiment}-{kind}.{}", name(&format));
    arguments.out.clone().unwrap_or_else(|| usual.into())
}
