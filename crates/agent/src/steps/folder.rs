//! The private folder of a run.

use std::fs::{self, DirBuilder};
use std::io::{self, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use manometer_model::Problem;

use super::ToldStep;

/// Most steps of one run that are recorded.
const MOST_STEPS: usize = 20_000;
/// A longer file is none of ours.
const STEP_BYTES: u64 = 64 * 1024;

/// A folder in which the steps of one run tell of themselves.
#[derive(Debug)]
pub struct StepFolder {
    path: PathBuf,
}

impl StepFolder {
    /// Makes the folder of a run, readable by its owner alone.
    ///
    /// # Errors
    /// When the folder for temporary files cannot be written.
    pub fn create(run_id: &str) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("manometer-{run_id}"));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path })
    }

    /// The folder a run around this process has made; `None` when that run is over.
    pub fn existing(path: &Path) -> Option<Self> {
        path.is_dir().then(|| Self { path: path.to_owned() })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down a step as it is now: as a whole or not at all, also when this process is killed meanwhile.
    ///
    /// # Errors
    /// When the folder is gone or full.
    pub fn tell(&self, step: &ToldStep) -> io::Result<()> {
        let file = self.path.join(format!("{}.json", step.span_id));
        let unfinished = self.path.join(format!("{}.unfinished", step.span_id));
        fs::write(&unfinished, serde_json::to_vec(step)?)?;
        fs::rename(&unfinished, &file)
    }

    /// All steps that were told, in the order of their beginnings, and removes the folder.
    pub fn collect(self, problems: &mut Vec<Problem>) -> Vec<ToldStep> {
        let mut steps = Vec::new();
        let mut left_out = 0;
        for entry in fs::read_dir(&self.path).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            if steps.len() >= MOST_STEPS {
                left_out += 1;
                continue;
            }
            match read(&path) {
                Ok(step) => steps.push(step),
                Err(error) => problems.push(
                    Problem::new(format!("is no step: {error}")).in_file(path.to_string_lossy().into_owned()),
                ),
            }
        }
        if left_out > 0 {
            let message = format!("{MOST_STEPS} steps are recorded, {left_out} more are left out");
            problems.push(Problem::new(message).in_field("steps"));
        }
        steps.sort_by(|one, other| (one.started_at, &one.span_id).cmp(&(other.started_at, &other.span_id)));
        self.remove();
        steps
    }

    /// Removes the folder; a step that outlives its run finds none and tells nobody.
    pub fn remove(self) {
        fs::remove_dir_all(&self.path).ok();
    }
}

fn read(path: &Path) -> io::Result<ToldStep> {
    let mut content = Vec::new();
    fs::File::open(path)?.take(STEP_BYTES).read_to_end(&mut content)?;
    Ok(serde_json::from_slice(&content)?)
}

#[cfg(test)]
mod tests {
    use manometer_model::Timestamp;

    use super::*;
    use crate::steps::StepEnd;

    fn step(span: &str, second: i64) -> ToldStep {
        ToldStep {
            span_id: span.to_owned(),
            parent_span_id: None,
            name: "compile".to_owned(),
            command: "cc".to_owned(),
            started_at: Timestamp::from_seconds(second),
            end: None,
        }
    }

    #[test]
    fn a_killed_step_is_known_to_have_begun_and_garbage_costs_itself_alone() {
        let folder = StepFolder::create(&uuid::Uuid::new_v4().to_string()).unwrap();
        let path = folder.path().to_owned();
        let end = StepEnd {
            duration_seconds: 1.5,
            exit_code: 0,
            user_seconds: 1.0,
            system_seconds: 0.1,
            largest_process_bytes: Some(5),
        };
        let ended = ToldStep { end: Some(end), ..step("bb", 1) };
        folder.tell(&step("aa", 2)).unwrap();
        folder.tell(&step("bb", 1)).unwrap();
        folder.tell(&ended).unwrap();
        fs::write(path.join("cc.json"), b"{\"span").unwrap();
        fs::write(path.join("dd.unfinished"), b"{\"span").unwrap();
        let mut problems = Vec::new();
        assert_eq!(folder.collect(&mut problems), [ended, step("aa", 2)]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(!path.exists());
    }
}
