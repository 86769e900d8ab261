use super::*;
use crate::view::tests::{experiment, with_text};

/// Whatever an experiment is called, nothing of it becomes markup or script.
#[test]
fn hostile_text_is_inert() {
    let evil = "</script><script>alert('x')</script><!--\"&\u{2028}\u{7}\n]]>";
    let page = render(&[with_text(evil)]).unwrap();
    // The data and the bundle, and no third.
    assert_eq!(page.matches("<script").count(), 2);
    let bundle = SCRIPT.matches("</script").count();
    assert_eq!(page.matches("</script").count(), 2 + bundle);
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    assert!(!data.contains('<'));
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        data["views"][0]["title"], evil,
        "the script shows all of it"
    );
    let (before, _) = page.split_once("<script").unwrap();
    assert!(before.contains("&lt;/script&gt;&lt;script&gt;alert"));
}

#[test]
fn the_page_tells_the_answer_without_a_script_and_loads_nothing() {
    let page = render(&[experiment(3, 4, 2)]).unwrap();
    let (before, _) = page.split_once("<script").unwrap();
    for part in [
        "<!DOCTYPE html>",
        "lang=\"en\"",
        "<noscript>",
        "Best α, chosen on the validation split: 0.5",
        "Difference from the plain MLP: +",
        "scope=\"row\"",
    ] {
        assert!(before.contains(part), "{part}: {before}");
    }
    for bad in ["src=", "<link", "@import", "url(http"] {
        assert!(!before.contains(bad), "{bad}");
    }
    assert!(page.contains("\"refresh_seconds\":null"));
    let mut running = experiment(3, 4, 2);
    running.state.running = true;
    assert!(
        render(&[running])
            .unwrap()
            .contains("\"refresh_seconds\":5")
    );
}

#[test]
fn two_hundred_trials_stay_below_three_megabytes() {
    for epochs in [10, 100] {
        let page = render(&[experiment(20, 10, epochs)]).unwrap();
        assert!(page.len() < 3_000_000, "{} bytes", page.len());
        assert!(page.len() > 500_000, "{} bytes", page.len());
    }
}
