//! The common way of the decoders that read a [`Tree`]: from the body to a [`Decoded`], problems included.

use manometer_model::{Labels, Limits, Problem};

use crate::tree::{Tree, View};
use crate::{DecodeError, Decoded, Delivery};

/// Reads the body and lets `fill` take from it what it knows. `fill` sets [`Decoded::known`] where it found
/// something of use.
///
/// # Errors
/// When the body is too large, too deep or no JSON.
pub(crate) fn decode(
    delivery: &Delivery<'_>,
    limits: &Limits,
    event: String,
    fill: impl FnOnce(View<'_>, &mut Decoded),
) -> Result<Decoded, DecodeError> {
    crate::json::check(delivery.body, limits)?;
    let tree = Tree::read(delivery.body)?;
    let mut decoded = Decoded { event, ..Decoded::default() };
    fill(tree.view(), &mut decoded);
    decoded.problems.absorb(tree.into_problems(), None);
    Ok(decoded)
}

/// Something of a body that may be anything, for the identity of a delivery; nothing where it would not be decoded.
pub(crate) fn peek<T>(body: &[u8], take: impl FnOnce(View<'_>) -> Option<T>) -> Option<T> {
    crate::json::check(body, &Limits::default()).ok()?;
    Tree::read(body).ok().and_then(|tree| take(tree.view()))
}

/// Holds an event that means something here to it: one that brought nothing is known all the same, and a problem names
/// the field without which nothing could be stored.
pub(crate) fn expect_told(decoded: &mut Decoded, needed: &str) {
    if decoded.known {
        return;
    }
    decoded.known = true;
    lacks(decoded, needed);
}

/// Labels of those pairs that have a value.
pub(crate) fn labels<const N: usize>(pairs: [(&str, Option<String>); N]) -> Labels {
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Says that an event lacks what names its subject, so that nothing could be made of it.
pub(crate) fn lacks(decoded: &mut Decoded, field: &str) {
    decoded
        .problems
        .push(Problem::new("missing, so that the event names nothing that could be stored").in_field(field));
}

/// The hash of a commit; none where it is all zeros, as for a branch that was made or deleted.
pub(crate) fn sha(view: View<'_>, key: &'static str) -> Option<String> {
    view.text(key).filter(|sha| sha.bytes().any(|digit| digit != b'0'))
}

/// The first line of a commit message.
pub(crate) fn first_line(text: &str) -> Option<String> {
    text.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
}
