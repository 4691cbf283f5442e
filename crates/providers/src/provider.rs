//! What a CI system is, to the rest of Manometer: a name, a way to verify, and a decoder.

use std::fmt;

use manometer_model::Limits;

use crate::{DecodeError, Decoded, Delivery, Identity, Refusal, Secrets, ServiceRules};

/// A system that sends webhooks.
pub trait Provider: fmt::Debug + Send + Sync {
    /// Its name in the column `provider` and in the address `/webhooks/{provider}`.
    fn name(&self) -> &'static str;

    /// Checks that the delivery comes from somebody who knows one of the secrets.
    ///
    /// # Errors
    /// Why it is not believed.
    fn verify(&self, delivery: &Delivery<'_>, secrets: &Secrets) -> Result<(), Refusal>;

    /// Which delivery it is.
    fn identity(&self, delivery: &Delivery<'_>) -> Identity;

    /// What it tells. Only for deliveries that were verified; called through [`crate::decode`].
    ///
    /// # Errors
    /// When the body cannot be read at all. One bad value in it is a problem, not an error.
    fn decode(
        &self,
        delivery: &Delivery<'_>,
        rules: &ServiceRules,
        limits: &Limits,
    ) -> Result<Decoded, DecodeError>;
}

/// Decodes a verified delivery. What holds for every provider is done here, around its own
/// [`decode`](Provider::decode).
///
/// # Errors
/// When the body cannot be read at all.
pub fn decode(
    provider: &dyn Provider,
    delivery: &Delivery<'_>,
    rules: &ServiceRules,
    limits: &Limits,
) -> Result<Decoded, DecodeError> {
    let mut decoded = provider.decode(delivery, rules, limits)?;
    decoded.set_assumed_services_apart();
    Ok(decoded)
}
