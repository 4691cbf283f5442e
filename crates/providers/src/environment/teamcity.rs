//! TeamCity: few variables, the rest in the property files they lead to.
//!
//! `TEAMCITY_BUILD_PROPERTIES_FILE` names a Java properties file with the build's system properties; its
//! `teamcity.configuration.properties.file` names the one with the configuration parameters (branch, pull request).
//! See <https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html>.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::{Field, System};
use crate::repository::{branch_of, host_of, project_of};

pub(super) static SYSTEM: System = System {
    provider: "teamcity",
    name: "TeamCity",
    detected_by: "TEAMCITY_VERSION",
    is_here: |draft| draft.variable("TEAMCITY_VERSION").is_some(),
    read,
    workspace: "TEAMCITY_BUILD_CHECKOUTDIR",
};

/// Largest property file read.
const PROPERTY_FILE_BYTES: u64 = 4 * 1024 * 1024;

fn read(draft: &mut Draft<'_>) {
    let properties = properties(draft);
    let property = |draft: &mut Draft<'_>, field: Field, names: &[&str]| {
        for name in names {
            if let Some(value) = properties.get(*name) {
                draft.set(field, value.as_str(), &format!("property {name}"));
            }
        }
    };
    property(draft, Field::RunId, &["teamcity.build.id"]);
    draft.take_with(Field::RunId, &["BUILD_URL"], build_id_of_url);
    draft.take(Field::Number, &["BUILD_NUMBER"]);
    property(draft, Field::Pipeline, &["system.teamcity.buildType.id", "teamcity.buildType.id"]);
    draft.take(Field::Pipeline, &["TEAMCITY_BUILDCONF_NAME"]);
    take_project(draft, &properties);
    if let Some(build) = draft.get(Field::RunId).map(str::to_owned) {
        draft.set(Field::JobId, build, "the build");
    }
    property(draft, Field::ChangeId, &["teamcity.pullRequest.number"]);
    property(draft, Field::Branch, &["teamcity.pullRequest.source.branch"]);
    if draft.get(Field::ChangeId).is_none() {
        for name in ["teamcity.build.branch", "teamcity.build.vcs.branch"] {
            let branch = properties.get(name).filter(|branch| *branch != "<default>");
            if let Some(branch) = branch.and_then(|name| branch_of(name)) {
                draft.set(Field::Branch, branch, &format!("property {name}"));
            }
        }
        property(draft, Field::IsDefaultBranch, &["teamcity.build.branch.is_default"]);
    }
    property(draft, Field::CommitSha, &["build.vcs.number"]);
    draft.take(Field::CommitSha, &["BUILD_VCS_NUMBER"]);
    property(draft, Field::Actor, &["teamcity.build.triggeredBy.username"]);
    draft.take(Field::Url, &["BUILD_URL"]);
    property(draft, Field::RunnerName, &["system.agent.name", "agent.name"]);
    property(draft, Field::RunnerOs, &["teamcity.agent.jvm.os.name"]);
    property(draft, Field::RunnerArch, &["teamcity.agent.jvm.os.arch"]);
    property(draft, Field::Workspace, &["teamcity.build.checkoutDir"]);
    let is_change = draft.get(Field::ChangeId).is_some();
    draft.set(
        Field::Trigger,
        if is_change { "pull_request" } else { "" },
        "property teamcity.pullRequest.number",
    );
    draft.label("project_name", &["TEAMCITY_PROJECT_NAME"]);
    draft.label("build_configuration", &["TEAMCITY_BUILDCONF_NAME"]);
}

/// `HOST/PROJECT_ID`, as the webhooks tell it; the repository is the label `repository`.
fn take_project(draft: &mut Draft<'_>, properties: &BTreeMap<String, String>) {
    let property = |name: &str| properties.get(name).map(String::as_str);
    let server = draft.variable("BUILD_URL").or_else(|| property("teamcity.serverUrl"));
    if let (Some(host), Some(id)) = (server.and_then(host_of), property("teamcity.project.id")) {
        draft.set(Field::Project, format!("{host}/{id}"), "BUILD_URL + property teamcity.project.id");
    }
    if let Some(repository) = property("vcsroot.url").and_then(project_of) {
        draft.labels.insert("repository".to_owned(), repository);
    }
}

