//! What some output units of a twin's first layer see, beside the prior's: locality and weight
//! sharing in pictures.

use imlp_linear::{Parameters, Shape};

use crate::network::Network;
use crate::network::layer::{Layer, LinearLayer};
use crate::network::parameters::{Role, parameter};
use crate::prior::PriorTrajectory;
use crate::setup::Setup;
use crate::trial::Trial;

/// Units that are kept of a layer without channels.
const UNITS: usize = 6;

/// Weights of some units of a first layer, `[units, C·H·W]`.
#[derive(Clone, Debug, PartialEq)]
pub struct FirstLayer {
    /// The layer's name.
    pub layer: String,
    /// Channels, height and width of the images; 1 or 3 channels.
    pub image: [usize; 3],
    /// The units, named by their place in the layer's output.
    pub units: Vec<String>,
    /// Of the twin at its end.
    pub twin: Vec<Vec<f32>>,
    /// Of the dense equivalent of the prior at its end; none where no prior was at hand, as at
    /// α = 0, or it diverged.
    pub prior: Option<Vec<Vec<f32>>>,
}

impl FirstLayer {
    /// The first layer of `trial`, of a network of `setup`; none where it does not see the
    /// image itself, in grey or in three colours.
    pub fn of(setup: &Setup, trial: &Trial, prior: Option<&PriorTrajectory>) -> Option<Self> {
        let (layer, image) = first_linear(setup.twin())?;
        let units = units(first_linear(setup.prior())?.0.map.out_shape());
        let weight = parameter(&trial.specs, &trial.parameters, 0, Role::Weight)?;
        let inputs = layer.map.in_len();
        let twin = units.iter().map(|(row, _)| {
            let row = weight.get(row * inputs..(row + 1) * inputs);
            row.map(<[f32]>::to_vec)
        });
        Some(Self {
            layer: layer.name.clone(),
            image,
            twin: twin.collect::<Option<_>>()?,
            prior: prior.and_then(|prior| rows_of_prior(setup.prior(), prior, &units)),
            units: units.into_iter().map(|(_, name)| name).collect(),
        })
    }
}

/// The layer that sees the image, and the image's shape.
fn first_linear(network: &Network) -> Option<(&LinearLayer, [usize; 3])> {
    let &[channels @ (1 | 3), height, width] = network.input().dims() else {
        return None;
    };
    match network.layers().first()? {
        Layer::Linear(layer) => Some((layer, [channels, height, width])),
        _ => None,
    }
}

/// Rows of the dense equivalent of the prior's first layer.
fn rows_of_prior(
    network: &Network,
    prior: &PriorTrajectory,
    units: &[(usize, String)],
) -> Option<Vec<Vec<f32>>> {
    let end = prior.at_the_end()?;
    let specs = network.parameter_specs();
    let parameters = Parameters {
        weight: parameter(&specs, end, 0, Role::Weight).unwrap_or(&[]),
        bias: parameter(&specs, end, 0, Role::Bias),
    };
    let map = &first_linear(network)?.0.map;
    map.check(parameters).ok()?;
    let row = |&(row, _): &(usize, String)| {
        let mut weights = vec![0.0; map.in_len()];
        map.add_row(parameters, row, 1.0, &mut weights);
        weights
    };
    Some(units.iter().map(row).collect())
}

/// Rows of a layer's matrix, and their names: two channels at three places each, so that both
/// locality and sharing are seen; without channels some at equal distances.
fn units(out: &Shape) -> Vec<(usize, String)> {
    let mut units: Vec<(usize, String)> = match *out.dims() {
        [channels, height, width] => places(height, width)
            .flat_map(|(y, x)| {
                two_of(channels).map(move |c| {
                    let row = (c * height + y) * width + x;
                    (row, format!("channel {c} at ({y}, {x})"))
                })
            })
            .collect(),
        [tokens, channels] => {
            let side = tokens.isqrt();
            let token = |(y, x): (usize, usize)| y * side + x;
            let tokens: Vec<usize> = if side * side == tokens {
                places(side, side).map(token).collect()
            } else {
                [1, 2, 3].map(|quarter| quarter * tokens / 4).to_vec()
            };
            let of_token = |token: usize| {
                two_of(channels)
                    .map(move |c| (token * channels + c, format!("token {token}, channel {c}")))
            };
            tokens.into_iter().flat_map(of_token).collect()
        }
        _ => (0..UNITS)
            .map(|i| i * out.len() / UNITS)
            .map(|row| (row, format!("unit {row}")))
            .collect(),
    };
    units.sort();
    units.dedup();
    units
}

/// Three places on the diagonal.
fn places(height: usize, width: usize) -> impl Iterator<Item = (usize, usize)> {
    [1, 2, 3]
        .into_iter()
        .map(move |quarter| (quarter * height / 4, quarter * width / 4))
}

/// The first channel and the middle one.
fn two_of(channels: usize) -> impl Iterator<Item = usize> + Clone {
    let middle = channels / 2;
    [0, middle]
        .into_iter()
        .take(if middle == 0 { 1 } else { 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(shape: Shape) -> Vec<usize> {
        units(&shape).into_iter().map(|(row, _)| row).collect()
    }

    #[test]
    fn units_are_two_channels_at_three_places() {
        // Channels 0 and 2 of 5, at (1, 1), (2, 3) and (3, 4) of 4×6.
        let expected = [7, 15, 22, 55, 63, 70];
        assert_eq!(rows(Shape::image(5, 4, 6)), expected);
        assert_eq!(units(&Shape::image(5, 4, 6))[3].1, "channel 2 at (1, 1)");
        // Tokens (1, 1), (2, 2), (3, 3) of a 4×4 grid with 3 channels: 0 and 1.
        assert_eq!(rows(Shape::tokens(16, 3)), [15, 16, 30, 31, 45, 46]);
        assert_eq!(rows(Shape::tokens(7, 1)), [1, 3, 5]);
        assert_eq!(rows(Shape::flat(13)), [0, 2, 4, 6, 8, 10]);
        assert_eq!(rows(Shape::flat(2)), [0, 1]);
        assert_eq!(rows(Shape::image(1, 1, 1)), [0]);
    }
}
