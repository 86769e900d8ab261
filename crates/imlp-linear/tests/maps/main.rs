//! Every registered map against an oracle written from its definition.
//!
//! A map joins by being in `REGISTRY`; without an oracle of its name in
//! `oracles` these tests fail.

mod composition;
mod harness;
mod interpolation;
mod layer;
mod oracles;
mod projection;
mod structure;
