//! What the caller of a run provides.

use crate::observer::Observer;
use crate::training::checkpoint::Checkpoints;

/// Who watches a run and who keeps its checkpoints.
#[derive(Clone, Copy)]
pub(crate) struct RunHooks<'a> {
    pub observer: &'a dyn Observer,
    pub checkpoints: &'a dyn Checkpoints,
}
