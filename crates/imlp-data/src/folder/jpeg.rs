//! Whether a JPEG file is whole. Its decoder takes what is missing for grey, without a word.

/// Whether the segments of a file lead to its end marker (ITU-T T.81, annex B). Thumbnails lie
/// within segments, whose end markers do not count; what follows the end is of no account.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    const RESTART_OR_ALONE: [u8; 10] = [0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0x01];
    const END: u8 = 0xD9;
    const STUFFED: u8 = 0x00;
    let mut at = 0;
    // To the next marker, over the coded data of a scan, in which a byte FF is followed by 00.
    while let Some(&[first, marker]) = bytes.get(at..at + 2).and_then(|b| b.as_array()) {
        match (first, marker) {
            (0xFF, END) => return true,
            (0xFF, STUFFED) => at += 2,
            (0xFF, marker) if RESTART_OR_ALONE.contains(&marker) => at += 2,
            // A byte of filling, or of data.
            (0xFF, 0xFF) | (0..0xFF, _) => at += 1,
            (0xFF, _) => match bytes.get(at + 2..at + 4).and_then(|b| b.as_array()) {
                Some(&length) => at += 2 + usize::from(u16::from_be_bytes(length)).max(2),
                None => return false,
            },
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::{ExtendedColorType, ImageEncoder};

    use super::*;

    fn encoded() -> Vec<u8> {
        let pixels: Vec<u8> = (0..24 * 17 * 3u32).map(|i| (i * i % 251) as u8).collect();
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 95)
            .write_image(&pixels, 24, 17, ExtendedColorType::Rgb8)
            .unwrap();
        bytes
    }

    #[test]
    fn a_file_is_whole_up_to_its_last_two_bytes() {
        let whole = encoded();
        assert!(is_whole(&whole));
        for length in 0..whole.len() {
            assert!(!is_whole(&whole[..length]), "{length} of {}", whole.len());
        }
        let mut zeros = whole.clone();
        let half = whole.len() / 2;
        zeros[half..].fill(0);
        assert!(!is_whole(&zeros), "a download that was never finished");
        let more = [&whole[..], b"more"].concat();
        assert!(is_whole(&more));
    }

    /// A camera keeps a thumbnail, a JPEG file of its own, in a segment of its notes.
    #[test]
    fn the_end_of_a_thumbnail_is_not_that_of_the_picture() {
        let (whole, thumbnail) = (encoded(), encoded());
        let length = u16::try_from(thumbnail.len() + 2).unwrap().to_be_bytes();
        let segment = [&[0xFF, 0xE1][..], &length, &thumbnail].concat();
        let with_notes = [&whole[..2], &segment, &whole[2..]].concat();
        assert!(is_whole(&with_notes));
        assert!(!is_whole(&with_notes[..with_notes.len() - 2]));
    }
}
