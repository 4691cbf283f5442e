//! Exporters from settings, and a timer that waits for nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use manometer_exporters::settings::SendingSettings;
use manometer_exporters::{Deadline, ExportSettings, Exporter, Timer, configured};
use manometer_model::{Clock, Problems, SystemClock, Timestamp};

/// The only exporter these settings ask for.
pub(crate) fn exporter(settings: &ExportSettings) -> Box<dyn Exporter> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut problems = Problems::new();
    let mut exporters = configured(settings, &clock, &mut problems);
    assert_eq!(problems, Problems::new());
    assert_eq!(exporters.len(), 1);
    exporters.pop().unwrap()
}

/// Settings from a section of a config file.
pub(crate) fn settings(toml: &str) -> ExportSettings {
    let mut settings: ExportSettings = toml::from_str(toml).unwrap();
    settings.sending = SendingSettings { answer_seconds: 5, ..SendingSettings::default() };
    settings
}

/// Now, to the second: what receivers that refuse old times still take.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(SystemClock.now().as_micros() / 1_000_000)
}

/// Time enough for anything.
pub(crate) fn plenty() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

/// A timer whose time passes only by pauses, at once; it remembers them.
#[derive(Debug, Default)]
pub(crate) struct Pauses(Mutex<Vec<Duration>>);

impl Pauses {
    pub(crate) fn deadline(self: &Arc<Self>, time_left: Duration) -> Deadline {
        let timer: Arc<dyn Timer> = self.clone();
        Deadline::on(timer, time_left)
    }

    pub(crate) fn taken(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

impl Timer for Pauses {
    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().iter().sum()
    }

    fn pause(&self, pause: Duration) {
        self.0.lock().unwrap().push(pause);
    }
}
