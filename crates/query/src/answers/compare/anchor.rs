//! Between what a comparison draws its line: a commit, a merge or a date on one branch, or two branches.
//!
//! A commit's place on a branch is the moment when the first run of it began there. Runs that began before that moment
//! are one side, the others the other side; a re-run stands where its first attempt stood.

use manometer_model::{Timestamp, when};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::asking::{AnswerError, Asked, Conditions, ParameterDoc, Scope};
use super::super::{Answers, BEGUN};

/// The line, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Before and after a commit: its hash, the beginning of it, or words of its title.
    Commit(String),
    /// Before and after a pull or merge request was merged.
    Change(String),
    /// Before and after a moment.
    Moment(Timestamp),
    /// This branch against that of the scope.
    Branch(String),
}

/// The line, as found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Anchor {
    /// `commit`, `merge`, `date` or `branches`.
    pub kind: String,
    /// The commit's full hash.
    pub commit_sha: Option<String>,
    /// The first line of its message, where it was told.
    pub title: Option<String>,
    /// The pull or merge request.
    pub change_id: Option<String>,
    /// The repository.
    pub project: Option<String>,
    /// The branch whose runs are compared; of two branches the one compared with.
    pub branch: Option<String>,
    /// The other one of two branches.
    pub against: Option<String>,
    /// Where one side ends and the other begins, RFC 3339 in UTC.
    #[schema(value_type = Option<String>)]
    pub at: Option<Timestamp>,
}

pub(super) const PARAMETERS: [ParameterDoc; 4] = [
    ParameterDoc {
        name: "commit",
        value: "COMMIT",
        doc: "Before and after this commit: its hash, the first letters of it, or words of its title. Its place is when \
              the first run of it began on the branch",
    },
    ParameterDoc {
        name: "merge",
        value: "CHANGE",
        doc: "Before and after this merge: the number of a pull or merge request, or the hash of its merge commit",
    },
    ParameterDoc {
        name: "date",
        value: "WHEN",
        doc: "Before and after this moment: 2026-11-01, yesterday, 10d",
    },
    ParameterDoc { name: "against", value: "BRANCH", doc: "This branch against the one of `branch`" },
];

/// Fewest letters of a hash.
const FEWEST_LETTERS: usize = 4;
const NEAR: usize = 5;

impl Line {
    pub(super) fn asked(asked: &Asked, scope: &Scope, now: Timestamp) -> Result<Self, AnswerError> {
        let given: Vec<&str> = PARAMETERS
            .iter()
            .map(|parameter| parameter.name)
            .filter(|name| asked.text(name).is_some())
            .collect();
        let [name] = given.as_slice() else {
            return Err(AnswerError::asked(match given.as_slice() {
                [] => "compare what? give one of commit, merge, date and against (with branch)".to_owned(),
                several => format!("{}: give only one of them", several.join(", ")),
            }));
        };
        let text = asked.owned(name).unwrap_or_default();
        match *name {
            "commit" => Ok(Self::Commit(text)),
            "merge" => {
                let number = text.trim_start_matches(['#', '!']);
                let is_number = !number.is_empty()
                    && number.len() < 12
                    && number.bytes().all(|byte| byte.is_ascii_digit());
                Ok(if is_number { Self::Change(number.to_owned()) } else { Self::Commit(text) })
            }
            "date" => {
                let moment = when::moment(&text, now);
                moment.map(Self::Moment).map_err(|error| AnswerError::asked(format!("date: {error}")))
            }
            _ if scope.branch.is_none() => {
                Err(AnswerError::asked("branch: say which branch it is compared with"))
            }
            _ if scope.branch.as_deref() == Some(text.as_str()) => {
                Err(AnswerError::asked("against: is the same branch as `branch`"))
            }
            _ => Ok(Self::Branch(text)),
        }
    }
}

/// A commit on a branch.
#[derive(Debug, Clone)]
struct Place {
    project: String,
    branch: Option<String>,
    is_default: bool,
    sha: String,
    first_at: Timestamp,
}

impl Answers {
    /// Finds the line.
    pub(super) async fn anchor(&self, line: &Line, scope: &Scope) -> Result<Anchor, AnswerError> {
        let of_scope =
            Anchor { project: scope.project.clone(), branch: scope.branch.clone(), ..Anchor::default() };
        match line {
            Line::Commit(text) => self.commit_anchor(text, scope).await,
            Line::Change(number) => self.change_anchor(number, scope).await,
            Line::Moment(at) => Ok(Anchor { kind: "date".to_owned(), at: Some(*at), ..of_scope }),
            Line::Branch(against) => {
                Ok(Anchor { kind: "branches".to_owned(), against: Some(against.clone()), ..of_scope })
            }
        }
    }

