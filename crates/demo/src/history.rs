//! History: hour by hour, who pushes what, and when each run of it ends.
//!
//! An hour is planned when everything earlier has been handed out; what happens later (a run that ends, an incident
//! that is resolved) waits in a heap. So there is never more in memory than what is going on at one time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use manometer_model::{Conclusion, Timestamp};

use crate::calendar::{hour, on_day};
use crate::chance::{Chance, mix, sha_of};
use crate::incident::IncidentPlan;
use crate::pipeline::Pipeline;
use crate::plan::{Breakage, CommitPlan, RunPlan, RunRequest, World};
use crate::planted::PlantedCommit;
use crate::record_of_run::deployment_id;
use crate::titles::title_for;

/// Something that is told of at one moment.
#[derive(Debug)]
pub(crate) enum Event {
    /// A run that ended.
    Run(Box<RunPlan>),
    /// The runners of every pool, as seen at the beginning of a day.
    Runners,
    /// An incident that begins or ends.
    Incident(IncidentPlan),
}

/// An event and its moment; `sequence` orders events of the same moment.
#[derive(Debug)]
pub(crate) struct Dated {
    pub(crate) at: Timestamp,
    sequence: u64,
    pub(crate) event: Event,
}

impl PartialEq for Dated {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.sequence) == (other.at, other.sequence)
    }
}
impl Eq for Dated {}
impl PartialOrd for Dated {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Dated {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

/// How often a service runs its pipelines on an average day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// Runs of `ci` per service and busiest hour.
    pub(crate) ci_per_busy_hour: f64,
    /// How likely a service runs its nightly pipeline.
    pub(crate) nightly_rate: f64,
}

/// The state of history at one moment. An iterator over what happens, in order of time.
#[derive(Debug)]
pub(crate) struct History<'a> {
    world: &'a World,
    pace: Pace,
    next_hour: Timestamp,
    waiting: BinaryHeap<Reverse<Dated>>,
    sequence: u64,
    runs: u64,
    /// Merged changes of each service.
    merged: Vec<u64>,
    /// The newest commit of each service's main branch.
    heads: Vec<Option<String>>,
}

/// How the last attempt of a run ended.
struct Ended {
    conclusion: Conclusion,
    at: Timestamp,
    attempt: i64,
}

const HOUR_SECONDS: f64 = 3_600.0;
const NIGHT_HOUR: usize = 1;
/// Share of runs that a change under review starts, and that a release branch starts.
const REVIEW_SHARE: f64 = 0.60;
const RELEASE_SHARE: f64 = 0.03;

impl<'a> History<'a> {
    /// The beginning of history.
    pub(crate) fn new(world: &'a World, pace: Pace) -> Self {
        let services = world.services.len();
        Self {
            world,
            pace,
            next_hour: world.options.start(),
            waiting: BinaryHeap::new(),
            sequence: 0,
            runs: 0,
            merged: vec![0; services],
            heads: vec![None; services],
        }
    }

    fn plan_hour(&mut self) {
        let from = self.next_hour;
        let until = next_full_hour(from).min(self.world.options.end);
        self.next_hour = until;
        let hour_number = from.as_micros().div_euclid(3_600_000_000) as u64;
        let share = until.seconds_since(from) / HOUR_SECONDS;
        if hour(from) == 0 || from == self.world.options.start() {
            self.push(from, Event::Runners);
        }
        for service in 0..self.world.services.len() {
            let mut chance = Chance::new(mix(self.world.options.seed, &[hour_number, service as u64]));
            let calendar = &self.world.calendar;
            let busy =
                calendar.workload(from) * calendar.growth(from) * self.world.services[service].popularity;
            for _ in 0..chance.count(self.pace.ci_per_busy_hour * busy * share) {
                let pushed_at = chance.moment(from, HOUR_SECONDS * share);
                self.push_run(service, pushed_at, &mut chance);
            }
            if hour(from) == NIGHT_HOUR && chance.happens(self.pace.nightly_rate) {
                let queued_at = from.plus_seconds(1.0 + (service % 100) as f64 * 25.0);
                if queued_at < until {
                    self.nightly_run(service, queued_at, &mut chance);
                }
            }
        }
        let planted = &self.world.planted;
        for commit in planted.commits().into_iter().filter(|commit| (from..until).contains(&commit.pushed_at))
        {
            self.planted_runs(commit);
        }
    }

