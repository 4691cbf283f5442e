//! PostgreSQL's own programs and drivers, as they are installed: psql, psycopg 3 and 2, SQLAlchemy and pandas, JDBC.
//! What is not installed is skipped, and said.

use std::path::Path;
use std::process::{Command, Output};

use manometer_server::access::Scope;

use crate::harness::{Harness, TABLES, VIEWS};

/// Runs a program against a server that wants a token; `None`, said aloud, where the program is not there.
async fn run(server: &Harness, secret: &str, program: &str, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("PGHOST", server.address().ip().to_string())
        .env("PGPORT", server.address().port().to_string())
        .env("PGUSER", "someone")
        .env("PGPASSWORD", secret)
        .env("PGDATABASE", "manometer")
        .env("PGCONNECT_TIMEOUT", "60");
    let ended = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    match ended {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: {program} is not installed");
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

async fn guarded() -> (Harness, String) {
    let server = Harness::start().await;
    server.fill().await;
    let (_, secret) = server.token(&[Scope::Query], None);
    (server, secret)
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn psql_asks_and_describes() {
    let (server, secret) = guarded().await;
    for (command, wanted) in [
        ("select count(*) from runs", "count"),
        ("select max(number), 'x' from runs", "?column?"),
        ("\\conninfo", "manometer"),
        ("\\d", "metrics_pipeline"),
        ("\\dt", "deliveries"),
        ("\\dv", "metrics_build"),
        ("\\d tests", "timestamp with time zone"),
        ("\\d metrics_pipeline", "duration_e2e"),
        ("\\dn", "public"),
        ("\\df", "List of functions"),
        ("\\du", "List of roles"),
        ("\\l", "manometer"),
    ] {
        let Some(output) = run(&server, &secret, "psql", &["-X", "-c", command]).await else { return };
        let text = told(&output);
        assert!(
            output.status.success() && text.contains(wanted) && !text.contains("ERROR"),
            "{command}: {text}"
        );
    }
    let refused = run(&server, "mano_wrong", "psql", &["-X", "-c", "select 1"]).await.unwrap();
    assert!(told(&refused).contains("password authentication failed"), "{}", told(&refused));
}

#[tokio::test]
async fn psycopg_sqlalchemy_and_pandas_read_and_reflect() {
    let Ok(python) = std::env::var("MANOMETER_TEST_PYTHON") else {
        println!("skipped: no Python (MANOMETER_TEST_PYTHON holds no interpreter)");
        return;
    };
    let (server, secret) = guarded().await;
    let has = run(&server, &secret, &python, &["-c", "import psycopg, psycopg2, pandas, sqlalchemy"]).await;
    if !has.is_some_and(|output| output.status.success()) {
        println!("skipped: {python} lacks psycopg, psycopg2, pandas or sqlalchemy");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres/clients/python.py");
    let output = run(&server, &secret, &python, &[script.to_str().unwrap()]).await.unwrap();
    assert!(output.status.success() && told(&output).contains("all done"), "{}", told(&output));
}

#[tokio::test]
async fn jdbc_reads_prepares_and_describes() {
    let Some(driver) = ["/usr/share/java/postgresql.jar"].into_iter().find(|path| Path::new(path).exists())
    else {
        println!(
            "skipped: no driver of JDBC (/usr/share/java/postgresql.jar, package libpostgresql-jdbc-java)"
        );
        return;
    };
    let (server, secret) = guarded().await;
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres/clients/Reads.java");
    let (tables, views) = (TABLES.to_string(), VIEWS.to_string());
    let arguments = ["-cp", driver, program.to_str().unwrap(), &tables, &views];
    let Some(output) = run(&server, &secret, "java", &arguments).await else { return };
    assert!(output.status.success() && told(&output).contains("all done"), "{}", told(&output));
}
