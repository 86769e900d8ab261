//! `imlp reproduce`.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use imlp_lab::claims::claim::Claim;
use imlp_lab::claims::page;
use imlp_lab::claims::records::{Records, Run, folder};
use imlp_lab::claims::study::{Scale, Study, studies};
use imlp_lab::executor::{Failed, Results, collect};
use imlp_lab::files::{create_folder, refuse_file, write_output};
use imlp_lab::identity::TrialId;
use imlp_lab::store::{Manifest, Store};
use imlp_lab::text::shell_word;
use imlp_lab::{Execution, Experiment, Plan, Recipe};
use imlp_suggest::counted;

use crate::args::{DeviceName, ExecutorName, ReproduceArguments};
use crate::command_line::command_line;
use crate::executor;
use crate::exit::report;
use crate::failure::Failure;
use crate::file_format::refuse_ending;
use crate::output::{say, tell};
use crate::prepare::{Announce, MissingData, prepare};
use crate::processor::processor;
use crate::slurm::{self, Submission};

pub fn run(arguments: &ReproduceArguments) -> Result<(), Failure> {
    executor::refuse_mixture(arguments.executor, &arguments.slurm, arguments.jobs)?;
    let claims = match arguments.claims.as_slice() {
        [] => &Claim::ALL,
        claims => claims,
    };
    let readings = arguments.reading.readings();
    let studies = Study::of(claims, readings, arguments.variation.as_deref())
        .map_err(|reason| Failure::Message(format!("--variation: {reason}")))?;
    let scale = arguments.scale.scale();
    if !studies.iter().all(|study| study.is_of(scale)) {
        return Err(Failure::Message(format!(
            "--variation: variations are of scale {}, not of {}",
            Scale::Cpu.name(),
            scale.name()
        )));
    }
    let results = &arguments.results;
    let page = page_path(arguments)?;
    if arguments.judge_only {
        return write_page(arguments, &page);
    }
    let out = arguments.out();
    for folder in [results, &out] {
        refuse_file(folder)?;
    }
    let out = out.join(scale.name());
    // What the last study refuses is said before the first one is trained.
    if studies.len() > 1 {
        for study in &studies {
            experiment(arguments, study, &out, Announce::Nowhere)?;
        }
    }
    may_write_beside(&results.join("records"), "--results")?;
    may_write_beside(&page, "--page")?;
    let mut failed = Vec::new();
    for study in &studies {
        failed.extend(try_study(arguments, study, &out)?);
    }
    write_page(arguments, &page)?;
    report(&failed)
}

/// Where the page goes. What is not a page of this command is not replaced.
fn page_path(arguments: &ReproduceArguments) -> Result<PathBuf, Failure> {
    let path = arguments.page();
    refuse_ending("--page", &path, "Markdown", &["md", "markdown"])?;
    // Something that cannot be read cannot be written either, and says why then.
    if path.is_file() && !page::is_page(&path) {
        return Err(Failure::Message(format!(
            "{} is not a page of results of imlp, and is not replaced; name another file with \
             --page",
            path.display()
        )));
    }
    Ok(path)
}

/// Makes the folder of the file `path`, and refuses one in which no file can be made: the
/// training comes first. `option` names the folder or the file.
fn may_write_beside(path: &Path, option: &str) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| tempfile::tempfile_in(folder))
        .map(|_| ())
        .map_err(|error| {
            let folder = folder.display();
            Failure::Message(format!(
                "cannot write into the folder {folder}: {error}; choose another with {option}"
            ))
        })
}

/// The recipe of a study with what the options say; `--set` comes last.
fn recipe(arguments: &ReproduceArguments, study: &Study) -> Result<Recipe, Failure> {
    let mut recipe = study.recipe(arguments.scale.scale())?;
    for (key, value) in arguments.products.keys() {
        recipe.set(key, value)?;
    }
    for text in &arguments.set {
        recipe.set_text(text)?;
    }
    Ok(recipe)
}

