//! `manometer ingest`: report files into a local folder or a server, as one delivery.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _};

use anyhow::Context as _;
use manometer_ingest::{Admission, ContextFields, FileReport, IngestError, Ingested, Name, Part, reports};
use manometer_model::{Clock as _, Limits, Problem, Problems, SystemClock, Timestamp};
use manometer_providers::environment::{Surroundings, detect};
use manometer_store::{Outcome, Receipt, Store, StoreOptions};
use reqwest::blocking::multipart::{Form, Part as FormPart};
use serde::Deserialize;

use crate::args::{ContextArgs, IngestArgs};
use crate::commands::store::folder;
use crate::config::Config;
use crate::exit::{gate_failed, server, usage};
use crate::inputs::{self, Input};
use crate::output::{self, grouped};
use crate::progress;
use crate::remote::Remote;

/// Reads, stores and says what was understood.
pub(crate) fn run(arguments: &IngestArgs, config: &Config) -> anyhow::Result<()> {
    let inputs = inputs::resolve(&arguments.files)?;
    let fields = context(&arguments.context, config)?;
    let answer = match Remote::from_args(&arguments.remote)? {
        Some(remote) => to_server(&remote, arguments, &fields, &inputs)?,
        None => to_folder(arguments, config, &fields, &inputs)?,
    };
    report(&answer)
}

