//! How a network trains: the keys `train.*` and what they become once checked.

pub(crate) mod learning_rate;