/// The experiment of a study, whose records are those of its trials.
fn experiment(
    arguments: &ReproduceArguments,
    study: &Study,
    out: &Path,
    announce: Announce,
) -> Result<(Experiment, Execution), Failure> {
    let execution = Execution {
        out: out.join(study.name()),
        jobs: executor::trials_at_a_time(arguments.executor, &arguments.slurm, arguments.jobs),
        max_memory: arguments.memory.limit(),
        policy: arguments.policy.policy(),
        task: None,
        weights: None,
    };
    if arguments.executor == ExecutorName::Slurm {
        slurm::refuse_paths(&execution.out)?;
    }
    let (experiment, execution) = prepare(
        Plan::new(&recipe(arguments, study)?)?,
        arguments.device,
        execution,
        MissingData::Fetch,
        announce,
    )?;
    kept(arguments, study, &experiment)?;
    Ok((experiment, execution))
}

/// Trains what is missing of a study in a folder below `out`, and keeps its records. Returns the
/// jobs that failed.
fn try_study(
    arguments: &ReproduceArguments,
    study: &Study,
    out: &Path,
) -> Result<Vec<Failed>, Failure> {
    if !arguments.quiet {
        let scale = arguments.scale.scale().name();
        tell(format_args!("\n{}, scale {scale}", study.name()));
    }
    let announce = Announce::unless(arguments.quiet);
    let (experiment, execution) = experiment(arguments, study, out, announce)?;
    let store = Store::create(&execution.out)?;
    store.note(&Manifest::of(&experiment, execution.policy, &command_line())?.on(processor()))?;
    let restored = restore(&arguments.results, &experiment, &store)?;
    if !restored.is_empty() && !arguments.quiet {
        tell(format_args!(
            "known from records: {}",
            counted(restored.len(), "trial")
        ));
    }
    let before = finished(&collect(&experiment, &store)?);
    let began = Instant::now();
    let recipe = recipe(arguments, study)?;
    let outcome = train(arguments, &recipe, &experiment, &store, &execution);
    let seconds = began.elapsed().as_secs_f64();
    let run = |trials: &HashSet<TrialId>| Run {
        at: SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()),
        command: command(arguments, study),
        commit: commit(),
        processor: processor(),
        jobs: execution.jobs,
        trials: trials.len(),
        // Of a command that was killed, or of jobs on a cluster, nobody knows.
        seconds: trials.is_disjoint(&before).then_some(seconds),
    };
    // What was trained is kept even if the rest was interrupted.
    keep(arguments, study, &experiment, &store, &restored, run)?;
    outcome
}

/// Adds what `store` holds of `experiment` to the records of a study. `run` tells of the run
/// that trained those trials that no records had, as those that were `restored` were.
fn keep(
    arguments: &ReproduceArguments,
    study: &Study,
    experiment: &Experiment,
    store: &Store,
    restored: &HashSet<TrialId>,
    run: impl FnOnce(&HashSet<TrialId>) -> Run,
) -> Result<(), Failure> {
    let scale = arguments.scale.scale();
    let results = collect(experiment, store)?;
    let mut new = finished(&results);
    if new.is_empty() {
        return Ok(());
    }
    let folder = folder(&arguments.results, study, scale);
    create_folder(&folder)?;
    // Another command may have kept records in the meantime, and may do so now. On a file
    // system without locks two that write in the same moment are not kept apart.
    let lock = File::open(&folder);
    let _ = lock.as_ref().map(File::lock);
    let kept = kept(arguments, study, experiment)?;
    let known = kept.iter().flat_map(|kept| &kept.trials);
    for id in restored.iter().chain(known.map(|trial| &trial.id)) {
        new.remove(id);
    }
    let run = (!new.is_empty()).then(|| run(&new));
    Records::of(study, scale, experiment, &results, kept, run).write(&folder)?;
    Ok(())
}

/// The records that are kept of a study.
fn kept(
    arguments: &ReproduceArguments,
    study: &Study,
    experiment: &Experiment,
) -> Result<Option<Records>, Failure> {
    let scale = arguments.scale.scale();
    let kept = Records::read(&arguments.results, study, scale)?;
    if let Some(kept) = &kept {
        refuse_strangers(kept, experiment, &folder(&arguments.results, study, scale))?;
    }
    Ok(kept)
}

