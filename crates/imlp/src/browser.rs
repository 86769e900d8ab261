//! Showing a page in the browser.

use std::path::Path;

use crate::output::tell;

/// Opens `page`; where there is no browser, says where the page is, and goes on.
pub fn open(page: &Path) {
    let whole = std::path::absolute(page);
    let whole = whole.as_deref().unwrap_or(page);
    if let Err(error) = open::that_detached(whole) {
        tell(format_args!(
            "no browser opens ({error}); the page is {}",
            whole.display()
        ));
    }
}