    /// A push: to a change under review, to a release branch, or a merge to the main branch.
    fn push_run(&mut self, service: usize, pushed_at: Timestamp, chance: &mut Chance) {
        let kind = chance.unit();
        let merged = self.merged[service];
        let author = author_of(chance);
        let world = self.world;
        let project = &world.services[service].project;
        let title = title_for(&world.services[service], chance);
        let mut commit = CommitPlan {
            sha: sha_of(chance.next()),
            parent_sha: self.heads[service].clone(),
            title,
            author: author.clone(),
            pushed_at,
        };
        if kind < REVIEW_SHARE {
            let change_id = self.change_number(service, merged + 1 + chance.below(4) as u64);
            commit.parent_sha = Some(sha_of(chance.next()));
            let breakage = pick_breakage(chance, 0.030, 0.022);
            let request = RunRequest {
                branch: format!("{author}/{}-{change_id}", world.services[service].name),
                is_default_branch: false,
                trigger: project.change_trigger,
                change_id: Some(change_id),
                breakage,
                broken: pick_broken(chance, 0.055),
                cancelled_after: chance.happens(0.04).then(|| chance.between(30.0, 420.0)),
                ..self.request(service, Pipeline::Ci, commit, chance)
            };
            self.run(request, chance);
            return;
        }
        if kind > 1.0 - RELEASE_SHARE {
            // Release branches are cut on Mondays and get later merges at the next cut only.
            let cut = on_day(pushed_at.day() - crate::calendar::weekday(pushed_at) as i32, 0.0);
            commit.title = "Prepare the release".to_owned();
            let request = RunRequest {
                branch: format!("release/{}", cut.day() / 7 - 2_800),
                is_default_branch: false,
                content_at: cut,
                broken: pick_broken(chance, 0.02),
                trigger: "manual",
                ..self.request(service, Pipeline::Ci, commit, chance)
            };
            self.run(request, chance);
            return;
        }
        self.merge(service, commit, chance);
    }

    /// A merge to the main branch, and perhaps the deployment of what it built.
    fn merge(&mut self, service: usize, mut commit: CommitPlan, chance: &mut Chance) {
        self.merged[service] += 1;
        let change_id = self.change_number(service, self.merged[service]);
        self.heads[service] = Some(commit.sha.clone());
        commit.title = format!("{} (#{change_id})", commit.title);
        let deployed = CommitPlan { pushed_at: commit.pushed_at, ..commit.clone() };
        let request = RunRequest {
            change_id: Some(change_id),
            breakage: pick_breakage(chance, 0.003, 0.005),
            broken: pick_broken(chance, 0.018),
            ..self.request(service, Pipeline::Ci, commit, chance)
        };
        let built = self.run(request, chance);
        if built.conclusion != Conclusion::Success || !chance.happens(0.4) {
            return;
        }
        let queued_at = built.at.plus_seconds(chance.between(20.0, 1_500.0));
        let request = RunRequest {
            trigger: "deployment",
            queued_at,
            content_at: deployed.pushed_at,
            ..self.request(service, Pipeline::Deploy, deployed, chance)
        };
        let run_id = request.run_id;
        let live = self.run(request, chance);
        if live.conclusion == Conclusion::Success && chance.happens(0.05) {
            let deployment_id = deployment_id(run_id, live.attempt, "production");
            let incident = IncidentPlan::new(service, run_id, deployment_id, live.at, chance);
            self.push(incident.opened_at, Event::Incident(incident.clone()));
            self.push(incident.resolved_at, Event::Incident(incident.resolved()));
        }
    }

    fn nightly_run(&mut self, service: usize, queued_at: Timestamp, chance: &mut Chance) {
        let world = self.world;
        let branch = world.services[service].project.default_branch;
        let sha =
            self.heads[service].get_or_insert_with(|| sha_of(mix(world.options.seed, &[service as u64, 0])));
        let commit = CommitPlan {
            sha: sha.clone(),
            parent_sha: None,
            title: String::new(),
            author: String::new(),
            pushed_at: queued_at,
        };
        let request = RunRequest {
            trigger: "schedule",
            branch: branch.to_owned(),
            actor: "scheduler".to_owned(),
            queued_at,
            broken: pick_broken(chance, 0.012),
            ..self.request(service, Pipeline::Nightly, commit, chance)
        };
        self.run(request, chance);
    }

