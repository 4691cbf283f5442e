//! `manometer ingest`: report files into a local folder or a server, as one delivery.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::Context as _;
use manometer_ingest::{
    Admission, ContextFields, FileReport, IngestError, Ingested, Listing, Name, Part, RecordLines, reports,
};
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
    let mut inputs = inputs::resolve(&arguments.files)?;
    if !arguments.artifacts.is_empty() {
        inputs.push(artifacts(&arguments.artifacts, &config.limits)?);
    }
    let fields = context(&arguments.context, config)?;
    if arguments.dry_run {
        return dry_run(config, &fields, &inputs);
    }
    let answer = match Remote::from_args(&arguments.remote)? {
        Some(remote) => to_server(&remote, arguments, &fields, &inputs)?,
        None => to_folder(arguments, config, &fields, &inputs)?,
    };
    report(&answer)
}

/// Measures files and folders where they lie.
fn artifacts(arguments: &[String], limits: &Limits) -> anyhow::Result<Input> {
    let mut listing = Listing::new();
    for argument in arguments {
        let named =
            argument.split_once('=').filter(|(name, _)| !name.is_empty() && !Path::new(argument).exists());
        let (name, path) = named.unwrap_or((argument.trim_end_matches('/'), argument));
        listing
            .add(name, Path::new(path), limits)
            .map_err(|error| usage(format!("--artifact: failed to measure {path}: {error}")))?;
    }
    tell_problems(&listing.problems);
    Ok(Input::Artifacts { listing: listing.to_report()? })
}

/// Shows what would be stored: the records on standard output, the account of the files beside it.
fn dry_run(config: &Config, fields: &ContextFields, inputs: &[Input]) -> anyhow::Result<()> {
    let parts = inputs.iter().map(|input| part(input, &config.limits)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut lines = RecordLines::new(&mut out);
    let shown =
        reports::dry_run(fields, parts, &config.limits, SystemClock.now(), &mut lines).map_err(refused)?;
    out.flush()?;
    tell_files(&shown.files, &shown.problems, &searched(inputs))
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
        IngestError::Write(error) => error.into(),
        IngestError::Store(_) | IngestError::Submit(_) | IngestError::Commit(_) => error.into(),
        other => usage(other.to_string()),
    }
}

fn part(input: &Input, limits: &Limits) -> anyhow::Result<Part> {
    match input {
        Input::Stdin => Ok(Part::from_memory(input.name(), stdin(limits)?)),
        Input::Artifacts { listing } => Ok(Part::from_memory(input.name(), listing.clone())),
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
    let path = match input {
        Input::File { path, .. } => path,
        Input::Stdin => return Ok(FormPart::reader(std::io::stdin())),
        Input::Artifacts { listing } => return Ok(FormPart::bytes(listing.clone())),
    };
    let refuse = |error: std::io::Error| usage(format!("failed to read {}: {error}", path.display()));
    let mut file = File::open(path).map_err(refuse)?;
    let length = file.seek(std::io::SeekFrom::End(0)).map_err(refuse)?;
    file.rewind().map_err(refuse)?;
    Ok(FormPart::reader_with_length(file, length))
}

fn report(answer: &Answer) -> anyhow::Result<()> {
    let all_were_read = tell_files(&answer.files, &answer.problems, &answer.searched);
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
    all_were_read
}

/// Says of each file what was understood; an error where a file that was named could not be read.
fn tell_files(files: &[FileReport], problems: &Problems, searched: &[String]) -> anyhow::Result<()> {
    let is_told = |file: &&FileReport| file.taken || !searched.contains(&file.name);
    for file in files.iter().filter(is_told) {
        output::note(format!("{}: {}", file.name, understood(file)));
    }
    tell_problems(problems);
    match files.iter().filter(|file| !file.taken && !searched.contains(&file.name)).count() {
        0 => Ok(()),
        unreadable => {
            Err(gate_failed(format!("{unreadable} of the files could not be read; the others were read")))
        }
    }
}

/// `junit, 12 suites, 3,480 tests, 2 problems`; `cobertura, 12 packages, 340 files, 81.2 % lines`
fn understood(file: &FileReport) -> String {
    // Rows of measurements are told by what they are.
    let is_measured = file.files + file.builds + file.artifacts > 0;
    let mut parts = vec![file.kind.clone()];
    for (count, what) in [
        (file.suites, "suites"),
        (file.tests, "tests"),
        (file.packages, "packages"),
        (file.files, "files"),
        (file.builds, "builds"),
        (file.artifacts, "artifacts"),
        (if is_measured { 0 } else { file.records }, "records"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", grouped(count)));
        }
    }
    if file.lines_valid > 0 {
        parts.push(format!("{:.1} % lines", file.lines_covered as f64 * 100.0 / file.lines_valid as f64));
    }
    if file.problems > 0 {
        parts.push(format!("{} problems", grouped(file.problems)));
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
