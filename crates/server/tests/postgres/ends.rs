//! How connections end: too many, idle, the server's end, the client's going away; and encryption.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use manometer_server::{PostgresOptions, TlsFiles};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Harness, connect, simple};
use crate::protocol::ENDLESS;

#[tokio::test]
async fn connections_past_the_limit_are_told_so() {
    let server = Harness::start_with(|options| options.limits.postgres_connections = 2).await;
    let (_one, two) = (server.connect().await, server.connect().await);
    let refused = connect(&server.config()).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "53300", "{refused}");
    assert_eq!(simple(&two, "SELECT 1").await, ["1"]);
}

#[tokio::test]
async fn an_idle_connection_is_ended_with_a_word() {
    let server = Harness::start_with(|options| options.limits.postgres_idle_seconds = 0).await;
    let mut config = server.config();
    config.connect_timeout(Duration::from_secs(30));
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let ended = connection.await.unwrap_err();
    assert_eq!(ended.code().unwrap().code(), "57P05", "{ended}");
    drop(client);
}

#[tokio::test]
async fn the_servers_end_is_told_to_whoever_is_connected() {
    let server = Harness::start().await;
    let (client, connection) = server.config().connect(tokio_postgres::NoTls).await.unwrap();
    server.server.shutdown().await;
    let ended = connection.await.unwrap_err();
    assert_eq!(ended.code().unwrap().code(), "57P01", "{ended}");
    drop(client);
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_query_with_it() {
    let server = Harness::start().await;
    let (client, connection) = server.config().connect(tokio_postgres::NoTls).await.unwrap();
    let engine = server.server.app().engine.clone();
    // Both ends of the driver go at once, so that its socket is closed in the midst of the query.
    let asking = tokio::spawn(async move { tokio::join!(connection, client.simple_query(ENDLESS)) });
    while engine.running() == 0 {
        tokio::task::yield_now().await;
    }
    asking.abort();
    while engine.running() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn with_a_certificate_connections_are_encrypted_and_without_one_that_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    if !made.is_ok_and(|output| output.status.success()) {
        println!("skipped: no openssl to make a certificate with");
        return;
    }
    let pem = std::fs::read(&certificate).unwrap();
    let server = Harness::start_with(|options| {
        let listen = options.postgres.as_ref().unwrap().listen;
        options.postgres = Some(PostgresOptions { listen, tls: Some(TlsFiles { certificate, key }) });
    })
    .await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'S');
    let connector = tokio_rustls::TlsConnector::from(Arc::new(trusting_anyone()));
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let mut encrypted = connector.connect(name, stream).await.unwrap();
    assert!(!pem.is_empty());
    let startup = b"\0\x03\0\0user\0me\0database\0manometer\0\0";
    encrypted.write_all(&(startup.len() as u32 + 4).to_be_bytes()).await.unwrap();
    encrypted.write_all(startup).await.unwrap();
    assert_eq!(encrypted.read_u8().await.unwrap(), b'R');

    let plain = Harness::start().await;
    let mut stream = TcpStream::connect(plain.address()).await.unwrap();
    stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'N');
}

/// A client that believes any certificate: what is tested is that there is encryption.
fn trusting_anyone() -> rustls::ClientConfig {
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{DigitallySignedStruct, Error, SignatureScheme};

    #[derive(Debug)]
    struct Anyone(Arc<rustls::crypto::CryptoProvider>);

    impl ServerCertVerifier for Anyone {
        fn verify_server_cert(
            &self,
            _certificate: &CertificateDer<'_>,
            _others: &[CertificateDer<'_>],
            _name: &ServerName<'_>,
            _response: &[u8],
            _now: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let algorithms = &self.0.signature_verification_algorithms;
            rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let algorithms = &self.0.signature_verification_algorithms;
            rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.signature_verification_algorithms.supported_schemes()
        }
    }

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth()
}
