//! What is polled: a repository, a project or a server of one of the providers, known by a name.

use manometer_model::Timestamp;
use url::Url;

use super::{
    Api, Fault, GitHubSource, GitLabSource, JenkinsSource, Listed, Listing, PollError, Redeliveries, Source,
    TeamCitySource, Window,
};
use crate::{Decoded, ServiceRules};

/// A system whose API is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polled {
    /// GitHub: one repository, `acme/shop`.
    GitHub,
    /// GitLab: one project, `group/sub/shop`.
    GitLab,
    /// Jenkins: all jobs, or those below a folder, `acme/shop`.
    Jenkins,
    /// TeamCity: all builds, or those of a project by its id, `Shop`.
    TeamCity,
}

impl Polled {
    /// All of them, in the order the documentation lists them.
    pub const ALL: [Self; 4] = [Self::GitHub, Self::GitLab, Self::Jenkins, Self::TeamCity];

    /// The name in the column `provider`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Jenkins => "jenkins",
            Self::TeamCity => "teamcity",
        }
    }

    /// The system of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|polled| polled.name() == name)
    }

    /// Where its API is, where it is in one place for everybody.
    pub const fn default_url(self) -> Option<&'static str> {
        match self {
            Self::GitHub => Some("https://api.github.com"),
            Self::GitLab => Some("https://gitlab.com"),
            Self::Jenkins | Self::TeamCity => None,
        }
    }

    /// Does one request see the whole server, so that no project has to be named?
    pub const fn sees_everything(self) -> bool {
        matches!(self, Self::Jenkins | Self::TeamCity)
    }
}

/// One thing that is polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The system.
    pub provider: Polled,
    /// Repository, project or folder; empty for a whole server.
    pub project: String,
    /// The webhook whose failed deliveries are asked for again (GitHub, GitLab).
    pub hook_id: Option<u64>,
}

impl Target {
    /// The name its cursor is kept under: `github/acme/shop`, and with the server's name where that is not the usual one:
    /// `jenkins/ci.acme.example/shop`.
    pub fn name(&self, base: &Url) -> String {
        let is_usual =
            self.provider.default_url().and_then(|url| Url::parse(url).ok()).is_some_and(|usual| {
                usual.origin() == base.origin() && base.path().trim_matches('/').is_empty()
            });
        let mut parts = vec![self.provider.name().to_owned()];
        if !is_usual {
            let port = base.port().map(|port| format!(":{port}")).unwrap_or_default();
            parts.push(format!("{}{port}", base.host_str().unwrap_or_default()));
            parts.push(base.path().trim_matches('/').to_owned());
        }
        parts.push(self.project.trim_matches('/').to_owned());
        parts.retain(|part| !part.is_empty());
        parts.join("/")
    }

    /// What a reconciler asks.
    ///
    /// # Errors
    /// When the project is none of that provider.
    pub fn source(&self, rules: ServiceRules) -> Result<TargetSource, PollError> {
        let project = self.project.trim_matches('/');
        let refuse = |what: &str| PollError::Settings { reason: format!("`{}` is no {what}", self.project) };
        let is_plain = |part: &str| !part.is_empty() && !part.contains(['?', '#', '%', '\\']) && part != "..";
        if !project.is_empty() && !project.split('/').all(is_plain) {
            return Err(refuse("name of a project"));
        }
        Ok(match self.provider {
            Polled::GitHub if project.split('/').count() == 2 => {
                TargetSource::GitHub(GitHubSource::new(project, self.hook_id, rules))
            }
            Polled::GitHub => return Err(refuse("repository of GitHub: write OWNER/NAME, as acme/shop")),
            Polled::GitLab if !project.is_empty() => {
                TargetSource::GitLab(GitLabSource::new(project, self.hook_id, rules))
            }
            Polled::GitLab => return Err(refuse("project of GitLab: write its path, as group/shop")),
            Polled::Jenkins => TargetSource::Jenkins(JenkinsSource::new(Some(project), rules)),
            Polled::TeamCity => {
                let id = (!project.is_empty()).then(|| project.to_owned());
                TargetSource::TeamCity(TeamCitySource::new(id, rules))
            }
        })
    }
}

