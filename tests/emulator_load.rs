//! What 256 modems that send all the time cost: the real binary, its CPU time by the kernel's count.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as its body does")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use tokio_serial::{SerialPortBuilderExt, SerialStream};

const MODEMS: u32 = 256;
const RADIO: Duration = Duration::from_secs(3);
/// Long enough for a busy machine; only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(60);
/// To +447700900123, report requested.
const HEX: &str = "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";

struct Emulator {
    child: Child,
    ports: PathBuf,
}

impl Emulator {
    fn start(dir: &Path) -> Self {
        let ports = dir.join("dev");
        let mut command = Command::new(env!("CARGO_BIN_EXE_simpost"));
        command.args(["emulate", "--modems", &MODEMS.to_string(), "--ledger"]);
        command
            .arg(dir.join("ledger.jsonl"))
            .arg("--dir")
            .arg(&ports);
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        Self { child, ports }
    }

    /// CPU time of the process so far, in user and kernel, in clock ticks.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let of = |field: usize| -> u64 { fields.split(' ').nth(field).unwrap().parse().unwrap() };
        // Fields 14 and 15 of proc(5); the first behind the name is field 3.
        of(11) + of(12)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Opens the port when it is there.
async fn open(path: &Path) -> SerialStream {
    let end = Instant::now() + DEADLINE;
    loop {
        let builder = tokio_serial::new(path.to_string_lossy(), 115_200);
        match builder.open_native_async() {
            Ok(port) => return port,
            Err(error) => assert!(Instant::now() < end, "{}: {error}", path.display()),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn ask(port: &mut SerialStream, line: &str, end: &str) {
    port.write_all(line.as_bytes()).await.unwrap();
    let mut got = Vec::new();
    while !got.ends_with(end.as_bytes()) {
        assert_ne!(port.read_buf(&mut got).await.unwrap(), 0);
    }
}

async fn sends_all_the_time(path: PathBuf, sent: Arc<AtomicU32>) {
    let mut port = open(&path).await;
    ask(&mut port, "ATE0+CNMI=2,1,0,2,0\r", "OK\r\n").await;
    loop {
        ask(&mut port, "AT+CMGS=31\r", "> ").await;
        ask(&mut port, &format!("{HEX}\x1A"), "OK\r\n").await;
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn modems_that_send_all_the_time_cost_little() {
    let dir = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(dir.path());
    let sent = Arc::new(AtomicU32::new(0));
    let clients = (0..MODEMS).map(|modem| {
        let path = emulator.ports.join(format!("modem{modem}"));
        tokio::spawn(sends_all_the_time(path, Arc::clone(&sent)))
    });
    let clients: Vec<_> = clients.collect();
    let all = |parts: u32| {
        let sent = Arc::clone(&sent);
        async move {
            let end = Instant::now() + DEADLINE;
            while sent.load(Ordering::Relaxed) < parts {
                assert!(Instant::now() < end, "{sent:?} of {parts}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    all(MODEMS).await;
    let (begun, ticks) = (Instant::now(), emulator.ticks());
    all(3 * MODEMS).await;
    let (took, ticks) = (begun.elapsed(), emulator.ticks() - ticks);
    for client in clients {
        client.abort();
    }
    // A tick is a hundredth of a second.
    let share = f64::from(u32::try_from(ticks).unwrap()) / 100.0 / took.as_secs_f64();
    println!("{share:.3} of a core for {MODEMS} modems, {took:?} for two parts each");
    assert!(took >= RADIO, "{took:?}");
    assert!(share < 0.1, "{share:.3} of a core");
}
