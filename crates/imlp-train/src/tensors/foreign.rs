//! Files of other kinds that are taken for SafeTensors files.

/// Bytes of a file's beginning by which it is recognised.
pub(super) const RECOGNISED_BY: usize = 512;

/// What a file that is no valid SafeTensors file is by its beginning, and what to do;
/// `None` where it may be a damaged SafeTensors file.
pub(super) fn foreign(start: &[u8]) -> Option<&'static str> {
    // A length below 4 GiB, then the header's brace: whatever the length's bytes look like.
    let is_own = start.get(4..9) == Some(&[0, 0, 0, 0, b'{']);
    if is_own {
        return None;
    }
    let text = start.trim_ascii_start();
    let begins = |word: &[u8]| {
        let beginning = text.get(..word.len());
        beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(word))
    };
    let is_pickle = matches!(start, [0x80, 2..=5, ..]);
    if start.starts_with(b"PK\x03\x04") {
        Some(
            "is a zip archive, as torch.save (.pt, .pth, .bin) and NumPy (.npz) write it; load it \
             there and write it with safetensors.torch.save_file",
        )
    } else if is_pickle {
        Some(
            "is a pickle, as old versions of torch.save write it; load it with torch.load and \
             write it with safetensors.torch.save_file",
        )
    } else if start.starts_with(b"version https://git-lfs") {
        Some("is a Git LFS pointer, not the file itself; get that with `git lfs pull`")
    } else if [&b"<!doctype html"[..], b"<html"].iter().any(|w| begins(w)) {
        Some(
            "is a web page, not the file itself; download it again (from a page about a file, \
             take the link to the file)",
        )
    } else if begins(b"<?xml") || begins(b"<error") {
        Some("is XML, perhaps a server's message of an error; download the file again")
    } else if start.starts_with(b"\x89HDF\r\n\x1a\n") {
        Some("is an HDF5 file (Keras); load it there and save its weights as SafeTensors")
    } else if start.starts_with(b"GGUF") {
        Some("is a GGUF file; imlp reads SafeTensors files")
    } else if start.starts_with(b"\x93NUMPY") {
        Some("is a NumPy array; write it with safetensors.numpy.save_file")
    } else if start.starts_with(&[0x1f, 0x8b]) {
        Some("is compressed with gzip; decompress it first")
    } else if start.get(257..262) == Some(b"ustar") {
        Some("is a tar archive; unpack it first")
    } else if begins(b"{") {
        Some(
            "is JSON, not a file of tensors (the index of a model in several files names them; \
             imlp reads one of these files at a time)",
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_may_begin_like_another_file() {
        // 0x0280 and 0x04034b50 are lengths of headers.
        assert_eq!(foreign(b"\x80\x02\0\0\0\0\0\0{\"t\":"), None);
        assert_eq!(foreign(b"PK\x03\x04\0\0\0\0{\"t\":"), None);
        assert_eq!(foreign(b""), None);
        assert!(foreign(b"PK\x03\x04\x14\0\0\0\x08\0").is_some());
    }
}
