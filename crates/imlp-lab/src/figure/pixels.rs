//! Pixels as bytes and as PNG.

use png::{BitDepth, ColorType, Encoder, PixelDimensions, Unit};

use super::scene::Image;

/// Inches in a metre, of which PNG counts the pixels.
const INCHES_IN_METRE: f64 = 100.0 / 2.54;

/// An image of a scene as PNG.
pub fn image_png(image: &Image) -> Vec<u8> {
    encoded(image.width as u32, image.height as u32, &rgb(image), None)
        .expect("an image has its pixels, and memory takes what is written")
}

/// The bytes of an image, three per pixel.
pub fn rgb(image: &Image) -> Vec<u8> {
    image.pixels.iter().flat_map(|colour| colour.0).collect()
}

/// A PNG of three bytes per pixel that states its dots per inch, if they are known.
///
/// # Errors
/// Of the encoder.
pub fn encoded(
    width: u32,
    height: u32,
    rgb: &[u8],
    dpi: Option<f64>,
) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_pixel_dims(dpi.map(|dpi| {
        let per_metre = (dpi * INCHES_IN_METRE).round() as u32;
        PixelDimensions {
            xppu: per_metre,
            yppu: per_metre,
            unit: Unit::Meter,
        }
    }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    writer.finish()?;
    Ok(bytes)
}
