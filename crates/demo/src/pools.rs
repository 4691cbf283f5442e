//! Runner pools, and how long a job waits for one of their runners.

use manometer_model::Timestamp;

use crate::calendar::Calendar;
use crate::chance::Chance;
use crate::planted::Planted;

/// Runners of one kind.
#[derive(Debug, PartialEq)]
pub(crate) struct Pool {
    pub(crate) provider: &'static str,
    pub(crate) name: &'static str,
    pub(crate) os: &'static str,
    pub(crate) arch: &'static str,
    pub(crate) runners: usize,
    /// Share of the runners at work in the busiest hour of a normal week at the end of history.
    pub(crate) peak_use: f64,
    /// How many times longer work takes here than on `linux-large`.
    pub(crate) slowness: f64,
    /// What a minute costs.
    pub(crate) minute_price: f64,
}

const fn pool(
    provider: &'static str,
    name: &'static str,
    (os, arch): (&'static str, &'static str),
    runners: usize,
    [peak_use, slowness, minute_price]: [f64; 3],
) -> Pool {
    Pool { provider, name, os, arch, runners, peak_use, slowness, minute_price }
}

const LINUX: (&str, &str) = ("linux", "x86_64");

pub(crate) static LINUX_LARGE: Pool = pool("github", "linux-large", LINUX, 12, [0.72, 1.0, 0.032]);
pub(crate) static LINUX_SMALL: Pool = pool("github", "linux-small", LINUX, 10, [0.55, 1.1, 0.008]);
pub(crate) static DOCKER: Pool = pool("gitlab", "docker", LINUX, 6, [0.5, 1.1, 0.01]);
pub(crate) static MACOS: Pool = pool("gitlab", "macos", ("macos", "aarch64"), 3, [0.95, 0.9, 0.08]);
pub(crate) static GPU: Pool = pool("gitlab", "gpu", LINUX, 2, [0.9, 1.0, 0.12]);
pub(crate) static AGENTS: Pool = pool("jenkins", "agents", LINUX, 4, [0.6, 1.3, 0.02]);
pub(crate) static WINDOWS: Pool = pool("jenkins", "windows", ("windows", "x86_64"), 3, [0.8, 1.6, 0.03]);

/// All pools of the organisation.
pub(crate) static POOLS: [&Pool; 7] = [&LINUX_LARGE, &LINUX_SMALL, &DOCKER, &MACOS, &GPU, &AGENTS, &WINDOWS];

impl Pool {
    /// The name of one of its runners, counted from 0.
    pub(crate) fn runner_name(&self, runner: usize) -> String {
        format!("{}-{:02}", self.name, runner + 1)
    }

    /// How long a job waits that asks for a runner at that time.
    ///
    /// While there are free runners only seconds pass; the wait grows with the fourth power of the pool's use. Past
    /// nine tenths jobs pile up: six minutes more for every tenth of its runners that the pool lacks.
    pub(crate) fn queue_seconds(
        &self,
        at: Timestamp,
        calendar: &Calendar,
        planted: &Planted,
        chance: &mut Chance,
    ) -> f64 {
        let load = calendar.workload(at) * calendar.growth(at) * planted.pool_load_factor(self.name, at);
        let used = self.peak_use * load;
        let median = 4.0 + 45.0 * used.min(1.0).powi(4) + (used - 0.9).max(0.0) * 3_600.0;
        chance.log_normal(median, 0.45)
    }
}
