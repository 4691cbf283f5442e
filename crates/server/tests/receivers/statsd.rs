//! StatsD over UDP.

use tokio::net::UdpSocket;

use crate::harness::Harness;
use manometer_testkit::programs::python;

#[tokio::test]
async fn datagrams_are_rows_within_moments_and_the_last_ones_at_the_end() {
    let harness = Harness::start().await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = harness.server.statsd_address().unwrap();
    socket.send_to(b"hits:1|c|#service:payments\nbroken\ntook:320|ms", address).await.unwrap();
    harness.wait_for_rows("samples", 2).await;
    assert_eq!(
        harness.rows("samples", &["name", "value", "service", "project", "provider"]),
        ["hits|1.0|payments|metrics|statsd", "took|320.0||metrics|statsd",]
    );
    // Datagrams of the same content are not the same delivery.
    socket.send_to(b"hits:1|c", address).await.unwrap();
    harness.wait_for_rows("samples", 3).await;
    socket.send_to(b"hits:1|c", address).await.unwrap();
    harness.wait_for_rows("samples", 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_for_python_send_here() {
    let harness = Harness::start().await;
    let port = harness.server.statsd_address().unwrap().port().to_string();
    let script = r#"
import sys, statsd
from datadog.dogstatsd import DogStatsd
port = int(sys.argv[1])
client = statsd.StatsClient("127.0.0.1", port, prefix="ci")
client.incr("builds")
client.timing("took", 320)
dog = DogStatsd(host="127.0.0.1", port=port, disable_telemetry=True, disable_buffering=True, origin_detection_enabled=False)
dog.gauge("depth", 7, tags=["service:payments"])
"#;
    if python(script, &["statsd", "datadog"], &[&port], b"").is_none() {
        return;
    }
    harness.wait_for_rows("samples", 3).await;
    assert_eq!(
        harness.rows("samples", &["name", "value", "service"]),
        ["ci.builds|1.0|", "ci.took|320.0|", "depth|7.0|payments",]
    );
}