/// The command that trains the study, without where and how fast.
fn command(arguments: &ReproduceArguments, study: &Study) -> String {
    let mut words = vec![
        "imlp reproduce".to_owned(),
        study.claim.name().to_owned(),
        format!("--scale {}", arguments.scale.scale().name()),
        format!("--reading {}", study.reading.name()),
    ];
    words.extend(study.variation.map(|name| format!("--variation {name}")));
    let products = arguments.products.options();
    words.extend(products.map(|(option, value)| format!("{option} {}", shell_word(value))));
    if !matches!(arguments.device, DeviceName::Cpu) {
        words.push(format!("--device {}", arguments.device.name()));
    }
    let sets = arguments.set.iter();
    words.extend(sets.map(|text| format!("--set {}", shell_word(text))));
    words.join(" ")
}

/// Refuses to replace the records of trials that the recipe does not ask for.
fn refuse_strangers(
    records: &Records,
    experiment: &Experiment,
    folder: &Path,
) -> Result<(), Failure> {
    match records.strangers(experiment) {
        0 => Ok(()),
        strangers => Err(Failure::Message(format!(
            "{} has records of {} that this recipe does not ask for (other keys, data or version); \
             give another --results, or move that folder away to run the study anew",
            folder.display(),
            counted(strangers, "trial")
        ))),
    }
}

/// Puts what any records in `results` know of `experiment` into the store: studies share
/// trials. Returns the trials that were not there.
fn restore(
    results: &Path,
    experiment: &Experiment,
    store: &Store,
) -> Result<HashSet<TrialId>, Failure> {
    let mut restored = HashSet::new();
    for scale in Scale::ALL {
        for study in studies() {
            if let Some(records) = Records::read(results, &study, scale)? {
                restored.extend(records.restore(experiment, store)?);
            }
        }
    }
    Ok(restored)
}

fn train(
    arguments: &ReproduceArguments,
    recipe: &Recipe,
    experiment: &Experiment,
    store: &Store,
    execution: &Execution,
) -> Result<Vec<Failed>, Failure> {
    let submission = Submission {
        slurm: &arguments.slurm,
        device: arguments.device,
        memory: &arguments.memory,
        policy: execution.policy,
        quiet: arguments.quiet,
    };
    let executor = arguments.executor;
    let ended = executor::run(executor, &submission, recipe, experiment, store, execution)?;
    // The jobs may continue without this process.
    Ok(ended.unwrap_or_default())
}

/// The trials that have a result.
fn finished(results: &Results) -> HashSet<TrialId> {
    let trials = results.trials.iter();
    let finished = trials.filter(|(_, published)| published.is_some());
    finished.map(|(trial, _)| trial.id.clone()).collect()
}

/// Writes the page, and says what it says.
fn write_page(arguments: &ReproduceArguments, path: &Path) -> Result<(), Failure> {
    let results = arguments.results.as_path();
    let from = path.parent().unwrap_or(Path::new(""));
    let page = page::write(results, from)?;
    if arguments.judge_only && page.judgements.is_empty() {
        return Err(Failure::Message(format!(
            "{} has no records of a study; give the folder that has them with --results, or leave \
             out --judge-only",
            results.display()
        )));
    }
    if from != Path::new("") {
        create_folder(from)?;
    }
    write_output(path, page.markdown.as_bytes())?;
    for judgement in &page.judgements {
        let variation = judgement.variation.map(|name| format!(", {name}"));
        say(format_args!(
            "{} ({}, {}{}; {}): {}",
            judgement.claim,
            judgement.scale.name(),
            judgement.reading.name(),
            variation.unwrap_or_default(),
            judgement.case,
            judgement.verdict.words()
        ))?;
    }
    say("wrote")?;
    for written in [results, path] {
        say(format_args!("  {}", written.display()))?;
    }
    Ok(())
}

/// Commit of the source that the program is built from, where it was built in its repository.
fn commit() -> Option<String> {
    option_env!("IMLP_COMMIT").map(str::to_owned)
}