    /// The runs of a planted commit: one for every service it touches, none of which break.
    fn planted_runs(&mut self, planted: &PlantedCommit) {
        let world = self.world;
        for (service, _) in world
            .services
            .iter()
            .enumerate()
            .filter(|(_, service)| planted.services.contains(&service.name.as_str()))
        {
            let mut chance = Chance::new(mix(world.options.seed, &[service as u64, 0x00c0_ffee]));
            let parent_sha = self.heads[service].replace(planted.sha.clone());
            self.merged[service] += 1;
            let change_id = self.change_number(service, self.merged[service]);
            let commit = CommitPlan {
                sha: planted.sha.clone(),
                parent_sha,
                title: planted.title.to_owned(),
                author: author_of(&mut chance),
                pushed_at: planted.pushed_at,
            };
            let request = RunRequest {
                change_id: Some(change_id),
                ..self.request(service, Pipeline::Ci, commit, &mut chance)
            };
            self.run(request, &mut chance);
        }
    }

    /// A run on the main branch in which nothing goes wrong on purpose; callers change what differs.
    fn request(
        &mut self,
        service: usize,
        pipeline: Pipeline,
        commit: CommitPlan,
        chance: &mut Chance,
    ) -> RunRequest {
        self.runs += 1;
        let number = self.runs;
        let project = &self.world.services[service].project;
        RunRequest {
            service,
            pipeline,
            // Gaps, as where other organisations share the counter.
            run_id: 7_000_000 + number * 13 + chance.below(12) as u64,
            attempt: 1,
            number: number as i64,
            branch: project.default_branch.to_owned(),
            is_default_branch: true,
            trigger: "push",
            actor: commit.author.clone(),
            change_id: None,
            queued_at: commit.pushed_at.plus_seconds(chance.between(1.0, 6.0)),
            content_at: commit.pushed_at,
            commit,
            breakage: None,
            broken: Vec::new(),
            cancelled_after: None,
            seed: chance.next(),
        }
    }

    /// Plays a run, and the second attempt that somebody starts after most failures. Returns how the last one ended.
    fn run(&mut self, request: RunRequest, chance: &mut Chance) -> Ended {
        let again = RunRequest { attempt: request.attempt + 1, cancelled_after: None, ..request.clone() };
        let run = RunPlan::new(self.world, request);
        let (conclusion, finished_at, attempt) = (run.conclusion, run.finished_at, run.request.attempt);
        let provider = self.world.services[run.request.service].project.provider;
        let is_heard = |at: Timestamp| !self.world.planted.is_silent(provider, at);
        let all_heard = is_heard(run.request.queued_at) && is_heard(finished_at);
        if all_heard {
            self.push(finished_at, Event::Run(Box::new(run)));
        }
        if conclusion != Conclusion::Failure || again.attempt > 2 || !chance.happens(0.55) {
            return Ended { conclusion, at: finished_at, attempt };
        }
        let queued_at = finished_at.plus_seconds(chance.between(60.0, 1_800.0));
        let actor = if chance.happens(0.7) { again.actor.clone() } else { author_of(chance) };
        self.run(RunRequest { queued_at, actor, ..again }, chance)
    }

    /// The number of the change a service merges as its nth: services take turns.
    fn change_number(&self, service: usize, nth: u64) -> u64 {
        4_000 + nth * self.world.services.len() as u64 + service as u64
    }

    fn push(&mut self, at: Timestamp, event: Event) {
        if at > self.world.options.end {
            return;
        }
        self.sequence += 1;
        self.waiting.push(Reverse(Dated { at, sequence: self.sequence, event }));
    }
}

impl Iterator for History<'_> {
    type Item = Dated;

    fn next(&mut self) -> Option<Dated> {
        while self.next_hour < self.world.options.end {
            if self.waiting.peek().is_some_and(|Reverse(first)| first.at < self.next_hour) {
                break;
            }
            self.plan_hour();
        }
        self.waiting.pop().map(|Reverse(dated)| dated)
    }
}

fn next_full_hour(at: Timestamp) -> Timestamp {
    const HOUR_MICROS: i64 = 3_600_000_000;
    Timestamp::from_micros((at.as_micros().div_euclid(HOUR_MICROS) + 1) * HOUR_MICROS)
}

fn author_of(chance: &mut Chance) -> String {
    format!("dev-{:02}", 1 + chance.below(42))
}

fn pick_breakage(chance: &mut Chance, lint_rate: f64, compile_rate: f64) -> Option<Breakage> {
    let drawn = chance.unit();
    if drawn < lint_rate {
        return Some(Breakage::Lint);
    }
    (drawn < lint_rate + compile_rate).then_some(Breakage::Compile)
}

/// The tests a change breaks: mostly none, else a few.
fn pick_broken(chance: &mut Chance, rate: f64) -> Vec<u64> {
    if !chance.happens(rate) {
        return Vec::new();
    }
    let count = 1 + chance.below(4);
    (0..count).map(|_| chance.next()).collect()
}
