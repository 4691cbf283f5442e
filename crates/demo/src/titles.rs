//! What people write above their commits.

use crate::chance::Chance;
use crate::services::Service;

const VERBS: &[&str] =
    &["Fix", "Add", "Simplify", "Speed up", "Remove", "Rename", "Cache", "Test", "Document", "Move"];
const OBJECTS: &[&str] = &[
    "handling",
    "lookup",
    "validation",
    "logging",
    "settings",
    "error texts",
    "migration",
    "client",
    "defaults",
];

/// The title of an ordinary commit.
pub(crate) fn title_for(service: &Service, chance: &mut Chance) -> String {
    let verb = chance.pick(VERBS).copied().unwrap_or_default();
    let subject = chance.pick(service.subjects).copied().unwrap_or_default();
    let object = chance.pick(OBJECTS).copied().unwrap_or_default();
    format!("{verb} {subject} {object}")
}
