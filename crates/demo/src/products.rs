//! What jobs bring forth besides tests: artifacts, builds, coverage, cache uses, measured values.

use manometer_model::records::{Artifact, Build, Cache, Coverage, Sample};
use manometer_model::{Conclusion, Labels, Record};

use crate::chance::{Chance, mix, number_of};
use crate::plan::{JobPlan, RunPlan, StepPlan, WorkPlan, World};
use crate::planted::{COVERAGE_DECLINE, declining_coverage};
use crate::record_of_run::has_succeeded;
use crate::services::Service;

/// A job whose products are being written down.
struct Producer<'a> {
    world: &'a World,
    service: &'a Service,
    run: &'a RunPlan,
    job: &'a JobPlan,
    work: &'a WorkPlan,
    job_id: &'a str,
}

/// Adds the products of a job that ran.
pub(crate) fn products_of_job(
    world: &World,
    run: &RunPlan,
    job: &JobPlan,
    work: &WorkPlan,
    job_id: &str,
    records: &mut Vec<Record>,
) {
    let service = &world.services[run.request.service];
    let producer = Producer { world, service, run, job, work, job_id };
    let mut chance = Chance::new(mix(run.request.seed, &[number_of(job_id), run.request.attempt as u64]));
    for step in &work.steps {
        match step.name {
            "compile" => records.push(producer.build("compile", step).into()),
            "build image" => records.push(producer.build("image", step).into()),
            "restore cache" => records.push(producer.cache(step, &mut chance).into()),
            _ => {}
        }
    }
    if job.template.name == "package" && has_succeeded(job) {
        let image = producer.artifact("image", 180_000_000.0, &mut chance);
        let bundle = producer.artifact("bundle", 24_000_000.0, &mut chance);
        records.extend([image.into(), bundle.into()]);
    }
    if job.template.name == "unit" && job.tests().is_some() {
        records.extend(producer.coverage(&mut chance).map(Record::from));
    }
    if matches!(job.template.name, "build" | "unit" | "integration") {
        let memory =
            producer.sample("ram.peak_mb", chance.log_normal(2_400.0 * service.size, 0.12), "megabytes");
        let busy = producer.sample("cpu.busy_percent", chance.between(48.0, 93.0), "percent");
        records.extend([memory.into(), busy.into()]);
    }
}

