//! Services that are deployed, and incidents.

use manometer_model::records::{Deployment, Incident};
use manometer_model::{Conclusion, Status};

use super::{Event, NAME};
use crate::Decoded;
use crate::reading::labels;

/// A deployment is told when it is done; that it began, CDEvents does not tell.
pub(super) fn service(event: &Event<'_>, decoded: &mut Decoded) {
    if !matches!(event.predicate.as_str(), "deployed" | "upgraded" | "rolledback") {
        return;
    }
    let (Some(project), Some(id)) = (event.project(), event.context.text("id")) else { return };
    let artifact = event.content.text("artifactId");
    let row = Deployment {
        provider: NAME.to_owned(),
        project: project.clone(),
        service: event.subject.text("id"),
        deployment_id: id,
        environment: event.content.object("environment").text("id"),
        version: artifact.as_deref().and_then(version_of),
        status: Some(Status::Completed),
        conclusion: Some(Conclusion::Success),
        finished_at: event.at(),
        labels: labels([("kind", Some(event.predicate.clone())), ("artifact", artifact.clone())]),
        updated_at: event.at(),
        ..Deployment::default()
    };
    decoded.known = true;
    decoded.project = Some(project);
    decoded.entities.push(row.into());
}

/// The version in a package address: its tag, else what follows the `@`.
fn version_of(purl: &str) -> Option<String> {
    let (before, qualifiers) = purl.split_once('?').map_or((purl, ""), |(before, after)| (before, after));
    let tag = qualifiers.split(['&', '#']).find_map(|pair| pair.strip_prefix("tag="));
    let version = tag.or_else(|| before.rsplit_once('@').map(|(_, version)| version))?;
    (!version.is_empty()).then(|| version.replace("%3A", ":"))
}

pub(super) fn incident(event: &Event<'_>, decoded: &mut Decoded) {
    let is_resolved = event.is("resolved");
    if !is_resolved && !event.is("detected") && !event.is("reported") {
        return;
    }
    let Some(incident_id) = event.subject.text("id") else { return };
    let row = Incident {
        provider: NAME.to_owned(),
        project: event.project(),
        service: event.content.object("service").text("id"),
        incident_id,
        // What is told at the end is how it ended, not what it was.
        title: event.content.text("description").filter(|_| !is_resolved),
        environment: event.content.object("environment").text("id"),
        opened_at: event.at().filter(|_| !is_resolved),
        resolved_at: event.at().filter(|_| is_resolved),
        url: event.content.text("ticketURI").or_else(|| event.url()),
        updated_at: event.at(),
        ..Incident::default()
    };
    decoded.known = true;
    decoded.project.clone_from(&row.project);
    decoded.entities.push(row.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_package_address_is_its_tag_or_digest() {
        assert_eq!(version_of("pkg:oci/payments@sha256%3A0b?tag=1.4.2&x=y").as_deref(), Some("1.4.2"));
        assert_eq!(version_of("pkg:npm/%40acme/shop@2.0.1").as_deref(), Some("2.0.1"));
        assert_eq!(version_of("pkg:oci/payments@sha256%3A0b").as_deref(), Some("sha256:0b"));
        assert_eq!(version_of("pkg:oci/payments"), None);
        assert_eq!(version_of("pkg:oci/payments@"), None);
    }
}
