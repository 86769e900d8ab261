# The usual loops: https://just.systems. `just` alone lists them.

default:
    @just --list --unsorted

# Before every commit: format, lints and unit tests (under 3 minutes when warm)
check: lint
    cargo test --workspace --lib --bins

# Format and lints of everything, tests and benches too
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Format everything, and accept what clippy can mend
fix:
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
    cargo fmt --all

# Every test (README)
test *ARGS:
    cargo test --workspace {{ ARGS }}

# Look at changed snapshots one by one (cargo install cargo-insta)
snapshots:
    cargo insta test --workspace --review

# The documentation of every crate
doc *ARGS:
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps {{ ARGS }}

# Everything, as CI runs it
ci:
    .ci/run

# The branches for processors without vector kernels of ours, type-checked on x86-64
portable:
    RUSTFLAGS='--cfg imlp_portable' cargo check --package imlp-kernels --target-dir target/portable

# Fuzz one parser, e.g. `just fuzz layer -max_total_time=60` (fuzz/README.md)
fuzz TARGET *ARGS:
    cargo run --package imlp-fuzz --example write_seeds
    cargo fuzz run --sanitizer none {{ TARGET }} -- {{ ARGS }}

# Licences, sources and duplicates of dependencies (cargo install cargo-deny)
deny:
    cargo deny check bans licenses sources

# Types, bundle and browser tests of the report page (report/README.md)
report:
    cd report && npm ci && npm run check && npm run build && npm test

# The main job (README)
sweep *ARGS:
    cargo run --release -- sweep {{ ARGS }}

# How fast products of a training step are, against `gemm` and `faer`
bench-products:
    cargo bench --package imlp-kernels
