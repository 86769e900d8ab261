//! One picture: from the bytes of a file to pixels in CHW order.
//!
//! As torchvision's `ImageFolder`: an orientation that a camera noted (EXIF) is not applied,
//! transparency is left out, of an animation the first picture counts. Grey from colour is
//! ITU-R 601 as in Pillow.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::imageops::{FilterType, resize};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use super::jpeg;
use crate::shape::ImageShape;

/// Longest side of a picture.
const MAX_SIDE: u32 = 1 << 14;

/// Bytes that a decoder may take for a picture.
pub(super) const MAX_DECODED: u64 = 256 << 20;

/// Pixels between the two passes of a resize.
const MAX_BETWEEN: u64 = 1 << 24;

/// What the header of a picture says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// Whether it says how transparent its pixels are.
    pub transparent: bool,
}

/// Reads the header of a picture, and sees to it that the file goes on to its end where the
/// decoder would not.
///
/// # Errors
/// Why it is none, in words that follow its name.
pub(super) fn header(bytes: &[u8]) -> Result<Header, String> {
    guarded(|| {
        let decoder = decoder(bytes)?;
        if image::guess_format(bytes).is_ok_and(|f| f == ImageFormat::Jpeg)
            && !jpeg::is_whole(bytes)
        {
            return Err("it is cut off before its end".to_owned());
        }
        let (width, height) = decoder.dimensions();
        let color = decoder.color_type();
        Ok(Header {
            width,
            height,
            channels: if color.has_color() { 3 } else { 1 },
            transparent: color.has_alpha(),
        })
    })
}

/// Decodes a picture into `out`, `[channels, height, width]` of `shape`: resized so that it
/// covers `shape`, and cropped around its centre. One of that size is taken as it is.
///
/// # Errors
/// Why it cannot be decoded, in words that follow its name.
pub(super) fn decode(bytes: &[u8], shape: ImageShape, out: &mut [u8]) -> Result<(), String> {
    guarded(|| {
        let picture = DynamicImage::from_decoder(decoder(bytes)?).map_err(reason)?;
        let grey = !picture.color().has_color();
        if grey {
            let luma = fitted(&picture.into_luma8(), shape)?;
            for plane in out.chunks_exact_mut(shape.plane()) {
                plane.copy_from_slice(luma.as_raw());
            }
        } else if shape.channels == 1 {
            let luma = to_grey(&picture.into_rgb8());
            out.copy_from_slice(fitted(&luma, shape)?.as_raw());
        } else {
            let rgb = fitted(&picture.into_rgb8(), shape)?;
            let plane = shape.plane();
            for (i, pixel) in rgb.as_raw().chunks_exact(3).enumerate() {
                for (channel, &value) in pixel.iter().enumerate() {
                    out[channel * plane + i] = value;
                }
            }
        }
        Ok(())
    })
}

/// A decoder that panics has met a picture that it cannot decode.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("its decoder failed on it".to_owned()))
}

fn reason(error: image::ImageError) -> String {
    error.to_string()
}

fn decoder(bytes: &[u8]) -> Result<impl ImageDecoder + '_, String> {
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut reader = ImageReader::new(Cursor::new(bytes));
    // By its first bytes: names lie.
    reader = reader.with_guessed_format().map_err(|e| e.to_string())?;
    let read = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Bmp,
        ImageFormat::Gif,
    ];
    match reader.format() {
        Some(format) if read.contains(&format) => {}
        Some(format) => {
            return Err(format!(
                "it is {format:?}, which is not read; convert it to PNG"
            ));
        }
        None => return Err("it is no PNG, JPEG, WebP, BMP or GIF".to_owned()),
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(reason)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err("it has no pixel".to_owned());
    }
    if width > MAX_SIDE || height > MAX_SIDE || decoder.total_bytes() > MAX_DECODED {
        return Err(format!(
            "it would have {width}×{height} pixels, more than are decoded"
        ));
    }
    Ok(decoder)
}

/// L = 0.299 R + 0.587 G + 0.114 B, in the fixed-point arithmetic of Pillow.
fn to_grey(picture: &RgbImage) -> image::GrayImage {
    let luma = picture.as_raw().chunks_exact(3).map(|pixel| {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
        ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16) as u8
    });
    let (width, height) = picture.dimensions();
    image::GrayImage::from_raw(width, height, luma.collect()).expect("one value for each pixel")
}

