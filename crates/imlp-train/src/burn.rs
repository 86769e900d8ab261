//! Networks in training through Burn, on any of its devices.

pub(crate) mod forward;
pub(crate) mod loss;
pub(crate) mod model;
pub(crate) mod optimizer;
pub(crate) mod parameters;
