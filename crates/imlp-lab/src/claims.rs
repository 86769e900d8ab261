//! The paper's claims: what each says, which experiment tries it, by what rule it is decided.
//!
//! A claim is tried by studies ([`study`]): recipes in `recipes/paper/` at one of three scales.
//! What a study's trials measured is kept as [`records`], from which the
//! judgements ([`judge`]) and the [`page`] are made anew, without data or training.

pub mod claim;
pub mod judge;
pub mod page;
pub mod records;
pub mod study;
