//! The course of training as means over seeds.

use super::colour::{Colour, sequential};
use super::error::FigureError;
use super::named::Named;
use crate::view::{Accuracies, PointView, TrialView};

/// The images that accuracies were measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Images {
    Validation,
    Test,
    Training,
}

impl Images {
    /// The first on which an accuracy was measured while training.
    pub fn measured<'a>(points: impl Iterator<Item = &'a PointView> + Clone) -> Option<Self> {
        let all = [Self::Validation, Self::Test, Self::Training];
        let any = |images: &Self| points.clone().any(|p| images.accuracy(p).is_some());
        all.into_iter().find(|images| any(images))
    }

    /// The accuracy after an interpolation; before it where none came.
    pub fn accuracy(self, point: &PointView) -> Option<f64> {
        self.of(&point.after).or(self.of(&point.before))
    }

    /// The accuracy on these images.
    pub fn of(self, accuracies: &Accuracies) -> Option<f64> {
        match self {
            Self::Validation => accuracies.validation,
            Self::Test => accuracies.test,
            Self::Training => accuracies.training,
        }
    }

    /// The name of the accuracy.
    pub fn metric(self) -> &'static str {
        match self {
            Self::Validation => "Validation accuracy",
            Self::Test => "Test accuracy",
            Self::Training => "Training accuracy",
        }
    }
}

/// The trials of one α that did not diverge.
pub struct OfAlpha<'a> {
    /// Interpolation weight.
    pub alpha: f64,
    /// One per seed.
    pub trials: Vec<&'a TrialView>,
}

/// The trials with a course, by increasing α. A diverged one enters no mean.
pub fn by_alpha(trials: &[TrialView]) -> Vec<OfAlpha<'_>> {
    let mut with_course: Vec<&TrialView> = trials
        .iter()
        .filter(|t| !t.points.is_empty() && !is_diverged(t))
        .collect();
    with_course.sort_by(|a, b| a.alpha.total_cmp(&b.alpha));
    with_course
        .chunk_by(|a, b| a.alpha == b.alpha)
        .map(|trials| OfAlpha {
            alpha: trials[0].alpha,
            trials: trials.to_vec(),
        })
        .collect()
}

/// The colour of the α of that rank among `alphas`, from dark to bright; one alone has that of
/// its value.
pub fn colour(rank: usize, alphas: &[OfAlpha<'_>]) -> Colour {
    match alphas {
        [one] => sequential(one.alpha),
        _ => sequential(rank as f64 / (alphas.len() - 1) as f64),
    }
}

/// Says how many trials have no result yet, or none that can be read.
pub fn unfinished(all: &[Named<'_>]) -> Option<String> {
    let (ended, of) = count(all, |t| t.state == "done" || is_diverged(t));
    (ended < of).then(|| format!("{ended} of {of} trials have a result; the others are missing."))
}

/// Says how many trials diverged.
pub fn diverged(all: &[Named<'_>]) -> Option<String> {
    let (diverged, of) = count(all, is_diverged);
    (diverged > 0).then(|| format!("{diverged} of {of} trials diverged and are left out."))
}

fn count(all: &[Named<'_>], is: impl Fn(&TrialView) -> bool) -> (usize, usize) {
    let trials = || all.iter().flat_map(|named| &named.configuration.trials);
    (trials().filter(|trial| is(trial)).count(), trials().count())
}

fn is_diverged(trial: &TrialView) -> bool {
    trial.state.contains("diverged")
}

/// A quantity by epoch: the mean over courses at each epoch to which all of them came.
pub fn mean(
    courses: &[&[PointView]],
    quantity: impl Fn(&PointView) -> Option<f64>,
) -> Vec<(f64, f64)> {
    let Some((first, others)) = courses.split_first() else {
        return Vec::new();
    };
    let finite = |point: &PointView| quantity(point).filter(|v| v.is_finite());
    let at = |point: &PointView| {
        let of_others = others.iter().map(|course| {
            let same = course.iter().find(|p| p.epoch == point.epoch)?;
            finite(same)
        });
        let sum = of_others.sum::<Option<f64>>()? + finite(point)?;
        Some((point.epoch, sum / courses.len() as f64))
    };
    first.iter().filter_map(at).collect()
}

/// Refuses epochs and accuracies that have no place on an axis.
pub fn check<'a>(points: impl Iterator<Item = &'a PointView>) -> Result<(), FigureError> {
    for point in points {
        if !(0.0..=1e9).contains(&point.epoch) {
            return Err(FigureError::Epoch { epoch: point.epoch });
        }
        let measured = [&point.before, &point.after];
        let mut values = measured
            .into_iter()
            .flat_map(|a| [a.training, a.validation, a.test])
            .flatten();
        if let Some(value) = values.find(|v| !(0.0..=1.0).contains(v)) {
            return Err(FigureError::Value { value });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Accuracies;

    fn point(epoch: f64, loss: f64) -> PointView {
        PointView {
            epoch,
            loss: Some(loss),
            before: Accuracies::default(),
            after: Accuracies::default(),
            alphas: Vec::new(),
            prior_share: None,
        }
    }

    #[test]
    fn means_are_over_all_seeds_or_none() {
        let long = [point(1.0, 2.0), point(2.0, 1.0), point(3.0, 0.5)];
        let short = [point(1.0, 4.0), point(2.0, f64::NAN)];
        let of = |courses: &[&[PointView]]| mean(courses, |p| p.loss);
        assert_eq!(of(&[&long, &short]), [(1.0, 3.0)]);
        assert_eq!(of(&[&long]).len(), 3);
        assert_eq!(of(&[]), []);
    }

    #[test]
    fn epochs_and_accuracies_without_a_place_are_refused() {
        let mut bad = point(1.0, 1.0);
        assert_eq!(check([&bad].into_iter()), Ok(()));
        bad.after.test = Some(1.5);
        assert_eq!(
            check([&bad].into_iter()),
            Err(FigureError::Value { value: 1.5 })
        );
        assert!(check([&point(f64::NAN, 1.0)].into_iter()).is_err());
    }
}
