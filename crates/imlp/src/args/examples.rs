//! Examples in the help of every command. A test reads each as the program does.

use clap::Command;

/// An example: a command line, and what it does.
type Example = (&'static str, &'static str);

/// Commands by path, with their examples.
const EXAMPLES: [(&str, &[Example]); 28] = [
    (
        "",
        &[
            (
                "imlp sweep",
                "The α-curve of a CNN on a built-in data set, in a few minutes",
            ),
            (
                "imlp check recipes/mixer.toml",
                "What a recipe would train and cost",
            ),
            ("imlp train --alpha=0.1", "One trial, and its weights"),
        ],
    ),
    (
        "sweep",
        &[
            ("imlp sweep", "The main job on the built-in data set"),
            ("imlp sweep --open", "With its report in the browser"),
            (
                "imlp sweep recipes/mixer.toml --seeds=5",
                "A recipe, with more seeds",
            ),
            (
                "imlp sweep --alphas=two-sided:1e-3:11 --epochs=20 --out=runs/v",
                "11 values of α dense toward both 0 and 1, and those two",
            ),
            (
                "imlp sweep --set 'sweep.grid={ \"train.batch_size\" = [64, 256] }'",
                "Another key varies too",
            ),
            (
                "imlp sweep --executor=slurm --time=4:00:00 --out=/shared/run",
                "On a Slurm cluster",
            ),
        ],
    ),
    (
        "reproduce",
        &[
            (
                "imlp reproduce",
                "All claims on the built-in images, in a quarter of an hour",
            ),
            (
                "imlp reproduce v-curve fraction --scale=cpu --reading=frozen",
                "Two claims on CIFAR-10, in one reading",
            ),
            (
                "imlp reproduce --scale=full --executor=slurm --time=4:00:00",
                "On a Slurm cluster",
            ),
            (
                "imlp reproduce --judge-only",
                "Verdicts and page from records",
            ),
        ],
    ),
    (
        "check",
        &[
            (
                "imlp check recipes/cifar10-cnn.toml",
                "Every trial, its memory and its time",
            ),
            (
                "imlp check --prior=mixer --no-time",
                "Without training a step",
            ),
        ],
    ),
    (
        "train",
        &[
            (
                "imlp train --alpha=0.1 --seed=2",
                "One trial, and its weights",
            ),
            (
                "imlp train recipes/mixer.toml --alpha=1 --json",
                "A line for another program",
            ),
        ],
    ),
    (
        "eval",
        &[(
            "imlp eval runs/best/twin.safetensors",
            "Accuracy of weights that imlp train kept",
        )],
    ),
    (
        "bench",
        &[
            ("imlp bench", "The default twin on images of 3×32×32"),
            (
                "imlp bench recipes/mixer.toml --network=prior --jobs=1",
                "A recipe's prior",
            ),
        ],
    ),
    (
        "status",
        &[("imlp status runs/v", "What is done, runs, waits and failed")],
    ),
    (
        "retry",
        &[("imlp retry runs/v", "Then run the same imlp sweep again")],
    ),
    (
        "cancel",
        &[("imlp cancel runs/v", "What is finished stays")],
    ),
    (
        "worker",
        &[(
            "imlp worker runs/v/slurm/1 --array=trials-0 --index=3",
            "What a task of an array job runs",
        )],
    ),
    (
        "clean",
        &[
            ("imlp clean runs/v", "List what is not needed"),
            (
                "imlp clean runs/v --unlisted --yes",
                "Remove it, and trials that left the recipe",
            ),
        ],
    ),
    (
        "export",
        &[
            (
                "imlp export runs/v",
                "The rows of results.csv, also while a sweep runs",
            ),
            (
                "imlp export runs/v --epochs --out=epochs.parquet",
                "Every measurement of every epoch",
            ),
        ],
    ),
    (
        "data",
        &[(
            "imlp data list",
            "The data sets, and where each is installed",
        )],
    ),
    (
        "data list",
        &[(
            "imlp data list",
            "The data sets, and where each is installed",
        )],
    ),
    (
        "analyse",
        &[
            (
                "imlp analyse imlp-out/fashion-mini-cnn",
                "What the curve of a sweep shows, and by which tests",
            ),
            ("imlp analyse runs/v --json", "For another program"),
        ],
    ),
    (
        "report",
        &[
            (
                "imlp report imlp-out/fashion-mini-cnn --open",
                "The page of a sweep, in the browser",
            ),
            (
                "imlp report runs/cnn runs/mixer --out=both.html",
                "Two experiments on one page",
            ),
        ],
    ),
    (
        "plot",
        &[
            (
                "imlp plot runs/v",
                "The α-curve as PDF, one column of a paper wide",
            ),
            (
                "imlp plot runs/cnn runs/mixer --width=double --out=both.svg",
                "Two experiments in one plot, across both columns",
            ),
            (
                "imlp plot runs/v --figure=learning --style=slide --format=png",
                "Learning curves for a talk",
            ),
            (
                "imlp plot runs/v --figure=layers --alpha=0.1",
                "The schedule of every layer, of one α",
            ),
        ],
    ),
    (
        "data inspect",
        &[(
            "imlp data inspect photos --size=32",
            "What a folder of images holds, before training on it",
        )],
    ),
    (
        "data fetch",
        &[
            ("imlp data fetch cifar10", "Download and verify"),
            (
                "imlp data fetch mnist --from=/shared/torchvision",
                "From files that are there",
            ),
        ],
    ),
    (
        "data verify",
        &[("imlp data verify cifar10", "Against the official checksums")],
    ),
    (
        "data path",
        &[("imlp data path mnist", "The folder, for a script")],
    ),
    (
        "dense",
        &[
            (
                "imlp dense --network=net.toml --weights=net.safetensors --out=d.safetensors",
                "Every layer of a network as a matrix",
            ),
            (
                "imlp dense --layer='avg-pool2d(in=3,kernel=2,input=8x8)' --out=p.safetensors",
                "A layer without parameters",
            ),
        ],
    ),
    (
        "project",
        &[(
            "imlp project --layer='circulant(in=64)' --weights=w.safetensors --out=c.st",
            "The circulant matrix that is nearest to a dense one",
        )],
    ),
    (
        "inspect",
        &[
            ("imlp inspect twin.safetensors", "Its tensors"),
            (
                "imlp inspect w.safetensors --layer='conv2d(in=1,out=2,kernel=3,input=28x28)'",
                "How much of its matrices a convolution explains",
            ),
        ],
    ),
    (
        "schema",
        &[("imlp schema > recipe.schema.json", "For an editor of TOML")],
    ),
    (
        "completions",
        &[(
            "imlp completions bash > ~/.bash_completion.d/imlp",
            "For bash",
        )],
    ),
    (
        "man",
        &[("imlp man --out=man", "Then: man -l man/imlp-sweep.1")],
    ),
];

/// `command` and all below it with their examples after the help.
pub fn added(command: Command) -> Command {
    below("", command)
}

fn below(path: &str, command: Command) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    let command = names.into_iter().fold(command, |command, name| {
        let path = format!("{path} {name}");
        command.mut_subcommand(name, |sub| below(path.trim(), sub))
    });
    let Some((_, examples)) = EXAMPLES.iter().find(|(name, _)| *name == path) else {
        return command;
    };
    let lines = examples
        .iter()
        .map(|(line, what)| format!("\n  {line}\n      {what}"));
    let text = format!("Examples:{}", lines.collect::<String>());
    let long = command
        .get_after_long_help()
        .map(|long| format!("{long}\n\n{text}"));
    let command = command.after_help(text);
    match long {
        Some(long) => command.after_long_help(long),
        None => command,
    }
}