/// The build's id in its page's address: `…/viewLog.html?buildId=90411`, `…/buildConfiguration/Shop_Test/90411`.
fn build_id_of_url(url: &str) -> Option<&str> {
    let after = match url.split_once("buildId=") {
        Some((_, rest)) => rest.split(['&', '#']).next()?,
        None => {
            let path = url.split_once("/buildConfiguration/")?.1;
            path.split(['?', '#']).next()?.trim_end_matches('/').rsplit('/').next()?
        }
    };
    (!after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit())).then_some(after)
}

/// The system properties of the build and its configuration parameters, as far as the files can be read.
fn properties(draft: &mut Draft<'_>) -> BTreeMap<String, String> {
    const VARIABLE: &str = "TEAMCITY_BUILD_PROPERTIES_FILE";
    let mut properties = BTreeMap::new();
    let mut next = draft.variable(VARIABLE).map(str::to_owned);
    for _ in 0..2 {
        let Some(path) = next.take() else { break };
        match draft.file(&path, PROPERTY_FILE_BYTES) {
            Some(content) => read_properties(&String::from_utf8_lossy(&content), &mut properties),
            None => draft.problem(
                VARIABLE,
                format!("cannot read the property file {path}; the run is described without it"),
            ),
        }
        next =
            properties.get("teamcity.configuration.properties.file").cloned().filter(|other| *other != path);
    }
    properties
}

/// Reads a Java properties file: `key=value` or `key: value`, `#` and `!` comments, `\` before special letters and at the
/// end of a line that goes on.
fn read_properties(text: &str, into: &mut BTreeMap<String, String>) {
    let mut lines = text.lines();
    while let Some(first) = lines.next() {
        let mut line = first.trim_start().to_owned();
        if line.starts_with(['#', '!']) {
            continue;
        }
        while ends_in_open_escape(&line) {
            line.pop();
            let Some(more) = lines.next() else { break };
            line.push_str(more.trim_start());
        }
        let mut key = String::new();
        let mut letters = line.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => key.extend(unescape(&mut letters)),
                '=' | ':' => break,
                other => key.push(other),
            }
        }
        let mut value = String::new();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => value.extend(unescape(&mut letters)),
                other => value.push(other),
            }
        }
        if !key.trim().is_empty() {
            into.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
}

fn ends_in_open_escape(line: &str) -> bool {
    line.chars().rev().take_while(|letter| *letter == '\\').count() % 2 == 1
}

fn unescape(letters: &mut std::str::Chars<'_>) -> Option<char> {
    match letters.next()? {
        't' => Some('\t'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        'f' => Some('\u{c}'),
        'u' => {
            let digits: String = letters.by_ref().take(4).collect();
            u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_properties_are_read_with_their_escapes() {
        let mut found = BTreeMap::new();
        read_properties(
            "#TeamCity build properties\n! note\nvcsroot.url=https\\://git.acme.example/acme/shop.git\n\
             a : b\nlong=one,\\\n    two\npath=C\\:\\\\work\nunicode=\\u00e4\nempty=\nbroken\\u00",
            &mut found,
        );
        for (key, value) in [
            ("vcsroot.url", "https://git.acme.example/acme/shop.git"),
            ("a", "b"),
            ("long", "one,two"),
            ("path", "C:\\work"),
            ("unicode", "ä"),
            ("empty", ""),
        ] {
            assert_eq!(found.get(key).map(String::as_str), Some(value), "{key}");
        }
    }

    #[test]
    fn the_build_id_is_found_in_both_kinds_of_address() {
        for url in [
            "https://tc.acme.example/viewLog.html?buildId=90411&buildTypeId=Shop_Test",
            "https://tc.acme.example/buildConfiguration/Shop_Test/90411",
            "https://tc.acme.example/buildConfiguration/Shop_Test/90411?mode=builds#all",
        ] {
            assert_eq!(build_id_of_url(url), Some("90411"), "{url}");
        }
        for url in ["https://tc.acme.example/", "https://tc.acme.example/viewLog.html?buildId=", "x"] {
            assert_eq!(build_id_of_url(url), None, "{url}");
        }
    }
}
