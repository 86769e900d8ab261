//! Which figure of which experiments.

use super::error::FigureError;
use super::kind::Kind;
use super::named::{Named, shared};
use super::scene::Scene;
use super::style::Style;
use super::{compute, course, layers, learning, of_curves, weights};
use crate::analysis::evidence::{MeasuredOn, Moment};
use crate::curve::Curve;
use crate::view::View;

/// A figure that is asked for.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// What it shows.
    pub kind: Kind,
    /// Of one configuration, by its label; else of all.
    pub configuration: Option<&'a str>,
    /// The α of which [`Kind::Layers`] shows a trial; else the chosen one.
    pub alpha: Option<f64>,
    /// Sizes.
    pub style: Style,
}

impl Request<'_> {
    /// Draws the figure of experiments.
    ///
    /// # Errors
    /// [`FigureError`] when the experiments have no such figure, or numbers that cannot be
    /// drawn.
    pub fn draw(&self, views: &[View]) -> Result<Scene, FigureError> {
        let all = self.configurations(views)?;
        match self.kind {
            Kind::Curve => self.curve(&all),
            Kind::Compute => compute::scene(&all, &self.style),
            Kind::Learning => learning::scene(self.only(&all)?, &self.style),
            Kind::Layers => layers::scene(self.only(&all)?, self.alpha, &self.style),
            Kind::Weights => weights::scene(self.only(&all)?, &self.style),
        }
    }

    /// The configurations that are asked for.
    fn configurations<'v>(&self, views: &'v [View]) -> Result<Vec<Named<'v>>, FigureError> {
        let all = views.iter().flat_map(|view| {
            let of_view = view.configurations.iter();
            of_view.map(move |configuration| Named {
                name: match (views.len(), configuration.name.as_str()) {
                    (1, name) => name.to_owned(),
                    (_, "") => view.name.clone(),
                    (_, name) => format!("{}: {name}", view.name),
                },
                view,
                configuration,
            })
        });
        let all = numbered(all.collect());
        let Some(label) = self.configuration else {
            return Ok(all);
        };
        let labels = || views.iter().flat_map(|v| &v.configurations);
        let found: Vec<_> = all
            .into_iter()
            .filter(|n| n.configuration.label == label)
            .collect();
        match found.is_empty() {
            false => Ok(found),
            true => Err(FigureError::NoConfiguration {
                label: label.to_owned(),
                others: labels().map(|c| c.label.clone()).collect(),
            }),
        }
    }

    /// The one configuration of a figure that shows one.
    fn only<'n, 'v>(&self, all: &'n [Named<'v>]) -> Result<&'n Named<'v>, FigureError> {
        match all {
            [one] => Ok(one),
            [] => Err(FigureError::Empty),
            [first, ..] if all.iter().any(|n| !std::ptr::eq(n.view, first.view)) => {
                Err(FigureError::OneExperiment {
                    kind: self.kind.name(),
                })
            }
            _ => Err(FigureError::OneConfiguration {
                kind: self.kind.name(),
                labels: all.iter().map(|n| n.configuration.label.clone()).collect(),
            }),
        }
    }

    fn curve(&self, all: &[Named<'_>]) -> Result<Scene, FigureError> {
        let measured = all.iter().filter_map(|named| {
            let curve = named.configuration.curve(MeasuredOn::Test, Moment::After)?;
            Some((named, curve))
        });
        let measured: Vec<(&Named<'_>, &Curve)> = measured.collect();
        let Some((_, curve)) = measured.first() else {
            return Err(FigureError::NothingFinished);
        };
        let named: Vec<(&str, &Curve)> = measured
            .iter()
            .map(|(named, curve)| (named.name.as_str(), *curve))
            .collect();
        let (title, subtitle) = match measured.len() {
            1 => (curve.title.as_str(), curve.subtitle.as_str()),
            _ => {
                let experiment = shared(measured.iter().map(|(named, _)| *named));
                let title = experiment.map_or("Accuracy against α", |view| &view.title);
                (title, "")
            }
        };
        let missing = course::unfinished(all);
        of_curves(title, subtitle, &named, missing, &self.style)
    }
}

/// The same with a number where several have one name, as folders in different places may.
fn numbered(mut all: Vec<Named<'_>>) -> Vec<Named<'_>> {
    let names: Vec<String> = all.iter().map(|named| named.name.clone()).collect();
    for (index, named) in all.iter_mut().enumerate() {
        let same = |others: &[String]| others.iter().filter(|name| **name == named.name).count();
        if same(&names) > 1 {
            named.name = format!("{} ({})", names[index], same(&names[..=index]));
        }
    }
    all
}
