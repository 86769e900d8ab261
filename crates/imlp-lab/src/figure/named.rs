//! Configurations with the names that figures give them.

use crate::view::{ConfigurationView, View};

/// A configuration and what it is called in a figure.
pub struct Named<'a> {
    /// Its name beside the others.
    pub name: String,
    /// Its experiment.
    pub view: &'a View,
    /// The configuration.
    pub configuration: &'a ConfigurationView,
}

/// An experiment whose title all share, if they do.
pub fn shared<'n, 'v: 'n>(mut all: impl Iterator<Item = &'n Named<'v>>) -> Option<&'v View> {
    let first = all.next()?.view;
    all.all(|named| named.view.title == first.title)
        .then_some(first)
}
