//! Registration and signal of an emulated modem: set on the control socket, seen on its command line.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

use std::path::Path;
use std::time::Duration;

use simpost::emulator::{Emulator, Settings};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio_serial::{SerialPortBuilderExt, SerialStream};

/// Long enough for a busy machine; only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(20);
/// To +447700900123, report requested.
const HEX: &str = "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";

async fn order(hand: &mut BufReader<UnixStream>, line: &str) {
    let typed = format!("{line}\n");
    hand.get_mut().write_all(typed.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = tokio::time::timeout(DEADLINE, hand.read_line(&mut answer));
    read.await.unwrap().unwrap();
    assert_eq!(answer, "{\"ok\":true}\n", "{line}");
}

/// What comes up to and with `end`, line ends as `|`.
async fn until(client: &mut SerialStream, end: &str) -> String {
    let mut got = Vec::new();
    while !got.ends_with(end.as_bytes()) {
        let read = tokio::time::timeout(DEADLINE, client.read_buf(&mut got)).await;
        assert!(
            matches!(read, Ok(Ok(1..))),
            "{}, not {end}",
            String::from_utf8_lossy(&got)
        );
    }
    String::from_utf8(got).unwrap().replace("\r\n", "|")
}

async fn ask(client: &mut SerialStream, line: &str, end: &str) -> String {
    client.write_all(line.as_bytes()).await.unwrap();
    until(client, end).await
}

fn open(path: &Path) -> SerialStream {
    let builder = tokio_serial::new(path.to_string_lossy(), 115_200);
    builder.open_native_async().unwrap()
}

#[tokio::test]
async fn a_modem_is_searching_denied_roaming_or_on_lte_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(1, dir.path().join("dev"));
    settings.control = Some(dir.path().join("control"));
    settings.radio = Duration::ZERO;
    let emulator = Emulator::start(&settings).unwrap();
    let path = dir.path().join("control");
    let mut hand = BufReader::new(UnixStream::connect(path).await.unwrap());
    let mut client = open(&emulator.ports()[0]);
    ask(&mut client, "ATE0+CREG=2;+CEREG=1\r", "OK\r\n").await;

    // Searching: all that asked for it hear of it, nothing is sent.
    order(&mut hand, r#"{"do":"registration","stat":2}"#).await;
    let told = until(&mut client, "+CEREG: 2\r\n").await;
    assert_eq!(told, "|+CREG: 2||+CEREG: 2|");
    let answer = ask(&mut client, "AT+CSQ;+COPS?\r", "OK\r\n").await;
    assert_eq!(answer, "|+CSQ: 99,99||+COPS: 0||OK|");
    let answer = ask(&mut client, "AT+CMGS=31\r", "331\r\n").await;
    assert_eq!(answer, "|+CMS ERROR: 331|");

    // LTE alone, weakly heard: texts pass all the same.
    let lte = r#"{"do":"registration","domain":"eps","stat":1}"#;
    order(&mut hand, lte).await;
    assert_eq!(until(&mut client, "1\r\n").await, "|+CEREG: 1|");
    order(&mut hand, r#"{"do":"signal","rssi":4}"#).await;
    let answer = ask(&mut client, "AT+CSQ;+CREG?\r", "OK\r\n").await;
    assert_eq!(answer, "|+CSQ: 4,99||+CREG: 2,2||OK|");
    assert_eq!(ask(&mut client, "AT+CMGS=31\r", "> ").await, "|> ");
    let sent = ask(&mut client, &format!("{HEX}\x1A"), "OK\r\n").await;
    assert!(sent.contains("+CMGS: "), "{sent}");

    // Denied, and a guest of another network.
    order(&mut hand, r#"{"do":"registration","stat":3}"#).await;
    let told = until(&mut client, "+CEREG: 3\r\n").await;
    assert_eq!(told, "|+CREG: 3||+CEREG: 3|");
    order(&mut hand, r#"{"do":"registration","stat":5}"#).await;
    let told = until(&mut client, "+CEREG: 5\r\n").await;
    assert_eq!(told, "|+CREG: 5,\"1A2B\",\"0C3D0016\",7||+CEREG: 5|");
    let answer = ask(&mut client, "AT+COPS?\r", "OK\r\n").await;
    assert_eq!(answer, "|+COPS: 0,0,\"Guest Test\",7||OK|");
    emulator.stop().await;
}