/// What the flags say about the run; where they are silent, what the CI system, git and at last the folder's name say.
fn context(arguments: &ContextArgs, config: &Config) -> anyhow::Result<ContextFields> {
    let detected = detect(&Surroundings::of_this_process(), &config.service_rules()?);
    detected.problems.first.iter().for_each(|problem| output::warn(problem.to_string()));
    let attempt = arguments.attempt.map(|attempt| attempt.to_string());
    let said: Vec<(&str, &str)> = [
        ("project", arguments.project.as_deref()),
        ("service", arguments.service.as_deref()),
        ("pipeline", arguments.pipeline.as_deref()),
        ("provider", arguments.provider.as_deref()),
        ("run_id", arguments.run_id.as_deref()),
        ("attempt", attempt.as_deref()),
        ("job_id", arguments.job_id.as_deref()),
        ("job_name", arguments.job_name.as_deref()),
        ("branch", arguments.branch.as_deref()),
        ("commit_sha", arguments.commit.as_deref()),
        ("trigger", arguments.trigger.as_deref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let folder_name = std::env::current_dir()
        .ok()
        .and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
    let mut fields = ContextFields::new();
    let mut set = |name: &str, text: &str| fields.set(name, text).map_err(|error| usage(error.to_string()));
    if let Some(name) = folder_name {
        set("project", &name)?;
    }
    for (name, text) in detected.upload_fields_beside(&said) {
        set(&name, text)?;
    }
    for (name, text) in said {
        set(name, text)?;
    }
    Ok(fields)
}

/// What became of the upload, whoever took it.
struct Answer {
    outcome: Outcome,
    files: Vec<FileReport>,
    problems: Problems,
    searched: Vec<String>,
}

fn to_folder(
    arguments: &IngestArgs,
    config: &Config,
    fields: &ContextFields,
    inputs: &[Input],
) -> anyhow::Result<Answer> {
    let mut options = StoreOptions::new(folder(&arguments.data, config));
    options.limits = config.limits.clone();
    let store = Store::open(options)?;
    let spinner = progress::spinner("reading");
    let parts = inputs.iter().map(|input| part(input, &config.limits)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut admission = Admission::open();
    admission.idempotency_key = arguments
        .idempotency_key
        .as_deref()
        .map(|key| Name::parse(key, config.limits.name_bytes))
        .transpose()
        .map_err(|error| usage(format!("--idempotency-key: {error}")))?;
    let ingested = reports::prepare(&store, fields, parts, &admission, &config.limits, SystemClock.now())
        .and_then(|prepared| prepared.commit_durable(&store));
    spinner.finish_and_clear();
    store.close();
    let Ingested { outcome, files, problems } = ingested.map_err(refused)?;
    Ok(Answer { outcome, files, problems, searched: searched(inputs) })
}

fn refused(error: IngestError) -> anyhow::Error {
    if let IngestError::NothingReadable { problems, .. } = &error {
        tell_problems(problems);
    }
    match error {
        IngestError::Store(_) | IngestError::Submit(_) | IngestError::Commit(_) => error.into(),
        other => usage(other.to_string()),
    }
}

fn part(input: &Input, limits: &Limits) -> anyhow::Result<Part> {
    match input {
        Input::Stdin => Ok(Part::from_memory(input.name(), stdin(limits)?)),
        Input::File { path, .. } => File::open(path)
            .and_then(|file| Part::from_file(input.name(), file))
            .map_err(|error| usage(format!("failed to read {}: {error}", path.display()))),
    }
}

fn stdin(limits: &Limits) -> anyhow::Result<Vec<u8>> {
    let mut content = Vec::new();
    let most = limits.body_bytes as u64;
    std::io::stdin()
        .lock()
        .take(most + 1)
        .read_to_end(&mut content)
        .context("failed to read standard input")?;
    if content.len() as u64 > most {
        return Err(usage(format!(
            "standard input is longer than {}: give it as a file, or raise the limit body_bytes",
            output::bytes(most)
        )));
    }
    Ok(content)
}

fn searched(inputs: &[Input]) -> Vec<String> {
    inputs
        .iter()
        .filter(|input| matches!(input, Input::File { searched: true, .. }))
        .map(Input::name)
        .collect()
}

/// The server's receipt; also the body of a 208.
#[derive(Debug, Deserialize)]
struct ServerReceipt {
    id: String,
    received_at: Timestamp,
    rows: BTreeMap<String, u64>,
    problem_count: u64,
    #[serde(default)]
    files: Vec<FileReport>,
    #[serde(default)]
    problems: Vec<Problem>,
}

fn to_server(
    remote: &Remote,
    arguments: &IngestArgs,
    fields: &ContextFields,
    inputs: &[Input],
) -> anyhow::Result<Answer> {
    let mut form = Form::new();
    for (name, value) in fields.iter() {
        form = form.text(name.to_owned(), value.to_owned());
    }
    for input in inputs {
        form = form.part("file", form_part(input)?.file_name(input.name()));
    }
    let mut request = remote.post("/api/v1/reports").multipart(form);
    if let Some(key) = &arguments.idempotency_key {
        request = request.header("idempotency-key", key);
    }
    let spinner = progress::spinner("sending");
    let response = remote.send(request)?;
    spinner.finish_and_clear();
    let known = response.status().as_u16() == 208;
    let text = response.text().map_err(|error| server(format!("the server's answer broke off: {error}")))?;
    let answer: ServerReceipt = serde_json::from_str(&text).map_err(|error| {
        server(format!("the server's answer is no receipt ({error}): is that a Manometer server?"))
    })?;
    let problems = Problems { total: answer.problem_count, first: answer.problems };
    let receipt = Receipt {
        id: answer.id,
        received_at: answer.received_at,
        rows: answer.rows,
        problems: answer.problem_count,
    };
    let outcome = if known { Outcome::Known(receipt) } else { Outcome::Committed(receipt) };
    Ok(Answer { outcome, files: answer.files, problems, searched: searched(inputs) })
}

fn form_part(input: &Input) -> anyhow::Result<FormPart> {
    let Input::File { path, .. } = input else {
        return Ok(FormPart::reader(std::io::stdin()));
    };
    let refuse = |error: std::io::Error| usage(format!("failed to read {}: {error}", path.display()));
    let mut file = File::open(path).map_err(refuse)?;
    let length = file.seek(std::io::SeekFrom::End(0)).map_err(refuse)?;
    file.rewind().map_err(refuse)?;
    Ok(FormPart::reader_with_length(file, length))
}

fn report(answer: &Answer) -> anyhow::Result<()> {
    for file in answer.files.iter().filter(|file| file.taken || !answer.searched.contains(&file.name)) {
        output::note(format!("{}: {}", file.name, understood(file)));
    }
    tell_problems(&answer.problems);
    match &answer.outcome {
        Outcome::Committed(receipt) => {
            let rows: Vec<String> =
                receipt.rows.iter().map(|(table, count)| format!("{} {table}", grouped(*count))).collect();
            output::data(&format!("stored {} (receipt {})\n", rows.join(", "), receipt.id))?;
        }
        Outcome::Known(receipt) => {
            output::data(&format!("stored before, at {} (receipt {})\n", receipt.received_at, receipt.id))?;
        }
        Outcome::Conflict(receipt) => {
            return Err(usage(format!(
                "this idempotency key was used before for something else (receipt {}): choose another",
                receipt.id
            )));
        }
    }
    let unreadable =
        answer.files.iter().filter(|file| !file.taken && !answer.searched.contains(&file.name)).count();
    if unreadable > 0 {
        return Err(gate_failed(format!(
            "{unreadable} of the files could not be read; the others are stored"
        )));
    }
    Ok(())
}

/// `junit, 12 suites, 3,480 tests, 2 problems`
fn understood(file: &FileReport) -> String {
    let mut parts = vec![file.kind.clone()];
    for (count, what) in [
        (file.suites, "suites"),
        (file.tests, "tests"),
        (file.records, "records"),
        (file.problems, "problems"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", grouped(count)));
        }
    }
    parts.join(", ")
}

fn tell_problems(problems: &Problems) {
    for problem in &problems.first {
        output::warn(problem.to_string());
    }
    let hidden = problems.total.saturating_sub(problems.first.len() as u64);
    if hidden > 0 {
        output::warn(format!("and {} more problems", grouped(hidden)));
    }
}
