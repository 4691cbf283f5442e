//! A real disk that is full: a tmpfs of a few megabytes.

use std::time::{Duration, Instant};

use manometer_testkit::{ServerProcess, SmallDisk};

use crate::crash::{restless_server, store_check};
use crate::oracle;
use crate::workload::Mix;

#[test]
fn a_full_disk_is_refused_clearly_read_from_and_recovered_from_without_a_restart() {
    let disk = match SmallDisk::mount(24 << 20) {
        Ok(disk) => disk,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let ballast = disk.fill(16 << 20).unwrap();
    let data = disk.path().join("data");
    let server = ServerProcess::start(restless_server(&data)).unwrap();
    let mut client = server.client();
    let mut mix = Mix::new("disk".into(), 0, 5);
    let mut sent = Vec::new();

    let refusal = loop {
        let mut delivery = mix.next();
        let response = delivery.send(&mut client).unwrap();
        let is_taken = delivery.is_acknowledged();
        sent.push(delivery);
        if !is_taken {
            break response;
        }
        assert!(sent.len() < 100_000, "8 MiB hold all this and are not full");
    };
    assert_eq!(refusal.status, 507, "{}", refusal.text());
    assert!(refusal.text().contains("full") || refusal.text().contains("space"), "{}", refusal.text());
    oracle::check(&mut client, &sent, "while the disk is full");
    assert_ne!(client.get("/ready").unwrap().status, 200, "a load balancer has to be told");

    std::fs::remove_file(ballast).unwrap();
    let mut delivery = mix.next();
    let began = Instant::now();
    while !delivery.is_acknowledged() {
        let response = delivery.send(&mut client).unwrap();
        assert!(began.elapsed() < Duration::from_secs(60), "{} {}", response.status, response.text());
        std::thread::sleep(Duration::from_millis(20));
    }
    sent.push(delivery);
    oracle::resend(&mut client, &mut sent, "space is back");
    oracle::check(&mut client, &sent, "space is back");
    assert_eq!(client.get("/ready").unwrap().status, 200);

    let server = server.start_again().unwrap();
    oracle::check(&mut server.client(), &sent, "after the restart");
    drop(server);
    store_check(&data);
}
