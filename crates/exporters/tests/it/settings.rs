//! Settings from a file and the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use manometer_exporters::settings::is_variable;
use manometer_exporters::{ExportSettings, configured};
use manometer_model::{Clock, Problems, SystemClock};

fn from(variables: &[(&str, &str)]) -> (ExportSettings, Problems) {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    let mut problems = Problems::new();
    let lookup = |name: &str| variables.get(name).map(|text| (*text).to_owned());
    let settings = ExportSettings::default().with_environment(&lookup, &mut problems);
    (settings, problems)
}

fn names_of(settings: &ExportSettings) -> (Vec<&'static str>, Problems) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut problems = Problems::new();
    let exporters = configured(settings, &clock, &mut problems);
    (exporters.iter().map(|exporter| exporter.name()).collect(), problems)
}

#[test]
fn an_empty_environment_exports_nothing() {
    let (settings, problems) =
        from(&[("INFLUXDB_TOKEN", "t"), ("AWS_ACCESS_KEY_ID", "k"), ("MANOMETER_STATSD_HOST", " ")]);
    assert_eq!(settings, ExportSettings::default());
    assert_eq!((names_of(&settings).0.len(), problems.total), (0, 0));
}

#[test]
fn one_variable_each_is_enough_and_the_own_name_wins() {
    let (settings, problems) = from(&[
        ("INFLUXDB_URL", "http://seed:8086"),
        ("MANOMETER_INFLUXDB_URL", "http://own:8086"),
        ("INFLUXDB_BUCKET", "ci-metrics"),
        ("PANTHER_METRICS_STATSD_HOST", "localhost:8125"),
        ("PANTHER_METRICS_S3_BUCKET", "my-metrics-bucket"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
        ("MANOMETER_PUSHGATEWAY_URL", "http://gateway:9091"),
        ("MANOMETER_REMOTE_WRITE_URL", "http://prometheus:9090/api/v1/write"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, x=1+1"),
    ]);
    assert_eq!(problems, Problems::new());
    assert_eq!(settings.influxdb.as_ref().unwrap().url.as_deref(), Some("http://own:8086"));
    let (names, problems) = names_of(&settings);
    assert_eq!(names, ["influxdb", "statsd", "pushgateway", "remote_write", "bucket", "otlp"]);
    assert_eq!(problems, Problems::new());
}

#[test]
fn exporters_can_be_chosen_and_switched_off() {
    let known = [("MANOMETER_STATSD_HOST", "h"), ("MANOMETER_PUSHGATEWAY_URL", "http://g")];
    let with = |only: &'static str| names_of(&from(&[known[0], known[1], ("MANOMETER_EXPORTERS", only)]).0);
    assert_eq!(with("statsd").0, ["statsd"]);
    assert_eq!(with("none"), (Vec::new(), Problems::new()));
    let (names, problems) = with("pushgateway, influx, otlp");
    assert_eq!(names, ["pushgateway"]);
    let told: Vec<String> = problems.first.iter().map(ToString::to_string).collect();
    assert!(
        told[0].contains("`influx` is no exporter") && told[1].contains("`otlp` is asked for"),
        "{told:?}"
    );
}

#[test]
fn what_is_wrong_costs_its_exporter_and_names_the_setting() {
    for (variables, field, words) in [
        (vec![("INFLUXDB_URL", "http://i")], "export.influxdb.bucket", "INFLUXDB_BUCKET"),
        (
            vec![("INFLUXDB_URL", "influx:8086"), ("INFLUXDB_BUCKET", "b")],
            "export.influxdb.url",
            "influx:8086",
        ),
        (vec![("MANOMETER_PUSHGATEWAY_URL", "gateway")], "export.pushgateway.url", "`gateway`"),
        (vec![("MANOMETER_S3_BUCKET", "b")], "export.bucket.access_key_id", "AWS_ACCESS_KEY_ID"),
        (vec![("MANOMETER_S3_BUCKET", "gs://")], "export.bucket.bucket", "gs://"),
        (
            vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            "export.otlp.protocol",
            "4318",
        ),
    ] {
        let (names, problems) = names_of(&from(&variables).0);
        assert!(names.is_empty(), "{variables:?}");
        let told = problems.first[0].to_string();
        assert!(told.starts_with(&format!("{field}: ")) && told.contains(words), "{told}");
    }
    let (_, problems) = from(&[("MANOMETER_STATSD_HOST", "h"), ("MANOMETER_STATSD_FORMAT", "dog")]);
    assert!(problems.first[0].to_string().contains("MANOMETER_STATSD_FORMAT: `dog` is not"), "{problems:?}");
    let (_, problems) =
        from(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"), ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,hunter2")]);
    let told = problems.first[0].to_string();
    assert!(told.contains("entry 2") && !told.contains("hunter2"), "{told}");
}

#[test]
fn every_variable_that_is_read_is_listed() {
    let asked = Mutex::new(BTreeSet::new());
    for value in [None, Some("http://x")] {
        let lookup = |name: &str| {
            asked.lock().unwrap().insert(name.to_owned());
            // Some are only read when others are set.
            value.filter(|_| !name.contains("DISABLED")).map(str::to_owned)
        };
        drop(ExportSettings::default().with_environment(&lookup, &mut Problems::new()));
    }
    for name in asked.into_inner().unwrap() {
        assert!(is_variable(&name), "{name} is read and not listed");
    }
    assert!(!is_variable("MANOMETER_INFLUXDB_URI") && !is_variable("HOME"));
}

#[test]
fn an_unknown_setting_is_an_error_that_names_it() {
    let refused = toml::from_str::<ExportSettings>("[influxdb]\nbukket = 'x'").unwrap_err().to_string();
    assert!(refused.contains("bukket"), "{refused}");
}
