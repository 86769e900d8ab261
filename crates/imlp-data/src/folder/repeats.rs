//! Images that occur twice: a test on images that were trained on shows too much, and of the
//! training images some become the validation split.

use std::collections::HashMap;

use imlp_suggest::counted;

use super::listing::ImageFile;
use crate::image_set::ImageSet;

/// What there is to say of `parts` (training, test, validation), by decoded pixels. `name` names a
/// file.
pub(super) fn notes(
    parts: [(&ImageSet, &[ImageFile]); 3],
    name: impl Fn(&ImageFile) -> String,
) -> Vec<String> {
    let [train, test, validation] = parts;
    let between = |what: &str, part: (&ImageSet, &[ImageFile]), of: &str, base: &Repeats<'_>| {
        let repeated: Vec<(usize, usize)> = (0..part.1.len())
            .filter_map(|i| Some((i, *base.images.get(part.0.image(i))?)))
            .collect();
        let &(i, j) = repeated.first()?;
        let verb = if repeated.len() == 1 { "is" } else { "are" };
        let other_class = repeated
            .iter()
            .filter(|(i, j)| part.1[*i].class != base.files[*j].class)
            .count();
        let other_class = match other_class {
            0 => String::new(),
            n => format!(", {n} of them of another class"),
        };
        Some(format!(
            "{} {verb} also among the {of} images{other_class} (first: {} is {})",
            counted(repeated.len(), &format!("{what} image")),
            name(&part.1[i]),
            name(&base.files[j])
        ))
    };
    let training = Repeats::of(train.0, train.1);
    let mut found = vec![
        training.within(train.0, &name),
        between("test", test, "training", &training),
        between("validation", validation, "training", &training),
    ];
    if !validation.1.is_empty() {
        let validating = Repeats::of(validation.0, validation.1);
        found.push(between("test", test, "validation", &validating));
    }
    found.into_iter().flatten().collect()
}

/// The images of one part by their pixels, the first of each.
struct Repeats<'a> {
    images: HashMap<&'a [u8], usize>,
    files: &'a [ImageFile],
}

impl<'a> Repeats<'a> {
    fn of(set: &'a ImageSet, files: &'a [ImageFile]) -> Self {
        let mut images = HashMap::with_capacity(files.len());
        for i in 0..files.len() {
            images.entry(set.image(i)).or_insert(i);
        }
        Self { images, files }
    }

    /// What there is to say of `set`, the part itself.
    fn within(&self, set: &ImageSet, name: &impl Fn(&ImageFile) -> String) -> Option<String> {
        let again = (0..self.files.len())
            .map(|i| (i, self.images[set.image(i)]))
            .filter(|(i, first)| i != first);
        let again: Vec<(usize, usize)> = again.collect();
        let &(i, first) = again.first()?;
        let of_other_class = again
            .iter()
            .filter(|(i, first)| self.files[*i].class != self.files[*first].class);
        let of_other_class = match of_other_class.count() {
            0 => String::new(),
            n => format!(", {n} of them under another class"),
        };
        let verb = if again.len() == 1 {
            "repeats"
        } else {
            "repeat"
        };
        Some(format!(
            "{} {verb} another{of_other_class} (first: {} is {}); a validation split that is \
             taken from them may hold what is trained on",
            counted(again.len(), "training image"),
            name(&self.files[i]),
            name(&self.files[first])
        ))
    }
}
