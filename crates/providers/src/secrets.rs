//! What deliveries of one source are checked with.

use std::fmt;

/// The secrets of one source: one, or two while it is changed from one to the other. A delivery that fits either
/// is taken. Shown nowhere.
#[derive(Clone, Default)]
pub struct Secrets {
    values: Vec<Box<[u8]>>,
    is_open: bool,
}

/// Why values are no secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// An empty secret would let everybody in.
    #[error("a secret is empty: write one of at least 16 random characters, or declare the source open")]
    Empty,
    /// Two are enough to change from one to the other.
    #[error(
        "{given} secrets were given: write the current one, and the former one while it is being changed"
    )]
    TooMany {
        /// How many.
        given: usize,
    },
}

impl Secrets {
    /// How many secrets a source may have at the same time.
    pub const MOST: usize = 2;

    /// From the current secret and, while it is being changed, the former one. None at all means that every
    /// delivery is refused.
    ///
    /// # Errors
    /// When one is empty or there are more than [`Secrets::MOST`].
    pub fn new<S: AsRef<[u8]>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, SecretsError> {
        let values: Vec<Box<[u8]>> = secrets.into_iter().map(|secret| secret.as_ref().into()).collect();
        if values.len() > Self::MOST {
            return Err(SecretsError::TooMany { given: values.len() });
        }
        if values.iter().any(|secret| secret.trim_ascii().is_empty()) {
            return Err(SecretsError::Empty);
        }
        Ok(Self { values, is_open: false })
    }

    /// A source without a secret, whose deliveries are believed as they come.
    pub fn open() -> Self {
        Self { values: Vec::new(), is_open: true }
    }

    /// The same secrets, but a delivery that carries nothing to check is taken too. One that does is still checked.
    #[must_use]
    pub fn and_open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// May a delivery come without anything to check?
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Is there no secret?
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The secrets, for the one comparison in [`crate::signature`].
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.values.iter().map(AsRef::as_ref)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Secrets")
            .field("count", &self.values.len())
            .field("is_open", &self.is_open)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        let shown = format!("{:?}", Secrets::new(["hunter2-hunter2"]).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn empty_secrets_and_a_third_one_are_refused() {
        assert_eq!(Secrets::new(["good", " "]).unwrap_err(), SecretsError::Empty);
        assert_eq!(Secrets::new(["a", "b", "c"]).unwrap_err(), SecretsError::TooMany { given: 3 });
        assert!(!Secrets::new::<&str>([]).unwrap().is_open());
    }
}