impl Producer<'_> {
    /// A number that belongs to the service, not to the run: the same all through history.
    fn own_unit(&self, what: &str) -> f64 {
        Chance::new(mix(self.world.options.seed, &[number_of(&self.service.name), number_of(what)])).unit()
    }

    fn build(&self, name: &str, step: &StepPlan) -> Build {
        let request = &self.run.request;
        Build {
            provider: self.service.project.provider.to_owned(),
            project: self.service.project.name.to_owned(),
            service: Some(self.service.name.clone()),
            pipeline: Some(request.pipeline.name().to_owned()),
            run_id: request.run_id.to_string(),
            run_attempt: request.attempt,
            job_id: Some(self.job_id.to_owned()),
            branch: Some(request.branch.clone()),
            commit_sha: Some(request.commit.sha.clone()),
            name: format!("{}-{name}", self.service.name),
            duration_seconds: Some(step.finished_at.seconds_since(step.started_at)),
            success: Some(step.conclusion == Conclusion::Success),
            at: step.finished_at,
        }
    }

    fn cache(&self, step: &StepPlan, chance: &mut Chance) -> Cache {
        let request = &self.run.request;
        let hit = chance.happens(0.86);
        let cache_type = if self.job.template.name == "package" { "docker" } else { "dependencies" };
        Cache {
            provider: self.service.project.provider.to_owned(),
            project: self.service.project.name.to_owned(),
            service: Some(self.service.name.clone()),
            run_id: Some(request.run_id.to_string()),
            run_attempt: request.attempt,
            job_id: Some(self.job_id.to_owned()),
            cache_type: cache_type.to_owned(),
            cache_key: Some(format!("{cache_type}-{}-{}", self.service.name, request.content_at.day() / 9)),
            operation: Some("restore".to_owned()),
            hit: Some(hit),
            size_bytes: hit.then(|| chance.log_normal(210_000_000.0 * self.service.size, 0.05) as i64),
            duration_seconds: Some(step.finished_at.seconds_since(step.started_at)),
            at: step.finished_at,
        }
    }

    fn artifact(&self, kind: &str, median_bytes: f64, chance: &mut Chance) -> Artifact {
        let request = &self.run.request;
        let name = format!("{}-{kind}", self.service.name);
        let factor = self.world.planted.artifact_factor(&name, request.content_at);
        let growth = 1.0 + 0.04 * self.world.calendar.progress(request.content_at);
        let own_bytes = median_bytes * (0.6 + 0.8 * self.own_unit(kind)) * growth * factor;
        Artifact {
            provider: self.service.project.provider.to_owned(),
            project: self.service.project.name.to_owned(),
            service: Some(self.service.name.clone()),
            pipeline: Some(request.pipeline.name().to_owned()),
            run_id: request.run_id.to_string(),
            run_attempt: request.attempt,
            job_id: Some(self.job_id.to_owned()),
            branch: Some(request.branch.clone()),
            commit_sha: Some(request.commit.sha.clone()),
            kind: Some(if kind == "image" { "image" } else { "package" }.to_owned()),
            size_bytes: chance.log_normal(own_bytes, 0.006) as i64,
            name,
            at: self.work.finished_at,
        }
    }

    /// Coverage of the whole service and of its three parts; the parts add up to the whole.
    fn coverage(&self, chance: &mut Chance) -> [Coverage; 4] {
        let progress = self.world.calendar.progress(self.run.request.content_at);
        let usual = 0.68 + 0.24 * self.own_unit("coverage");
        let declines = self.service.name == COVERAGE_DECLINE.service;
        let ratio = if declines { declining_coverage(progress) } else { usual };
        let lines = 9_000.0 * self.service.size * (1.0 + 0.08 * progress);
        let mut total = self.covered("total", None, 0.0, 0.0);
        let parts =
            [("core", 0.5, 0.03), ("api", 0.3, -0.01), ("store", 0.2, -0.06)].map(|(name, share, offset)| {
                let covered = (ratio + offset + 0.003 * chance.normal()).clamp(0.0, 1.0);
                let part = self.covered("package", Some(name), lines * share, covered);
                let add = |sum: &mut Option<i64>, more: Option<i64>| {
                    *sum = sum.zip(more).map(|(sum, more)| sum + more)
                };
                add(&mut total.lines_covered, part.lines_covered);
                add(&mut total.lines_valid, part.lines_valid);
                add(&mut total.branches_covered, part.branches_covered);
                add(&mut total.branches_valid, part.branches_valid);
                part
            });
        let [core, api, store] = parts;
        [total, core, api, store]
    }

    fn covered(&self, scope: &str, part: Option<&str>, lines: f64, ratio: f64) -> Coverage {
        let request = &self.run.request;
        Coverage {
            provider: self.service.project.provider.to_owned(),
            project: self.service.project.name.to_owned(),
            service: Some(self.service.name.clone()),
            pipeline: Some(request.pipeline.name().to_owned()),
            run_id: request.run_id.to_string(),
            run_attempt: request.attempt,
            job_id: Some(self.job_id.to_owned()),
            branch: Some(request.branch.clone()),
            commit_sha: Some(request.commit.sha.clone()),
            scope: scope.to_owned(),
            name: part.map(|part| format!("{}/{part}", self.service.name)),
            lines_covered: Some((lines * ratio).round() as i64),
            lines_valid: Some(lines.round() as i64),
            branches_covered: Some((lines * 0.3 * ratio * 0.92).round() as i64),
            branches_valid: Some((lines * 0.3).round() as i64),
            functions_covered: None,
            functions_valid: None,
            at: self.work.finished_at,
        }
    }

    fn sample(&self, name: &str, value: f64, unit: &str) -> Sample {
        let request = &self.run.request;
        Sample {
            provider: self.service.project.provider.to_owned(),
            project: self.service.project.name.to_owned(),
            service: Some(self.service.name.clone()),
            pipeline: Some(request.pipeline.name().to_owned()),
            run_id: Some(request.run_id.to_string()),
            run_attempt: request.attempt,
            job_id: Some(self.job_id.to_owned()),
            branch: Some(request.branch.clone()),
            commit_sha: Some(request.commit.sha.clone()),
            name: name.to_owned(),
            value,
            unit: Some(unit.to_owned()),
            tags: Labels::new(),
            at: self.work.finished_at,
        }
    }
}
