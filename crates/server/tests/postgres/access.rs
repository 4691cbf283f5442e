//! Who gets in: passwords that are tokens, scopes, projects, tokens that end.

use manometer_model::{Clock as _, SystemClock};
use manometer_server::access::Scope;

use crate::harness::{Harness, connect, simple, sql_state};

#[tokio::test]
async fn without_a_token_everyone_on_this_machine_gets_in_and_with_one_only_its_holder() {
    let server = Harness::start().await;
    let before = server.connect().await;
    assert_eq!(simple(&before, "SELECT 1").await, ["1"]);
    let (_, secret) = server.token(&[Scope::Query], None);
    assert_eq!(
        sql_state(&before, "SELECT 1").await,
        "28000",
        "who came in by the open door goes when it is shut"
    );

    let without = connect(&server.config()).await.unwrap_err();
    assert!(format!("{without:?}").contains("password"), "{without:?}");
    for wrong in ["", "mano_wrong", "Secret", &format!("{secret}x")] {
        let refused = connect(server.config().password(wrong)).await.unwrap_err();
        assert_eq!(refused.code().map(|code| code.code()), Some("28P01"), "{wrong}: {refused}");
    }
    for user in ["grafana", "anyone else", "é"] {
        let client = connect(server.config().user(user).password(&secret)).await.unwrap();
        assert_eq!(simple(&client, "SELECT current_user").await, [user]);
    }
}

#[tokio::test]
async fn a_token_needs_the_scope_query_and_sees_only_its_projects() {
    let server = Harness::start().await;
    server.fill().await;
    let (_, ingest) = server.token(&[Scope::Ingest], None);
    let refused = connect(server.config().password(&ingest)).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "28000");
    assert!(refused.as_db_error().unwrap().message().contains("`query`"));

    let (_, scoped) = server.token(&[Scope::Query], Some(&["github.com/acme/shop"]));
    let client = connect(server.config().password(&scoped)).await.unwrap();
    assert_eq!(simple(&client, "SELECT DISTINCT project FROM runs").await, ["github.com/acme/shop"]);
    assert_eq!(simple(&client, "SELECT count(*) FROM tests").await, ["20"]);
    let statement = client.prepare("SELECT count(*) FROM runs WHERE project LIKE $1").await.unwrap();
    let row = client.query_one(&statement, &[&"%"]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 20);
    assert_eq!(sql_state(&client, "EXPLAIN ANALYZE SELECT * FROM runs").await, "0A000");
}

#[tokio::test]
async fn a_token_taken_back_ends_its_connections_with_their_next_question() {
    let server = Harness::start().await;
    let (id, secret) = server.token(&[Scope::Query], None);
    let client = connect(server.config().password(&secret)).await.unwrap();
    assert_eq!(simple(&client, "SELECT 1").await, ["1"]);
    server.tokens().revoke(&id, SystemClock.now()).unwrap();
    assert_eq!(sql_state(&client, "SELECT 1").await, "28000");
    let again = connect(server.config().password(&secret)).await.unwrap_err();
    assert_eq!(again.code().unwrap().code(), "28P01");
}

#[tokio::test]
async fn there_is_one_database_and_its_name_is_told() {
    let server = Harness::start().await;
    let refused = connect(server.config().dbname("postgres")).await.unwrap_err();
    let told = refused.as_db_error().unwrap();
    assert_eq!(told.code().code(), "3D000");
    assert!(told.hint().unwrap().contains("manometer"), "{told:?}");
}
