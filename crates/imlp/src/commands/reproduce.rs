//! `imlp reproduce`.

use std::path::Path;
use std::time::{Instant, SystemTime};

use imlp_lab::claims::claim::Claim;
use imlp_lab::claims::page;
use imlp_lab::claims::records::{Records, Run};
use imlp_lab::claims::study::{Scale, Study, studies};
use imlp_lab::executor::{Failed, Results, collect};
use imlp_lab::files::{create_folder, refuse_file, write_output};
use imlp_lab::store::{Manifest, Store};
use imlp_lab::text::shell_word;
use imlp_lab::{Execution, Experiment, Plan, Recipe};
use imlp_suggest::counted;

use crate::args::{ExecutorName, ReproduceArguments};
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
    refuse_ending("--page", &arguments.page, "Markdown", &["md", "markdown"])?;
    for folder in [&arguments.results, &arguments.out] {
        refuse_file(folder)?;
    }
    let mut failed = Vec::new();
    if !arguments.judge_only {
        for study in &studies {
            failed.extend(try_study(arguments, study)?);
        }
    }
    write_page(&arguments.results, &arguments.page)?;
    report(&failed)
}

/// Trains what is missing of a study, and keeps its records. Returns the jobs that failed.
fn try_study(arguments: &ReproduceArguments, study: &Study) -> Result<Vec<Failed>, Failure> {
    let scale = arguments.scale.scale();
    let mut recipe = study.recipe(scale)?;
    for text in &arguments.set {
        recipe.set_text(text)?;
    }
    let folder = page::folder(&arguments.results, study, scale);
    if !arguments.quiet {
        tell(format_args!("\n{}, scale {}", study.name(), scale.name()));
    }
    let execution = Execution {
        out: arguments.out.join(scale.name()).join(study.name()),
        jobs: executor::trials_at_a_time(arguments.executor, &arguments.slurm, arguments.jobs),
        max_memory: arguments.memory.limit(),
        policy: arguments.policy.policy(),
        task: None,
        weights: None,
    };
    if arguments.executor == ExecutorName::Slurm {
        slurm::refuse_paths(&execution.out)?;
    }
    let announce = Announce::unless(arguments.quiet);
    let plan = Plan::new(&recipe)?;
    let (experiment, execution) = prepare(
        plan,
        arguments.device,
        execution,
        MissingData::Fetch,
        announce,
    )?;
    let kept = Records::read(&folder)?;
    if let Some(records) = &kept {
        refuse_strangers(records, &experiment, &folder)?;
    }
    let store = Store::create(&execution.out)?;
    store.note(&Manifest::of(&experiment, execution.policy, &command_line())?.on(processor()))?;
    let known = restore(&arguments.results, &experiment, &store)?;
    if known > 0 && !arguments.quiet {
        tell(format_args!(
            "known from records: {}",
            counted(known, "trial")
        ));
    }
    let before = finished(&collect(&experiment, &store)?);
    let began = Instant::now();
    let outcome = train(arguments, &recipe, &experiment, &store, &execution);
    // What was trained is kept even if the rest was interrupted.
    let results = collect(&experiment, &store)?;
    let trained = finished(&results) - before;
    let mut runs = kept.map_or(Vec::new(), |records| records.runs);
    if trained > 0 {
        runs.push(Run {
            at: SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            command: command(arguments, study),
            commit: commit(),
            processor: processor(),
            jobs: execution.jobs,
            trials: trained,
            seconds: began.elapsed().as_secs_f64(),
        });
    }
    if finished(&results) > 0 {
        create_folder(&folder)?;
        Records::of(study, scale, &experiment, &results, runs).write(&folder)?;
    }
    outcome
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
/// trials.
fn restore(results: &Path, experiment: &Experiment, store: &Store) -> Result<usize, Failure> {
    let mut restored = 0;
    for scale in Scale::ALL {
        for study in studies() {
            if let Some(records) = Records::read(&page::folder(results, &study, scale))? {
                restored += records.restore(experiment, store)?;
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

fn finished(results: &Results) -> usize {
    let trials = results.trials.iter();
    trials.filter(|(_, published)| published.is_some()).count()
}

/// Writes the page, and says what it says.
fn write_page(results: &Path, path: &Path) -> Result<(), Failure> {
    let from = path.parent().unwrap_or(Path::new(""));
    let page = page::write(results, from)?;
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