    async fn commit_anchor(&self, text: &str, scope: &Scope) -> Result<Anchor, AnswerError> {
        let is_hash = text.len() >= FEWEST_LETTERS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hash {
            let places = self.places_of_hash(&text.to_lowercase(), scope).await?;
            if !places.is_empty() {
                return self.anchored("commit", &places, scope, text).await;
            }
        }
        let titled = self.commits_titled(text, scope).await?;
        match titled.as_slice() {
            [] => Err(self.unknown_commit(text, scope).await?),
            [only] => {
                let places = self.places_of_hash(&only.sha, scope).await?;
                if places.is_empty() {
                    let shown = describe(&titled);
                    return Err(AnswerError::not_found(format!(
                        "no run of the commit {shown} is known{}, so it has no place there",
                        scope.branch.as_deref().map(|branch| format!(" on {branch}")).unwrap_or_default()
                    )));
                }
                self.anchored("commit", &places, scope, text).await
            }
            several => Err(AnswerError::asked(format!(
                "commit: the titles of several commits hold `{}`; name one by its hash: {}",
                clipped(text),
                describe(several)
            ))),
        }
    }

    async fn change_anchor(&self, number: &str, scope: &Scope) -> Result<Anchor, AnswerError> {
        let mut conditions = Conditions::default();
        of_place(&mut conditions, scope);
        let change = conditions.bind(number.to_owned());
        let shas = "SELECT sha FROM commits WHERE change_id = ".to_owned() + &change;
        conditions.push(format!("(change_id = {change} OR commit_sha IN ({shas}))"));
        let places = self.places(&conditions).await?;
        let merged: Vec<Place> =
            places.iter().filter(|place| place.is_default || place.branch == scope.branch).cloned().collect();
        if merged.is_empty() {
            let branches: Vec<&str> = places.iter().filter_map(|place| place.branch.as_deref()).collect();
            return Err(AnswerError::not_found(if branches.is_empty() {
                format!("no run and no commit of the change {number} is known: name its merge commit instead")
            } else {
                format!(
                    "the change {number} has runs on {} only, so nothing tells when it was merged: name its merge \
                     commit instead",
                    branches.join(", ")
                )
            }));
        }
        let mut anchor = self.anchored("merge", &merged, scope, number).await?;
        anchor.change_id = Some(number.to_owned());
        Ok(anchor)
    }

    async fn places_of_hash(&self, sha: &str, scope: &Scope) -> Result<Vec<Place>, AnswerError> {
        let mut conditions = Conditions::default();
        of_place(&mut conditions, scope);
        let beginning = conditions.bind(sha.to_owned());
        conditions.push(format!("starts_with(commit_sha, {beginning})"));
        self.places(&conditions).await
    }

    /// Where runs of some commits first appeared, by branch; the latest first.
    async fn places(&self, conditions: &Conditions) -> Result<Vec<Place>, AnswerError> {
        let sql = format!(
            "SELECT project, branch, commit_sha, bool_or(coalesce(is_default_branch, false)) AS is_default,
                min({BEGUN}) AS first_at
            FROM runs WHERE commit_sha IS NOT NULL AND {}
            GROUP BY project, branch, commit_sha ORDER BY first_at DESC LIMIT 1000",
            conditions.all()
        );
        let places = self.rows(&sql, conditions.parameters()).await?.map(|row| {
            Ok(Place {
                project: row.text("project")?,
                branch: row.optional_text("branch")?,
                is_default: row.optional_bool("is_default")?.unwrap_or_default(),
                sha: row.text("commit_sha")?,
                first_at: row.optional_time("first_at")?.unwrap_or_default(),
            })
        })?;
        Ok(places)
    }

    /// The place that is meant: on the branch asked for, else on the default branch, else where it appeared first.
    async fn anchored(
        &self,
        kind: &str,
        places: &[Place],
        scope: &Scope,
        text: &str,
    ) -> Result<Anchor, AnswerError> {
        let earliest_default = places.iter().rev().find(|place| place.is_default);
        let Some(place) = earliest_default.or(places.last()) else {
            return Err(AnswerError::not_found(format!("no run of `{}` is known", clipped(text))));
        };
        let differs = |other: &&Place| match kind {
            // A change may be merged in several commits: the first of them in one project is its place.
            "merge" => other.project != place.project,
            _ => (&other.project, &other.sha) != (&place.project, &place.sha),
        };
        if let Some(other) = places.iter().find(differs) {
            return Err(AnswerError::asked(format!(
                "{kind}: `{}` is {} of {} and {} of {}: give more letters of the hash, or the project",
                clipped(text),
                short(&place.sha),
                place.project,
                short(&other.sha),
                other.project
            )));
        }
        let title = self.title(&place.project, &place.sha).await?;
        Ok(Anchor {
            kind: kind.to_owned(),
            commit_sha: Some(place.sha.clone()),
            title,
            project: Some(place.project.clone()),
            branch: scope.branch.clone().or_else(|| place.branch.clone()),
            at: Some(place.first_at),
            ..Anchor::default()
        })
    }

