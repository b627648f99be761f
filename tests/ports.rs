//! Ports that cannot be used: said in words, tried again, and nobody else is held up.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails as it should"
)]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use simpost::emulator::{Emulator, Settings};
use support::{Gateway, Running, simpost};
use tempfile::TempDir;
use tokio::process::Command;
use tokio_serial::SerialPortBuilderExt;

fn section(port: &Path) -> String {
    format!("[[modem]]\nport = \"{}\"\n", port.display())
}

fn modem<'a>(list: &'a Value, port: &Path) -> &'a Value {
    let name = port.to_str().unwrap();
    list["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|modem| modem["port"] == name)
        .unwrap_or(&Value::Null)
}

/// Waits until the modem at `port` is in the trouble `code`; returns what is said about it.
async fn trouble(gateway: &Gateway, port: &Path, code: &str) -> (String, String) {
    let list = gateway
        .wait_until("/v1/modems", |list| {
            modem(list, port)["error"]["code"] == code
        })
        .await;
    let error = &modem(&list, port)["error"];
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (text("message"), text("hint"))
}

#[tokio::test]
async fn each_trouble_is_told_with_what_to_do_and_the_others_work_on() {
    let dir = TempDir::new().unwrap();
    let emulator = Emulator::start(&Settings::new(1, dir.path().join("modems"))).unwrap();
    let held = emulator.ports().remove(0);
    let (absent, file) = (dir.path().join("ttyUSB9"), dir.path().join("file"));
    fs::write(&file, "no port").unwrap();
    let holder = tokio_serial::new(held.to_str().unwrap(), 115_200)
        .open_native_async()
        .unwrap();
    let sections = [&absent, &file, &held].map(|port| section(port)).concat();

    let gateway = Gateway::start(1, &format!("[modems]\nreopen_wait_s = 1\n{sections}")).await;
    let (message, hint) = trouble(&gateway, &absent, "port_absent").await;
    assert_eq!(
        message,
        format!("port `{}` does not exist", absent.display())
    );
    assert!(hint.contains("plug the modem in"), "{hint}");
    let (message, hint) = trouble(&gateway, &file, "port_not_a_tty").await;
    assert_eq!(
        message,
        format!("`{}` is not a serial port", file.display())
    );
    assert!(hint.contains("/dev/ttyUSB0"), "{hint}");
    let (message, hint) = trouble(&gateway, &held, "port_held").await;
    assert_eq!(
        message,
        format!("port `{}` is held by another process", held.display())
    );
    assert!(hint.contains("fuser -v"), "{hint}");

    let id = gateway.send("+380671234567", "the one that works").await;
    gateway.wait_for(&id, "delivered").await;
    assert!(
        gateway.log().contains("held by another process"),
        "{}",
        gateway.log()
    );
    drop(holder);
    gateway
        .wait_until("/v1/modems", |list| modem(list, &held)["state"] == "ready")
        .await;
    emulator.stop().await;
}

#[tokio::test]
async fn a_port_without_permission_is_told_apart() {
    let dir = TempDir::new().unwrap();
    let emulator = Emulator::start(&Settings::new(1, dir.path().join("modems"))).unwrap();
    let port = emulator.ports().remove(0);
    let tty = fs::canonicalize(&port).unwrap();
    fs::set_permissions(&tty, fs::Permissions::from_mode(0o000)).unwrap();
    let data = dir.path().join("data");
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        data.to_str().unwrap(),
        "--port",
        port.to_str().unwrap(),
    ];
    // Root may open everything, so the daemon runs as somebody else, with a program and a directory
    // that one may use.
    let mut command = if rustix::process::getuid().is_root() {
        for path in [dir.path(), &dir.path().join("modems")] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let program = dir.path().join("simpost");
        fs::copy(env!("CARGO_BIN_EXE_simpost"), &program).unwrap();
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(program)
            .args(arguments);
        command.env_clear().env("PATH", "/usr/bin:/bin");
        command
    } else {
        simpost(&arguments)
    };
    let daemon = Running::start(&mut command);
    let line = daemon.says("may not be opened by this user").await;
    assert!(
        line.contains("port_no_permission") && line.contains("usermod -aG dialout"),
        "{line}"
    );
    fs::set_permissions(&tty, fs::Permissions::from_mode(0o666)).unwrap();
    daemon.says("modem ready").await;
    emulator.stop().await;
}