/// The picture resized so that it covers `shape`, and cropped around its centre.
fn fitted<P: image::Pixel<Subpixel = u8> + 'static>(
    picture: &image::ImageBuffer<P, Vec<u8>>,
    shape: ImageShape,
) -> Result<image::ImageBuffer<P, Vec<u8>>, String> {
    let (to_width, to_height) = (shape.width as u32, shape.height as u32);
    let from = picture.dimensions();
    if from == (to_width, to_height) {
        return Ok(picture.clone());
    }
    let (width, height) = covering(from, (to_width, to_height));
    let between = u64::from(from.0.max(width)) * u64::from(height);
    if between > MAX_BETWEEN {
        return Err(format!(
            "with {}×{} pixels it cannot be resized to {to_width}×{to_height}",
            from.0, from.1
        ));
    }
    let resized = resize(picture, width, height, FilterType::Triangle);
    let (left, top) = ((width - to_width) / 2, (height - to_height) / 2);
    Ok(image::imageops::crop_imm(&resized, left, top, to_width, to_height).to_image())
}

/// The size (width, height) of a picture of size `from`, scaled to cover `to` with one side equal;
/// the other is rounded down, as torchvision does.
fn covering(from: (u32, u32), to: (u32, u32)) -> (u32, u32) {
    let [w, h, to_w, to_h] = [from.0, from.1, to.0, to.1].map(u64::from);
    if to_w * h >= to_h * w {
        (to.0, (h * to_w / w).max(to_h) as u32)
    } else {
        ((w * to_h / h).max(to_w) as u32, to.1)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use image::{GrayImage, ImageEncoder};

    use super::*;

    fn shape(channels: usize, height: usize, width: usize) -> ImageShape {
        ImageShape {
            channels,
            height,
            width,
        }
    }

    fn decoded(bytes: &[u8], shape: ImageShape) -> Result<Vec<u8>, String> {
        let mut out = vec![0; shape.len()];
        decode(bytes, shape, &mut out).map(|()| out)
    }

    fn png(color: image::ExtendedColorType, width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        image::codecs::png::PngEncoder::new(&mut bytes)
            .write_image(pixels, width, height, color)
            .unwrap();
        bytes
    }

    #[test]
    fn pixels_of_a_png_are_exact_in_chw_order() {
        use image::ExtendedColorType::{L8, La8, Rgb8, Rgba8};
        let rgb: Vec<u8> = (0..18).map(|i| i * 13 + 5).collect();
        let bytes = png(Rgb8, 3, 2, &rgb);
        let planes: Vec<u8> = (0..3)
            .flat_map(|c| rgb.iter().skip(c).step_by(3).copied())
            .collect();
        assert_eq!(decoded(&bytes, shape(3, 2, 3)).unwrap(), planes);
        let seen = header(&bytes).unwrap();
        assert_eq!((seen.width, seen.height, seen.channels), (3, 2, 3));

        let grey = png(L8, 3, 1, &[9, 0, 255]);
        assert_eq!(decoded(&grey, shape(1, 1, 3)).unwrap(), [9, 0, 255]);
        let three = decoded(&grey, shape(3, 1, 3)).unwrap();
        assert_eq!(three, [9, 0, 255, 9, 0, 255, 9, 0, 255]);

        // Transparency is left out, whatever lies below it.
        let bytes = png(La8, 2, 1, &[7, 0, 8, 128]);
        assert!(header(&bytes).unwrap().transparent);
        assert_eq!(decoded(&bytes, shape(1, 1, 2)).unwrap(), [7, 8]);
        let bytes = png(Rgba8, 1, 1, &[7, 8, 9, 0]);
        assert_eq!(decoded(&bytes, shape(3, 1, 1)).unwrap(), [7, 8, 9]);
        // Pillow: Image.new("RGB", (1, 1), (200, 100, 50)).convert("L") is 124.
        let bytes = png(Rgb8, 1, 1, &[200, 100, 50]);
        assert_eq!(decoded(&bytes, shape(1, 1, 1)).unwrap(), [124]);
    }

    #[test]
    fn pictures_are_scaled_to_cover_and_cropped_around_the_centre() {
        assert_eq!(covering((100, 50), (32, 32)), (64, 32));
        assert_eq!(covering((50, 101), (32, 32)), (32, 64));
        assert_eq!(covering((101, 50), (32, 32)), (64, 32));
        assert_eq!(covering((5, 3), (10, 2)), (10, 6));
        assert_eq!(covering((3, 1000), (2, 2)), (2, 666));
        // Halving with a triangle filter: weights 1, 3, 3, 1 of 8 inside, and without the one
        // that is outside at the borders, 3, 3, 1 of 7.
        let row = [0u8, 70, 140, 210, 35, 21, 7, 14];
        let picture = GrayImage::from_raw(8, 1, row.to_vec()).unwrap();
        let scaled = resize(&picture, 4, 1, FilterType::Triangle);
        let weighted = |w: [f64; 4], p: [u8; 4]| {
            let sum: f64 = w.iter().sum();
            let value: f64 = w.iter().zip(p).map(|(w, p)| w * f64::from(p)).sum();
            (value / sum).round() as u8
        };
        let expected = [
            weighted([0.0, 3.0, 3.0, 1.0], [0, 0, 70, 140]),
            weighted([1.0, 3.0, 3.0, 1.0], [70, 140, 210, 35]),
            weighted([1.0, 3.0, 3.0, 1.0], [210, 35, 21, 7]),
            weighted([1.0, 3.0, 3.0, 0.0], [21, 7, 14, 0]),
        ];
        assert_eq!(scaled.as_raw(), &expected);
        // 6×2 to 2×2: no scaling, columns 2 and 3.
        let pixels: Vec<u8> = (0..12).collect();
        let bytes = png(image::ExtendedColorType::L8, 6, 2, &pixels);
        assert_eq!(decoded(&bytes, shape(1, 2, 2)).unwrap(), [2, 3, 8, 9]);
    }

    /// A PNG that claims `side`×`side` grey pixels, and holds `rows` of zeros.
    fn bomb(side: u32) -> Vec<u8> {
        let chunk = |name: &[u8; 4], data: &[u8]| {
            let mut body = name.to_vec();
            body.extend(data);
            let mut crc = flate2::Crc::new();
            crc.update(&body);
            let mut out = (data.len() as u32).to_be_bytes().to_vec();
            out.extend(body);
            out.extend(crc.sum().to_be_bytes());
            out
        };
        let mut head = [side.to_be_bytes(), side.to_be_bytes()].concat();
        head.extend([8, 0, 0, 0, 0]);
        let mut zeros = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        zeros.write_all(&vec![0; 10_000_000]).unwrap();
        let parts = [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IHDR", &head),
            chunk(b"IDAT", &zeros.finish().unwrap()),
            chunk(b"IEND", b""),
        ];
        parts.concat()
    }

    #[test]
    fn what_is_no_picture_or_too_large_a_one_is_refused_in_words() {
        let error = |bytes: &[u8]| decoded(bytes, shape(1, 2, 2)).unwrap_err();
        assert_eq!(error(b""), "it is empty");
        assert_eq!(error(b"<html>"), "it is no PNG, JPEG, WebP, BMP or GIF");
        assert!(error(b"II*\0aaaaaaaaaaaaaaaa").contains("Tiff, which is not read"));
        for side in [1 << 15, u32::MAX >> 1] {
            assert!(header(&bomb(side)).is_err(), "{side}");
            assert!(!error(&bomb(side)).is_empty(), "{side}");
        }
        let whole = png(image::ExtendedColorType::L8, 2, 2, &[1, 2, 3, 4]);
        for length in 1..whole.len() - 12 {
            let _ = decoded(&whole[..length], shape(1, 2, 2));
        }
        assert!(!error(&whole[..whole.len() / 2]).is_empty());
        // One row of 16384 pixels would grow to 536 million.
        let line = png(image::ExtendedColorType::L8, 16384, 1, &[0; 16384]);
        let refused = decoded(&line, shape(1, 181, 181)).unwrap_err();
        assert!(refused.contains("cannot be resized"), "{refused}");
    }
}