    async fn title(&self, project: &str, sha: &str) -> Result<Option<String>, AnswerError> {
        let sql = "SELECT title FROM commits WHERE project = $1 AND sha = $2 LIMIT 1";
        let rows = self.rows(sql, vec![project.into(), sha.into()]).await?;
        Ok(rows.first(|row| row.optional_text("title"))?.flatten())
    }

    /// Commits with these words in their title, newest first.
    async fn commits_titled(&self, text: &str, scope: &Scope) -> Result<Vec<Titled>, AnswerError> {
        let mut conditions = Conditions::default();
        if let Some(project) = &scope.project {
            conditions.equal("project", project.clone());
        }
        let words = conditions.bind(text.to_lowercase());
        conditions.push(format!("strpos(lower(title), {words}) > 0"));
        self.titled(&conditions, NEAR + 1).await
    }

    async fn titled(&self, conditions: &Conditions, count: usize) -> Result<Vec<Titled>, AnswerError> {
        let sql = format!(
            "SELECT sha, title FROM commits WHERE {}
            ORDER BY coalesce(pushed_at, committed_at, authored_at, updated_at) DESC NULLS LAST, sha LIMIT {count}",
            conditions.all()
        );
        let found = self
            .rows(&sql, conditions.parameters())
            .await?
            .map(|row| Ok(Titled { sha: row.text("sha")?, title: row.optional_text("title")? }))?;
        Ok(found)
    }

    /// The refusal of a commit nobody knows, with those whose hash begins alike, else the newest.
    async fn unknown_commit(&self, text: &str, scope: &Scope) -> Result<AnswerError, AnswerError> {
        let beginning: String = text.to_lowercase().chars().take(FEWEST_LETTERS).collect();
        let mut alike = Conditions::default();
        of_place(&mut alike, scope);
        let bound = alike.bind(beginning.clone());
        alike.push(format!("starts_with(commit_sha, {bound})"));
        let of_runs: Vec<Titled> = if beginning.len() == FEWEST_LETTERS {
            let places = self.places(&alike).await?;
            places.into_iter().map(|place| Titled { sha: place.sha, title: None }).take(NEAR).collect()
        } else {
            Vec::new()
        };
        let (what, near) = if of_runs.is_empty() {
            let mut conditions = Conditions::default();
            of_place(&mut conditions, scope);
            let places = self.places(&conditions).await?;
            let mut newest: Vec<Titled> = Vec::new();
            for place in places {
                if newest.len() < NEAR && newest.iter().all(|known| known.sha != place.sha) {
                    let title = self.title(&place.project, &place.sha).await?;
                    newest.push(Titled { sha: place.sha, title });
                }
            }
            ("the newest commits with runs are", newest)
        } else {
            ("hashes that begin alike are", of_runs)
        };
        let place = match (&scope.project, &scope.branch) {
            (Some(project), Some(branch)) => format!(" on {branch} of {project}"),
            (Some(project), None) => format!(" of {project}"),
            (None, Some(branch)) => format!(" on {branch}"),
            (None, None) => String::new(),
        };
        let shown = clipped(text);
        Ok(AnswerError::not_found(if near.is_empty() {
            format!("no run of a commit `{shown}` is known{place}, nor of any other")
        } else {
            format!(
                "no run of a commit `{shown}` is known{place}, and no title holds these words; {what} {}",
                describe(&near)
            )
        }))
    }
}

/// A commit and its title.
#[derive(Debug, Clone)]
struct Titled {
    sha: String,
    title: Option<String>,
}

fn describe(commits: &[Titled]) -> String {
    let each = commits.iter().take(NEAR).map(|commit| match &commit.title {
        Some(title) => format!("{} “{}”", short(&commit.sha), clipped(title)),
        None => short(&commit.sha),
    });
    let mut text = each.collect::<Vec<_>>().join(", ");
    if commits.len() > NEAR {
        text.push_str(" and more");
    }
    text
}

/// The place of a commit does not depend on the service: in a monorepo its change reaches services it has no runs of.
fn of_place(conditions: &mut Conditions, scope: &Scope) {
    for (column, value) in [("project", &scope.project), ("branch", &scope.branch)] {
        if let Some(value) = value {
            conditions.equal(column, value.clone());
        }
    }
}

fn short(sha: &str) -> String {
    sha.chars().take(10).collect()
}

fn clipped(text: &str) -> String {
    text.chars().take(72).collect()
}
