//! Training of one network: its images, its optimiser steps, its evaluation and
//! its checkpoints.

pub(crate) mod checkpoint;
pub(crate) mod data;
pub(crate) mod evaluation;
pub(crate) mod hooks;
pub(crate) mod learner;
pub(crate) mod progress;
pub(crate) mod run;