/// The source of a target.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is named as what it holds")]
pub enum TargetSource {
    GitHub(GitHubSource),
    GitLab(GitLabSource),
    Jenkins(JenkinsSource),
    TeamCity(TeamCitySource),
}

/// Asks the source that is there.
macro_rules! ask {
    ($self:ident, $source:ident => $asked:expr) => {
        match $self {
            TargetSource::GitHub($source) => $asked,
            TargetSource::GitLab($source) => $asked,
            TargetSource::Jenkins($source) => $asked,
            TargetSource::TeamCity($source) => $asked,
        }
    };
}

impl Source for TargetSource {
    fn window_seconds(&self) -> Option<i64> {
        ask!(self, source => source.window_seconds())
    }

    fn most_listed(&self) -> Option<u64> {
        ask!(self, source => source.most_listed())
    }

    async fn list(&self, api: &Api, window: Window, page: u32) -> Result<Listing, Fault> {
        ask!(self, source => source.list(api, window, page).await)
    }

    async fn look_up(&self, api: &Api, key: &str) -> Result<Listed, Fault> {
        ask!(self, source => source.look_up(api, key).await)
    }

    async fn fetch(&self, api: &Api, run: &Listed) -> Result<Vec<Decoded>, Fault> {
        ask!(self, source => source.fetch(api, run).await)
    }

    async fn surroundings(&self, api: &Api, since: Timestamp) -> Result<Vec<Decoded>, Fault> {
        ask!(self, source => source.surroundings(api, since).await)
    }

    async fn redeliver(&self, api: &Api, done: &mut Redeliveries) -> Result<u64, Fault> {
        ask!(self, source => source.redeliver(api, done).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(provider: Polled, project: &str) -> Target {
        Target { provider, project: project.to_owned(), hook_id: None }
    }

    #[test]
    fn a_name_says_which_server_where_there_may_be_several() {
        for (provider, base, project, expected) in [
            (Polled::GitHub, "https://api.github.com/", "acme/shop", "github/acme/shop"),
            (
                Polled::GitHub,
                "https://ghe.acme.example/api/v3/",
                "acme/shop",
                "github/ghe.acme.example/api/v3/acme/shop",
            ),
            (Polled::GitLab, "https://gitlab.com/", "/acme/shop/", "gitlab/acme/shop"),
            (
                Polled::Jenkins,
                "http://ci.acme.example:8080/jenkins/",
                "",
                "jenkins/ci.acme.example:8080/jenkins",
            ),
            (Polled::TeamCity, "https://tc.acme.example/", "Shop", "teamcity/tc.acme.example/Shop"),
        ] {
            assert_eq!(target(provider, project).name(&Url::parse(base).unwrap()), expected);
        }
    }

    #[test]
    fn what_is_no_project_is_refused_with_what_to_write() {
        for (provider, project) in [
            (Polled::GitHub, ""),
            (Polled::GitHub, "shop"),
            (Polled::GitHub, "a/b/c"),
            (Polled::GitHub, "acme/.."),
            (Polled::GitHub, "acme/shop?x"),
            (Polled::GitLab, ""),
            (Polled::Jenkins, "a/../b"),
            (Polled::TeamCity, "a#b"),
        ] {
            let error = target(provider, project).source(ServiceRules::default()).unwrap_err();
            assert!(error.to_string().contains(&format!("`{project}`")), "{error}");
        }
        for (provider, project) in [
            (Polled::GitHub, "acme/shop"),
            (Polled::GitLab, "a/b/c"),
            (Polled::Jenkins, ""),
            (Polled::TeamCity, "Shop"),
        ] {
            target(provider, project).source(ServiceRules::default()).unwrap();
        }
    }
}
